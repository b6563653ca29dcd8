"""Runs whose ngp was killed: finds them, and reports what their Terraform did."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ngp import files, supervised
from ngp.errors import Finding, LockHeldError
from ngp.runs import journal
from ngp.runs.events import Note
from ngp.supervised import FoundCall
from ngp.terraform import events
from ngp.workspace import Workspace

CALLS = "calls"  # in a run's folder until its end: the output of its running Terraform calls
_ALL = "_all"  # instead of a unit's name, for a call for all units
_READS_S = 20.0  # how long to wait for a plan that was told to stop
_LOOK_S = 0.2


@dataclass(frozen=True)
class KilledRun:
    """A run without an end. `calls` are its Terraform calls that were running."""

    folder: Path
    calls: tuple[FoundCall, ...]

    @property
    def at_work(self) -> tuple[FoundCall, ...]:
        return tuple(call for call in self.calls if call.at_work)


def find(workspace: Workspace, environment: str) -> list[KilledRun]:
    """Return the killed runs of an environment that were not handled yet. The caller must hold its lock.

    Without the lock, a run that is still working would be among them.
    """
    left = [run for run in journal.folders(workspace, environment) if (run / CALLS).exists()]
    return [KilledRun(run, tuple(supervised.find(run / CALLS))) for run in left]


def require_ended(workspace: Workspace, environment: str) -> list[KilledRun]:
    """Return the killed runs of an environment. Raises LockHeldError (5) if Terraform of one still works.

    Calls that only read have been told to stop, so this waits for them.
    """
    deadline = time.monotonic() + _READS_S
    while True:
        killed = find(workspace, environment)
        going = [(run, call) for run in killed for call in run.at_work]
        if not going:
            return killed
        if time.monotonic() > deadline or not all(call.tied for _, call in going):
            raise LockHeldError([_busy(run, call) for run, call in going])
        time.sleep(_LOOK_S)


def report(killed: list[KilledRun], environment: str, emit: Callable[[str], None]) -> None:
    """Finish killed runs whose Terraform has ended: emit a note for each call that changes something."""
    for run in killed:
        notes = [_describe_call(run, call, environment) for call in run.calls if not call.tied]
        written = journal.Journal(run.folder)
        for text in notes or [f"the ngp of run {run.folder.name} was killed while it changed nothing"]:
            written.record(Note(text))
            emit(text)
        written.end("ngp was killed")
        files.remove_all([run.folder / CALLS])


def _busy(run: KilledRun, call: FoundCall) -> Finding:
    pids = " ".join(map(str, call.pids))
    return Finding(
        f"a killed ngp left Terraform running: {_words(call)}" + (f" in process {pids}" if pids else ""),
        where=run.folder.name,
        why="it runs to its end, then writes its state and releases its lock",
        todo="wait until it has ended" + (f", or let it stop early and cleanly: kill -INT {pids}" if pids else ""),
    )


def _describe_call(run: KilledRun, call: FoundCall, environment: str) -> str:
    begin = f"the ngp of run {run.folder.name} was killed; its {_words(call)}"
    if call.exit_code == 0:
        return f"{begin} went on and succeeded{_counted(call)}"
    unit = call.about.partition(" ")[2].removeprefix(_ALL)
    look = f"ngp locks {environment}" + (f" {unit}" if unit else "")
    if call.exit_code is None or call.exit_code > 128:
        return f"{begin} was killed too: its state may lack what it created last; see {look}"
    return f"{begin} continued and failed with exit code {call.exit_code}{_complaint(call)}; see {look}"


def _words(call: FoundCall) -> str:
    verb, _, unit = call.about.partition(" ")
    if unit == _ALL:
        return f"joint {verb}"
    return f"{verb} of `{unit}`" if unit else verb


def _counted(call: FoundCall) -> str:
    """Return the last counts that Terraform reported."""
    for line in reversed(call.output().splitlines()):
        event = events.parse(line)
        if isinstance(event, events.Summary):
            return f": {event.add} added, {event.change} changed, {event.remove} destroyed"
    return ""


def _complaint(call: FoundCall) -> str:
    """Return the summary of the first error. Its details may contain values."""
    for line in call.output().splitlines():
        event = events.parse(line)
        if isinstance(event, events.Diagnostic) and event.severity == "error":
            return f" ({event.summary})"
    return ""
