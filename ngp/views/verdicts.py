"""Shows a verdict: what policies deny or warn of, and what is accepted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ngp.settings import Settings
from ngp.views import findings, terminal

if TYPE_CHECKING:
    from ngp.policies.verdict import Verdict
    from ngp.runs.results import UnitResult


def show(verdict: Verdict, settings: Settings) -> None:
    """The violations on stdout, then what a manifest accepts, then the totals."""
    out = terminal.out(settings)
    for one in verdict.violations:
        out.print(terminal.line(findings.block(one.finding, word=one.severity.value)), soft_wrap=True)
    for accepted, reason in verdict.accepted:
        text = f"accepted: {accepted.rule}: {accepted.message} at {accepted.address}: {reason}"
        out.print(terminal.line(text), soft_wrap=True)
    number = len(verdict.denials)
    total = f"{terminal.amount(len(verdict.rules), 'rule')} evaluated: {terminal.amount(number, 'denial')}"
    out.print(terminal.line(total, style="bold"), soft_wrap=True)


def print_violations(verdict: Verdict, settings: Settings) -> None:
    """Print on stderr what policies deny or warn of."""
    for one in verdict.violations:
        terminal.say(settings, findings.block(one.finding, word=one.severity.value), always=True)


def print_unchecked(units: Iterable[UnitResult], settings: Settings) -> None:
    """Name the units on stderr that were not checked, because they could not be planned."""
    for one in units:
        if not one.outcome.is_good:
            text = f"error: {one.unit} was not checked: {one.outcome.word}: {one.reason}"
            terminal.say(settings, text, style="red", always=True)


def document(environment: str, verdict: Verdict, code: int) -> dict[str, Any]:
    """``ngp.policy.check/1``."""
    fields = {"rules": verdict.rules, "violations": verdict.violations, "accepted": verdict.accepted}
    return {"schema": "ngp.policy.check/1", "environment": environment, "exit_code": code, **fields}
