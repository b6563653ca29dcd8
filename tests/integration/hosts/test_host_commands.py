"""`ngp host` as its users call it, on real machines that hosts.yaml names."""

import getpass
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from ngp import processes
from ngp.hosts import remote
from tests.integration.hosts.sshds import free_port, key, listener


@pytest.fixture
def machines(farm, platform):
    """A hosts.yaml with five machines that are sound and one that is dead; ssh_config as the farm needs it."""
    rows = [(n, "web" if n < 4 else "data", farm.port, f"127.0.7.{n}") for n in range(1, 6)]
    text = "hosts:\n"
    for number, cluster, port, address in [*rows, ("dead", "gone", free_port(), "127.0.7.201")]:
        text += (
            f"  node-{number}: {{environment: qa, cluster: {cluster}, address: {address}, port: {port}, "
            f'user: {getpass.getuser()}, host_keys: ["{farm.host_key}"], tags: {{Role: r{number}}}}}\n'
        )
    (platform / "hosts.yaml").write_text(text)
    return {"NGP_SSH_CONFIG": str(farm.config)}


def test_hosts_are_listed_for_people_programs_and_pipes(machines, ngp):
    shown = ngp.call("host", "list", "qa/web").stdout.splitlines()
    assert [line.split()[0] for line in shown] == ["name", "node-1", "node-2", "node-3"]
    listed = [one["name"] for one in ngp.call("host", "list", "qa", "--json").document["hosts"]]
    assert listed == ["node-4", "node-5", "node-dead", "node-1", "node-2", "node-3"]  # by cluster, then by name
    pipe = ngp.call("host", "list", "qa", "--tag", "Role=r4", "--format", "tsv").stdout
    assert pipe.rstrip("\n").split("\t")[5] == "127.0.7.4"


def test_the_name_of_one_host_and_what_an_ambiguous_one_says(machines, ngp):
    assert ngp.call("host", "name", "qa", "r2").stdout == "127.0.7.2\n"
    assert ngp.call("host", "name", "qa/web", "-1").stdout == "127.0.7.1\n"
    several = ngp.call("host", "name", "qa/web", "node")
    assert several.exit_code == 64
    assert "node-1, node-2, node-3" in several.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list", "nowhere"], "the environment `nowhere` does not exist"),
        (["list", "qa/wob"], "no host belongs to the cluster `wob`"),
        (["name", "qa", "nobody"], "no host matches `nobody`"),
        (["exec", "qa"], "no command given"),
        (["exec", "qa", "--batch", "0", "--", "true"], "is not a valid size"),
        (["exec", "qa", "--failed", "--", "true"], "the last command did not fail"),
        (["list", "qa", "--", "x"], "takes nothing after `--`"),
    ],
)
def test_bad_lines_are_refused(machines, ngp, words, said):
    outcome = ngp.call("host", *words)
    assert (outcome.exit_code, said in outcome.stderr) == (64, True), outcome.stderr


def test_ssh_accepts_what_export_writes(machines, ngp, tmp_path):
    config = tmp_path / "exported"
    config.write_text(ngp.call("host", "export", "qa").stdout)
    done = subprocess.run(["ssh", "-F", config, "-G", "node-3"], capture_output=True, text=True, check=True)
    found = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert (found["hostname"], found["user"]) == ("127.0.7.3", getpass.getuser())
    assert found["stricthostkeychecking"] == "true"
    assert str(ngp.cwd / ".ngp" / "hosts" / "qa" / "known_hosts") in found["globalknownhostsfile"]
    assert json.loads(ngp.call("host", "export", "qa", "--format", "ansible").stdout)["all"]["hosts"]["node-3"]


def test_ssh_takes_the_place_of_ngp(machines, ngp):
    done = ngp.run("host", "ssh", "qa", "node-2", "--", "echo here; exit 7", env=machines)
    assert (done.exit_code, done.stdout) == (7, "here\n")
    assert done.stderr.splitlines()[0].startswith("ssh -F ")
    assert "127.0.7.2" in done.stderr


@pytest.mark.parametrize("form", ["ssh-config", "ansible", "json"])
def test_every_export_refuses_what_it_cannot_use(machines, ngp, form):
    for words, said in (
        (["-F", "/nonexistent"], "this file does not exist"),
        (["--via", "instance-connect"], "an export cannot use `--via instance-connect`"),
    ):
        done = ngp.call("host", "export", "qa", "--format", form, *words)
        assert (done.exit_code, said in done.stderr) == (64, True)


def test_ssh_finds_keys_that_only_ngp_knows_under_a_host_key_alias(machines, ngp, farm, tmp_path):
    config = tmp_path / "aliased"
    config.write_text(f"Host 127.0.7.*\n  HostKeyAlias The-Web\nHost *\n{farm.config.read_text()}")
    path = ngp.cwd / "hosts.yaml"
    first, rest = path.read_text().split("  node-2:")
    path.write_text(f"{first.replace(farm.host_key, key(tmp_path / 'other'))}  node-2:{rest}")
    done = ngp.run("host", "ssh", "qa", "node-2", "-F", str(config), "--", "echo here")
    assert (done.exit_code, done.stdout) == (0, "here\n"), done.stderr
    changed = ngp.run("host", "ssh", "qa", "node-1", "-F", str(config), "--", "true")
    assert changed.exit_code == 255
    assert "Host key verification failed" in changed.stderr
    exported = tmp_path / "exported"
    exported.write_text(ngp.call("host", "export", "qa", "-F", str(config)).stdout + f"Host *\n  Include {config}\n")
    codes = [subprocess.run(["ssh", "-F", exported, name, "true"]).returncode for name in ("node-2", "node-1")]
    assert codes == [0, 255]


def test_a_changed_host_key_is_refused_by_ssh_and_by_exec(machines, ngp, tmp_path, farm):
    path = ngp.cwd / "hosts.yaml"
    path.write_text(path.read_text().replace(farm.host_key, key(tmp_path / "other")))
    by_ssh = ngp.run("host", "ssh", "qa", "node-2", "--", "true", env=machines)
    assert by_ssh.exit_code == 255
    assert "Host key verification failed" in by_ssh.stderr
    by_exec = ngp.run("host", "exec", "qa/data", "--", "true", env=machines)
    assert by_exec.exit_code == 1
    assert "its host key has changed" in by_exec.stderr
    assert "ngp host trust qa node-4" in by_exec.stderr
    trust = ngp.run("host", "trust", "qa", "node-4")
    assert trust.exit_code == 0  # hosts.yaml vouches


def test_exec_tells_lines_results_and_repeats_what_failed(machines, ngp):
    done = ngp.run("host", "exec", "qa", "--", "echo $((6*7)); echo two >&2", env=machines)
    assert done.exit_code == 1
    assert sorted(done.stdout.splitlines()) == [f"node-{n}    | 42" for n in range(1, 6)]
    assert "node-1    | two" in done.stderr
    assert "1 of 6 hosts failed" in done.stderr
    again = ngp.run("host", "exec", "qa", "--failed", "--json", "--", "true", env=machines)
    assert [one["name"] for one in again.document["hosts"]] == ["node-dead"]
    assert again.document["hosts"][0]["problem"] == "connection refused"
    lines = ngp.run("host", "exec", "qa/data", "--jsonl", "--", "echo x", env=machines).stdout.splitlines()
    assert {json.loads(line)["event"] for line in lines} == {"host_started", "host_line", "host_finished"}


def test_piped_input_and_output_stay_byte_for_byte(machines, ngp):
    data = b"a\x00b\xff\x1b[31m\nend"
    argv = [sys.executable, "-m", "ngp", "host", "exec", "qa/data", "--serial", "--", "cat"]
    done = subprocess.run(argv, cwd=ngp.cwd, input=data, env={**os.environ, **machines}, capture_output=True)
    assert done.stdout == b"".join(f"node-{n} | ".encode() + line + b"\n" for n in (4, 5) for line in data.split(b"\n"))


def test_what_hosts_write_ends_with_its_reader(machines, ngp, tmp_path):
    """A command that never ends, behind `head`; each host's shell leaves its process id."""
    argv = f"{sys.executable} -m ngp host exec qa/data -- 'echo $$ >> {tmp_path}/pids; yes' | head -2"
    done = subprocess.run(
        ["bash", "-c", f"{argv}; exit ${{PIPESTATUS[0]}}"], cwd=ngp.cwd, env={**os.environ, **machines},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert (done.returncode, done.stdout.count("| y\n")) == (141, 2)
    assert pids
    deadline = time.monotonic() + 20  # sshd ends them when the connection is gone, a moment after ngp
    while any(map(processes.is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in pids if processes.is_alive(pid)]


def test_lines_that_cannot_be_told_end_all_commands_and_are_an_error(farm, tmp_path):
    def refuse(event):
        if isinstance(event, remote.OutputLine):
            raise OSError(28, "No space left on device", "stdout")

    began = time.monotonic()
    with pytest.raises(OSError, match="No space"):
        remote.run_all(farm.hosts(2), "echo x; sleep 60", farm.options(tmp_path), refuse)
    assert time.monotonic() - began < 30


def test_a_failing_batch_keeps_the_next_from_starting(machines, ngp):
    argv = ("host", "exec", "qa/web", "--batch", "1", "--fail-fast", "--json", "--", "exit 3")
    found = ngp.run(*argv, env=machines).document
    assert [one["exit"] for one in found["hosts"]] == [3, None, None]
    assert {one["problem"] for one in found["hosts"][1:]} == {"not started"}


def test_ctrl_c_ends_the_command_and_says_where_that_is_not_sure(machines, ngp, person):
    host, home = person
    path, started = ngp.cwd / "hosts.yaml", home / "started"
    row = (
        f"cluster: data, address: {host.address}, port: {host.port}, user: {host.user}, host_keys: {[*host.host_keys]}"
    )
    path.write_text(path.read_text() + f"  person: {{environment: qa, {row}}}\n")
    command = f"echo $$ >{started}-$(id -un)-$$; exec sleep 60"
    child = ngp.start("host", "exec", "qa/data", "--", command, env=machines)
    for _ in range(600):
        if len(list(home.glob("started-*"))) == 3:
            break
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=30)
    runs = [path.name for path in home.glob("started-*") if processes.is_alive(int(path.read_text()))]
    for name in runs:
        os.kill(int((home / name).read_text()), signal.SIGKILL)
    assert child.returncode == 130
    assert not [name for name in runs if host.user in name]
    is_root = os.geteuid() == 0  # OpenSSH passes no signals on for root
    assert err.count("the remote command has ended") == (1 if is_root else 3)
    assert err.count("the remote command may still run") == (2 if is_root else 0)


def test_control_characters_of_names_are_never_raw(machines, ngp, platform, monkeypatch):
    from ngp.hosts import static
    from ngp.hosts.host import Host

    evil = Host("a\x1b[2J\tb", "i-1", "qa", private_address="127.0.7.1", source="file")
    monkeypatch.setattr(static.FileSource, "hosts", lambda self: [evil])
    for words in (["list", "qa"], ["list", "qa", "--format", "tsv"], ["export", "qa"], ["name", "qa"]):
        outcome = ngp.call("host", *words)
        assert outcome.exit_code == 0, outcome.stderr
        assert "\x1b" not in outcome.stdout + outcome.stderr


def test_without_asyncssh_exec_says_what_to_install(machines, ngp, monkeypatch):
    from ngp.hosts import logins

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(logins.MissingError, match="asyncssh"):
        logins.require_library()


def test_a_hanging_machine_costs_its_time_limit_only(machines, ngp, farm):
    with listener(lambda connection: time.sleep(60)) as port:
        path = ngp.cwd / "hosts.yaml"
        path.write_text(path.read_text() + f"  hang: {{environment: hang, address: 127.0.7.200, port: {port}}}\n")
        done = ngp.run("host", "exec", "hang", "--timeout", "2", "--json", "--", "true", env=machines)
    assert done.exit_code == 1
    assert done.document["hosts"][0]["duration_s"] < 6
