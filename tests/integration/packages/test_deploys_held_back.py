"""`ngp package` in a platform: the checks of a rolling deploy, protected environments, the ways to hosts.

The hosts are folders of this machine.
"""

import json
import os
import pty
import select
import subprocess
import sys
from dataclasses import replace

import pytest

from ngp.aws.session import Session
from ngp.commands import options
from ngp.hosts import reach, remote
from tests.doubles.hosts_of_folders import Machines

CHECK = '#!/bin/sh\n[ ! -e "{machines}/$(cat broken-from)/installed" ]\n'
READY = "ready: [{kind: command, target: ./check, timeout_s: 1}]\n"


@pytest.fixture
def machines(platform, tmp_path, monkeypatch):
    """Three hosts of the unit `base` in `dev`, one in `prod`; `logins` has how each command logs in."""
    made = Machines(tmp_path / "machines")
    made.folder.mkdir()
    made.logins = []
    made.make("web-1", "web-2", "web-3", "db")
    rows = [*((f"web-{number}", "dev") for number in (1, 2, 3)), ("db", "prod")]
    text = [
        f"  {name}: {{environment: {of}, unit: base, address: 127.0.7.201, port: 9, user: root, packages: [shop], "
        f"tags: {{'ngp:via': '{of}'}}}}\n"
        for name, of in rows
    ]
    (platform / "hosts.yaml").write_text("hosts:\n" + "".join(text))

    def run_all(hosts, command, wanted, emit):
        made.logins.append((wanted.login.proxy or (lambda _: ()))(hosts[0]))
        return made.run(hosts, command, lambda host, line: emit(remote.OutputLine(host, "stdout", line.encode())))

    monkeypatch.setattr(remote, "run_all", run_all)
    monkeypatch.setattr(reach.Reach, "session", lambda *_: Session({"AWS_REGION": "eu-central-1"}))
    return made


@pytest.fixture
def checked(platform, machines):
    """The unit `base` of `dev`, in a real account, is not ready from the host on that `broken-from` names."""
    path = platform / "environments/dev/environment.yaml"
    path.write_text(path.read_text().replace("target: sandbox", "target: aws"))
    manifest = platform / "modules/base/module.yaml"
    manifest.write_text(manifest.read_text() + READY)
    (platform / "check").write_text(CHECK.format(machines=machines.folder))
    (platform / ".ngp-failed-deploy").write_text('#!/bin/sh\necho "$FAILED_HOSTS" >failed\n')
    for name in ("check", ".ngp-failed-deploy"):
        (platform / name).chmod(0o755)
    return platform


@pytest.mark.parametrize(("broken", "untouched"), [("web-1", ["web-2", "web-3"]), ("web-2", ["web-3"]), ("web-3", [])])
def test_a_unit_that_is_not_ready_after_a_batch_stops_the_roll(checked, machines, ngp, broken, untouched):
    (checked / "broken-from").write_text(broken)
    done = ngp.call("package", "deploy", "dev", "shop", "--batch", "1", "--json")
    assert done.exit_code == 1, done.stderr
    found = {one["host"]: (one["result"], one["step"]) for one in json.loads(done.stdout)["hosts"]}
    assert found.pop(broken) == ("failed", "health check")
    assert [name for name, what in found.items() if what == ("unfinished", "")] == untouched
    assert [name for name in ("web-1", "web-2", "web-3") if not machines.calls(name)] == untouched
    assert (checked / "failed").read_text() == f"{broken}\n"
    assert "base: ./check exit code 1" in done.stdout


def test_a_tag_is_neither_an_option_to_a_hook_nor_a_line_of_the_result(checked, machines, ngp, monkeypatch):
    """A hook may do `ssh $FAILED_HOSTS`."""
    name = "web -oProxyCommand=id\nweb-2: done"
    hosts = reach.Reach.hosts
    renamed = {"web-1": name}
    monkeypatch.setattr(
        reach.Reach, "hosts", lambda *a: [replace(one, name=renamed.get(one.name, one.name)) for one in hosts(*a)]
    )
    monkeypatch.setattr(Machines, "at", lambda self, host: self.folder / getattr(host, "id", host))
    (machines.at("web-1") / "broken").write_text("update")
    done = ngp.call("package", "deploy", "dev", "shop")
    assert done.exit_code == 1
    assert "web -oProxyCommand=id\\nweb-2: done: failed at update: exit code 100" in done.stdout.splitlines()
    assert "web-2: done" not in done.stdout.splitlines()
    assert (checked / "failed").read_text() == "web--oProxyCommand-id-web-2-done\n"


@pytest.mark.parametrize("size", ["3", "100%", "50"])
def test_one_batch_of_all_hosts_is_checked_too(checked, machines, ngp, size):
    (checked / "broken-from").write_text("web-1")
    done = ngp.call("package", "deploy", "dev", "shop", "--batch", size)
    assert done.exit_code == 1
    assert done.stdout.count(": failed at health check: base: ./check exit code 1") == 3


def test_units_without_a_check_are_named(checked, machines, ngp):
    (checked / "broken-from").write_text("nowhere")
    path = checked / "hosts.yaml"
    path.write_text(
        path.read_text().replace("web-3: {environment: dev, unit: base", "web-3: {environment: dev, unit: shop")
    )
    done = ngp.call("package", "deploy", "dev", "shop", "--batch", "2")
    assert done.exit_code == 0, done.stderr
    assert "without a readiness check: shop\n" in done.stderr


def test_an_interrupted_deploy_runs_no_hook(checked, machines, ngp, monkeypatch):
    """Also where the interruption came in the last step, so that nothing is left to do."""
    (checked / ".ngp-after-deploy").write_text("#!/bin/sh\ntouch ran\n")
    (checked / ".ngp-after-deploy").chmod(0o755)
    monkeypatch.setattr(options.Context, "stopped_by", 2)
    done = ngp.call("package", "deploy", "dev", "shop")
    assert (done.exit_code, (checked / "ran").exists()) == (130, False)
    assert done.stdout == "web-1: done\nweb-2: done\nweb-3: done\n"


def test_a_roll_over_units_that_stay_ready_reaches_every_host(checked, machines, ngp):
    (checked / "broken-from").write_text("nowhere")
    done = ngp.call("package", "deploy", "dev", "shop", "--batch", "2")
    assert (done.exit_code, done.stdout) == (0, "web-1: done\nweb-2: done\nweb-3: done\n"), done.stderr


@pytest.mark.parametrize("words", [("deploy", "prod"), ("install", "/"), ("deploy", "/", "--batch", "1")])
def test_a_protected_environment_needs_a_yes_where_nobody_is_asked(machines, ngp, words):
    verb, *rest = words
    done = ngp.call("package", verb, *rest, "shop")
    assert done.exit_code == 64
    assert "hosts of `prod` (the sandbox, account 123456789012, eu-central-1)?" in done.stderr
    assert "pass `--auto-approve`" in done.stderr
    assert machines.ran == []
    assert ngp.call("package", verb, *rest, "shop", "--dry-run").exit_code == 0
    assert machines.ran == []
    assert ngp.call("package", verb, *rest, "shop", "--auto-approve").exit_code == 0
    assert machines.calls("db")[-1] == "clean"


def test_an_environment_of_hosts_yaml_alone_can_be_protected(machines, platform, ngp):
    for name, old, new in (
        ("ngp.yaml", "[prod]", "[prod, metal]"),
        ("hosts.yaml", "environment: prod", "environment: metal"),
    ):
        text = (platform / name).read_text()
        (platform / name).write_text(text.replace(old, new))
    done = ngp.call("package", "deploy", "metal", "shop")
    assert (done.exit_code, "Deploy this to hosts of `metal`?" in done.stderr) == (64, True), done.stderr
    assert ngp.call("package", "deploy", "metal", "shop", "--auto-approve").exit_code == 0
    assert ngp.call("validate", "--no-terraform").exit_code == 0
    (platform / "hosts.yaml").unlink()
    done = ngp.call("validate", "--no-terraform")
    assert "the protected environment `metal` does not exist" in done.stderr


def test_other_environments_are_deployed_to_without_a_question(machines, ngp):
    assert ngp.call("package", "deploy", "dev", "shop").exit_code == 0
    assert ngp.call("package", "versions", "prod", "shop").exit_code == 0  # changes nothing


def _answer(folder, answer):
    """Deploy to `prod` on a terminal and answer the question; return the exit code and what was shown."""
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-m", "ngp", "package", "deploy", "prod", "shop", "--quiet"]
    process = subprocess.Popen(
        argv, cwd=folder, env={**os.environ, "COLUMNS": "200"}, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            said += os.read(ours, 65536)
        except OSError:
            break
        if answer is not None and said.rstrip(b" ").endswith(b"press Enter to stop:"):
            os.write(ours, f"{answer}\n".encode())
            answer = None
    os.close(ours)
    return process.wait(), said.decode()


@pytest.mark.parametrize(("answer", "then"), [("", "nothing was deployed"), ("yes", "cannot lock this host")])
def test_a_person_is_told_what_goes_where_and_asked(machines, platform, answer, then):
    code, said = _answer(platform, answer)
    assert code == 1
    assert "deploy shop to db" in said
    assert "Deploy this to hosts of `prod` (the sandbox, account 123456789012, eu-central-1)?" in said
    assert then in said


def test_a_deploy_goes_through_session_manager_by_the_line_or_by_a_tag(machines, platform, ngp, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("aws", "session-manager-plugin"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    path = platform / "hosts.yaml"
    path.write_text(path.read_text().replace("web-", "i-00").replace("'dev'", "ssm"))
    machines.make("i-001", "i-002", "i-003")
    env = {"PATH": f"{programs}:{os.environ['PATH']}"}
    for words in ((), ("--via", "ssm")):
        machines.logins.clear()
        done = ngp.call("package", "install", "dev", "shop", *words, env=env)
        assert done.exit_code == 0, done.stderr
        assert {one[:4] for one in machines.logins} == {("aws", "ssm", "start-session", "--target")}
        assert ("connecting through Session Manager" in done.stderr) == (not words)
    machines.logins.clear()
    assert ngp.call("package", "install", "dev", "shop", "--via", "ssh", env=env).exit_code == 0
    assert set(machines.logins) == {()}
    assert ngp.call("package", "deploy", "dev", "shop", "--via", "telnet", env=env).exit_code == 64
