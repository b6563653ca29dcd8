"""Commands that a pool runs whole: nobody can tell but by the clock, and whatever speaks against it, it is not done."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ngp import processes
from ngp.daemons import record
from ngp.pool import home

ROOT = Path(__file__).parents[3]
# says at its end whether this process has loaded the command line itself
_PROBE = """
import sys
sys.argv = ["ngp", *sys.argv[1:]]
from ngp.__main__ import answer
try:
    sys.exit(answer())
finally:
    print("OWN" if "ngp.cli" in sys.modules else "SERVED", file=sys.stderr)
"""


@pytest.fixture(scope="module")
def warm(shared_platform, ngp_in):
    """The small platform, rendered, with a pool, for tests that leave both as they are."""
    assert ngp_in(shared_platform).run("pool", "start").exit_code == 0
    yield shared_platform
    ngp_in(shared_platform).run("pool", "stop")


@pytest.fixture
def own(platform, ngp):
    """The same for one test."""
    assert ngp.run("render").exit_code == 0
    assert ngp.run("pool", "start").exit_code == 0
    yield platform
    ngp.run("pool", "stop")


def start(folder, *argv, env=None, code=ROOT):
    return subprocess.Popen(
        [sys.executable, "-c", _PROBE, *argv],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(code), **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder, *argv, **more):
    """Exit code, stdout, stderr, and who did it."""
    done = start(folder, *argv, **more)
    out, err = done.communicate(timeout=120)
    said, _, who = err.rstrip("\n").rpartition("\n")
    return done.returncode, out, said, who


def both(folder, *argv, **more):
    served, own = run(folder, *argv, **more), run(folder, *argv, **more, env={"NGP_PROVIDER_PROXY": "0"})
    assert (served[3], own[3]) == ("SERVED", "OWN")
    return served[:3], own[:3]


@pytest.mark.parametrize(
    "argv",
    [["graph", "dev"], ["graph", "dev", "--json"], ["render", "--check"], ["graph", "nowhere"], ["graph", "--nope"]],
)
def test_streams_and_exit_code_are_those_of_ones_own_process(warm, argv):
    served, own = both(warm, *argv)
    assert served == own
    served, own = both(warm / "environments" / "dev", *argv)  # anywhere in the platform
    assert served == own


def test_the_commands_own_environment_counts(warm):
    environ = {"NGP_FORMAT": "mermaid"}
    assert run(warm, "graph", "dev", env=environ)[1].startswith("graph")
    assert not run(warm, "graph", "dev")[1].startswith("graph")


@pytest.mark.parametrize(
    "argv",
    [
        ["apply", "dev"],
        ["plan", "dev", "--out", "none/change.bundle"],
        ["plan", "dev", "--out=none/change.bundle"],
        ["pool", "status"],
        ["--version"],
        ["-C", ".", "graph", "dev"],
        [],
    ],
)
def test_what_may_ask_or_steers_the_pool_is_run_by_the_command_itself(warm, argv):
    assert run(warm, *argv)[3] == "OWN" or argv == ["--version"]


def test_without_a_pool_everything_is_as_ever(platform, ngp):
    ngp.run("render")
    assert run(platform, "graph", "dev")[3] == "OWN"


def test_a_pool_that_was_killed_is_not_waited_for(own):
    pid = record.read(home(own / ".ngp")).pid
    os.kill(pid, signal.SIGKILL)
    assert ended([pid])
    assert run(own, "graph", "dev")[0] == 0


def test_a_folder_that_others_can_enter_is_not_entered(warm):
    folder = record.read(home(warm / ".ngp")).folder
    os.chmod(folder, 0o755)  # noqa: PTH101
    assert run(warm, "graph", "dev")[3] == "OWN"
    os.chmod(folder, 0o700)  # noqa: PTH101


def test_a_record_that_is_a_link_is_not_followed(warm):
    path = warm / ".ngp" / "pool" / "record.json"
    path.rename(warm / "elsewhere.json")
    path.symlink_to(warm / "elsewhere.json")
    assert run(warm, "graph", "dev")[3] == "OWN"
    path.unlink()
    (warm / "elsewhere.json").rename(path)


def test_another_users_fork_server_is_told_nothing(warm, monkeypatch, capsys):
    from ngp.daemons import client

    monkeypatch.chdir(warm)
    monkeypatch.setattr(client.peers, "is_own_peer", lambda _: False)
    sent = []
    monkeypatch.setattr(client.socket, "send_fds", lambda *words: sent.append(words))
    assert client.run(str(warm / ".ngp" / "pool" / "record.json"), ["graph", "dev"]) is None
    assert sent == []


def test_another_ngp_and_an_edited_one_run_their_own_commands(platform, ngp, tmp_path):
    ngp.run("render")
    copy = tmp_path / "copy"
    for name in ("ngp", "modules", "templates"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    environ = {**os.environ, "PYTHONPATH": str(copy)}
    subprocess.run([sys.executable, "-P", "-m", "ngp", "pool", "start"], cwd=platform, env=environ, check=True)
    try:
        assert run(platform, "graph", "dev", code=copy)[3] == "SERVED"
        assert run(platform, "graph", "dev")[3] == "OWN"
        (copy / "ngp" / "pool" / "values.py").touch()
        assert run(platform, "graph", "dev", code=copy)[3] == "OWN"
    finally:
        subprocess.run([sys.executable, "-P", "-m", "ngp", "pool", "stop"], cwd=platform, env=environ, check=True)


def ended(pids, within_s=20.0):
    deadline = time.monotonic() + within_s
    while any(map(processes.is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(processes.is_alive, pids))


@pytest.fixture
def at_work(own, fake_terraform, tmp_path):
    """A plan that hangs in a Terraform, which has written down its pid."""
    said = tmp_path / "pid"
    program = tmp_path / "terraform"  # by the name of its program a signal finds it
    shutil.copy(Path(sys.executable).resolve(), program)
    # what is started in the background ignores SIGINT until it says otherwise, as Terraform does
    code = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_DFL); time.sleep(60)"
    hang = f"echo $$ > {said}; PYTHONHOME={sys.base_prefix} exec {program} -c '{code}'"
    path = fake_terraform(version='echo \'{"terraform_version": "1.11.4"}\'', rest=hang)
    command = start(own, "plan", "dev", env={"PATH": path})
    deadline = time.monotonic() + 60
    while not said.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    return command, int(said.read_text())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_the_command_ends_it_in_order(at_work, number, code):
    command, terraform = at_work
    command.send_signal(number)
    _, err = command.communicate(timeout=60)
    assert command.returncode == code
    assert "SERVED" in err
    assert ended([terraform])


def test_a_killed_command_takes_its_work_with_it(at_work, own):
    command, terraform = at_work
    command.kill()
    command.communicate()
    assert ended([terraform])
    journal = max((own / ".ngp" / "runs").glob("*/journal.jsonl")).read_text().splitlines()
    assert json.loads(journal[-1])["kind"] == "run_ended"  # gracefully


def test_nothing_is_left_when_the_pool_has_been_stopped(own, ngp):
    run(own, "graph", "dev")
    made = record.read(home(own / ".ngp"))
    serving = [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit() and _is_of(one, made.folder)]
    assert len(serving) >= 2
    assert ngp.run("pool", "stop").exit_code == 0
    assert ended(serving)
    assert not Path(made.folder).exists()


def _is_of(process, folder):
    try:
        return folder.encode() in (process / "cmdline").read_bytes()
    except OSError:
        return False
