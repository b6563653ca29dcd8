"""The verdict of policies on planned changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from ngp.errors import Finding, RefusedError


class Severity(Enum):
    DENY = "deny"  # exit 3
    WARN = "warn"


@dataclass(frozen=True)
class Violation:
    """A change that breaks a rule. `attribute` is "" if the whole resource does."""

    rule: str
    severity: Severity
    message: str
    unit: str = ""
    address: str = ""
    attribute: str = ""
    todo: str = ""
    source: str = ""  # the policy's file, "" for a rule of ngp

    @property
    def finding(self) -> Finding:
        """The violation as a finding."""
        at = f"{self.address}{f' ({self.attribute})' if self.attribute else ''}"
        origin = f"policy {self.source}" if self.source else "a rule of ngp"
        word = "" if self.severity is Severity.DENY else "warning: "
        return Finding(f"{word}{self.rule}: {self.message}", at, origin, self.todo)


@dataclass(frozen=True)
class Verdict:
    """The evaluated rules, what they deny or warn of, and what a module's manifest accepts with a reason."""

    rules: tuple[str, ...]
    violations: tuple[Violation, ...] = ()
    accepted: tuple[tuple[Violation, str], ...] = ()

    @property
    def denials(self) -> tuple[Violation, ...]:
        return tuple(one for one in self.violations if one.severity is Severity.DENY)

    def exit_code(self, code: int) -> int:
        """Return the exit code of a run that ended with `code`: 3 for a denial, unless something worse happened."""
        return int(RefusedError.exit_code) if self.denials and code in (0, 2) else code

    def __add__(self, other: Verdict) -> Verdict:
        return replace(
            self,
            rules=(*self.rules, *other.rules),
            violations=(*self.violations, *other.violations),
            accepted=(*self.accepted, *other.accepted),
        )
