"""The journal of a run: an append-only log of its events. Each change is on the disk before the next one starts."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from ngp.files import private_folder
from ngp.runs.events import ChangeAuthorised, Note, Phase, RunEvent, RunStarted, UnitEntered, UnitFinished
from ngp.workspace import Workspace

VERSION = 1
_ID = re.compile(r"[0-9]{8}-[0-9]{6}-(?:plan|apply|destroy)-(?P<environment>.+)-.{4}")  # as `new_id` makes it
_KEPT = (RunStarted, ChangeAuthorised, UnitEntered, UnitFinished, Note)
# Reads are not fsynced: they can be repeated, and 10,000 units need not wait for the disk.
_LOOKING = frozenset({Phase.WAITING, Phase.INIT, Phase.PREVIEW, Phase.PLAN})


class Journal:
    """An append-only file of JSON lines; a context from the start of a run to its end.

    Each line is written at once, so that none is lost if ngp ends, and events that change something are fsynced. The
    journal never contains values, because outputs and attributes may be secrets.
    """

    def __init__(
        self, folder: Path, clock: Callable[[], float] = time.time, warn: Callable[[str], None] = lambda _: None
    ) -> None:
        self.path = private_folder(folder) / "journal.jsonl"
        self._clock, self._warn = clock, warn
        self._is_torn = self._has_warned = False
        self._lock = threading.Lock()
        self._handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def record(self, event: RunEvent) -> None:
        """Append an event, if its kind is recorded."""
        if isinstance(event, _KEPT):
            self._append(_kind(event), _plain(event), wait=not _is_looking(event))

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Append the end of the run. A journal without an end belongs to a killed run."""
        self.end("" if error is None else f"{type(error).__name__}: {error}")

    def end(self, error: str) -> None:
        """Append the end of the run, and close the file."""
        self._append("run_ended", {"error": error}, wait=True)
        os.close(self._handle)

    def _append(self, kind: str, body: dict[str, Any], *, wait: bool) -> None:
        line = json.dumps({"v": VERSION, "at": round(self._clock(), 3), "kind": kind} | body) + "\n"
        try:
            with self._lock:
                data = f"\n{line}".encode() if self._is_torn else line.encode()
                self._is_torn = os.write(self._handle, data) < len(data)
            if wait:
                os.fsync(self._handle)
        except OSError as error:  # a full disk must not hide Terraform's messages
            warned, self._has_warned = self._has_warned, True
            if not warned:
                self._warn(f"the journal of this run cannot be written: {error}")


def new_id(verb: str, environment: str, now: datetime | None = None) -> str:
    """Return a new id for a run: sortable by time, with its verb and environment
    (``20261121-103015-apply-dev-a1f4``)."""
    moment = (now or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    return f"{moment}-{verb}-{environment}-{os.urandom(2).hex()}"


def folders(workspace: Workspace, environment: str) -> list[Path]:
    """Return the folders of an environment's runs, oldest first."""
    try:
        runs = sorted(workspace.runs.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = ((run, _ID.fullmatch(run.name)) for run in runs)
    return [run for run, match in found if match and match["environment"] == environment]


def _is_looking(event: RunEvent) -> bool:
    if isinstance(event, UnitEntered):
        return event.phase in _LOOKING
    return isinstance(event, UnitFinished) and event.result.outcome.is_looking


def _kind(event: RunEvent) -> str:
    name = type(event).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _plain(event: RunEvent) -> dict[str, Any]:
    if isinstance(event, UnitFinished):
        result = event.result
        return {
            "unit": result.unit,
            "outcome": result.outcome.value,
            "counts": dataclasses.asdict(result.counts),
            "reason": result.reason,
            "findings": [dataclasses.asdict(finding) for finding in result.findings],
            "duration_s": round(result.duration_s, 3),
        }
    body = dataclasses.asdict(event)
    return {key: value.value if isinstance(value, Enum) else value for key, value in body.items()} | (
        {"verb": event.verb.value} if isinstance(event, RunStarted) else {}
    )
