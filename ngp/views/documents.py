"""Versioned JSON documents for programs: one on stdout (`--json`), or one line per event (`--jsonl`).

A document is ``{"schema": "ngp.NAME/VERSION", …}``; within a version, keys are only added.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from threading import Lock
from typing import TYPE_CHECKING, Any

from ngp.errors import Failure, Finding
from ngp.views import places

if TYPE_CHECKING:
    from ngp.review.affected import Affected
    from ngp.runs.bundle.opening import Bundle
    from ngp.runs.events import RunEvent, UnitSummary
    from ngp.runs.results import Orphan, OutputValue, RunResult, UnitResult, UnitStatus, WireEdge

MASKED = "(sensitive)"


def write(document: Mapping[str, Any], *, one_line: bool = False) -> None:
    """Print a document on stdout: all of it, or nothing but a TypeError if a value is not data.

    It is printed in pieces: with 10,000 units, it never exists as one text. A line is short, and printed at once.
    """
    known = data(document)
    encoding = sys.stdout.encoding or "utf-8"
    pieces = ["".join(_pieces(known, None))] if one_line else _pieces(known, "")
    for piece in pieces:
        sys.stdout.write(_fitting(piece, encoding))
    sys.stdout.write("\n")


def dump(value: Any) -> str:
    """A value as JSON on one line, with every digit of its numbers."""
    return "".join(_pieces(data(value), None, space=" "))


def run(result: RunResult, *, exit_code: int) -> dict[str, Any]:
    """``ngp.plan/1``, ``ngp.apply/1`` or ``ngp.destroy/1``."""
    return {
        "schema": f"ngp.{result.verb.value}/1",
        "run_id": result.run_id,
        "environment": result.environment,
        "exit_code": exit_code,
        "duration_s": round(result.duration_s, 3),
        "stopped_by": result.stopped_by,
        "counts": _counts(result.counts),
        "units": [_unit(unit, result.environment) for unit in result.units],
        "orphans": [left(orphan) for orphan in result.orphans],
        "authority": result.authority,
    }


def bundle(found: Bundle) -> dict[str, Any]:
    """Return a bundle in a document: its file, its digest, facts of its statement and the number of signatures."""
    stated = found.statement
    facts = ("verb", "environment", "account", "region", "maker", "run_id", "ngp")
    return {
        "file": str(found.archive.path),
        "digest": found.digest,
        **{name: getattr(stated, name) for name in facts},
        "commit": stated.commit.id,
        "created": stated.created.isoformat(),
        "expires": stated.expires.isoformat(),
        "signatures": len(found.archive.approvals),
        "apart": {name: one.apart for name, one in stated.units.items() if one.apart},
    }


def outputs(environment: str, values: Sequence[OutputValue], *, reveal: bool = False) -> dict[str, Any]:
    """``ngp.output/1``: outputs by unit; the value of a masked one is null and ``masked`` true."""
    units: dict[str, dict[str, Any]] = {}
    for value in values:
        masked = value.sensitive and not reveal
        units.setdefault(value.unit, {})[value.name] = {
            "value": None if masked else value.value,
            "sensitive": value.sensitive,
            "masked": masked,
        }
    return {"schema": "ngp.output/1", "environment": environment, "units": units}


def status(environment: str, units: Sequence[UnitStatus], found: Sequence[Orphan] = ()) -> dict[str, Any]:
    """``ngp.status/1``."""
    return {
        "schema": "ngp.status/1",
        "environment": environment,
        "units": [_status(unit) for unit in units],
        "orphans": [left(orphan) for orphan in found],
    }


def orphans(
    environment: str, found: Sequence[Orphan], shared: Sequence[Finding], unreached: Mapping[str, str]
) -> dict[str, Any]:
    """``ngp.orphans/1``: `environment` is "" for the whole platform, `unreached` says what was not looked at."""
    return {
        "schema": "ngp.orphans/1",
        "environment": environment,
        "orphans": [left(orphan) for orphan in found],
        "shared": shared,
        "unreached": unreached,
    }


def graph(
    environment: str, units: Sequence[UnitSummary], wires: Sequence[WireEdge], found: Sequence[Orphan] = ()
) -> dict[str, Any]:
    """``ngp.graph/1``."""
    return {
        "schema": "ngp.graph/1",
        "environment": environment,
        "units": [_fields(unit) for unit in units],
        "wires": [_fields(wire) for wire in wires],
        "orphans": [left(orphan) for orphan in found],
    }


def affected(found: Affected | None) -> dict[str, Any]:
    """Return the part of a document for `--affected`: the commit, what is affected since, and why."""
    if found is None:
        return {}
    return {
        "since": {"commit": found.commit, "name": found.name},
        "affected": [_fields(unit) for unit in found.units],
        "removed": [_fields(unit) for unit in found.removed],
    }


def failure(error: Failure, *, exit_code: int) -> dict[str, Any]:
    """``ngp.error/1``: what `--json` gives when a command fails before it has a document of its own."""
    return {
        "schema": "ngp.error/1",
        "error": {
            "code": error.code,
            "exit_code": exit_code,
            "findings": error.findings,
        },
    }


def event(happened: RunEvent, environment: str = "") -> dict[str, Any]:
    """``ngp.event/1``: one line of `--jsonl`; ``event`` is the event's name (``unit_progressed``)."""
    name = "".join(f"_{mark.lower()}" if mark.isupper() else mark for mark in type(happened).__name__).lstrip("_")
    if hasattr(happened, "result"):
        body: dict[str, Any] = {"result": _unit(happened.result, environment)}
    else:
        body = _fields(happened)
    diagnostic = getattr(happened, "diagnostic", None)
    if diagnostic is not None:
        body["diagnostic"] = places.diagnostic(diagnostic, places.root(environment, body["unit"]))
    return {"schema": "ngp.event/1", "event": name, **body}


class EventLines:
    """Follows a run as `progress.Progress` does, but writes each event, from any thread, as a line of JSON to stdout.

    A reader that went away (a closed pipe) ends the lines, never the run.
    """

    def __init__(self) -> None:
        self._is_open = True
        self._environment = ""
        self._lock = Lock()

    def __enter__(self) -> EventLines:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            sys.stdout.flush()

    def pause(self) -> AbstractContextManager[None]:
        """Do nothing: lines do not disturb a question."""
        return nullcontext()

    def on_event(self, happened: RunEvent) -> None:
        with self._lock:
            if not self._is_open:
                return
            try:
                self._environment = getattr(happened, "environment", self._environment)
                write(event(happened, self._environment), one_line=True)
                sys.stdout.flush()
            except BrokenPipeError:
                self._is_open = False


def data(value: Any) -> Any:
    """Return `value` as JSON data: enums by value, dataclasses as objects. Decimals stay, because every digit counts.

    Raises TypeError for a value that is not data.
    """
    if isinstance(value, Finding):
        return places.finding(value)
    if is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [data(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((data(item) for item in value), key=str)
    if isinstance(value, PurePath):
        return str(value)
    if value is None or isinstance(value, (str, int, float, Decimal)):
        return value
    raise TypeError(f"{type(value).__name__} is not JSON data")


def _pieces(value: Any, indent: str | None, *, space: str = "") -> Iterator[str]:
    """The text of JSON data piece by piece: indented, or on one line where `indent` is None."""
    if not isinstance(value, (dict, list)) or not value:
        yield scalar(value)
        return
    is_object = isinstance(value, dict)
    inner = None if indent is None else f"{indent}  "
    lead = "" if inner is None else f"\n{inner}"
    yield "{" if is_object else "["
    for at, item in enumerate(value):
        yield f"{(',' + (space if inner is None else '')) if at else ''}{lead}"
        if is_object:
            yield scalar(item) + (f":{space}" if inner is None else ": ")
        yield from _pieces(value[item] if is_object else item, inner, space=space)
    yield ("" if indent is None else f"\n{indent}") + ("}" if is_object else "]")


def scalar(value: Any) -> str:
    """Return the JSON of a scalar or an empty container; the json module would make a float of a Decimal."""
    if isinstance(value, Decimal):
        from ngp.catalogue.literals import number

        return number(value)
    return json.dumps(value, ensure_ascii=False)


def _fitting(piece: str, encoding: str) -> str:
    """Return a piece of JSON that the stream can encode: other characters are escaped, inside of strings."""
    try:
        piece.encode(encoding)
    except UnicodeEncodeError:  # a stream of another encoding, or bytes on the command line that are no text
        return "".join(mark if mark.isascii() else json.dumps(mark)[1:-1] for mark in piece)
    return piece


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: data(getattr(value, field.name)) for field in fields(value)}


def _counts(counts: Any) -> dict[str, int]:
    return {**_fields(counts), "total": counts.total}


def _unit(unit: UnitResult, environment: str) -> dict[str, Any]:
    root = places.root(environment, unit.unit)
    shown = _fields(replace(unit, diagnostics=()))
    shown["diagnostics"] = [places.diagnostic(one, root) for one in unit.diagnostics]
    shown["counts"] = _counts(unit.counts)
    shown["duration_s"] = round(unit.duration_s, 3)
    shown["outputs"] = {name: _output(change) for name, change in unit.outputs.items()}
    return shown


def _status(unit: UnitStatus) -> dict[str, Any]:
    return {**_fields(unit), "status": unit.word}


def left(orphan: Orphan) -> dict[str, Any]:
    """Return one entry of ``orphans``."""
    shown = _fields(orphan)
    hint = shown.pop("todo")
    return {**shown, "hint": hint}


def _output(change: Any) -> dict[str, Any]:
    shown = _fields(change)
    if change.sensitive:
        shown.update(before=MASKED, after=MASKED)
    return shown
