"""A deploy goes step by step, stops at the first that fails, and never mixes with another one."""

import os
import signal
import subprocess
import threading

import pytest

from ngp.errors import LockHeldError, NgpError
from ngp.hosts import batching
from ngp.packages import deploying, scripts
from ngp.packages.deploying import Failed, LinePrinted, Rollout, StepStarted
from ngp.packages.names import DebianPackage
from ngp.packages.scripts import Claim

CLAIM = Claim("d1", "anna@laptop", "deploy")
SHOP = (DebianPackage("shop", "1.2-1"),)
ALL_STEPS = ["update", "shop=1.2-1", "autoremove", "clean"]


def deploy(machines, hosts, size="", claim=CLAIM, **options):
    rollout = Rollout(batching.divide(hosts, size), **options)
    return deploying.deploy(SHOP, rollout, claim, machines.run)


def lock(machines, host):
    path = machines.at(host) / "ngp" / "deploy.lock"
    return path.read_text() if path.exists() else ""


def test_all_steps_run_on_all_hosts_and_the_lock_is_given_back(machines):
    hosts = machines.make("web-1", "web-2")
    events = []
    found = deploy(machines, hosts, emit=events.append)
    assert found.is_success
    assert found.done == ("web-1", "web-2")
    assert [machines.calls(host) for host in hosts] == [ALL_STEPS, ALL_STEPS]
    assert [lock(machines, host) for host in hosts] == ["", ""]
    assert [event.step.value for event in events if isinstance(event, StepStarted)] == [
        "update", "install", "autoremove", "clean",
    ]  # fmt: skip
    assert any(isinstance(event, LinePrinted) and event.line.startswith("apt says") for event in events)


@pytest.mark.parametrize("step", ["update", "install", "clean"])
def test_locks_that_another_apt_holds_are_waited_for(machines, monkeypatch, step):
    """apt-get waits for the lock of dpkg only, not for those of its lists and archives."""
    monkeypatch.setattr(scripts, "_LOCK_PAUSE_S", 0)
    (host,) = machines.make("web-1")
    (machines.at(host) / "busy").write_text(f"{step} 2")
    lines = []
    found = deploy(machines, [host], emit=lambda event: lines.append(getattr(event, "line", "")))
    assert found.is_success
    assert machines.calls(host).count({"install": "shop=1.2-1"}.get(step, step)) == 3
    assert not [line for line in lines if "Could not get lock" in line]
    assert lines.count("waiting up to 120 s for the locks of another apt") == 1
    monkeypatch.setattr(scripts, "_LOCK_WAIT_S", 0)
    (machines.at(host) / "busy").write_text(f"{step} 1")
    found = deploy(machines, [host], emit=lambda event: lines.append(getattr(event, "line", "")))
    assert found.failed == (Failed("web-1", step, "exit code 100"),)
    assert "E: Could not get lock /var/lib/apt/lists/lock" in lines


def test_another_error_of_apt_is_not_tried_again(machines, monkeypatch):
    monkeypatch.setattr(scripts, "_LOCK_PAUSE_S", 0)
    monkeypatch.setattr(scripts, "_LOCK_WAIT_S", 2)
    (host,) = machines.make("web-1")
    (machines.at(host) / "broken").write_text("update")
    lines = []
    found = deploy(machines, [host], emit=lambda event: lines.append(getattr(event, "line", "")))
    assert found.failed == (Failed("web-1", "update", "exit code 100"),)
    assert machines.calls(host) == ["update"]
    assert "E: broken" in lines


def test_what_was_deployed_is_recorded_with_who_and_what_dpkg_says(machines):
    (host,) = machines.make("web-1")
    deploy(machines, [host])
    when, *rest = (machines.at(host) / "ngp" / "deploys.tsv").read_text().strip().split("\t")
    assert when.endswith("Z")
    assert rest == ["d1", "anna@laptop", "deploy", "shop", "1.2-1"]


def test_first_failing_step_ends_it_and_the_other_hosts_finish_that_step(machines):
    hosts = machines.make("web-1", "web-2", "web-3")
    (machines.at("web-2") / "broken").write_text("install")
    found = deploy(machines, hosts)
    assert found.failed == (Failed("web-2", "install", "exit code 100"),)
    assert found.done == ()
    assert found.unfinished == ("web-1", "web-3")
    assert machines.calls("web-3") == ["update", "shop=1.2-1"]
    assert lock(machines, "web-2") == ""


def test_serial_stops_at_the_first_host_that_fails(machines):
    hosts = machines.make("web-1", "web-2", "web-3")
    (machines.at("web-2") / "broken").write_text("update")
    found = deploy(machines, hosts, is_serial=True)
    assert [one.host for one in found.failed] == ["web-2"]
    assert machines.calls("web-3") == []


def test_every_batch_is_checked_also_the_last(machines):
    hosts = machines.make("web-1", "web-2", "web-3")
    seen = []

    def check():
        seen.append([machines.calls(host) for host in hosts])
        return ()

    assert deploy(machines, hosts, "2", check=check).is_success
    assert seen == [[ALL_STEPS, ALL_STEPS, []], [ALL_STEPS] * 3]


def test_check_that_fails_stops_before_the_next_batch(machines):
    hosts = machines.make("web-1", "web-2")
    found = deploy(machines, hosts, "1", check=lambda: ["alb-shop: answers 503"])
    assert found.failed == (Failed("web-1", "health check", "alb-shop: answers 503"),)
    assert (found.done, found.unfinished) == ((), ("web-2",))
    assert machines.calls("web-2") == []


def test_check_that_fails_after_the_last_batch_fails_the_deploy(machines):
    hosts = machines.make("web-1", "web-2")
    answers = iter([(), ("alb-shop: answers 503",)])
    found = deploy(machines, hosts, "1", check=lambda: next(answers))
    assert (found.done, found.unfinished, found.is_success) == (("web-1",), (), False)
    assert found.failed == (Failed("web-2", "health check", "alb-shop: answers 503"),)


def test_check_that_an_interruption_cuts_short_is_no_failure(machines):
    stop = threading.Event()

    def check():
        stop.set()
        return ("alb-shop: answers 503",)

    found = deploy(machines, machines.make("web-1", "web-2"), "1", check=check, stop=stop)
    assert (found.done, found.failed, found.unfinished) == ((), (), ("web-1", "web-2"))


def test_failure_in_a_later_batch_keeps_what_is_done(machines):
    hosts = machines.make("web-1", "web-2", "web-3")
    (machines.at("web-2") / "broken").write_text("clean")
    found = deploy(machines, hosts, "1")
    assert (found.done, found.unfinished) == (("web-1",), ("web-3",))


def test_interruption_lets_the_step_end_and_begins_no_other(machines):
    hosts = machines.make("web-1")
    stop = threading.Event()
    machines.before.append(lambda _: stop.set() if len(machines.ran) == 2 else None)  # while `update` runs
    found = deploy(machines, hosts, stop=stop)
    assert machines.calls("web-1") == ["update"]
    assert (found.done, found.unfinished, found.is_success) == ((), ("web-1",), False)
    assert lock(machines, "web-1") == ""


def test_interruption_in_the_last_step_leaves_nothing_undone(machines):
    hosts = machines.make("web-1")
    stop = threading.Event()
    machines.before.append(lambda _: stop.set() if len(machines.ran) == 5 else None)
    assert deploy(machines, hosts, stop=stop).is_success


def test_second_deploy_is_refused_with_who_holds_the_lock(machines):
    hosts = machines.make("web-1", "web-2")
    machines.run(hosts[1:], scripts.take(CLAIM), lambda *_: None)
    with pytest.raises(LockHeldError, match="anna@laptop has been deploying here since") as raised:
        deploy(machines, hosts, claim=Claim("d2", "ben@ci", "install"))
    assert "--accept-lock d1" in raised.value.findings[0].todo
    assert [machines.calls(host) for host in hosts] == [[], []]
    assert lock(machines, "web-1") == ""
    assert lock(machines, "web-2").startswith("d1\t")


def test_what_a_host_says_of_its_lock_is_no_line_to_paste(machines):
    """Who writes to one host must not run anything on the machine of who deploys."""
    hosts = machines.make("web-1")
    (machines.at("web-1") / "ngp").mkdir()
    (machines.at("web-1") / "ngp" / "deploy.lock").write_text("x;id\tanna@laptop\tdeploy\t2026\n")
    with pytest.raises(LockHeldError) as raised:
        deploy(machines, hosts)
    assert raised.value.findings[0].todo.endswith(
        "ngp did not write this lock: check /var/lib/ngp/deploy.lock on the host"
    )


@pytest.mark.parametrize(("times", "said"), [(1, []), (2, [("web-2", "no answer")])])
def test_lock_that_cannot_be_given_back_is_tried_again_then_named(machines, times, said):
    hosts, warned = machines.make("web-1", "web-2"), []
    left = [times]

    def lose(_):
        dead = machines.at("web-2") / "dead"
        dead.unlink(missing_ok=True)
        if machines.ran and len(machines.ran) > 5 and left[0]:  # after the lock and four steps
            left[0] -= 1
            dead.touch()

    machines.before.append(lose)
    result = deploy(machines, hosts, warn=warned.append)
    assert (result.is_success, result.locked) == (True, tuple(warned))
    assert [(one.where, one.why) for one in warned] == said
    assert [lock(machines, host) != "" for host in hosts] == [False, times == 2]
    assert all("--accept-lock d1" in one.todo for one in warned)


def test_lock_that_was_never_taken_is_not_named(machines):
    hosts, warned = machines.make("web-1", "web-2"), []
    (machines.at("web-2") / "dead").touch()
    with pytest.raises(NgpError, match="cannot lock this host"):
        deploy(machines, hosts, warn=warned.append)
    assert warned == []


def test_lock_is_taken_over_by_its_id_only_and_the_loser_stops(machines):
    hosts = machines.make("web-1")
    second = Claim("d2", "ben@ci", "deploy")

    def intervene(_):
        if len(machines.ran) == 2:  # the first deploy begins its first step
            machines.before.clear()
            with pytest.raises(LockHeldError):
                deploy(machines, hosts, claim=second, steal="d0")
            assert deploy(machines, hosts, claim=second, steal="d1").is_success

    machines.before.append(intervene)
    found = deploy(machines, hosts)
    assert [one.step for one in found.failed] == ["update"]
    assert "took over" in found.failed[0].reason
    assert machines.calls("web-1") == ALL_STEPS  # those of the second


def test_lock_cannot_be_taken_over_while_a_step_runs(machines):
    (host,) = machines.make("web-1")
    machines.run([host], scripts.take(CLAIM), lambda *_: None)
    guard = machines.at(host) / "ngp" / "deploy.guard"
    held = subprocess.Popen(
        ["flock", guard, "sh", "-c", "echo held; exec sleep 60"], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        held.stdout.readline()
        with pytest.raises(LockHeldError):
            deploy(machines, [host], claim=Claim("d2", "ben", "deploy"), steal="d1")
    finally:
        os.killpg(held.pid, signal.SIGKILL)
        held.wait()


def test_daemon_that_a_package_starts_does_not_keep_the_lock(machines):
    (host,) = machines.make("web-1")
    apt = machines.folder / "bin" / "apt-get"
    apt.write_text(apt.read_text() + 'sleep 20 >/dev/null 2>&1 & echo $! >>"$STATE/daemons"\n')
    try:
        assert deploy(machines, [host]).is_success
        assert deploy(machines, [host], claim=Claim("d2", "ben", "deploy")).is_success
    finally:
        subprocess.run(["kill", *(machines.at(host) / "daemons").read_text().split()], check=False)


def test_errors_of_apt_come_while_it_runs_and_need_no_disk(machines):
    (host,) = machines.make("web-1")
    apt, state, folder = machines.folder / "bin" / "apt-get", machines.at(host), machines.at(host) / "ngp"
    apt.write_text(
        apt.read_text() + 'sleep 20 & echo $! >>"$STATE/daemons"\nprintf "W: slow\\nE: the disk is full" >&2\n'
        'until [ -f "$STATE/go" ]; do sleep 0.05; done\nexit 7\n'
    )
    machines.run([host], scripts.take(CLAIM), print)
    before = sorted(folder.iterdir())
    env = {"PATH": f"{machines.folder / 'bin'}:{os.environ['PATH']}", "STATE": str(state)}
    command = scripts.step(scripts.DeployStep.UPDATE, (), CLAIM, str(folder))
    with subprocess.Popen(command, shell=True, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as step:
        try:
            assert step.stderr.readline() == b"W: slow\n"
            assert (step.poll(), sorted(folder.iterdir())) == (None, before)
            (state / "go").touch()
            assert (step.stderr.read(), step.wait(10)) == (b"E: the disk is full\n", 7)
        finally:
            (state / "go").touch()
            subprocess.run(["kill", *(state / "daemons").read_text().split()], check=False)


def test_host_that_does_not_answer_fails_before_anything_is_changed(machines):
    hosts = machines.make("web-1", "web-2")
    (machines.at("web-2") / "dead").touch()
    with pytest.raises(NgpError, match="web-2: cannot lock this host") as raised:
        deploy(machines, hosts)
    assert raised.value.findings[0].why == "no answer"
    assert raised.value.findings[0].todo == "start it"
    assert machines.calls("web-1") == []
    assert lock(machines, "web-1") == ""


def test_package_that_apt_does_not_know_is_no_pattern_to_it(machines):
    hosts = machines.make("web-1")
    said = []
    rollout = Rollout(batching.divide(hosts, ""), emit=said.append)
    found = deploying.deploy((DebianPackage("sho.", ""),), rollout, CLAIM, machines.run)
    assert [one.step for one in found.failed] == ["install"]
    assert LinePrinted("web-1", "there is no package sho.") in said
    assert machines.calls("web-1") == ["update"]


def test_user_who_is_not_root_goes_by_sudo_that_never_asks(machines):
    hosts = machines.make("web-1")
    (machines.folder / "bin" / "id").write_text("#!/bin/sh\necho 1000\n")
    (machines.folder / "bin" / "sudo").write_text('#!/bin/sh\n[ "$1" = -n ] || exit 1\nshift\nexec "$@"\n')
    for name in ("id", "sudo"):
        (machines.folder / "bin" / name).chmod(0o755)
    assert deploy(machines, hosts).is_success
    (machines.folder / "bin" / "sudo").write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
    with pytest.raises(NgpError, match="a password is required"):
        deploy(machines, hosts)


def test_who_cannot_break_a_record(machines):
    (host,) = machines.make("web-1")
    deploy(machines, [host], claim=Claim("d1", "an\tna' ; id\n@x", "deploy"))
    (line,) = (machines.at(host) / "ngp" / "deploys.tsv").read_text().splitlines()
    assert line.split("\t")[2] == "an_na_id_@x"
