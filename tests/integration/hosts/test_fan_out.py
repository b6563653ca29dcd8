"""Commands on fifty real machines at once, among them one of each kind that goes wrong."""

import os
import threading
import time

import pytest

from ngp import processes
from ngp.hosts import remote
from ngp.hosts.remote import HostResult, OutputLine
from tests.integration.hosts.sshds import key, listener

IS_ROOT = os.geteuid() == 0  # OpenSSH passes no signals on for root
ENDED = "the remote command may still run" if IS_ROOT else "the remote command has ended"


class Heard:
    """Takes events; every line with its host and stream."""

    def __init__(self):
        self.events = []

    def __call__(self, event):
        self.events.append(event)

    def lines(self, host="", stream="stdout"):
        lines = [event for event in self.events if isinstance(event, OutputLine) and event.stream == stream]
        return [one.data for one in lines if host in ("", one.host.name)]


def slow(port):
    """Hand a connection on to a sshd after a while."""
    import socket

    def answer(connection):
        time.sleep(1.0)
        onward = socket.create_connection(("127.0.7.1", port))
        for source, target in ((connection, onward), (onward, connection)):
            threading.Thread(target=_pump, args=(source, target), daemon=True).start()

    return answer


def _pump(source, target):
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(1)
    except OSError:
        pass


def test_fifty_machines_and_those_that_go_wrong(farm, tmp_path):
    other_key = key(tmp_path / "other")
    with (
        listener(lambda connection: time.sleep(60)) as hanging,
        listener(lambda connection: (connection.sendall(b"SSH-2.0-x\r\n"), connection.close())) as closing,
        listener(slow(farm.port)) as late,
    ):
        faulty = {
            "dead": farm.host(201, name="dead"),
            "hanging": farm.host(200, name="hanging", port=hanging),
            "closing": farm.host(200, name="closing", port=closing),
            "slow": farm.host(200, name="slow", port=late),
            "changed": farm.host(1, name="changed", host_keys=(other_key,)),
            "unknown": farm.host(2, name="unknown", host_keys=()),
            "stranger": farm.host(3, name="stranger", user="nobody-here"),
        }
        heard = Heard()
        hosts = [*farm.hosts(), *faulty.values()]
        began = time.monotonic()
        results = remote.run_all(hosts, "echo one; echo two >&2; exit 3", farm.options(tmp_path), heard)
        assert time.monotonic() - began < 60
    assert [result.host for result in results] == hosts
    found = {result.host.name: result for result in results}
    sound = [found[host.name] for host in farm.hosts()] + [found["slow"]]
    assert {(result.exit, result.problem) for result in sound} == {(3, "")}
    assert {name: found[name].exit for name in faulty if name != "slow"} == dict.fromkeys(set(faulty) - {"slow"})
    assert "refused" in found["dead"].problem
    assert found["hanging"].problem == "sshd accepted the connection but did not finish the login in 3 s"
    assert found["closing"].problem
    assert "has changed" in found["changed"].problem
    assert "ngp host trust qa changed" in found["changed"].todo
    assert "not known" in found["unknown"].problem
    assert "refused the login" in found["stranger"].problem
    assert sorted(heard.lines()) == [b"one"] * 51
    assert heard.lines(stream="stderr").count(b"two") == 51  # a login shell may write there, too


def test_without_input_a_command_that_asks_for_some_gets_the_end_at_once(farm, tmp_path):
    [result] = remote.run_all(farm.hosts(1), "cat; read x || echo none", farm.options(tmp_path), heard := Heard())
    assert (result.exit, heard.lines()) == (0, [b"none"])


def test_binary_output_comes_as_it_is(farm, tmp_path):
    heard = Heard()
    remote.run_all(farm.hosts(1), r"printf 'a\000b\377\nlast'; head -c 200000 /dev/zero", farm.options(tmp_path), heard)
    assert b"".join(heard.lines()) == b"a\0b\xff" + b"last" + b"\0" * 200_000
    assert heard.lines()[0] == b"a\0b\xff"


def test_a_time_limit_ends_the_remote_command_too(farm, tmp_path):
    mark = tmp_path / "pid"
    options = farm.options(tmp_path, timeout_s=1.0)
    [result] = remote.run_all(farm.hosts(1), f"echo $$ > {mark}; exec sleep 300", options, Heard())
    assert (result.exit, result.problem) == (None, f"timed out after 1 s; {ENDED}")
    assert _end(mark) == IS_ROOT


def test_a_stop_ends_remote_commands_and_starts_no_more(farm, tmp_path):
    mark = tmp_path / "pid"
    options = farm.options(tmp_path, parallelism=1)
    threading.Timer(1.5, options.stop.set).start()
    results = remote.run_all(farm.hosts(3), f"echo $$ >> {mark}; exec sleep 300", options, Heard())
    assert [result.problem for result in results] == [
        f"interrupted; {ENDED}",
        remote.NOT_STARTED,
        remote.NOT_STARTED,
    ]
    assert _end(mark) == IS_ROOT


def test_a_stop_or_a_time_limit_ends_what_others_than_root_run(farm, person, tmp_path):
    """OpenSSH sends the signal to the whole process group of the command."""
    host, home = person
    for options in (farm.options(tmp_path), farm.options(tmp_path, timeout_s=1.0)):
        mark = home / f"pids-{options.timeout_s}"
        if not options.timeout_s:
            threading.Timer(1.5, options.stop.set).start()
        command = f"echo $$ >{mark}; sh -c 'echo $$ >>{mark}; exec sleep 300'; true"
        [result] = remote.run_all([host], command, options, Heard())
        assert result.problem.endswith("; the remote command has ended")
        pids = [int(pid) for pid in mark.read_text().split()]
        assert len(pids) == 2
        time.sleep(0.2)
        assert not [pid for pid in pids if processes.is_alive(pid)]


def test_with_a_pty_a_remote_command_ends_with_its_connection(farm, tmp_path):
    mark = tmp_path / "pid"
    options = farm.options(tmp_path, timeout_s=1.0, has_terminal=True)
    remote.run_all(farm.hosts(1), f"echo $$ > {mark}; exec sleep 300", options, Heard())
    assert not _end(mark)


@pytest.mark.parametrize(("fail_fast", "expected"), [(False, [1, 1, 1]), (True, [1, None, None])])
def test_fail_fast_starts_nothing_after_the_first_failure(fail_fast, expected, farm, tmp_path):
    options = farm.options(tmp_path, parallelism=1, fail_fast=fail_fast)
    assert [result.exit for result in remote.run_all(farm.hosts(3), "false", options, Heard())] == expected


def test_a_terminal_gives_a_pty(farm, tmp_path):
    heard = Heard()
    remote.run_all(farm.hosts(1), "tty >/dev/null && echo yes", farm.options(tmp_path, has_terminal=True), heard)
    assert heard.lines() == [b"yes"]


def test_events_of_a_host_come_in_order(farm, tmp_path):
    heard = Heard()
    remote.run_all(farm.hosts(1), "seq 1000", farm.options(tmp_path), heard)
    assert heard.lines() == [str(n).encode() for n in range(1, 1001)]
    assert isinstance(heard.events[0], remote.HostStarted)
    assert isinstance(heard.events[-1], HostResult)


def _end(mark):
    """Whether the process that wrote its id into `mark` still runs; it is ended."""
    pid = int(mark.read_text())
    deadline = time.monotonic() + 3
    while processes.is_alive(pid) and time.monotonic() < deadline and not IS_ROOT:
        time.sleep(0.05)
    time.sleep(0.3)
    runs = processes.is_alive(pid)
    if runs:
        os.kill(pid, 9)
    return runs
