"""Renews the master lock file: Terraform computes the hashes, from the registry or from a mirror on this machine."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ngp import files
from ngp.errors import Finding, MissingError, NgpError, UsageError
from ngp.terraform import child_environ, lockfile, mirror, versions
from ngp.terraform.binary import Binary
from ngp.terraform.driver import Root, Terraform
from ngp.terraform.lockfile import Lock, Requirement


@dataclass(frozen=True)
class RenewalRequest:
    """Options of a new lock. `folder` is a mirror to use; None uses one that is found, else the registry."""

    requirements: tuple[Requirement, ...]
    platforms: tuple[str, ...] = lockfile.PLATFORMS
    folder: Path | None = None
    upgrade: bool = False  # take the newest versions, not those that are locked


@dataclass(frozen=True)
class Renewal:
    """A new lock. `origin` is the source of the packages: a mirror's folder or the registry."""

    lock: Lock
    origin: str


def renew(
    old: Lock, request: RenewalRequest, binary: Binary, places: mirror.Places, stop: threading.Event | None = None
) -> Renewal:
    """Make a new lock for the request, without writing it.

    Raises NgpError if the new lock would be worse (a platform without a hash), MissingError if a provider is not
    available.
    """
    wanted = _constraints(request.requirements)
    folder = request.folder or _mirror_in_use(wanted, places)
    platforms = _seen(folder, wanted, request.platforms) if folder else request.platforms
    found = lockfile.merge(old, _ask(old, request, binary, places, _Asked(folder, platforms, stop)))
    bare = lockfile.check(found, request.requirements, platforms=request.platforms)
    if bare:
        unseen = ", ".join(sorted(set(request.platforms) - set(platforms)))
        reason = f"{folder} holds no package for {unseen}; nothing was written" if unseen else "nothing was written"
        raise NgpError([*bare, Finding("the new lock file would cover less than the current one", why=reason)])
    return Renewal(found, str(folder) if folder else lockfile.REGISTRY)


def verify(lock: Lock, binary: Binary, places: mirror.Places) -> Iterator[Finding]:
    """Check the packages of the mirror in use, for this platform, against the lock."""
    try:
        found = mirror.find(lock, binary.platform, places, flavour=binary.flavour)
    except MissingError as error:
        yield from error.findings
        return
    for locked in lock if found and found.folder else ():
        assert found is not None
        assert found.folder is not None
        package = mirror.package(found.folder, locked, binary.platform)
        if package is not None and (has := lockfile.package_hash(package)) not in locked.hashes:
            yield Finding(
                f"`{locked.source}` {locked.version} in {found.folder} is not the package that is locked",
                str(package),
                f"its hash is {has}",
                "get the package from a source that you trust; do not lock this one",
            )


@dataclass(frozen=True)
class _Asked:
    folder: Path | None
    platforms: Sequence[str]
    stop: threading.Event | None


def _ask(old: Lock, request: RenewalRequest, binary: Binary, places: mirror.Places, asked: _Asked) -> Lock:
    wanted = _constraints(request.requirements)
    kept = () if request.upgrade else tuple(one for one in old if one.address in wanted and _fits(one, wanted))
    places.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=places.cache, prefix=".locking-") as name:
        scratch = Path(name)
        files.write(scratch / "main.tf.json", json.dumps(_scratch(wanted)))
        files.write(scratch / lockfile.NAME, lockfile.render(kept))
        terraform = Terraform(binary, child_environ.build(places.environ, {}), stop=asked.stop)
        try:
            terraform.providers_lock(
                Root(scratch, scratch / ".terraform"),
                asked.platforms,
                mirror=asked.folder,
            )
        except NgpError as error:
            first = error.findings[0]
            raise MissingError(
                "cannot inspect the providers",
                where=str(asked.folder or lockfile.REGISTRY),
                why=first.why or first.what,
                todo="pass a mirror that has them with --fs-mirror, or run this where the registry can be reached",
            ) from error
        # OpenTofu adds an entry of its own registry to one that was locked before
        return tuple(one for one in lockfile.load(scratch / lockfile.NAME) if one.address in wanted)


def _constraints(requirements: Iterable[Requirement]) -> dict[str, str]:
    """Return all constraints on each provider, by complete address."""
    found: dict[str, set[str]] = {}
    for one in requirements:
        parts = {part.strip() for part in one.constraint.split(",") if part.strip()}
        found.setdefault(lockfile.address(one.source), set()).update(parts)
    if not found:
        raise UsageError("no module of this platform requires a provider", where="modules", todo="add a module first")
    return {address: ", ".join(sorted(parts)) for address, parts in sorted(found.items())}


def _fits(locked: lockfile.Locked, wanted: Mapping[str, str]) -> bool:
    # a locked version that no longer fits is left out, or Terraform would refuse instead of choosing another
    return versions.parse_constraint(wanted[locked.address]).allows(versions.parse(locked.version))


def _scratch(wanted: Mapping[str, str]) -> dict[str, object]:
    providers = {
        f"p{at}": {"source": address} | ({"version": constraint} if constraint else {})
        for at, (address, constraint) in enumerate(wanted.items())
    }
    return {"terraform": {"required_providers": providers}}


def _mirror_in_use(wanted: Iterable[str], places: mirror.Places) -> Path | None:
    """Return the first mirror with some version of every provider, except ngp's own."""
    addresses = tuple(wanted)
    for folder in mirror.folders(places):
        if all((folder / address).is_dir() for address in addresses):
            return folder
    return None


def _seen(folder: Path, wanted: Mapping[str, str], platforms: Sequence[str]) -> tuple[str, ...]:
    """Return the platforms for which a mirror has a fitting version of every provider."""
    seen = tuple(
        platform
        for platform in platforms
        if all(
            any(
                versions.parse_constraint(constraint).allows(versions.parse(version))
                for version in mirror.held(folder, address, platform)
            )
            for address, constraint in wanted.items()
        )
    )
    if not seen:
        raise MissingError(
            [
                Finding(
                    f"the provider mirror {folder} holds no version of `{address}` that fits `{constraint}`",
                    where=str(folder),
                    why=_has(folder, address, platforms),
                    todo="put one into the mirror, or change the modules' constraints",
                )
                for address, constraint in wanted.items()
            ]
        )
    return seen


def _has(folder: Path, address: str, platforms: Sequence[str]) -> str:
    held = {platform: mirror.held(folder, address, platform) for platform in platforms}
    parts = "; ".join(f"{', '.join(found)} for {platform}" for platform, found in held.items() if found)
    return f"it has {parts}" if parts else f"it has none for {', '.join(platforms)}"
