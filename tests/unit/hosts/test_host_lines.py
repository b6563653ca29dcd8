"""Lines of `ngp host` and `ngp package` select the same hosts by the same words, and tell which ones they leave out."""

import contextlib

import pytest

from ngp.hosts import batching, static
from ngp.hosts.host import Host, HostState

UP = Host("web-1", "i-1", "qa", unit="shop", private_address="10.0.0.1", tags={"Role": "a"}, packages=("shop",))
OTHER = Host("web-2", "i-2", "qa", unit="api", private_address="10.0.0.2", tags={"Role": "b"}, packages=("shop",))
DOWN = Host("web\x1b-3", "i-3", "qa", unit="shop", state=HostState.STOPPED)
BARE = Host("bare", "i-4", "qa", unit="none")


@pytest.fixture(autouse=True)
def hosts(platform, monkeypatch):
    monkeypatch.setattr(static.FileSource, "hosts", lambda self: [UP, OTHER, DOWN, BARE])


@pytest.mark.parametrize("chosen", [["--unit", "api"], ["--tag", "Role=b"], ["--unit", "api", "--tag", "Role=b"]])
def test_every_command_takes_the_same_filters(ngp, chosen):
    assert ngp.call("host", "name", "qa", *chosen).stdout == "10.0.0.2\n"
    for words in (
        ["host", "exec", "qa", *chosen, "--dry-run", "--", "true"],
        ["host", "copy", "qa", *chosen, "--dry-run", ":/etc/motd", "motd"],
        ["package", "deploy", "qa", *chosen, "--dry-run", "shop"],
        ["package", "install", "qa", *chosen, "--dry-run", "shop"],
    ):
        done = ngp.call(*words)
        assert [line.split()[0] for line in done.stdout.splitlines()] == ["name", "web-2"], done.stderr


def test_hosts_that_do_not_run_are_told(ngp):
    done = ngp.call("host", "exec", "qa", "--dry-run", "--", "true")
    assert "not running, so left out: web\\x1b-3 (stopped)\n" in done.stderr
    assert "left out" not in ngp.call("host", "exec", "qa", "--unit", "api", "--dry-run", "--", "true").stderr


def test_a_host_without_an_address_has_no_name_to_print(ngp):
    done = ngp.call("host", "name", "qa", "bare")
    assert (done.exit_code, done.stdout) == (64, "")
    assert "`bare` has no address" in done.stderr


def test_a_command_that_nobody_saw_the_end_of_is_repeated_on_its_hosts(ngp, monkeypatch):
    def killed(*_):
        raise BrokenPipeError

    monkeypatch.setattr(batching, "run", killed)
    with contextlib.suppress(BrokenPipeError):
        ngp.call("host", "exec", "qa", "--unit", "api", "-n", "--", "true")
    done = ngp.call("host", "exec", "qa", "--failed", "--dry-run", "--", "true")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["name", "web-2"], done.stderr
