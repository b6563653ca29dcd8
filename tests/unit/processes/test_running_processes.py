"""Real child processes: streams, ends, and what is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from ngp import processes

ENV = {"PATH": os.environ["PATH"]}


def request(script: str, tmp_path: Path, **more) -> processes.ProcessRequest:
    return processes.ProcessRequest(
        (sys.executable, "-c", textwrap.dedent(script)), tmp_path, more.pop("env", ENV), **more
    )


def wait_for(condition, timeout_s: float = 10.0):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def pid_in(path: Path) -> int:
    return int(wait_for(lambda: path.exists() and path.read_text().strip()))


def test_outcome_has_both_streams_and_the_exit_code(tmp_path):
    outcome = processes.run(request("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)", tmp_path))
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (3, "out\n", "err\n")
    assert not outcome.stopped
    assert not outcome.timed_out
    assert outcome.duration_s > 0


def test_environment_is_whole_and_nothing_is_inherited(tmp_path, monkeypatch):
    monkeypatch.setenv("FROM_THE_SHELL", "1")
    outcome = processes.run(
        request("import os; print('FROM_THE_SHELL' in os.environ, os.environ['A'])", tmp_path, env={"A": "b"})
    )
    assert outcome.stdout == "False b\n"


def test_standard_input_is_closed(tmp_path):
    assert processes.run(request("import sys; print(repr(sys.stdin.read()))", tmp_path)).stdout == "''\n"


def test_standard_input_is_fed(tmp_path):
    script = "import sys; text = sys.stdin.read(); print(len(text), text[:2])"
    assert processes.run(request(script, tmp_path, stdin="é" * 300_000)).stdout == "300000 éé\n"


def test_child_that_does_not_read_its_input_does_not_hang_or_fail(tmp_path):
    assert processes.run(request("pass", tmp_path, stdin="x" * 1_000_000)).exit_code == 0


def test_lines_come_while_the_process_runs(tmp_path):
    seen: list[tuple[str, float]] = []
    script = "import time; print('first', flush=True); time.sleep(0.5); print('last')"
    processes.run(request(script, tmp_path), on_stdout=lambda line: seen.append((line, time.monotonic())))
    assert [line for line, _ in seen] == ["first", "last"]
    assert seen[1][1] - seen[0][1] > 0.3


def test_line_of_a_million_characters_comes_whole(tmp_path):
    seen: list[int] = []
    processes.run(
        request("print('x' * 1_000_000); print('y')", tmp_path), on_stdout=lambda line: seen.append(len(line))
    )
    assert seen == [1_000_000, 1]


def test_both_pipes_are_drained_at_once(tmp_path):
    script = """
        import sys
        for _ in range(2000):
            print('o' * 100)
            print('e' * 100, file=sys.stderr)
    """
    outcome = processes.run(request(script, tmp_path, timeout_s=30))
    assert (outcome.exit_code, len(outcome.stdout), len(outcome.stderr)) == (0, 202_000, 202_000)


def test_bytes_that_are_no_utf8_do_not_stop_the_stream(tmp_path):
    script = r"import sys; sys.stdout.buffer.write(b'a\xff\nb\n')"
    assert processes.run(request(script, tmp_path)).stdout == "a�\nb\n"


def test_callback_that_raises_neither_hangs_nor_ends_the_process(tmp_path):
    def fail(line: str) -> None:
        raise ValueError(line)

    script = "open('done', 'w').close() if [print('x' * 1000) for _ in range(1000)] else None"
    with pytest.raises(ValueError, match="x"):
        processes.run(request(script, tmp_path, timeout_s=30), on_stdout=fail)
    assert (tmp_path / "done").exists()


def test_missing_program_is_told(tmp_path):
    with pytest.raises(FileNotFoundError):
        processes.run(processes.ProcessRequest(("no-such-program",), tmp_path, ENV))


def test_stop_is_one_interrupt_and_the_child_ends_in_order(tmp_path):
    script = """
        import signal, sys, time
        count = 0
        def interrupted(*_):
            global count
            count += 1
        signal.signal(signal.SIGINT, interrupted)
        print('ready', flush=True)
        while not count:
            time.sleep(0.01)
        time.sleep(0.5)
        print('interrupts', count)
        sys.exit(7)
    """
    stop, seen = threading.Event(), []

    def take(line: str) -> None:
        seen.append(line)
        stop.set()

    outcome = processes.run(request(script, tmp_path), on_stdout=take, stop=stop)
    assert outcome.stopped
    assert outcome.exit_code == 7
    assert seen == ["ready", "interrupts 1"]


def test_stop_reaches_the_whole_group(tmp_path):
    script = """
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
        open('child', 'w').write(str(child.pid))
        print('ready', flush=True)
        time.sleep(60)
    """
    stop = threading.Event()
    processes.run(request(script, tmp_path), on_stdout=lambda _: stop.set(), stop=stop)
    wait_for(lambda: not processes.is_alive(pid_in(tmp_path / "child")))


def test_group_that_ignores_the_interrupt_is_killed_after_the_grace(tmp_path):
    script = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('x', flush=True); time.sleep(60)"
    stop = threading.Event()
    began = time.monotonic()
    outcome = processes.run(request(script, tmp_path, grace_s=0.3), on_stdout=lambda _: stop.set(), stop=stop)
    assert outcome.exit_code == -signal.SIGKILL
    assert 0.3 <= time.monotonic() - began < 10


def test_time_limit_ends_the_process(tmp_path):
    outcome = processes.run(request("import time; time.sleep(60)", tmp_path, timeout_s=0.3, grace_s=1))
    assert outcome.timed_out
    assert not outcome.stopped
    assert outcome.duration_s < 10


def test_grandchild_that_keeps_the_pipe_open_does_not_hang_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "PIPE_GRACE_S", 0.2)
    script = """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
        open('child', 'w').write(str(child.pid))
        print('done')
    """
    began = time.monotonic()
    outcome = processes.run(request(script, tmp_path))
    assert outcome.stdout == "done\n"
    assert time.monotonic() - began < 10
    wait_for(lambda: not processes.is_alive(pid_in(tmp_path / "child")))


def test_kill_all_ends_every_running_group_at_once(tmp_path):
    script = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('x', flush=True); time.sleep(60)"
    outcome = processes.run(request(script, tmp_path), on_stdout=lambda _: processes.kill_all())
    assert outcome.exit_code == -signal.SIGKILL


def test_kill_all_leaves_ended_processes_alone(tmp_path):
    processes.run(request("pass", tmp_path))
    assert processes._running == set()
    processes.kill_all()


def test_second_interrupt_of_the_caller_kills_what_the_first_could_not_end(tmp_path):
    script = f"""
        import sys
        from pathlib import Path
        from ngp import processes
        child = '''
import os, signal, time
signal.signal(signal.SIGINT, lambda *_: open('interrupted', 'w').close())
open('child', 'w').write(str(os.getpid()))
for _ in range(600):
    time.sleep(0.1)
'''
        processes.run(processes.ProcessRequest((sys.executable, '-c', child), Path({str(tmp_path)!r}), {{}}))
    """
    root = str(Path(processes.__file__).parents[1])
    script = "\n".join(line[8:] if line.startswith("        ") else line for line in script.splitlines())
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, env=ENV | {"PYTHONPATH": root}, stderr=subprocess.DEVNULL
    )
    child = pid_in(tmp_path / "child")
    parent.send_signal(signal.SIGINT)
    wait_for((tmp_path / "interrupted").exists)
    assert processes.is_alive(child)
    parent.send_signal(signal.SIGINT)
    assert parent.wait(timeout=10) != 0
    assert not processes.is_alive(child)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
@pytest.mark.parametrize("setpriv", ["pdeathsig.find_setpriv()", "''"])  # as it is here, and where there is none
def test_child_of_a_killed_parent_is_told_to_end(tmp_path, setpriv):
    script = f"""
        import sys
        from pathlib import Path
        from ngp import pdeathsig, processes
        pdeathsig.find_setpriv = lambda found={setpriv}: found
        child = "import os, time; open('child', 'w').write(str(os.getpid())); time.sleep(60)"
        processes.run(processes.ProcessRequest((sys.executable, '-c', child), Path({str(tmp_path)!r}), {{}}))
    """
    root = str(Path(processes.__file__).parents[1])
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, env=ENV | {"PYTHONPATH": root}
    )
    child = pid_in(tmp_path / "child")
    parent.kill()
    parent.wait()
    wait_for(lambda: not processes.is_alive(child))


def test_started_process_outlives_the_call_and_is_ended_with_its_group(tmp_path):
    script = """
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
        open('child', 'w').write(str(child.pid))
        print('said', flush=True)
        time.sleep(60)
    """
    pid = processes.start(request(script, tmp_path), tmp_path / "log")
    child = pid_in(tmp_path / "child")
    assert processes.is_alive(pid)
    wait_for(lambda: (tmp_path / "log").read_text() == "said\n")
    processes.end_group(pid)
    assert not processes.is_alive(pid)
    wait_for(lambda: not processes.is_alive(child))


def test_group_that_ignores_sigterm_is_killed(tmp_path):
    script = """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open('child', 'w').write('1')
        time.sleep(60)
    """
    pid = processes.start(request(script, tmp_path), tmp_path / "log")
    pid_in(tmp_path / "child")
    processes.end_group(pid, grace_s=0.2)
    wait_for(lambda: not processes.is_alive(pid))


def test_ending_what_has_ended_is_no_error(tmp_path):
    pid = processes.start(request("pass", tmp_path), tmp_path / "log")
    wait_for(lambda: not processes.is_alive(pid))
    processes.end_group(pid, grace_s=0.2)


@pytest.mark.parametrize("is_told", [True, False])
def test_own_umask_is_told_and_left_as_it_is(monkeypatch, is_told):
    if not is_told:
        monkeypatch.setattr(Path, "read_text", lambda _: (_ for _ in ()).throw(FileNotFoundError()))
    before = os.umask(0o027)
    try:
        assert [processes.own_umask() for _ in range(2)] == [0o027] * 2
    finally:
        os.umask(before)
