"""A provider's schema, kept on the disk and given out cut down to the types that somebody may use."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ngp.proxy import wire
from ngp.proxy.messages import SCHEMA_MAPS
from ngp.proxy.safe import MAC_BYTES, Safe

_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_-]*")
READ_BYTES = 64 << 20  # a state larger than this is not looked through: the whole schema serves it


@dataclass(frozen=True)
class Part:
    """A piece of the answer: `name` is a type's, "" for what everybody gets."""

    name: str
    start: int
    end: int
    digest: str


@dataclass(frozen=True)
class Schema:
    """Where the pieces of one package's schema answer lie in the file `path`, and the protocol that it speaks."""

    protocol: int
    parts: tuple[Part, ...]
    path: Path

    @property
    def names(self) -> frozenset[str]:
        return frozenset(part.name for part in self.parts if part.name)

    def cut(self, names: frozenset[str] | None) -> bytes | None:
        """The answer with these types only (None: with all); None where the file is not what was written."""
        try:
            with self.path.open("rb") as file:
                return b"".join(self._pieces(file, names))
        except (OSError, _SpoiltError):
            return None

    def _pieces(self, file: BinaryIO, names: frozenset[str] | None) -> Iterator[bytes]:
        for part in self.parts:
            if names is not None and part.name and part.name not in names:
                continue
            file.seek(part.start)
            piece = file.read(part.end - part.start)
            if _digest(piece) != part.digest:
                raise _SpoiltError
            yield piece


class _SpoiltError(Exception):
    """The file has other bytes than those that were written."""


def load(safe: Safe, package_hash: str) -> Schema | None:
    """The schema of a package as it was kept; None where there is none, or none to be believed."""
    text = safe.read(f"{_name(package_hash)}.json")
    if text is None:
        return None
    try:
        document = json.loads(text)
        parts = tuple(Part(*part) for part in document["parts"])
        return Schema(document["protocol"], parts, _path(safe, package_hash))
    except (ValueError, KeyError, TypeError):
        return None


def keep(safe: Safe, package_hash: str, protocol: int, answer: bytes) -> Schema:
    """Keep a package's whole answer; raise wire.WireError where it is no message.

    The file is large and read in pieces, so it is not its own seal that counts: each piece's digest is in the index.
    """
    parts = tuple(_parts(answer, MAC_BYTES))
    path = _path(safe, package_hash)
    safe.write(path.name, answer)
    index = {"protocol": protocol, "parts": [[one.name, one.start, one.end, one.digest] for one in parts]}
    safe.write(f"{_name(package_hash)}.json", json.dumps(index).encode())
    return Schema(protocol, parts, path)


def words(text: bytes) -> frozenset[str]:
    """Every word in a text that could be a type's name: too many, never too few."""
    return frozenset(name.decode() for name in set(_NAME.findall(text)))


def _parts(answer: bytes, offset: int) -> Iterator[Part]:
    for field in wire.fields(answer):
        name = ""
        if field.number in SCHEMA_MAPS and field.kind == wire.BYTES:
            name = (wire.first(answer[field.body : field.end], 1) or b"").decode("utf-8", "replace")
        yield Part(name, field.start + offset, field.end + offset, _digest(answer[field.start : field.end]))


def _digest(piece: bytes) -> str:
    return hashlib.sha256(piece).hexdigest()[:32]


def _name(package_hash: str) -> str:
    return hashlib.sha256(package_hash.encode()).hexdigest()[:40]


def _path(safe: Safe, package_hash: str) -> Path:
    return safe.folder / f"{_name(package_hash)}.schema"
