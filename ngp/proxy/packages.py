"""Provider packages on the disk: their hashes, checked against the lock file."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ngp.errors import RefusedError
from ngp.proxy.sealed_store import SealedStore


@dataclass(frozen=True)
class ProviderPackage:
    """An unpacked provider package; `hashes` are those that the lock file allows (``h1:…``)."""

    address: str  # registry.terraform.io/hashicorp/aws
    folder: Path
    hashes: tuple[str, ...]

    @property
    def executable(self) -> Path:
        """Return the provider's program. Raises RefusedError unless there is exactly one."""
        kind = self.address.rpartition("/")[2]
        found = [path for path in sorted(self.folder.glob(f"terraform-provider-{kind}*")) if os.access(path, os.X_OK)]
        if len(found) != 1:
            raise RefusedError(f"the package of {self.address} holds {len(found)} programs", where=str(self.folder))
        return found[0]


def verify(package: ProviderPackage, store: SealedStore) -> str:
    """Return the package's ``h1:`` hash. Raises RefusedError if the lock file does not allow it.

    Hashing hundreds of megabytes is slow, so the store keeps the hash by path, size, times and inode of every file.
    """
    identity = json.dumps(_identity(package.folder))
    name = f"hash-{hashlib.sha256(str(package.folder).encode()).hexdigest()[:40]}"
    kept = (store.read(name) or b"").decode("utf-8", "replace").partition("\n")
    if kept[2] == identity:
        found = kept[0]
    else:
        found = package_hash(package.folder)
        store.write(name, f"{found}\n{identity}".encode())
    if found not in package.hashes:
        raise RefusedError(
            f"the package of {package.address} is not the one that is locked",
            where=str(package.folder),
            why=f"it has the hash {found}",
            todo="take the package from its registry again, or ngp lock",
        )
    return found


def package_hash(path: Path) -> str:
    """Return the ``h1:`` hash of a package, a folder or an archive (Go's ``dirhash.Hash1``: names in sorted order)."""
    return combine(_digests(path))


def combine(digests: Iterable[tuple[str, str]]) -> str:
    """Return the ``h1:`` hash of files, given by name and SHA-256 in hex."""
    lines = [f"{digest}  {name}\n" for name, digest in sorted(digests)]
    return "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()


def _identity(folder: Path) -> Sequence[Sequence[object]]:
    found = [(path, path.stat()) for path in sorted(folder.rglob("*")) if path.is_file()]
    # only root can set the change time
    return [[str(path), one.st_size, one.st_mtime_ns, one.st_ctime_ns, one.st_ino] for path, one in found]


def _digests(path: Path) -> Iterator[tuple[str, str]]:
    if path.is_dir():
        for file in path.rglob("*"):
            if file.is_file():
                with file.open("rb") as content:
                    yield file.relative_to(path).as_posix(), _sha256(content)
        return
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if not entry.is_dir():
                with archive.open(entry) as content:
                    yield entry.filename, _sha256(content)


def _sha256(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := content.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()
