"""The dependency lock file (``.terraform.lock.hcl``): versions and hashes of the allowed provider packages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ngp import files
from ngp.errors import Finding, MissingError, UsageError
from ngp.proxy.packages import combine as combine
from ngp.proxy.packages import package_hash as package_hash  # the lock's own measure of a package
from ngp.terraform import versions
from ngp.terraform.binary import TERRAFORM_REGISTRY

NAME = ".terraform.lock.hcl"
REGISTRY = TERRAFORM_REGISTRY  # of a source without a host, in the platform's own lock whatever its binary
PLATFORMS = ("darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64")
_HEADER = (
    '# This file is maintained automatically by "terraform init".\n# Manual edits may be lost in future updates.\n'
)
_BLOCK = re.compile(r'provider\s+"([^"]+)"\s*\{\s*(.*?)\s*\}', re.DOTALL)
_HASHES = re.compile(r"hashes\s*=\s*\[(.*?)\]", re.DOTALL)
_COMMENT = re.compile(r"(?m)^\s*(?:#|//).*$")


@dataclass(frozen=True)
class Locked:
    """One provider. `address` is complete: ``registry.terraform.io/hashicorp/aws``; hashes are sorted, h1 before zh.

    An ``h1:`` hash is of an unpacked package for any one platform; a ``zh:`` hash of a published archive.
    """

    address: str
    version: str
    constraints: str = ""
    hashes: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The address as written in a configuration: ``hashicorp/aws``."""
        return self.address.removeprefix(f"{REGISTRY}/")

    @property
    def package_hashes(self) -> tuple[str, ...]:
        return tuple(one for one in self.hashes if one.startswith("h1:"))


@dataclass(frozen=True)
class Requirement:
    """A module's constraint on a provider; `source` as written there, `where` is its file."""

    source: str
    constraint: str
    where: str = ""


Lock = tuple[Locked, ...]


def load(path: Path) -> Lock:
    """Load a lock file. Raises MissingError if it does not exist, UsageError if it cannot be read."""
    try:
        return parse(path.read_text(encoding="utf-8-sig"), where=str(path))
    except FileNotFoundError:
        raise MissingError("the provider lock file is missing", where=str(path), todo="ngp lock") from None
    except UnicodeDecodeError as error:
        raise UsageError("this file is not UTF-8", where=str(path), why=str(error)) from None


def parse(text: str, *, where: str = "") -> Lock:
    """Parse a lock file; providers are sorted by address."""
    plain = _COMMENT.sub("", text)
    found = {match[1]: _locked(match[1], match[2], where) for match in _BLOCK.finditer(plain)}
    rest = _BLOCK.sub("", plain).strip()
    if rest:
        raise _unreadable(where, rest.splitlines()[0])
    return tuple(found[address] for address in sorted(found))


def render(lock: Iterable[Locked]) -> str:
    """Return the text of a lock file exactly as Terraform writes it, so that neither changes the other's."""
    return "\n".join([_HEADER, *(_block(one) for one in sorted(lock, key=lambda one: one.address))])


def merge(old: Iterable[Locked], new: Iterable[Locked]) -> Lock:
    """Return the new lock with the old hashes of unchanged versions: its writer may not see all platforms."""
    kept = {(one.address, one.version): one.hashes for one in old}
    return tuple(
        replace(one, hashes=tuple(sorted({*one.hashes, *kept.get((one.address, one.version), ())}))) for one in new
    )


def under(lock: Iterable[Locked], registry: str) -> Lock:
    """The lock as a binary reads it that looks up sources without a host in `registry`.

    Versions and hashes stay: an ``h1:`` is of the files of a package, not of the address at which it is offered. So
    OpenTofu runs the very packages that are locked; those of its own registry are built anew and have other hashes.
    """
    return tuple(
        replace(one, address=f"{registry}/{one.source}") if one.address.startswith(f"{REGISTRY}/") else one
        for one in lock
    )


def readdress(path: Path, registry: str) -> None:
    """Rewrite the lock file of a root's copy for the binary of `registry`; do nothing if it does not exist."""
    if registry != REGISTRY and path.is_file():
        files.write(path, render(under(load(path), registry)))


def check(
    lock: Lock, requirements: Iterable[Requirement], *, platforms: Sequence[str] = PLATFORMS, where: str = NAME
) -> tuple[Finding, ...]:
    """Return the problems of a lock: unmet constraints, providers that are not locked, platforms without hash."""
    by_source = {one.source: one for one in lock}
    return (*_unmet(by_source, requirements, where), *_bare(lock, platforms, where))


def address(source: str) -> str:
    """Return the complete address of a source as written: ``aws``, ``hashicorp/aws`` or with its host."""
    parts = source.split("/")
    return "/".join([*(REGISTRY, "hashicorp")[: 3 - len(parts)], *parts])


def _locked(name: str, body: str, where: str) -> Locked:
    arguments = {key: value for key, value in re.findall(r'(version|constraints)\s*=\s*"([^"]*)"', body)}
    hashes = _HASHES.search(body)
    try:
        versions.parse(arguments["version"])
    except (KeyError, ValueError):
        raise _unreadable(where, f'provider "{name}"') from None
    listed = re.findall(r'"([^"]*)"', hashes[1]) if hashes else []
    return Locked(name, arguments["version"], arguments.get("constraints", ""), tuple(sorted(listed)))


def _block(locked: Locked) -> str:
    width = len("constraints") if locked.constraints else len("version")
    lines = [f'provider "{locked.address}" {{', f'  {"version":{width}} = "{locked.version}"']
    if locked.constraints:
        lines.append(f'  constraints = "{locked.constraints}"')
    if locked.hashes:
        lines += ["  hashes = [", *(f'    "{one}",' for one in sorted(locked.hashes)), "  ]"]
    return "\n".join([*lines, "}\n"])


def _unmet(by_source: dict[str, Locked], requirements: Iterable[Requirement], where: str) -> Iterator[Finding]:
    for wanted in requirements:
        locked = by_source.get(address(wanted.source).removeprefix(f"{REGISTRY}/"))
        if locked is None:
            yield Finding(f"provider `{wanted.source}` is not locked", wanted.where, f"{where} has none", "ngp lock")
        elif not versions.parse_constraint(wanted.constraint, where=wanted.where).allows(
            versions.parse(locked.version)
        ):
            yield Finding(
                f"`{wanted.source}` is locked at {locked.version}, but `{wanted.constraint}` is required",
                wanted.where,
                todo="ngp lock --upgrade, or change the constraint",
            )


def _bare(lock: Lock, platforms: Sequence[str], where: str) -> Iterator[Finding]:
    for locked in lock:
        count = len(locked.package_hashes)
        if count < len(platforms):
            yield Finding(
                f"`{locked.source}` {locked.version} has hashes for {count} of {len(platforms)} platforms",
                where,
                f"on the others `terraform init` refuses the provider ({', '.join(platforms)} are needed)",
                "ngp lock, on a machine that can reach the registry",
            )


def _unreadable(where: str, what: str) -> UsageError:
    return UsageError(
        f"cannot read the lock file at `{what}`", where=where, todo="restore it from Git, then run ngp lock"
    )
