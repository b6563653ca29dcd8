"""A Ctrl-C while AWS does not answer: seen from outside, with a server that takes calls and says nothing."""

import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from ngp.aws import interruption
from ngp.aws.session import Session
from ngp.errors import StoppedError

CHILD = """
import sys, types
from ngp import cli
from ngp.aws.session import Session
from ngp.cli import table
from ngp.commands import options

module = types.ModuleType("ngp.commands.attempt")
sys.modules["ngp.commands.attempt"] = module
table.entries = lambda: {"attempt": table.Entry("attempt", "Tests", "Try something.")}
ENV = {"AWS_ENDPOINT_URL": sys.argv[1], "AWS_REGION": "eu-central-1"}
ENV |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}

def ask(session):
    session.call("sts", "get_caller_identity")

def attempt():
    from concurrent.futures import ThreadPoolExecutor
    context = options.context()
    session = Session(ENV, stop=context.stop)
    WAY

module.attempt = attempt
sys.exit(cli.run(["attempt"]))
"""
WAYS = {
    "a command alone": "ask(session)",
    "workers of a command": "with ThreadPoolExecutor(2) as pool:\n        list(pool.map(ask, [session, session]))",
    "a run": "with context.taking_signals():\n        ask(session)",
    "workers of a run": "with context.taking_signals(), ThreadPoolExecutor(2) as pool:\n"
    "        list(pool.map(ask, [session, session]))",
}


@pytest.fixture
def silent():
    """The address of a server that takes calls and never answers, and the event of the first call."""
    asked, held = threading.Event(), []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take():
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return
                held[-1].recv(10)
                asked.set()

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
    for one in held:
        one.close()


@pytest.mark.parametrize("way", WAYS)
def test_the_first_ctrl_c_ends_waiting_for_aws(silent, way):
    address, asked = silent
    script = CHILD.replace("WAY", WAYS[way])
    process = subprocess.Popen([sys.executable, "-c", script, address], stderr=subprocess.PIPE, text=True)
    try:
        assert asked.wait(60)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=15)
    finally:
        process.kill()
    assert process.returncode == 130
    assert stderr.endswith("error: interrupted\n")


def test_a_call_that_writes_is_waited_for(monkeypatch):
    stop = threading.Event()
    stop.set()
    session = Session({}, stop=stop)
    monkeypatch.setattr(interruption, "GRACE_S", 0.0)
    threads = []

    def make(*_call):
        threads.append(threading.current_thread())
        time.sleep(0.4)
        return {}

    monkeypatch.setattr(session, "_make", make)
    assert session.call("s3", "put_object") == {}
    with pytest.raises(StoppedError):
        session.call("s3", "get_object")
    assert threads[0] is threading.current_thread()
    assert threads[1] is not threading.current_thread()


def test_an_answer_that_comes_soon_after_the_stop_counts():
    stop = threading.Event()
    stop.set()
    assert interruption.wait(lambda: time.sleep(0.3) or "answer", stop) == "answer"


def test_what_a_call_raises_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        interruption.wait(lambda: 1 / 0, threading.Event())
