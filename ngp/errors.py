"""The error tree. What an operator can fix is an NgpError; anything else is a bug of ours.

NgpError            1  a unit failed or a check found something
├── UsageError     64  what the operator wrote is wrong (one finding or many)
├── MissingError   69  a prerequisite is missing: binary, credentials, backend, provider
├── RefusedError    3  a guard or policy refuses
├── StaleError      4  the reviewed plan is stale
└── LockHeldError   5  somebody else holds a lock
StoppedError      130  interrupted (143 for SIGTERM); a KeyboardInterrupt, which no `except Exception` swallows
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

_ALL, _SOME = 10, 5  # names that a hint lists, all of a few or the nearest of many


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what, where (``file:line`` or an address), why, what to do."""

    what: str
    where: str = ""
    why: str = ""
    todo: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        reason = f"; {self.why}" if self.why else ""
        return f"{place}{self.what}{reason}"


class Failure(BaseException):
    """The common part of NgpError and StoppedError: findings, an exit code and a machine-readable code."""

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "failed"

    def __init__(self, what: str | Sequence[Finding], *, where: str = "", why: str = "", todo: str = "") -> None:
        if isinstance(what, str):
            self.findings: tuple[Finding, ...] = (Finding(what, where, why, todo),)
        else:
            self.findings = tuple(what)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class NgpError(Failure, Exception):
    """An expected failure, described so that an operator can act."""


class UsageError(NgpError):
    exit_code = 64
    code = "usage"


class MissingError(NgpError):
    exit_code = 69
    code = "missing_prerequisite"


class RefusedError(NgpError):
    exit_code = 3
    code = "refused"


class StaleError(NgpError):
    exit_code = 4
    code = "stale"


class LockHeldError(NgpError):
    exit_code = 5
    code = "lock_held"


class StoppedError(Failure, KeyboardInterrupt):
    """An interruption. It is not an Exception, because libraries catch Exception and continue."""

    exit_code = 130
    code = "interrupted"

    def __init__(self, what: str = "interrupted", *, signal_number: int = 2) -> None:
        super().__init__(what)
        self.signal_number = signal_number


def require(findings: Iterable[Finding]) -> None:
    """Raise one UsageError with all findings, if there are any."""
    found = tuple(findings)
    if found:
        raise UsageError(found)


def nearest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a fix such as ``did you mean `vpc_id`?``, or the names to choose from if none is similar.

    `otherwise` is a fix for somebody who meant none of them. "" if there is neither.
    """
    from difflib import get_close_matches

    names = sorted(set(known))
    if near := similar(name, names):
        return f"did you mean `{near}`? Or {otherwise}" if otherwise else f"did you mean `{near}`?"
    if not names:
        return otherwise
    if len(names) <= _ALL:
        fix = f"use one of: {', '.join(names)}" if len(names) > 1 else f"there is only `{names[0]}`"
    else:
        some = get_close_matches(name, names, n=_SOME, cutoff=0)
        fix = f"use one of: {', '.join(some)} and {len(names) - len(some)} more"
    return f"{fix}; or {otherwise}" if otherwise else fix


def similar(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return the known name that `name` may be a misspelling of, "" if there is none."""
    from difflib import get_close_matches

    close = get_close_matches(name, sorted(known), n=3, cutoff=cutoff)
    return next((one for one in close if not _is_opposite(name, one)), "")


def _is_opposite(name: str, other: str) -> bool:
    short, long = sorted((name, other), key=len)
    return any(long == f"{mark}{short}" for mark in ("un", "no-", "dis", "de"))
