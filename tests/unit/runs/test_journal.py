"""The journal: every line at once, and the disk only waited for where something changes."""

import json
import os

import pytest

from ngp.runs.events import Note, Phase, UnitEntered, UnitFinished, UnitProgressed
from ngp.runs.journal import Journal, folders, new_id
from ngp.runs.results import Outcome, UnitResult
from ngp.workspace import Workspace


@pytest.fixture
def syncs(monkeypatch):
    """Counts how often the disk is waited for."""
    calls = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (calls.append(handle), real(handle)))
    return calls


def finished(unit, outcome):
    return UnitFinished(UnitResult(unit, "m", 1, outcome))


def test_a_line_is_there_as_soon_as_it_is_recorded(tmp_path):
    with Journal(tmp_path / "run", clock=lambda: 5.0) as journal:
        journal.record(UnitEntered("network", Phase.PREVIEW))
        journal.record(UnitProgressed("network", 1, 2, "aws_vpc.this"))
        (line,) = journal.path.read_text().splitlines()
    assert json.loads(line) == {
        "v": 1,
        "at": 5.0,
        "kind": "unit_entered",
        "unit": "network",
        "phase": "preview",
        "total": 0,
    }


def test_looking_at_many_units_waits_for_the_disk_as_often_as_looking_at_one(tmp_path, syncs):
    with Journal(tmp_path / "run") as journal:
        for at in range(500):
            journal.record(UnitEntered(f"u{at}", Phase.PREVIEW))
            journal.record(finished(f"u{at}", Outcome.PLANNED))
    assert len(syncs) == 1
    assert len(journal.path.read_text().splitlines()) == 1001


@pytest.mark.parametrize(
    "event",
    [
        Note("made the state bucket"),
        UnitEntered("network", Phase.APPLY, 3),
        UnitEntered("network", Phase.DESTROY, 3),
        *(
            finished("network", outcome)
            for outcome in Outcome
            if outcome not in (Outcome.NO_CHANGES, Outcome.PLANNED, Outcome.DEFERRED, Outcome.SKIPPED)
        ),
    ],
)
def test_what_changes_anything_is_on_the_disk_before_the_next_thing_happens(tmp_path, syncs, event):
    with Journal(tmp_path / "run") as journal:
        journal.record(event)
        assert len(syncs) == 1


def test_the_folders_of_an_environments_runs_are_found_oldest_first_and_no_others(tmp_path):
    workspace = Workspace(tmp_path)
    assert folders(workspace, "dev") == []
    names = ["20260102-000000-plan-dev-0001", "20260101-000000-destroy-dev-0002", "20260103-000000-apply-dev-0003"]
    for name in [*names, new_id("plan", "my-dev"), new_id("plan", "apply-dev"), "notes", "x-plan-dev-0000"]:
        (workspace.runs / name).mkdir(parents=True)
    assert [path.name for path in folders(workspace, "dev")] == sorted(names)
