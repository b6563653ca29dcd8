"""Fingerprints of everything that `terraform init` reads: it is skipped while they are equal."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ngp import files

_FILE = "ngp-init.json"
ENDINGS = (".tf", ".tf.json", ".tofu", ".tofu.json")
# `module "leaf" { source = "../leaf" }` may stand on one line
_SOURCE = re.compile(r'(?:^|[{;,])\s*"?source"?\s*[=:]\s*"(\.\.?/[^"]*)"', re.MULTILINE)
_MODULE = re.compile(r'^\s*(?:module\s+"|"module"\s*:)', re.MULTILINE)
# Over-inclusive: a line too many costs one init, a line too few a wrong skip. A resource type's first word is a
# provider that need not be declared anywhere else.
_MATTERS = re.compile(
    r"^\s*(?:source|version|required_version)\s*=.*$"
    r"|^\s*(?:terraform|required_providers|backend\s.*|[\w-]+\s*=)\s*\{.*$"
    r'|^\s*(?:provider|module)\s+".*$'
    r'|^\s*(?:resource|data|ephemeral)\s+"[a-z0-9]+',
    re.MULTILINE,
)


def compute(root: Path, *, about: tuple[str, ...]) -> str:
    """Return the fingerprint of `root` and of the local modules that it calls; `about` is other input."""
    digest = hashlib.sha256(json.dumps([*about, str(root.resolve())]).encode())
    for path in (*_files(root), root / ".terraform.lock.hcl"):
        with suppress(FileNotFoundError):
            digest.update(b"\0" + path.name.encode() + b"\0" + path.read_bytes())
    for folder in sorted(modules(root)):
        lines = {line.strip() for text in _texts(folder) for line in _MATTERS.findall(text)}
        digest.update(json.dumps([str(folder), sorted(lines)]).encode())
        for path in _files(folder):  # which lines of JSON matter is not told apart: an edit costs an init
            if path.suffix == ".json":
                digest.update(b"\0" + path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def is_current(data: Path, fingerprint: str, *, backend: bool, root: Path) -> bool:
    """Whether an init with this fingerprint was done in `data` and its files still exist.

    An init with a backend also serves calls without one.
    """
    try:
        kept = json.loads((data / _FILE).read_text(encoding="utf-8"))
        if kept["fingerprint"] != fingerprint or (backend and not kept["backend"]):
            return False
    except (OSError, ValueError, KeyError, TypeError):
        return False
    calls_modules = any(_MODULE.search(text) for text in _texts(root))
    if calls_modules and not (data / "modules" / "modules.json").is_file():
        return False
    return all((data / "providers" / name).exists() for name in kept.get("providers", ()))


def had_backend(data: Path) -> bool:
    """Whether the init in `data` used the backend."""
    try:
        return bool(json.loads((data / _FILE).read_text(encoding="utf-8"))["backend"])
    except (OSError, ValueError, KeyError, TypeError):
        return True


def save(data: Path, fingerprint: str, *, backend: bool) -> None:
    """Record a successful init."""
    # host/namespace/type/version/platform; the last is a link into the mirror, which may go away
    made = [str(path.relative_to(data / "providers")) for path in sorted((data / "providers").glob("*/*/*/*/*"))]
    files.write(
        data / _FILE,
        json.dumps({"fingerprint": fingerprint, "backend": backend, "providers": made}, indent=1),
    )


def modules(root: Path) -> set[Path]:
    """Return the folders of all local modules that `root` calls, directly or indirectly."""
    found: set[Path] = set()
    ahead = [root]
    while ahead:
        folder = ahead.pop()
        for source in called(folder):
            module = (folder / source).resolve()
            if module not in found:
                found.add(module)
                ahead.append(module)
    return found


def called(folder: Path) -> list[str]:
    """Return the relative module sources in the files of a folder, as written."""
    return [source for text in _texts(folder) for source in sources(text)]


def sources(text: str) -> list[str]:
    """Return the relative module sources in a Terraform file (HCL or JSON), as written."""
    return _SOURCE.findall(text)


def _texts(folder: Path) -> Iterator[str]:
    for path in _files(folder):
        text = path.read_text(encoding="utf-8", errors="replace")
        # JSON may stand on one line; HCL's places are by line
        yield re.sub(r"([{,])", r"\1\n", text) if path.suffix == ".json" else text


def _files(folder: Path) -> list[Path]:
    return [path for ending in ENDINGS for path in sorted(folder.glob(f"*{ending}"))]
