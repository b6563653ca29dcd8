"""A daemon is there once it answers; one that is not leaves no process."""

import sys

import pytest

from ngp import daemons, processes
from ngp.daemons import lifetime, programs

SLEEP = "import time; time.sleep(60)"


def request(tmp_path, text):
    return processes.ProcessRequest((sys.executable, "-c", text), tmp_path, {})


def test_a_daemon_is_what_is_found_when_it_answers(tmp_path):
    looks = []

    def look(pid, remaining_s):
        looks.append((pid, remaining_s))
        return "found" if len(looks) == 3 else None

    assert lifetime.start(request(tmp_path, SLEEP), tmp_path / "log", look, ready_s=30) == "found"
    pid, first_s = looks[0]
    assert first_s > looks[-1][1] > 0
    assert processes.is_alive(pid)
    processes.end_group(pid)


def test_the_last_words_of_a_daemon_that_ends_are_told_at_once(tmp_path):
    with pytest.raises(lifetime.NotReadyError) as caught:
        lifetime.start(
            request(tmp_path, "print(*range(20), sep='\\n')"), tmp_path / "log", lambda *_: None, ready_s=600
        )
    assert str(caught.value).split() == [str(number) for number in range(8, 20)]


@pytest.mark.parametrize("error", [None, OSError("the disk is full"), KeyboardInterrupt()])
def test_a_daemon_that_does_not_answer_is_ended_whatever_happens(tmp_path, error):
    pids = []

    def look(pid, _):
        pids.append(pid)
        if error:
            raise error

    with pytest.raises(type(error) if error else lifetime.NotReadyError):
        lifetime.start(request(tmp_path, SLEEP), tmp_path / "log", look, ready_s=0.1)
    assert not processes.is_alive(pids[0])


def test_a_program_is_started_by_its_module_and_finds_ngp(tmp_path):
    made = programs.request(daemons, "one", folder=tmp_path, environ={"PATH": "/bin"})
    assert made.argv[1:] == ("-P", "-m", "ngp.daemons", "one")
    text = "import ngp.daemons; print(ngp.daemons.__file__)"
    argv = (sys.executable, "-P", "-S", "-c", text)  # without the packages that are installed, as ngp is for the tests
    done = processes.run(processes.ProcessRequest(argv, tmp_path, made.env))
    assert done.stdout == f"{daemons.__file__}\n"


def test_credentials_are_not_what_python_needs():
    environ = {"PATH": "/bin", "HOME": "/home", "AWS_SECRET_ACCESS_KEY": "secret", "TF_TOKEN_x": "secret"}
    assert programs.bare(environ) == {"PATH": "/bin", "HOME": "/home"}
