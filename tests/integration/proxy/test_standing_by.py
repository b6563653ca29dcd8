"""A proxy that is started before it is known what it serves: it checks packages already, and is never in the way."""

import asyncio
import json
import os
import signal
import tempfile
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from ngp import files, settings
from ngp.commands import running
from ngp.daemons import record
from ngp.environments import platforms
from ngp.errors import RefusedError, StoppedError
from ngp.pool import home
from ngp.proxy import __main__ as own_process
from ngp.proxy import session
from ngp.proxy.packages import ProviderPackage, package_hash
from ngp.runs import prestart
from ngp.runs.results import Verb
from ngp.terraform import lockfile


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "terraform-provider-fake_v1").write_text("#!/bin/sh\n")
    return ProviderPackage("example.test/ours/fake", folder, (package_hash(folder),))


@pytest.fixture
def environ():
    sockets = Path(tempfile.mkdtemp(prefix="ngp-test-", dir="/tmp"))
    yield {"PATH": os.environ["PATH"], "TMPDIR": str(sockets)}
    sockets.rmdir()  # it is empty


def seen(folder, pattern, within_s=15.0):
    """What matches in a folder, as soon as anything does."""
    deadline = time.monotonic() + within_s
    while not (found := sorted(folder.glob(pattern))) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def test_a_package_is_hashed_before_anything_is_served(tmp_path, package, environ):
    with session.start(environ) as standby:
        standby.check([package], tmp_path / "cache")
        assert seen(tmp_path / "cache", "hash-*")
        with standby.open_session([package], environ, tmp_path / "cache") as door:
            assert door.order(order="status") == {"pids": []}
    assert standby._process._process.returncode == 0  # by itself, with what it has learnt kept


def test_what_is_wrong_with_a_package_is_told_when_it_is_to_be_served(tmp_path, package, environ):
    other = ProviderPackage(package.address, package.folder, ("h1:another",))
    with session.start(environ) as standby:
        standby.check([other], tmp_path / "cache")
        assert seen(tmp_path / "cache", "hash-*")
        with (
            standby.open_session([other], environ, tmp_path / "cache") as door,
            pytest.raises(session.ProxyError, match=r"^\S+/package: the package of \S+ is not the one that is locked"),
        ):
            door.order(order="status")


def test_a_cache_that_cannot_be_written_is_told_in_one_line(tmp_path, package, environ):
    (tmp_path / "cache").touch()
    with session.start(environ) as standby:
        standby.check([package], tmp_path / "cache")
        with (
            standby.open_session([package], environ, tmp_path / "cache") as door,
            pytest.raises(session.ProxyError, match=r"^\S+/cache: the provider proxy cannot keep anything here"),
        ):
            door.order(order="status")


def test_a_cache_that_is_somebody_elses_is_told_when_it_is_to_be_served(tmp_path, package, environ):
    (tmp_path / "cache").symlink_to(tmp_path)
    with session.start(environ) as standby:
        standby.check([package], tmp_path / "cache")
        with (
            standby.open_session([package], environ, tmp_path / "cache") as door,
            pytest.raises(session.ProxyError, match=r"^\S+/cache: this folder is not private to your user"),
        ):
            door.order(order="status")


def test_one_that_was_not_wanted_ends_at_once(tmp_path, package, environ):
    with session.start(environ) as standby:
        standby.check([package], tmp_path / "cache")
    assert standby._process._process.returncode == -signal.SIGKILL


def test_what_is_served_waits_for_what_is_being_checked(tmp_path, mocker):
    """Else a package would be hashed twice at the same time."""
    seen = []

    def verify(package, safe):
        time.sleep(0.2)
        seen.append(package.address)
        raise RefusedError("not the locked one")  # told by the order to serve

    mocker.patch.object(own_process, "verify", verify)
    checks = session._describe_packages(
        [ProviderPackage("one", tmp_path, ()), ProviderPackage("two", tmp_path, ())], tmp_path / "cache"
    )

    async def hear():
        reader = asyncio.StreamReader()
        for order in ({"order": "check", **checks}, {"order": "serve"}):
            reader.feed_data(json.dumps(order).encode() + b"\n")
        return await own_process._read_first_order(reader)

    assert asyncio.run(hear()) == {"order": "serve"}
    assert sorted(seen) == ["one", "two"]


@pytest.fixture
def begin(platform, tmp_path, package, environ):
    """`begin(**environ)` does what a command does before it reads an environment; its lock has one provider."""
    mirror = tmp_path / "mirror"
    locked = lockfile.Locked(package.address, "1.0.0", hashes=package.hashes)
    (platform / lockfile.NAME).write_text(lockfile.render([locked]))
    kept = mirror / package.address / "1.0.0" / "linux_amd64"
    kept.parent.mkdir(parents=True)
    kept.symlink_to(package.folder)

    def made(**more):
        ours = {"HOME": str(tmp_path), "NGP_PROVIDER_MIRROR": str(mirror)}
        return prestart.begin(
            platforms.load(platform), replace(settings.read(), environ={**environ, **ours, **more}, home=tmp_path)
        )

    return made


@pytest.mark.terraform
def test_a_command_has_packages_checked_before_it_reads_its_environment(begin, tmp_path):
    with begin() as opener:
        assert opener != session.open_session
        assert seen(tmp_path / ".cache" / "ngp" / "proxy", "hash-*")


@pytest.mark.terraform
def test_a_command_without_the_proxy_starts_none(begin):
    with begin(NGP_PROVIDER_PROXY="0") as opener:
        assert opener == session.open_session


@pytest.mark.terraform
def test_a_command_that_finds_a_pool_starts_none(begin, platform, tmp_path):
    folder = tmp_path / "ngp-pool"
    record.write(home(platform / ".ngp"), record.DaemonRecord(os.getpid(), str(folder), "", ""))
    folder.mkdir()
    with files.lock_folder(folder), begin() as opener:
        assert opener == session.open_session


@pytest.mark.terraform
@pytest.mark.parametrize("lock", [b"nonsense", b"\xff"])
def test_a_command_that_will_fail_says_so_later(begin, platform, lock):
    (platform / lockfile.NAME).write_bytes(lock)
    with begin() as opener:
        assert opener == session.open_session


@pytest.mark.parametrize(("error", "goes_on"), [(OSError("no process"), True), (StoppedError("interrupted"), False)])
def test_a_command_that_is_stopped_meanwhile_stops(begin, mocker, error, goes_on):
    mocker.patch.object(prestart.binary, "find", side_effect=error)
    with nullcontext() if goes_on else pytest.raises(StoppedError), begin() as opener:
        assert opener == session.open_session


def test_a_run_is_served_by_what_began_before(platform, mocker):
    """And not by a second process."""
    opened = mocker.patch("ngp.runs.opening.open_run")
    context = mocker.MagicMock(cwd=platform, settings=settings.read(), terraform_args=())
    with running.begin(context, "dev") as begun:
        begun = replace(begun, opener=object())
        with running.open_run(context, Verb.PLAN, begun, [], running.RunOptions()):
            assert opened.call_args.args[2].opener is begun.opener
