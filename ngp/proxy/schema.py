"""Provider schemas: stored on the disk, and returned with only the types that a Terraform process may use."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ngp import seals
from ngp.proxy import wire
from ngp.proxy.messages import SCHEMA_MAPS
from ngp.proxy.sealed_store import SealedStore

_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_-]*")
READ_BYTES = 64 << 20  # larger states are not searched: they get the whole schema


@dataclass(frozen=True)
class SchemaPart:
    """A part of the answer: `name` is a type, "" for what every process gets."""

    name: str
    start: int
    end: int
    digest: str


@dataclass(frozen=True)
class Schema:
    """The positions of the parts of a schema answer in the file `path`, and the protocol of the provider."""

    protocol: int
    parts: tuple[SchemaPart, ...]
    path: Path

    @property
    def names(self) -> frozenset[str]:
        return frozenset(part.name for part in self.parts if part.name)

    def cut(self, names: frozenset[str] | None) -> bytes | None:
        """Return the answer with these types only (None: all), or None if the file is damaged."""
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
    """The file does not have the bytes that were written."""


def load(store: SealedStore, package_hash: str) -> Schema | None:
    """Load the stored schema of a package, or None if it is missing or not authentic."""
    text = store.read(f"{_name(package_hash)}.json")
    if text is None:
        return None
    try:
        document = json.loads(text)
        parts = tuple(SchemaPart(*part) for part in document["parts"])
        return Schema(document["protocol"], parts, _path(store, package_hash))
    except (ValueError, KeyError, TypeError):
        return None


def save(store: SealedStore, package_hash: str, protocol: int, answer: bytes) -> Schema:
    """Store a package's whole answer. Raises wire.WireError if it is not a message.

    The file is large and read in pieces, so it is not its own seal that counts: each piece's digest is in the index.
    """
    parts = tuple(_parts(answer, seals.BYTES))
    path = _path(store, package_hash)
    store.write(path.name, answer)
    index = {"protocol": protocol, "parts": [[one.name, one.start, one.end, one.digest] for one in parts]}
    store.write(f"{_name(package_hash)}.json", json.dumps(index).encode())
    return Schema(protocol, parts, path)


def words(text: bytes) -> frozenset[str]:
    """Return every word of a text that could be the name of a type: possibly too many, never too few."""
    return frozenset(name.decode() for name in set(_NAME.findall(text)))


def _parts(answer: bytes, offset: int) -> Iterator[SchemaPart]:
    for field in wire.fields(answer):
        name = ""
        if field.number in SCHEMA_MAPS and field.kind == wire.BYTES:
            name = (wire.first(answer[field.body : field.end], 1) or b"").decode("utf-8", "replace")
        yield SchemaPart(name, field.start + offset, field.end + offset, _digest(answer[field.start : field.end]))


def _digest(piece: bytes) -> str:
    return hashlib.sha256(piece).hexdigest()[:32]


def _name(package_hash: str) -> str:
    return hashlib.sha256(package_hash.encode()).hexdigest()[:40]


def _path(store: SealedStore, package_hash: str) -> Path:
    return store.folder / f"{_name(package_hash)}.schema"
