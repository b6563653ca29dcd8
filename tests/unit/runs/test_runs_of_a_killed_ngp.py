"""Runs whose ngp was killed, found by the next run of their environment."""

import json
import threading
import time

import pytest

from ngp import files
from ngp.errors import LockHeldError
from ngp.runs import killed, leftovers
from ngp.runs.journal import Journal, new_id
from ngp.workspace import Workspace


@pytest.fixture
def lay(tmp_path):
    """`lay(about, …)` makes a run of `dev` with a call that was under way; returns the folder of the call."""

    def make(about, *, verb="apply", environment="dev", tied=False, code=None, lines=()):
        run = tmp_path / "runs" / new_id(verb, environment)
        Journal(run)
        folder = run / killed.CALLS / "call-1"
        folder.mkdir(parents=True)
        (folder / "about.json").write_text(json.dumps({"about": about, "tied": tied}))
        (folder / "stdout").write_text("".join(json.dumps(line) + "\n" for line in lines) + "\0" * 9)
        if code is not None:
            (folder / "exit").write_text(f"{code}\n")
        return folder

    return make


def settle(tmp_path):
    told = []
    killed.report(killed.require_ended(Workspace(tmp_path), "dev"), "dev", told.append)
    return told


SUMMARY = {"type": "change_summary", "changes": {"add": 3, "change": 1, "remove": 0, "operation": "apply"}}
ERROR = {"type": "diagnostic", "diagnostic": {"severity": "error", "summary": "No room", "detail": "hunter2"}}


@pytest.mark.parametrize(
    ("code", "lines", "says"),
    [
        (0, [SUMMARY], "its apply of `swarm` went on and succeeded: 3 added, 1 changed, 0 destroyed"),
        (1, [ERROR], "its apply of `swarm` continued and failed with exit code 1 (No room); see ngp locks dev swarm"),
        (137, [], "its apply of `swarm` was killed too: its state may lack what it created last"),
        (None, [], "its apply of `swarm` was killed too: its state may lack what it created last"),
    ],
)
def test_a_killed_run_is_told_of_and_its_output_removed(lay, tmp_path, code, lines, says):
    folder = lay("apply swarm", code=code, lines=lines)
    (told,) = settle(tmp_path)
    assert says in told
    assert "hunter2" not in told
    assert not folder.parent.exists()
    journal = folder.parents[1] / "journal.jsonl"
    kinds = [json.loads(line)["kind"] for line in journal.read_text().splitlines()]
    assert kinds == ["note", "run_ended"]
    assert settle(tmp_path) == []


def test_a_run_that_was_killed_while_it_only_read_says_so(lay, tmp_path):
    lay("plan swarm", verb="plan", tied=True)
    (told,) = settle(tmp_path)
    assert told.endswith("was killed while it changed nothing")


def test_runs_of_other_environments_are_left_alone(lay, tmp_path):
    folder = lay("apply swarm", environment="my-dev")
    assert settle(tmp_path) == []
    assert folder.exists()


def test_terraform_that_is_still_at_work_is_named_and_nothing_of_it_is_swept(lay, tmp_path):
    folder = lay("apply swarm")
    plan = folder.parents[1] / "swarm.plan"
    plan.touch()
    begun = time.monotonic()
    with files.lock_folder(folder), pytest.raises(LockHeldError) as caught:
        leftovers.sweep(Workspace(tmp_path), "dev")
    assert time.monotonic() - begun < killed._READS_S / 2, "an apply is not waited for"
    (finding,) = caught.value.findings
    assert "left Terraform running: apply of `swarm`" in finding.what
    assert finding.where == folder.parents[1].name
    assert plan.exists()


def test_a_plan_that_was_told_to_end_is_waited_for(lay, tmp_path):
    folder = lay("plan swarm", verb="plan", tied=True)
    held, enough = threading.Event(), threading.Event()

    def hold():
        with files.lock_folder(folder):
            held.set()
            enough.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    threading.Timer(0.7, enough.set).start()
    assert len(leftovers.sweep(Workspace(tmp_path), "dev")) == 1
    assert enough.is_set()
    thread.join()


def test_a_plan_that_does_not_end_is_named(lay, tmp_path, monkeypatch):
    monkeypatch.setattr(killed, "_READS_S", 0.3)
    folder = lay("plan swarm", verb="plan", tied=True)
    with files.lock_folder(folder), pytest.raises(LockHeldError, match="plan of `swarm`"):
        leftovers.sweep(Workspace(tmp_path), "dev")


def test_a_warning_is_not_why_a_run_failed(lay, tmp_path):
    warning = {"type": "diagnostic", "diagnostic": {"severity": "warning", "summary": "Deprecated", "detail": ""}}
    lay("apply swarm", code=1, lines=[warning, ERROR])
    assert "(No room)" in " ".join(settle(tmp_path))
