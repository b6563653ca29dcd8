"""The result of a Terraform command."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ngp.errors import Finding, MissingError
from ngp.terraform.events import Diagnostic, Summary

# Init's messages about a missing provider, credentials, backend or Terraform version
_PREREQUISITES = re.compile(
    r"^Failed to (?:query available provider packages|install provider|get existing workspaces)"
    r"|^Error while installing|^Unsupported Terraform Core version|^Invalid provider registry host"
    r"|[Nn]o valid credential sources|^(?:Error|error) configuring|^Unable to access object"
    r"|^Failed to resolve provider packages|^Required plugins are not installed|^Provider dependency changes detected"
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # the console has no -no-color
_LOCK_SUMMARY = "Error acquiring the state lock"
_CONTENTION = re.compile(
    r"PreconditionFailed|StatusCode: 4(?:09|12)\b|ConditionalRequestConflict|resource temporarily unavailable"
)
_LOCK_FIELD = re.compile(r"^\s*(ID|Path|Operation|Who|Version|Created):[ \t]*(.*?)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class LockHolder:
    """The holder of a unit's state lock, in Terraform's words; "" for missing fields."""

    id: str = ""
    path: str = ""
    operation: str = ""
    who: str = ""
    version: str = ""
    created: str = ""

    def __str__(self) -> str:
        operation = self.operation.removeprefix("OperationType").lower() or "an operation"
        return f"{self.who or 'somebody'} with {operation} since {self.created or 'an unknown time'} (lock {self.id})"


@dataclass(frozen=True)
class Result:
    """`exit_code` is 0 for success, a plan with changes included (`has_changes` tells those apart).

    `lock_holder` is set where the state is locked by somebody else, `errored_state` where Terraform could not write
    the state to its place and left it in a file. `skipped` is an init that had nothing to do.
    """

    exit_code: int
    diagnostics: tuple[Diagnostic, ...] = ()
    stopped: bool = False
    timed_out: bool = False
    duration_s: float = 0.0
    has_changes: bool = False
    summary: Summary | None = None
    lock_holder: LockHolder | None = None
    errored_state: Path | None = None
    skipped: bool = False
    dumped: str = field(default="", repr=False)  # the state that could not be written anywhere

    @property
    def is_ok(self) -> bool:
        return self.exit_code == 0 and not self.stopped and not self.timed_out

    def require_prerequisites(self) -> None:
        """Raise MissingError if this init found no provider, credentials or backend."""
        missing = [one for one in self.errors if _PREREQUISITES.search(one.summary)]
        if missing and not self.stopped:
            todo = "ngp doctor shows what is missing and how to get it"
            raise MissingError([Finding(one.summary, one.place, one.detail.strip(), todo) for one in missing])

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(one for one in self.diagnostics if one.severity == "error")


def lock_holder(diagnostics: Iterable[Diagnostic]) -> LockHolder | None:
    """Return who holds the state, if one of the diagnostics says that it is locked.

    Terraform has one summary for a lock that somebody holds and for a lock that it could not write, for want of rights
    or because S3 failed: only the first names a lock, or says that its place is taken.
    """
    for diagnostic in diagnostics:
        if diagnostic.summary == _LOCK_SUMMARY:
            fields = {name.lower(): value for name, value in _LOCK_FIELD.findall(diagnostic.detail)}
            if fields.get("id") or _CONTENTION.search(diagnostic.detail):
                return LockHolder(**fields)
    return None


def as_diagnostic(text: str, exit_code: int) -> Diagnostic:
    """Return Terraform's plain output as an error diagnostic."""
    lines = [line.strip("╷│╵ ") for line in _COLOUR.sub("", text).splitlines()]
    rest = [line for line in lines if line]
    ended = f"was killed by signal {-exit_code}" if exit_code < 0 else f"ended with code {exit_code}"
    return Diagnostic("error", rest[0] if rest else f"Terraform {ended}", "\n".join(rest[1:]))
