"""Removes what earlier runs left: copies of states, saved plans, and states that were never written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ngp import files
from ngp.errors import Finding, NgpError
from ngp.runs import journal, killed
from ngp.runs.joint import record
from ngp.runs.killed import KilledRun
from ngp.terraform import rescue
from ngp.workspace import Workspace

_KEPT_DAYS = 90
_KEPT_RUNS = 200


def sweep(workspace: Workspace, environment: str) -> list[KilledRun]:
    """Delete the files of killed runs of an environment, because they may contain values; return those runs.

    The caller must hold the environment's lock. Raises LockHeldError (5) if Terraform of such a run still works.
    """
    for folder in (workspace.previews, workspace.runs):
        files.require_no_links(folder)
    dead = killed.require_ended(workspace, environment)
    runs = journal.folders(workspace, environment)
    plans = [plan for run in runs for plan in run.glob("*.plan")]
    files.remove_all([workspace.previews / environment, *plans, *_old(runs)])
    return dead


def _old(runs: Sequence[Path], now: datetime | None = None) -> list[Path]:
    """Return the runs of an environment that are old or exceed the number to keep, oldest first.

    Unfinished runs and runs with a state to recover are kept.
    """
    oldest = ((now or datetime.now(UTC)) - timedelta(days=_KEPT_DAYS)).strftime("%Y%m%d-%H%M%S")
    going = {*runs[:-_KEPT_RUNS], *(run for run in runs if run.name < oldest)}
    return sorted(run for run in going if _has_ended(run) and not any(run.rglob("*.tfstate")))


def _has_ended(run: Path) -> bool:
    """Whether the last line of a run's journal is its end."""
    try:
        last = (run / "journal.jsonl").read_text(encoding="utf-8").splitlines()[-1]
        return bool(json.loads(last)["kind"] == "run_ended")
    except (OSError, ValueError, LookupError, TypeError):
        return False


def sweep_killed(workspace: Workspace, environment: str, *, is_plan: bool) -> list[KilledRun]:
    """Like `sweep`, but return only the killed runs to finish now: the next apply finishes a joint apply.

    Raises LockHeldError (5) also for a plan after a joint apply that did not end.
    """
    dead = sweep(workspace, environment)
    if is_plan:
        record.require_none(workspace, environment)
    unended = {folder for folder, _ in record.unended(workspace, environment)}
    return [run for run in dead if run.folder not in unended]


def require_recovered(root: Path, copy: Path) -> None:
    """Raise NgpError if a unit's state could not be written and is still in the root.

    Terraform leaves it in the root itself, OpenTofu in its copy; both are checked.
    """
    for folder in (root, copy):
        left = folder / rescue.NAME
        if left.exists() and not rescue.is_whole(left):
            raise NgpError(
                "an earlier apply could not save its state anywhere, and this file is incomplete",
                where=str(left),
                why="only the unit's log of that run (.ngp/runs) shows what it created",
                todo="import or delete what the log shows as created, then delete this file",
            )
        if left.exists():
            what = "an earlier apply could not write its state, and only this file records what it created"
            raise NgpError([errored(left, what, root, copy)])


def errored(file: Path, what: str, root: Path, copy: Path) -> Finding:
    """Return how to recover a state of the unit in `root` that could not be written and is in `file`.

    It is in the root, in OpenTofu's copy or, after a full disk, elsewhere.
    """
    is_copy = file.parent == copy
    folder = copy if is_copy else root
    name = rescue.NAME if file.parent == folder else str(file)
    push = f"terraform init && terraform state push {name}"
    if is_copy:
        push = f"tofu init (ignore what it reports about providers), tofu state push {name}"
    why = "a plan over the older state would create all of that again"
    return Finding(what, str(file), why, f"in {folder}: {push}, then delete the file")
