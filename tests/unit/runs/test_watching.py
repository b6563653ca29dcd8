"""What a Terraform call that did not go well makes of its unit."""

import json
import os
import pwd
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from ngp.errors import LockHeldError, NgpError, RefusedError, StoppedError
from ngp.runs.events import ResourceStep, UnitProgressed
from ngp.runs.results import Counts, Outcome, UnitResult, fail
from ngp.runs.watching import UnitWatcher
from ngp.state.locations import LOCAL, StateLocation
from ngp.terraform.events import Diagnostic, ResourceDone, ResourceFailed, ResourceProgress, ResourceStarted
from ngp.terraform.results import LockHolder, Result
from ngp.workspace import Workspace

LEFT = Path("/p/errored.tfstate")
COPIED = Path("/copies/app/errored.tfstate")
ME = f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}"
STALE = Diagnostic("error", "Saved plan is stale", "The given plan file can no longer be applied.")


@pytest.fixture
def told():
    return []


@pytest.fixture
def watch(told, tmp_path):
    context = SimpleNamespace(
        stop=threading.Event(),
        log=lambda unit: Path("/p/.ngp/a.log"),
        emit=told.append,
        log_name=lambda unit: ".ngp/a.log",
        name="dev",
        resolved=SimpleNamespace(
            platform=SimpleNamespace(workspace=Workspace.of(tmp_path)), environment=SimpleNamespace(name="dev")
        ),
        access=SimpleNamespace(session=None),
        copy=lambda unit: Path("/copies") / unit.name,
    )
    place = StateLocation(LOCAL, "", "", "", tmp_path / "app.tfstate")
    return UnitWatcher(context, SimpleNamespace(name="app", root=tmp_path, place=place))


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (Result(1, (Diagnostic("error", "no", ""),)), Outcome.FAILED),
        (Result(1, (STALE,)), Outcome.STALE),
        (Result(1, lock_holder=LockHolder("id")), Outcome.LOCKED),
        (Result(1, stopped=True), Outcome.STOPPED),
    ],
)
def test_the_outcome_says_what_kind_of_failure_it_was(watch, result, outcome):
    assert watch.failed(UnitResult("app", "app", 1, Outcome.PLANNED), result).outcome is outcome


@pytest.mark.parametrize(("stopped", "outcome"), [(True, Outcome.STOPPED), (False, Outcome.FAILED)])
def test_a_terraform_that_died_of_a_signal_did_not_end_cleanly_and_its_lock_is_named(watch, tmp_path, stopped, outcome):
    planned = UnitResult("app", "app", 1, Outcome.PLANNED)
    free = watch.failed(planned, Result(-9, stopped=stopped))
    assert (free.outcome, "its state is not locked" in free.reason) == (outcome, True)
    lock = {"ID": "1-2", "Who": "ann@laptop", "Operation": "OperationTypeApply", "Created": "2026-11-01T10:00:00Z"}
    (tmp_path / ".app.tfstate.lock.info").write_text(json.dumps(lock))
    held = watch.failed(planned, Result(-9, stopped=stopped))
    assert "killed by signal 9; its state may lack what it created last" in held.reason
    assert "ann@laptop" in held.reason
    assert "`ngp unlock dev app` releases the lock" in held.reason
    assert "cleanly" not in held.reason


def test_a_state_that_could_not_be_written_is_told_also_of_an_interrupted_apply(watch, tmp_path):
    left = tmp_path / "errored.tfstate"
    failed = watch.failed(UnitResult("app", "app", 1, Outcome.PLANNED), Result(1, stopped=True, errored_state=left))
    assert failed.outcome is Outcome.FAILED
    (finding,) = failed.findings
    assert finding.where == str(left)
    push = f"in {tmp_path}: terraform init && terraform state push"
    assert finding.todo == f"{push} errored.tfstate, then delete the file"
    elsewhere = watch.failed(UnitResult("app", "app", 1, Outcome.PLANNED), Result(1, errored_state=LEFT))
    assert elsewhere.findings[0].todo == f"{push} {LEFT}, then delete the file"
    copied = watch.failed(UnitResult("app", "app", 1, Outcome.PLANNED), Result(1, errored_state=COPIED))
    assert "in /copies/app: tofu init" in copied.findings[0].todo


def test_a_lock_is_told_with_the_way_out(watch, tmp_path):
    failed = watch.failed(UnitResult("app", "app", 1, Outcome.PLANNED), Result(1, lock_holder=LockHolder("9d")))
    (finding,) = failed.findings
    by_hand = f"in {tmp_path}: terraform force-unlock 9d"
    assert finding.todo.endswith(f"if its holder is gone: ngp unlock dev app, or {by_hand}")
    assert finding.where == str(tmp_path / "app.tfstate")


@pytest.mark.parametrize(
    ("who", "age_s", "is_own"), [(ME, 2, True), (ME, 60, False), ("ana@laptop", 2, False), ("", 2, False)]
)
def test_a_lock_of_this_user_that_is_younger_than_the_call_is_the_runs_own(watch, who, age_s, is_own):
    created = datetime.fromtimestamp(time.time() - age_s, UTC).strftime("%Y-%m-%d %H:%M:%S.123456789 +0000 UTC")
    held = Result(1, lock_holder=LockHolder("9d", who=who, created=created), duration_s=10)
    (finding,) = watch.failed(UnitResult("app", "app", 1, Outcome.PLANNED), held).findings
    assert ("this run took the lock itself" in finding.why) is is_own
    assert "ngp unlock dev app" in finding.todo


def test_a_failed_unit_counts_what_was_done_and_not_what_was_planned(watch):
    for action in ("create", "create", "update", "delete", "read"):
        watch.call.on_event(ResourceDone("a", action, 0.1))
    planned = UnitResult("app", "app", 1, Outcome.PLANNED, Counts(create=9, replace=2))
    assert watch.failed(planned, Result(1)).counts == Counts(create=2, update=1, delete=1)


def test_every_step_of_a_resource_is_told_with_what_is_done(watch, told):
    watch.expect(Counts(create=1, replace=1))
    watch.call.on_event(ResourceStarted("a", "create"))
    watch.call.on_event(ResourceProgress("a", 10.0))
    watch.call.on_event(ResourceDone("a", "create", 11.0))
    watch.call.on_event(ResourceFailed("b", "delete", 1.0))
    assert told == [
        UnitProgressed("app", 0, 3, "a", 0.0, ResourceStep.STARTED),
        UnitProgressed("app", 0, 3, "a", 10.0, ResourceStep.WORKING),
        UnitProgressed("app", 1, 3, "a", 11.0, ResourceStep.DONE),
        UnitProgressed("app", 1, 3, "b", 1.0, ResourceStep.FAILED),
    ]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (StoppedError(), Outcome.STOPPED),
        (LockHeldError("x"), Outcome.LOCKED),
        (RefusedError("x"), Outcome.REFUSED),
        (NgpError("x", where="w", why="y", todo="z"), Outcome.FAILED),
    ],
)
def test_an_error_in_the_middle_of_a_unit_keeps_its_meaning(error, outcome):
    failed = fail(UnitResult("app", "app", 1, Outcome.PLANNED), error)
    assert failed.outcome is outcome
    assert failed.findings == error.findings
