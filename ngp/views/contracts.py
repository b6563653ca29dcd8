"""Shows changed inputs and outputs of modules since a commit, and the units that they break."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ngp.settings import Settings
from ngp.views import findings, places, terminal

if TYPE_CHECKING:
    from ngp.review.contracts import BrokenUnit, ContractReport
    from ngp.review.interfaces import InterfaceDifference


def show(found: ContractReport, settings: Settings, *, whole: bool = False) -> None:
    """A block for each thing that breaks on stdout, then a line for each difference that breaks nothing."""
    since = f"since {found.commit[:8]} ({found.name})"
    reported = [each.finding for each in found.broken]
    findings.show_checks(reported, settings, passed=f"no unit breaks {since}", whole=whole)
    for each in found.harmless:
        terminal.out(settings).print(terminal.line(f"breaks nothing: {each.text}"), soft_wrap=True)


def document(found: ContractReport) -> dict[str, Any]:
    """``ngp.module.contracts/1``."""
    return {
        "schema": "ngp.module.contracts/1",
        "since": {"commit": found.commit, "name": found.name},
        "differences": [_difference(each) for each in found.differences],
        "broken": [_broken(each) for each in found.broken],
    }


def _difference(each: InterfaceDifference) -> dict[str, Any]:
    place = places.at(each.place)
    return {
        "module": each.module,
        "kind": each.kind,
        "name": each.name,
        "change": each.change,
        "new_name": each.new_name or None,
        "before": each.before or None,
        "after": each.after or None,
        "text": each.text,
        "file": place["file"],
        "line": place["line"],
    }


def _broken(each: BrokenUnit) -> dict[str, Any]:
    about = {"environment": each.environment, "unit": each.unit, "module": each.module}
    return {**about, "difference": _difference(each.difference), "finding": each.finding}
