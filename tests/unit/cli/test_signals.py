"""Ctrl-C, SIGTERM and a reader that goes away, seen from outside: in a child process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_HEAD = """
import sys, types
from ngp import cli
from ngp.cli import table
from ngp.commands import options

module = types.ModuleType("ngp.commands.attempt")
sys.modules["ngp.commands.attempt"] = module
table.entries = lambda: {"attempt": table.Entry("attempt", "Tests", "Try something.")}

def ready():
    print("ready", flush=True)

"""
_TAIL = """
module.attempt = attempt
sys.exit(cli.run(["attempt"]))
"""
CARELESS = "def attempt():\n    import time\n    ready()\n    time.sleep(30)\n"
GRACEFUL = (
    "def attempt():\n    with options.context().taking_signals() as stop:\n        ready()\n        stop.wait(30)\n"
    "    print('ended well', options.context().stopped_by)\n"
)
LOOKING = "def attempt():\n    stop = options.context().stop\n    ready()\n    stop.wait(30)\n    print('went on')\n"
SWALLOWING = """
def attempt():
    import time
    ready()
    try:
        time.sleep(30)
    except Exception:
        pass
    print("went on")
"""
INSIDE_THE_EVENT = """
def attempt():
    import os, signal
    with options.context().taking_signals() as stop:
        ready()
        with stop._cond:  # as in the middle of stop.wait()
            os.kill(os.getpid(), signal.SIGINT)
        stop.wait(10)
    print("ended well")
"""
STUBBORN = """
def attempt():
    import pathlib
    from ngp import processes
    script = (
        "import os, signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); "
        "print(os.getpid(), flush=True); time.sleep(30)"
    )
    request = processes.ProcessRequest((sys.executable, "-c", script), pathlib.Path.cwd(), {})
    with options.context().taking_signals() as stop:
        processes.run(request, on_stdout=lambda line: print(line, flush=True), stop=stop)
"""


@pytest.fixture
def child():
    started = []

    def start(body):
        process = subprocess.Popen(
            [sys.executable, "-c", _HEAD + body + _TAIL],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        started.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("body", [CARELESS, LOOKING, SWALLOWING])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_signal_interrupts_a_command_that_does_not_take_it_over(child, body, number, code):
    process, _ = child(body)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == code
    assert (stdout, stderr) == ("", "error: interrupted\n")


TERRAFORM = "from ngp import supervised; supervised._running.add(0)\n"


@pytest.mark.parametrize(
    ("number", "code", "runs", "said"),
    [
        (signal.SIGINT, 130, TERRAFORM, "once more interrupts Terraform again"),
        (signal.SIGTERM, 143, "", "once more ends at once"),
    ],
)
def test_a_command_that_listens_ends_by_itself(child, number, code, runs, said):
    process, _ = child(runs + GRACEFUL)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == code
    assert stdout == f"ended well {int(number)}\n"
    assert said in stderr


def test_a_signal_never_waits_for_the_lock_of_the_event_that_it_sets(child):
    process, _ = child(INSIDE_THE_EVENT)
    # not communicate(): it would miss what the buffer of readline() has taken already
    assert process.stdout.read() == "ended well\n"
    assert process.wait(timeout=20) == 130


def test_the_second_signal_ends_ngp_and_its_children_at_once(child):
    process, pid = child(STUBBORN)
    process.send_signal(signal.SIGINT)
    assert "once more" in process.stderr.readline() + process.stderr.readline()
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert _ends(int(pid))


SLOW = """
def attempt():
    import pathlib
    from ngp import processes, supervised
    supervised.HURRY_S = 1.5
    script = (
        "import os, signal, time; signal.signal(signal.SIGINT, lambda *_: print('interrupt', flush=True)); "
        "print(os.getpid(), flush=True); [time.sleep(0.1) for _ in range(300)]"
    )
    request = processes.ProcessRequest((sys.executable, "-c", script), pathlib.Path.cwd(), {})
    with options.context().taking_signals() as stop:
        call = supervised.SupervisedCall()
        done = supervised.run(request, call, on_stdout=lambda line: print(line, flush=True), stop=stop)
    print("ended", done.exit_code, flush=True)
"""


def test_the_second_signal_interrupts_terraform_again_and_kills_it_a_little_later(child):
    process, pid = child(SLOW)
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupt\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupt\n"
    assert _is_alive(int(pid))
    assert process.stdout.read() == "ended -9\n"  # ngp goes on, and says what became of it
    assert "data may be lost" in process.stderr.read().splitlines()[-1]
    assert process.wait(timeout=30) == 130
    assert not _is_alive(int(pid))


def test_a_third_signal_ends_ngp_and_terraform_at_once(child):
    process, pid = child(SLOW.replace("HURRY_S = 1.5", "HURRY_S = 600"))
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupt\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert _ends(int(pid))


def test_an_interrupt_and_then_a_sigterm_of_a_ci_system_are_not_two(child):
    process, pid = child(SLOW)
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupt\n"
    process.send_signal(signal.SIGTERM)
    time.sleep(3)  # longer than a hurried one has
    assert _is_alive(int(pid))
    process.kill()
    os.kill(int(pid), signal.SIGKILL)
    assert "interrupt" not in process.stdout.read()


def test_an_ignored_hangup_stays_ignored():
    body = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + _HEAD
    attempt = "def attempt():\n    import os, signal\n    os.kill(os.getpid(), signal.SIGHUP)\n    print('here')\n"
    done = subprocess.run([sys.executable, "-c", body + attempt + _TAIL], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "here\n")


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_goes_away_is_no_error_to_tell(child, lines):
    body = "def attempt():\n    ready()\n    sys.stdin.readline()\n"
    body += f"    for _ in range({lines}):\n        print('x' * 80)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", _HEAD + body + _TAIL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    process.stdout.close()
    process.stdin.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=30) == 141


def _is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def _ends(pid):
    """Whether a process that was killed is gone within a few seconds: the kernel takes its time."""
    deadline = time.monotonic() + 5
    while _is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not _is_alive(pid)
