"""The words that all reports share: titles, totals, facts and the line of a change. Nothing is escaped here."""

from __future__ import annotations

from datetime import datetime

from ngp.reports.report import ChangeReport, Report, UnitReport
from ngp.runs.results import Counts, Verb
from ngp.terraform.plans import Action
from ngp.views import changes
from ngp.views.terminal import amount, duration

_PLANNED = {"create": "to create", "update": "to update", "replace": "to replace", "delete": "to delete"}
_DONE = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted"}
_ACTIONS = {
    Action.CREATE: "create",
    Action.UPDATE: "update",
    Action.REPLACE: "replace",
    Action.DELETE: "delete",
    Action.FORGET: "forget",
    Action.NO_OP: "keep",
    Action.READ: "read",
    Action.UNKNOWN: "unknown action",
}


def title(report: Report) -> str:
    """``Plan for dev``, ``Apply of dev``, ``Plan to destroy dev``."""
    if report.verb is Verb.PLAN:
        return f"Plan for {report.environment}"
    if report.is_proposal:
        return f"Plan to {report.verb.value} {report.environment}"
    return f"{report.verb.value.capitalize()} of {report.environment}"


def totals(report: Report) -> str:
    """``6 units: 1 failed, 3 with changes; +3 ~2 -2``."""
    if not report.units:
        return "stopped before any unit started" if report.findings else "no units"
    words = ", ".join(f"{number:,} {outcome.traits.counted}" for outcome, number in report.outcomes.items())
    sizes = changes.summary(report.counts)
    return f"{amount(len(report.units), 'unit')}: {words}{f'; {sizes}' if sizes else ''}"


def counted(counts: Counts, *, is_proposal: bool = True) -> str:
    """``3 to create, 1 to delete``: the counts in words, for those who cannot see symbols."""
    words = _PLANNED if is_proposal else _DONE
    forget = "to forget" if is_proposal else "forgotten"
    found = [(getattr(counts, name), word) for name, word in words.items()] + [(counts.forget, forget)]
    return ", ".join(f"{number:,} {word}" for number, word in found if number) or "no changes"


def facts(report: Report) -> list[tuple[str, str]]:
    """What a reviewer must know before anything else, as pairs; what is not known is left out."""
    commit = f"{report.commit[:12]}{' with uncommitted changes' if report.is_dirty else ''}" if report.commit else ""
    bundle = report.bundle
    found = [
        ("project", report.project),
        ("environment", report.environment),
        ("account", f"{report.account} (sandbox)" if report.target == "sandbox" else report.account),
        ("region", report.region),
        ("commit", commit),
        ("run", report.run_id),
        ("bundle", bundle.digest[:12] if bundle else ""),
        ("bundle file", bundle.file if bundle else ""),
        ("bundle valid until", _moment(bundle.expires) if bundle else ""),
        ("ngp", report.ngp),
        (report.binary, report.terraform),
        ("policies", _policies(report)),
        ("duration", duration(report.duration_s) if report.duration_s else ""),
    ]
    return [(name, value) for name, value in found if value]


def size(unit: UnitReport) -> str:
    """``+3 ~1``, or the word of the outcome."""
    return changes.summary(unit.counts) or unit.outcome.word


def action(change: ChangeReport) -> str:
    """``replace``, with what else happens to the resource."""
    words = [_ACTIONS[change.action]]
    if change.is_moved:
        words.append("move")
    if change.is_imported:
        words.append("import")
    return ", ".join(word for word in words if word != "keep" or len(words) == 1)


def remarks(change: ChangeReport) -> list[str]:
    """What is to be said of a change beside its address: data, what forces it, moves and imports, its reason."""
    forced = ", ".join(change.replace_paths)
    found = [
        f"data-bearing: {change.holds}" if change.needs_attention and change.is_data_bearing else "",
        change.reason,
        f"replaced because of {forced}" if forced else "",
        f"was {change.previous_address}" if change.is_moved else "",
        f"imported{f' from {change.import_id}' if change.import_id else ''}" if change.is_imported else "",
    ]
    return [one for one in found if one]


def cause(change: ChangeReport) -> list[tuple[str, str, str]]:
    """The causes of a change as attribute, words and place."""
    return [(one.attribute, one.text, one.place) for one in change.causes]


def side_changes(unit: UnitReport) -> str:
    """``1 moved, 2 imported``: what happens beside the counted actions."""
    found = [
        (sum(change.is_moved for change in unit.changes), "moved"),
        (sum(change.is_imported for change in unit.changes), "imported"),
    ]
    return ", ".join(f"{number:,} {word}" for number, word in found if number)


def _policies(report: Report) -> str:
    """``7 rules, 1 denial``: also that nothing is denied is worth knowing."""
    found = report.policy
    return f"{amount(len(found.rules), 'rule')}, {amount(len(found.denials), 'denial')}" if found else ""


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"
