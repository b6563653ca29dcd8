import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ngp import processes
from ngp.daemons.workers import Worker
from ngp.processes import ProcessRequest

TALKER = "import sys\nfor line in sys.stdin:\n    print('heard', line.strip(), flush=True)\n"


def python(text, tmp_path, **options):
    return Worker(ProcessRequest((sys.executable, "-c", text), tmp_path, {}), **options)


def gone(pid, within_s=5.0):
    deadline = time.monotonic() + within_s
    while processes.is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not processes.is_alive(pid)


def test_companion_is_talked_to_by_lines(tmp_path):
    companion = python(TALKER, tmp_path)
    companion.write_line("one")
    companion.write_line("two")
    assert [companion.read_line(10), companion.read_line(10)] == ["heard one", "heard two"]
    assert companion.read_line(0.1) is None
    companion.end(grace_s=5)  # it ends by itself at the end of its input
    assert not companion.is_running()


def test_last_words_of_one_that_died_are_there(tmp_path):
    companion = python("import sys; sys.exit('no more')", tmp_path)
    assert companion.read_line(10) is None
    assert companion.last_words() == "no more"
    with pytest.raises(OSError, match="pipe"):
        companion.write_line("hello")
    companion.end()


def test_its_whole_group_ends_with_it(tmp_path):
    folder = tmp_path / "watched"
    folder.mkdir()
    text = "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); p.wait()"
    companion = python(text.replace("'sleep'", "'/bin/sleep'"), tmp_path, folder=folder)
    child = int(companion.read_line(10))
    companion.end()
    assert gone(child)
    assert folder.exists()  # it is its owner's to remove


def test_a_killed_owner_takes_its_companion_and_the_folder_with_it(tmp_path):
    folder = tmp_path / "watched"
    folder.mkdir()
    owner = textwrap.dedent(
        f"""
        import time
        from pathlib import Path
        from ngp.daemons.workers import Worker
        from ngp.processes import ProcessRequest
        worker = Worker(ProcessRequest(("/bin/sleep", "60"), Path("/"), {{}}), folder=Path({str(folder)!r}))
        print(worker.pid, flush=True)
        time.sleep(60)
        """
    )
    started = subprocess.Popen(
        [sys.executable, "-c", owner],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(processes.__file__).parents[1])},
    )
    pid = int(started.stdout.readline())
    assert processes.is_alive(pid)
    os.kill(started.pid, signal.SIGKILL)
    started.communicate()
    assert gone(pid)
    deadline = time.monotonic() + 5
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not folder.exists()


def test_one_that_has_ended_keeps_its_pid_until_its_watcher_is_gone(tmp_path):
    """Else the pid would be somebody else's when the watcher, or `end`, kills its group."""
    folder = tmp_path / "watched"
    folder.mkdir()
    companion = python("", tmp_path, folder=folder)
    assert companion.read_line(10) is None
    deadline = time.monotonic() + 5
    while companion.is_running() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not companion.is_running()
    os.kill(companion.pid, 0)  # nobody has taken its end yet
    companion.end()
    with pytest.raises(ProcessLookupError):
        os.kill(companion.pid, 0)


def test_what_was_ended_is_not_killed_again(tmp_path, monkeypatch):
    companion = python("", tmp_path, folder=tmp_path)
    companion.end()
    killed = []
    monkeypatch.setattr(os, "killpg", lambda *words: killed.append(words))
    companion.end()
    assert killed == []
