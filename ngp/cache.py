"""Caches expensive results as JSON, valid only for the same content, the same ngp and this disk.

Each entry starts with a seal, whose key depends on the inode and the change time of a file. No checkout, copy or
archive carries those over, so entries that come with one are ignored, and so are damaged ones.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import ngp
from ngp import files, seals

_KEY = "key"


def recall(folder: Path | None, name: str, content: bytes, find: Callable[[], Any]) -> Any:
    """Return `find()` for `content` (JSON data), from the entry `name` in `folder` if it is cached.

    Each name has one entry, that of its last content, so a folder does not grow with every edit. Without a folder
    nothing is cached.
    """
    return recall_each(folder, name, {"": content}, lambda _: {"": find()})[""]


def recall_each(
    folder: Path | None, name: str, contents: Mapping[str, bytes], find: Callable[[Sequence[str]], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """Like `recall`, with one entry for many contents by label: `find` gets the labels that are not cached."""
    try:
        key = _key(folder) if folder else None
    except OSError:
        key = None
    if folder is None or key is None:
        return find(tuple(contents))
    path = folder / f"{hashlib.sha256(name.encode()).hexdigest()}.json"
    digests = {label: hashlib.sha256(content).hexdigest() for label, content in contents.items()}
    kept = _load(path, key, name)
    lacking = [label for label, digest in digests.items() if digest not in kept]
    if lacking:
        found = find(lacking)
        fresh = {digests[label]: found[label] for label in lacking}
        text = json.dumps({digest: kept[digest] if digest in kept else fresh[digest] for digest in digests.values()})
        with suppress(OSError):
            sealed = seals.seal(key, name, text.encode())
            files.write_bytes(path, sealed, mode=0o600, durable=False)  # the seal tells a torn entry
        kept = json.loads(text)  # tuples are lists, as they will be the next time
    return {label: kept[digest] for label, digest in digests.items()}


def _load(path: Path, key: bytes, name: str) -> dict[str, Any]:
    """What the entry `name` holds, by the digest of the content that it was made of."""
    with suppress(OSError, ValueError):
        text = seals.unseal(key, name, path.read_bytes())
        if text is not None:
            kept: dict[str, Any] = json.loads(text)
            return kept
    return {}


@cache
def _key(folder: Path) -> bytes:
    """The key of the seals in `folder`; another ngp and other packages have another one."""
    path = folder / _KEY
    if not path.is_file():
        files.write(path, os.urandom(32).hex(), mode=0o600)
    found = path.lstat()
    parts = (path.read_bytes(), found.st_dev, found.st_ino, found.st_ctime_ns, program())
    return hashlib.sha256(repr(parts).encode()).digest()


@cache
def program() -> str:
    """Return the identity of the ngp that this process runs, read once by `read_program`."""
    return read_program()


def read_program() -> str:
    """Return the identity of this ngp: its version, its code and its packages, so that an edit changes it."""
    about = hashlib.sha256(repr((*_code(), *_packages())).encode())
    return f"{ngp.__version__} {about.hexdigest()[:16]}"


def _code() -> Iterator[tuple[str, int, int]]:
    """Name, size and time of every file of ngp's code: a checkout changes without a new version."""
    yield from _python_files(str(Path(__file__).parent))


def _python_files(folder: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:  # every command asks: os.walk and pathlib take twice the time
        if entry.name.endswith(".py"):
            facts = entry.stat()
            yield entry.name, facts.st_size, facts.st_mtime_ns
        elif entry.name != "__pycache__" and entry.is_dir(follow_symlinks=False):
            yield from _python_files(entry.path)


def _packages() -> Iterator[tuple[str, int]]:
    """The folders in which packages are installed, with the time of their last change."""
    for folder in sorted(set(sys.path)):  # one that PYTHONPATH names, too, is no other
        if folder.endswith("-packages"):
            with suppress(OSError):
                yield folder, Path(folder).stat().st_mtime_ns
