"""Providers from mirrors, with real Terraform and a provider package of a few bytes (init never starts one)."""

from __future__ import annotations

import os
import platform as machine
import shutil
import threading
import zipfile
from pathlib import Path

import pytest

from ngp import shipped
from ngp.errors import MissingError, NgpError
from ngp.terraform import binary, child_environ, lockfile, mirror, renewal
from ngp.terraform.driver import Root, Terraform
from ngp.terraform.lockfile import NAME, Locked, Requirement
from ngp.terraform.mirror import Places
from ngp.terraform.renewal import RenewalRequest

pytestmark = pytest.mark.terraform

TINY = "registry.terraform.io/example/tiny"
MAIN = """
terraform {
  required_providers {
    tiny = {
      source  = "example/tiny"
      version = "~> 1.2"
    }
  }
}
"""


@pytest.fixture(scope="session")
def found(tmp_path_factory) -> binary.Binary:
    folder = tmp_path_factory.mktemp("found")
    return binary.find("", ">= 1.11.0, < 2.0.0", dict(os.environ), cwd=folder, cache=folder)


@pytest.fixture
def places(tmp_path) -> Places:
    (tmp_path / "home").mkdir()
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "XDG_DATA_DIRS": str(tmp_path / "shared")}
    return Places(environ, tmp_path / "home", tmp_path / "cache", tmp_path / "add-ons")


def provider(folder: Path, platform: str, version: str = "1.2.3", content: str = "x") -> Path:
    package = folder / TINY / version / platform
    package.mkdir(parents=True)
    program = package / f"terraform-provider-tiny_v{version}"
    program.write_text(f"#!/bin/sh\nexit 1 # {content} {platform}\n")
    program.chmod(0o755)
    return package


def hashes(*packages: Path) -> tuple[str, ...]:
    return tuple(sorted(lockfile.package_hash(package) for package in packages))


def make_root(tmp_path: Path, lock: Locked) -> Root:
    path = tmp_path / "root"
    path.mkdir()
    (path / "main.tf").write_text(MAIN)
    (path / NAME).write_text(lockfile.render([lock]))
    return Root(path, tmp_path / "data")


def test_our_hash_is_terraforms(found, places, tmp_path):
    package = provider(tmp_path / "m", found.platform)
    root = make_root(tmp_path, Locked(TINY, "1.2.3"))
    (root.path / NAME).unlink()
    terraform = Terraform(found, child_environ.build(places.environ, {}), tmp_path / "m")
    assert terraform.init(root).is_ok
    written = (root.path / NAME).read_text()
    (locked,) = lockfile.parse(written)
    assert locked.hashes == hashes(package)
    assert lockfile.render([locked]) == written


@pytest.mark.parametrize("is_packed", [False, True])
def test_root_is_initialised_from_a_mirror_with_a_readonly_lock(found, places, tmp_path, is_packed):
    package = provider(places.add_on_root / "m", found.platform)
    lock = Locked(TINY, "1.2.3", "", (*hashes(package), "h1:of-another-platform="))
    if is_packed:
        with zipfile.ZipFile(
            package.parents[1] / f"terraform-provider-tiny_1.2.3_{found.platform}.zip", "w"
        ) as archive:
            archive.write(*package.iterdir(), arcname="terraform-provider-tiny_v1.2.3")
        shutil.rmtree(package.parent)
    root = make_root(tmp_path, lock)
    before = (root.path / NAME).read_text()
    place = mirror.find((lock,), found.platform, places)
    assert place is not None
    terraform = Terraform(found, child_environ.build(places.environ, {}), place.folder)
    result = terraform.init(root)
    assert (result.is_ok, result.diagnostics) == (True, ())
    assert (root.path / NAME).read_text() == before
    assert terraform.init(root).skipped


def test_package_that_is_not_the_locked_one_is_refused_by_init_and_seen_by_verify(found, places, tmp_path):
    genuine = provider(tmp_path / "genuine", found.platform)
    provider(places.add_on_root / "m", found.platform, content="tampered")
    lock = Locked(TINY, "1.2.3", "", hashes(genuine))
    result = Terraform(found, child_environ.build(places.environ, {}), places.add_on_root / "m").init(
        make_root(tmp_path, lock)
    )
    assert not result.is_ok
    (finding,) = renewal.verify((lock,), found, places)
    assert "not the package that is locked" in finding.what
    good = Locked(TINY, "1.2.3", "", hashes(places.add_on_root / "m" / TINY / "1.2.3" / found.platform))
    assert list(renewal.verify((good,), found, places)) == []


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Let a folder stand in for the registry: a configuration file that only the filling Terraform sees."""

    def stand_in(places: Places) -> Path:
        configuration = tmp_path / "rc"
        configuration.write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{tmp_path}/origin"\n  }}\n}}\n'
        )
        real = child_environ.build
        monkeypatch.setattr(
            mirror.child_environ, "build", lambda *a, **k: real(*a, **k) | {"TF_CLI_CONFIG_FILE": str(configuration)}
        )
        return tmp_path / "origin"

    return stand_in


def test_own_mirror_is_filled_once_and_then_found(found, places, registry, tmp_path):
    package = provider(registry(places), found.platform)
    lock = (Locked(TINY, "1.2.3", "", hashes(package)),)
    place = mirror.provide(lock, found, places)
    assert place.folder == places.cache / "providers"
    assert mirror.find(lock, found.platform, places) == mirror.Mirror(place.folder, "fetched before")
    assert [path.name for path in places.cache.iterdir() if path.name.startswith(".fetching")] == []


def test_many_at_once_fill_it_once(found, places, registry):
    package = provider(registry(places), found.platform)
    lock = (Locked(TINY, "1.2.3", "", hashes(package)),)
    filled: list[mirror.Mirror] = []
    workers = [threading.Thread(target=lambda: filled.append(mirror.provide(lock, found, places))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {place.folder for place in filled} == {places.cache / "providers"}
    assert len(filled) == 4


def test_package_with_another_hash_is_not_taken_into_the_own_mirror(found, places, registry):
    provider(registry(places), found.platform)
    lock = (Locked(TINY, "1.2.3", "", ("h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",)),)
    with pytest.raises(MissingError, match="could not be fetched"):
        mirror.provide(lock, found, places)
    assert mirror.held(places.cache / "providers", TINY, found.platform) == ()


def test_where_nothing_can_be_fetched_the_mirrors_versions_are_told(found, places, registry):
    registry(places).mkdir()
    provider(places.add_on_root / "m", found.platform, "1.0.0")
    with pytest.raises(MissingError) as raised:
        mirror.provide((Locked(TINY, "1.2.3"),), found, places)
    first, second = raised.value.findings
    assert first.why == "it has 1.0.0"
    assert "NGP_PROVIDER_MIRROR" in second.todo


ALL = RenewalRequest(
    (Requirement("example/tiny", ">= 1.2", "modules/a"), Requirement("example/tiny", "< 2", "modules/b"))
)


def test_lock_is_renewed_from_a_mirror_that_holds_every_platform(found, places):
    packages = [provider(places.add_on_root / "m", platform) for platform in lockfile.PLATFORMS]
    new = renewal.renew((), ALL, found, places)
    assert new.origin == str(places.add_on_root / "m")
    assert new.lock == (Locked(TINY, "1.2.3", ">= 1.2.0, < 2.0.0", hashes(*packages)),)


def test_renewal_keeps_the_hashes_of_platforms_that_the_mirror_has_not(found, places, tmp_path):
    here = provider(places.add_on_root / "m", found.platform)
    others = [provider(tmp_path / "o", platform) for platform in lockfile.PLATFORMS if platform != found.platform]
    old = (Locked(TINY, "1.2.3", "", hashes(here, *others)),)
    assert renewal.renew(old, ALL, found, places).lock[0].hashes == old[0].hashes


def test_renewal_that_would_lose_platforms_is_refused(found, places, tmp_path):
    provider(places.add_on_root / "m", found.platform, "1.3.0")
    old = (Locked(TINY, "1.2.3", "", tuple(f"h1:{platform}=" for platform in lockfile.PLATFORMS)),)
    upgrade = RenewalRequest(ALL.requirements, upgrade=True)
    with pytest.raises(NgpError) as raised:
        renewal.renew(old, upgrade, found, places)
    assert "nothing was written" in raised.value.findings[-1].why
    enough = RenewalRequest(ALL.requirements, platforms=(found.platform,), upgrade=True)
    assert renewal.renew(old, enough, found, places).lock[0].version == "1.3.0"


def test_locked_version_stays_until_an_upgrade_is_asked_for(found, places):
    for version in ("1.2.3", "1.4.0"):
        for platform in lockfile.PLATFORMS:
            provider(places.add_on_root / "m", platform, version)
    old = (Locked(TINY, "1.2.3"),)
    assert renewal.renew(old, ALL, found, places).lock[0].version == "1.2.3"
    assert renewal.renew(old, RenewalRequest(ALL.requirements, upgrade=True), found, places).lock[0].version == "1.4.0"


def test_locked_version_that_no_longer_fits_is_replaced(found, places):
    for platform in lockfile.PLATFORMS:
        provider(places.add_on_root / "m", platform)
    assert renewal.renew((Locked(TINY, "1.1.0"),), ALL, found, places).lock[0].version == "1.2.3"


def test_mirror_without_a_fitting_version_tells_which_it_has(found, places, tmp_path):
    provider(tmp_path / "m", "linux_arm64", "2.0.0")
    with pytest.raises(MissingError) as raised:
        renewal.renew((), RenewalRequest(ALL.requirements, folder=tmp_path / "m"), found, places)
    assert raised.value.findings[0].why == "it has 2.0.0 for linux_arm64"


@pytest.mark.parametrize("constraint", ["~> 5.100", ">= 5.100, < 6"])
def test_master_lock_serves_a_root_with_the_real_provider(found, places, tmp_path, constraint):
    lock = lockfile.load(shipped.lock_file())
    here = Places(places.environ, places.home, places.cache)
    if not any(mirror.held(folder, lock[0].address, found.platform) for folder in mirror.folders(here)):
        pytest.skip("no provider mirror on this machine")
    root = make_root(tmp_path, lock[0])
    text = MAIN.replace("example/tiny", "hashicorp/aws").replace("tiny", "aws").replace("~> 1.2", constraint)
    (root.path / "main.tf").write_text(text)
    terraform = Terraform(found, child_environ.build(places.environ, {}), mirror.provide(lock, found, here).folder)
    result = terraform.init(root)
    assert (result.is_ok, result.diagnostics) == (True, ())
    assert terraform.init(root).skipped


def test_master_lock_has_the_package_that_lies_in_the_mirror_of_this_machine(found):
    lock = lockfile.load(shipped.lock_file())
    places = Places({}, Path("/nonexistent"), Path("/nonexistent"))
    place = mirror.find(lock, found.platform, places)
    if place is None or place.folder is None:
        pytest.skip(f"no provider mirror on this machine ({machine.node()})")
    assert list(renewal.verify(lock, found, places)) == []
