"""Piped input of `ngp host exec`: byte for byte, while it comes in, to each machine at its own pace."""

import contextlib
import hashlib
import os
import resource
import subprocess
import sys
import threading
import time

import pytest

from ngp.hosts import remote
from ngp.hosts.remote import OutputLine
from ngp.hosts.spooling import Spool
from tests.integration.hosts.sshds import listener

MEGABYTE = 1_000_000


@contextlib.contextmanager
def piped(folder, write):
    """A spool of what `write` does with the other end of a pipe, in a thread of its own."""
    ours, theirs = os.pipe()

    def feed():
        with contextlib.suppress(OSError), os.fdopen(theirs, "wb", buffering=0) as file:
            write(file)

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    try:
        with Spool(ours, folder) as spool:
            yield spool
    finally:
        os.close(ours)
        thread.join(10)


def texts(events, name=""):
    return [one.data for one in events if isinstance(one, OutputLine) and name in ("", one.host.name)]


def test_it_arrives_byte_for_byte_also_where_a_command_begins_late(farm, tmp_path):
    data = os.urandom(300_000) + b"no newline at the end"
    heard = []
    with piped(tmp_path, lambda file: file.write(data)) as spool:
        options = farm.options(tmp_path, stdin=spool, parallelism=1)
        results = remote.run_all(farm.hosts(3), "sha256sum; echo end", options, heard.append)
        results += remote.run_all(farm.hosts(1), "sha256sum; echo end", options, heard.append)  # the next batch
    assert all(result.is_good for result in results)
    assert texts(heard) == [f"{hashlib.sha256(data).hexdigest()}  -".encode(), b"end"] * 4


def test_a_command_has_the_first_line_before_the_last_is_written(farm, tmp_path):
    heard, seen = [], threading.Event()

    def write(file):
        file.write(b"first\n")
        assert seen.wait(20)
        file.write(b"last\n")

    def hear(event):
        heard.append(event)
        if texts(heard).count(b"first") == 3:
            seen.set()

    with piped(tmp_path, write) as spool:
        results = remote.run_all(farm.hosts(3), "cat", farm.options(tmp_path, stdin=spool), hear)
    assert [result.exit for result in results] == [0, 0, 0]
    assert texts(heard).count(b"last") == 3


def test_a_machine_that_reads_nothing_and_a_dead_one_hold_up_no_other(farm, tmp_path):
    data, ended = os.urandom(20 * MEGABYTE), {}
    with (
        listener(lambda connection: time.sleep(60)) as hanging,
        piped(tmp_path, lambda file: file.write(data)) as spool,
    ):
        slow, sound = farm.host(1, name="slow"), farm.host(2)
        hosts = [slow, farm.host(200, name="hanging", port=hanging), farm.host(201, name="dead"), sound]
        command = f"case $SSH_CONNECTION in *' {slow.address} '*) sleep 3;; esac; sha256sum"
        began, heard = time.monotonic(), []

        def hear(event):
            heard.append(event)
            if isinstance(event, remote.HostResult):
                ended[event.host.name] = time.monotonic() - began

        results = remote.run_all(hosts, command, farm.options(tmp_path, stdin=spool), hear)
    assert [result.exit for result in results] == [0, None, None, 0]
    assert ended[sound.name] < ended["slow"]
    assert texts(heard) == [f"{hashlib.sha256(data).hexdigest()}  -".encode()] * 2


def test_memory_is_bounded_by_neither_input_nor_hosts(farm, tmp_path):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def write(file):
        for _ in range(60):
            file.write(b"x" * MEGABYTE)

    heard = []
    with piped(tmp_path, write) as spool:
        options = farm.options(tmp_path, stdin=spool)
        results = remote.run_all(farm.hosts(4), "sleep 1; wc -c", options, heard.append)
    assert all(result.is_good for result in results)
    assert {text.strip() for text in texts(heard)} == {b"60000000"}
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024 < 30  # MB


def test_a_command_that_does_not_read_ends_though_its_input_never_does(farm, tmp_path):
    def write(file):
        while True:
            file.write(b"y\n" * 1000)

    with piped(tmp_path, write) as spool:
        options = farm.options(tmp_path, stdin=spool)
        results = remote.run_all(farm.hosts(2), "head -c 1000 | wc -c", options, [].append)
    assert [result.exit for result in results] == [0, 0]


def test_an_input_that_breaks_off_is_no_end_of_it(farm, person, tmp_path, monkeypatch):
    """A command that took what came before for all of it would write half a file."""

    def refuse(self, piece):
        raise OSError(28, "No space left on device")

    host, home = person
    monkeypatch.setattr(Spool, "_write", refuse)
    with piped(tmp_path, lambda file: file.write(b"half")) as spool:
        options = farm.options(tmp_path, stdin=spool)
        [result] = remote.run_all([host], f"cat && touch {home}/whole", options, [].append)
    assert result.exit is None
    assert result.problem == "cannot read its input any more: no space left on device; the remote command has ended"
    assert not (home / "whole").exists()


@pytest.mark.parametrize("stdin", ["open", "closed", "nohup's"])
def test_a_command_that_asks_for_nothing_waits_for_no_input(farm, platform, stdin):
    """A pipeline may give a stdin that nobody ever writes to or closes, or none at all, or one that none can read."""
    row = f"environment: qa, address: 127.0.7.1, port: {farm.port}, host_keys: ['{farm.host_key}']"
    (platform / "hosts.yaml").write_text(f"hosts:\n  one: {{{row}}}\n")
    argv = [sys.executable, "-m", "ngp", "host", "exec", "qa", "-F", str(farm.config), "--", "echo done"]
    if stdin == "closed":
        argv = ["sh", "-c", 'exec "$@" <&-', "sh", *argv]
    if stdin == "nohup's":  # at a terminal it is opened for writing only
        argv = ["sh", "-c", 'exec "$@" 0>/dev/null', "sh", *argv]
    process = subprocess.Popen(argv, cwd=platform, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.wait(60) == 0
        assert process.stdout.read() == b"one | done\n"
    finally:
        process.kill()
        process.communicate()
    left = sorted(path.name for path in (platform / ".ngp/hosts").rglob("*") if path.is_file())
    assert left == ["failed.json", "known_hosts"]  # and no input
