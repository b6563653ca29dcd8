"""Changes of a plan, one line each: Terraform's symbol, the address, and the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ngp.runs.results import Counts, UnitResult
from ngp.terraform.plans import Action, Change

SYMBOLS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.DELETE: "-",
    Action.READ: "<=",
    Action.FORGET: ".",
    Action.UNKNOWN: "?",
    Action.NO_OP: " ",
}
STYLES = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.REPLACE: "magenta",
    Action.DELETE: "red",
    Action.UNKNOWN: "red",
}
REASONS = {
    "replace_because_tainted": "tainted",
    "replace_by_request": "requested by -replace",
    "replace_by_triggers": "by replace_triggered_by",
    "delete_because_no_resource_config": "no longer in the configuration",
    "delete_because_no_module": "its module is no longer in the configuration",
    "delete_because_wrong_repetition": "count or for_each no longer has it",
    "delete_because_count_index": "count no longer has it",
    "delete_because_each_key": "for_each no longer has it",
}


def summary(counts: Counts) -> str:
    """Return ``+12 ~1 -0 ±2 forget 1`` without zero parts."""
    parts = (
        ("+", counts.create),
        ("~", counts.update),
        ("-", counts.delete),
        ("±", counts.replace),
        ("forget ", counts.forget),
    )
    return " ".join(f"{symbol}{number}" for symbol, number in parts if number)


def describe(change: Change) -> str:
    """Return the line of a change: symbol, address and details."""
    head = f"{SYMBOLS[change.action]:>3} {change.address}"
    if change.previous_address:
        head += f" (was {change.previous_address})"
    if change.importing:
        head += " (imported)"
    reason = REASONS.get(change.reason, "")
    return f"{head}  # {reason}" if reason else head


def unknowns(unit: UnitResult) -> list[str]:
    """Return ``vpc_id from network.vpc_id, wave 1``: the origin of each unknown input of a preview, grouped."""
    grouped: dict[tuple[str, int], list[str]] = {}
    for unknown in unit.unknowns:
        grouped.setdefault((unknown.origin, unknown.wave), []).append(unknown.leaf)
    return [f"{_few(leaves)} from {origin}, wave {wave}" for (origin, wave), leaves in grouped.items()]


def shorten(found: Sequence[Change], room: int) -> tuple[Sequence[Change], str]:
    """Return as many changes as fit (the most dangerous first), and a line about the others."""
    if len(found) <= room:
        return found, ""
    weight = {Action.UNKNOWN: 0, Action.DELETE: 1, Action.REPLACE: 2, Action.FORGET: 3, Action.UPDATE: 4}
    ranked = sorted(found, key=lambda change: weight.get(change.action, 5))
    left = Counter(SYMBOLS[change.action] for change in ranked[room:])
    kinds = ", ".join(f"{number} {symbol.strip()}" for symbol, number in sorted(left.items()))
    return ranked[:room], f"… and {len(ranked) - room} more ({kinds}); --all shows them"


def _few(leaves: Sequence[str]) -> str:
    return ", ".join(leaves) if len(leaves) <= 3 else f"{', '.join(leaves[:3])} and {len(leaves) - 3} more"
