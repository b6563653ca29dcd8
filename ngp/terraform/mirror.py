"""Mirrors of provider packages on this machine, used instead of the registry and found without configuration."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ngp import files
from ngp.errors import Finding, MissingError, StoppedError
from ngp.terraform import child_environ, lockfile, versions
from ngp.terraform.binary import OPENTOFU, TERRAFORM, Binary
from ngp.terraform.driver import Root, Terraform
from ngp.terraform.lockfile import NAME, REGISTRY, Lock, Locked, render

ADD_ON_ROOT = Path("/opt")  # Filesystem Hierarchy Standard 3.0, 3.13: add-on application software packages
SETTING = "NGP_PROVIDER_MIRROR"
_INSTALLS = re.compile(r"(?m)^\s*(provider_installation|plugin_cache_dir)\b")


@dataclass(frozen=True)
class Places:
    """What determines the mirrors on this machine. `cache` is the user's folder of ngp."""

    environ: Mapping[str, str]
    home: Path
    cache: Path
    add_on_root: Path = ADD_ON_ROOT


@dataclass(frozen=True)
class Mirror:
    """`folder` is for ``init -plugin-dir``; None means Terraform's own configuration. `origin` is the reason."""

    folder: Path | None
    origin: str


def find(lock: Lock, platform: str, places: Places, *, flavour: str = TERRAFORM) -> Mirror | None:
    """Return the first mirror that has every locked provider for `platform` (``linux_amd64``), or None.

    Raises MissingError only if the folder in NGP_PROVIDER_MIRROR lacks some.
    """
    configuration = _own_configuration(places, flavour)
    if configuration is not None:
        return Mirror(None, f"the operator's own configuration, {configuration}")
    named = places.environ.get(SETTING)
    if named:
        folder = Path(named).expanduser()
        _require(folder, lock, platform)
        return Mirror(folder, SETTING)
    for folder, origin in _candidates(places):
        if not _missing(folder, lock, platform):
            return Mirror(folder, origin)
    return None


def provide(lock: Lock, binary: Binary, places: Places, stop: threading.Event | None = None) -> Mirror:
    """Find a mirror, or fill ngp's own once from the registry, so that no package is fetched twice.

    What it gives holds the packages under the addresses of the binary's own registry (see `lockfile.under`).
    Raises MissingError where the registry cannot be reached either; it says what the mirrors here do have.
    """
    found = find(lock, binary.platform, places, flavour=binary.flavour)
    if found is not None:
        return _readdressed(found, lock, binary, places)
    own = _own(places)
    with files.lock(places.cache / "providers.lock", purpose="fetching providers", wait=True):
        if _missing(own, lock, binary.platform):  # another ngp may have filled it while this one waited
            _fill(own, lock, binary, places, stop)
    return _readdressed(Mirror(own, "fetched from the registry"), lock, binary, places)


def folders(places: Places) -> Iterator[Path]:
    """Return the mirrors that other tools keep on this machine, in order of preference."""
    if places.environ.get(SETTING):
        yield Path(places.environ[SETTING]).expanduser()
    yield from filter(Path.is_dir, _implied(places))
    yield from _add_ons(places)


def held(folder: Path, address: str, platform: str) -> tuple[str, ...]:
    """Return the versions of a provider in a mirror for a platform, unpacked or packed, oldest first."""
    provider = folder / address
    kind = address.rpartition("/")[2]
    unpacked = {path.parent.name for path in provider.glob(f"*/{platform}") if path.is_dir()}
    name = re.compile(rf"terraform-provider-{re.escape(kind)}_(.+)_{re.escape(platform)}\.zip")
    packed = {match[1] for path in provider.glob("*.zip") if (match := name.fullmatch(path.name))}
    return tuple(sorted(filter(_is_version, unpacked | packed), key=versions.parse))


def package(folder: Path, locked: Locked, platform: str) -> Path | None:
    """Return the folder or archive of exactly this version in a mirror, or None."""
    provider = folder / locked.address
    kind = locked.address.rpartition("/")[2]
    unpacked = provider / locked.version / platform
    packed = provider / f"terraform-provider-{kind}_{locked.version}_{platform}.zip"
    return unpacked if unpacked.is_dir() else packed if packed.is_file() else None


def _readdressed(mirror: Mirror, lock: Lock, binary: Binary, places: Places) -> Mirror:
    """Return the mirror itself, or for another registry's binary a folder of links into it.

    The package's own folder or archive is linked: OpenTofu ignores links further up (tried).
    """
    if mirror.folder is None or binary.registry == REGISTRY:
        return mirror
    folder = mirror.folder.absolute()
    view = places.cache / binary.flavour / hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    for locked, known in zip(lock, lockfile.under(lock, binary.registry), strict=True):
        target = package(folder, locked, binary.platform)
        assert target is not None  # `find` has seen it
        link = view / known.address / target.relative_to(folder / locked.address)
        link.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # its target follows from the view's own name
            link.symlink_to(target)
    return Mirror(view, mirror.origin)


def _candidates(places: Places) -> Iterator[tuple[Path, str]]:
    for folder in _implied(places):
        yield folder, "Terraform's implied mirror directory"
    for folder in _add_ons(places):
        yield folder, "provider mirror below the add-on packages"
    yield _own(places), "fetched before"


def _add_ons(places: Places) -> list[Path]:
    return sorted(path.parent for path in places.add_on_root.glob(f"*/{REGISTRY}") if path.is_dir())


def _implied(places: Places) -> list[Path]:
    """Return Terraform's "implied local mirror directories" (CLI configuration, provider installation)."""
    environ, home = places.environ, places.home
    folders = [home / ".terraform.d" / "plugins"]
    if sys.platform == "darwin":
        library = "Library/Application Support/io.terraform/plugins"
        return [*folders, home / library, Path("/") / library]
    data = environ.get("XDG_DATA_HOME") or str(home / ".local" / "share")
    shared = environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    return [*folders, *(Path(base) / "terraform" / "plugins" for base in [data, *shared.split(":")] if base)]


def _own_configuration(places: Places, flavour: str) -> Path | None:
    """Return the operator's CLI configuration file if it configures provider installation."""
    named = [places.environ[name] for name in child_environ.CONFIG_FILES if places.environ.get(name)]
    # a file in the environment variable replaces the one at home; a missing one is ignored
    candidates = [*map(Path, named), *_home_configurations(places, flavour)]
    path = next(filter(Path.is_file, candidates), None)
    try:
        return path if path and _INSTALLS.search(path.read_text(encoding="utf-8", errors="replace")) else None
    except OSError:
        return None


def _home_configurations(places: Places, flavour: str) -> list[Path]:
    known = [places.home / ".terraformrc"]
    if flavour == OPENTOFU:
        base = places.environ.get("XDG_CONFIG_HOME")
        known = [places.home / ".tofurc", *known, *([Path(base, "opentofu", "tofurc")] if base else [])]
    return known


def _own(places: Places) -> Path:
    return places.cache / "providers"


def _missing(folder: Path, lock: Lock, platform: str) -> list[Locked]:
    return [locked for locked in lock if package(folder, locked, platform) is None]


def _require(folder: Path, lock: Lock, platform: str) -> None:
    missing = _missing(folder, lock, platform)
    if missing:
        raise MissingError([_lacking(folder, locked, platform, SETTING) for locked in missing])


def _lacking(folder: Path, locked: Locked, platform: str, where: str) -> Finding:
    has = ", ".join(held(folder, locked.address, platform))
    return Finding(
        f"the provider mirror {folder} does not hold `{locked.source}` {locked.version} for {platform}",
        where=where,
        why=f"it has {has}" if has else "it has no version of it for this platform",
        todo="put that version into the mirror, or lock one that it has: ngp lock --upgrade",
    )


def _fill(own: Path, lock: Lock, binary: Binary, places: Places, stop: threading.Event | None) -> None:
    """Download the packages with Terraform, hashes checked against the lock, then move them into the mirror."""
    own.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=places.cache, prefix=".fetching-") as name:
        scratch, fetched = Path(name) / "root", Path(name) / "packages"
        scratch.mkdir()
        fetched.mkdir()
        files.write(scratch / "main.tf.json", json.dumps(_scratch(lock)))
        files.write(scratch / NAME, render(lock))
        environ = child_environ.build(places.environ, {}) | {"TF_PLUGIN_CACHE_DIR": str(fetched)}
        root = Root(scratch, scratch / ".terraform")
        result = Terraform(binary, environ, stop=stop).init(root, backend=False)
        if result.stopped:
            raise StoppedError
        if not result.is_ok:
            reason = " ".join(f"{one.summary}: {one.detail}" for one in result.errors)
            raise MissingError([*_elsewhere(lock, binary.platform, places), _unfetched(reason)])
        for package_folder in fetched.glob(f"*/*/*/*/{binary.platform}"):
            target = own / package_folder.relative_to(fetched)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(package_folder, target)


def _scratch(lock: Lock) -> dict[str, object]:
    providers = {f"p{number}": {"source": one.address, "version": one.version} for number, one in enumerate(lock)}
    return {"terraform": {"required_providers": providers}}


def _elsewhere(lock: Lock, platform: str, places: Places) -> Iterator[Finding]:
    for folder, origin in _candidates(places):
        for locked in _missing(folder, lock, platform):
            if held(folder, locked.address, platform):
                yield _lacking(folder, locked, platform, origin)


def _unfetched(reason: str) -> Finding:
    return Finding(
        "the locked providers could not be fetched",
        where="the registry",
        why=" ".join(reason.split()) or "Terraform gave no reason",
        todo=f"let this machine reach {REGISTRY}, or set {SETTING} to a folder that holds {REGISTRY}/",
    )


def _is_version(text: str) -> bool:
    try:
        versions.parse(text)
    except ValueError:
        return False
    return True
