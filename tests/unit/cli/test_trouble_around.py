"""What surrounds a command and is broken: streams, folders, the terminal. Each is a line, and never a traceback."""

import fcntl
import os
import pty
import subprocess
import sys
import termios

import pytest

NGP = f'"{sys.executable}" -m ngp'
NOBODY = "import pwd\ndef none(uid):\n    raise KeyError(uid)\npwd.getpwuid = none\n"
# a command that talks for a while: the terminal goes away meanwhile
TALKER = """
import sys, types
sys.argv = ["ngp", "attempt"]
from ngp import __main__, cli
from ngp.cli import table
module = types.ModuleType("ngp.commands.attempt")
sys.modules["ngp.commands.attempt"] = module
table.entries = lambda: {"attempt": table.Entry("attempt", "Tests", "Try something.")}

def attempt():
    import pathlib, time
    for _ in range(40):
        SAYS
        print("talk", file=sys.stderr)
        time.sleep(0.05)
    pathlib.Path("done").touch()

module.attempt = attempt
__main__.main()
"""


@pytest.fixture
def shell(shared_platform):
    """`shell("ngp graph dev >&-")` in the small platform, rendered: exit code, stdout, stderr."""

    def run(line, cwd=shared_platform, before="", **env):
        line = before + line.replace("ngp ", f"{NGP} ", 1)
        done = subprocess.run(
            ["sh", "-c", line], cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, timeout=60
        )
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.mark.parametrize("line", ["ngp graph dev", "ngp graph dev --json", "ngp --version", "ngp --help"])
def test_a_full_disk_behind_stdout_is_one_error(shell, line):
    code, _, stderr = shell(f"{line} > /dev/full")
    assert code == 1
    assert stderr.startswith("error: cannot write to stdout")
    assert "No space left on device" in stderr


def test_what_failed_first_is_told_where_stdout_is_full_too(shell):
    code, _, stderr = shell("ngp graph dev --nope --json > /dev/full")
    assert code == 64
    assert "no option `--nope`" in stderr


@pytest.mark.parametrize("broken", ["2> /dev/full", "2>&-", "<&-"])
def test_data_comes_without_a_place_for_talk_or_for_answers(shell, broken):
    code, stdout, _ = shell(f"ngp graph dev {broken}")
    assert code == 0
    assert stdout.startswith("wave 1\n")


def test_a_command_goes_on_where_its_talk_finds_no_room(shell):
    assert shell("ngp render --check 2> /dev/full")[0] == 0
    assert shell("ngp graph nowhere 2> /dev/full")[0] == 64


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_discard_what_is_written_and_keep_the_exit_code(shell, closed):
    assert shell(f"ngp graph dev {closed}")[0] == 0
    assert shell(f"ngp graph nowhere {closed}")[0] == 64


def test_no_file_takes_the_number_of_a_closed_stream():
    script = "import os; from ngp import stdio; stdio.prepare(); os._exit(os.open(os.devnull, os.O_RDONLY))"
    line = f'"{sys.executable}" -c "{script}" <&- >&- 2>&-'
    assert subprocess.run(["sh", "-c", line], timeout=60).returncode > 2


@pytest.mark.terraform
def test_versions_are_told_in_a_deleted_folder_too(shell, tmp_path):
    before = f"mkdir {tmp_path}/gone; cd {tmp_path}/gone; rmdir {tmp_path}/gone; "
    here = shell("ngp version", cwd=tmp_path)[1]
    code, out, _ = shell("ngp version", before=before)
    assert code == 0
    assert "Terraform: not found" not in here
    assert out == here


def test_a_deleted_working_folder_is_told_and_is_no_obstacle_where_another_is_named(shell, shared_platform, tmp_path):
    gone = tmp_path / "gone"

    def stand(line):
        gone.mkdir()
        return shell(line, gone, before=f'rmdir "{gone}"; ')

    code, _, stderr = stand("ngp graph dev")
    assert code == 64
    assert stderr.startswith("error: the working folder was deleted\n")
    assert stand(f'ngp -C "{shared_platform}" graph dev')[1].startswith("wave 1\n")
    assert stand(f'ngp graph dev -C "{shared_platform}"')[1].startswith("wave 1\n")
    assert stand("ngp graph --help")[1].startswith("Usage: ngp graph")
    assert stand("ngp --help")[1].startswith("Usage: ngp")


def test_a_user_without_a_home_gets_help_and_a_line_that_names_the_variable(shell, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(NOBODY)
    path = f"{tmp_path}:{os.environ['PYTHONPATH']}"
    assert shell("ngp --help", before="unset HOME; ", PYTHONPATH=path)[1].startswith("Usage: ngp")
    code, _, stderr = shell("ngp plan dev", before="unset HOME; ", PYTHONPATH=path)
    assert code == 69
    assert stderr.startswith("error: ngp needs a folder for its cache\n")
    assert "set HOME or XDG_CACHE_HOME" in stderr


def test_an_encoding_that_lacks_characters_is_told_once(shell, platform):
    name = platform / "environments/dev/environment.yaml"
    name.write_text(name.read_text() + "# ✓\nunits_✓: {}\n")
    code, _, stderr = shell("ngp graph dev", platform, PYTHONIOENCODING="ascii")
    assert code == 64
    assert "units_\\u2713" in stderr
    assert stderr.count("note: ascii cannot show some characters") == 1
    assert "note:" not in shell("ngp graph dev", platform, PYTHONIOENCODING="utf-8")[2]


@pytest.mark.parametrize(
    ("says", "ignores", "code", "is_done"),
    [("print('data')", True, 141, False), ("pass", True, 0, True), ("pass", False, 143, False)],
)
def test_a_closed_terminal_ends_data_and_not_the_work(tmp_path, says, ignores, code, is_done):
    before = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n" if ignores else ""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", before + TALKER.replace("SAYS", says)],
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)),
    )
    os.close(theirs)
    try:
        heard = b""
        while b"talk" not in heard:
            heard += os.read(ours, 100)
        os.close(ours)
        assert process.wait(30) == code
    finally:
        process.kill()
        process.wait()
    assert (tmp_path / "done").exists() == is_done


def test_a_ctrl_c_before_anything_is_loaded_is_one_line(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import _signal, os, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'ngp.cli':\n"
        "            os.kill(os.getpid(), _signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ['PYTHONPATH']}"}
    done = subprocess.run([sys.executable, "-m", "ngp", "graph"], env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "error: interrupted\n")
