"""The changes of a plan as people read them: Terraform's symbols, addresses, and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ngp.runs.results import Counts, UnitResult
from ngp.terraform.plans import Action, Change
from ngp.views.outputs import text

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
_DIFFERENCES = 6  # shown of one resource
_WIDTH = 60  # of one value
_ABSENT = object()


@dataclass(frozen=True)
class Difference:
    """One leaf that changes: `path` is ``tags.Name`` or ``ingress[0].port``; the ends are ready to print."""

    path: str
    before: str
    after: str
    forces_replacement: bool = False


def summary(counts: Counts) -> str:
    """``+12 ~1 -0 ±2 forget 1``, the parts that are zero left out."""
    parts = (
        ("+", counts.create),
        ("~", counts.update),
        ("-", counts.delete),
        ("±", counts.replace),
        ("forget ", counts.forget),
    )
    return " ".join(f"{symbol}{number}" for symbol, number in parts if number)


def describe(change: Change) -> str:
    """One line: symbol, address and the first differences."""
    head = f"{SYMBOLS[change.action]:>3} {change.address}"
    if change.previous_address:
        head += f" (was {change.previous_address})"
    if change.importing:
        head += " (imported)"
    if change.action not in (Action.UPDATE, Action.REPLACE):
        return head
    found = differences(change)
    shown = "; ".join(_phrase(difference) for difference in found[:_DIFFERENCES])
    more = f"; {len(found) - _DIFFERENCES} more" if len(found) > _DIFFERENCES else ""
    return f"{head}  {shown}{more}" if shown else head


def differences(change: Change) -> tuple[Difference, ...]:
    """The leaves that differ; those that force a replacement first."""
    forcing = {_path(path) for path in change.replace_paths}
    found = [
        Difference(path, _short(before), _short(after), any(_within(path, place) for place in forcing))
        for path, before, after in _leaves((), change.before, change.after, change.after_unknown)
    ]
    return tuple(sorted(found, key=lambda difference: not difference.forces_replacement))


def unknowns(unit: UnitResult) -> list[str]:
    """``vpc_id from network.vpc_id, wave 1``: where each unknown input of a preview comes from, grouped by origin."""
    grouped: dict[tuple[str, int], list[str]] = {}
    for unknown in unit.unknowns:
        grouped.setdefault((unknown.origin, unknown.wave), []).append(unknown.leaf)
    return [f"{_few(leaves)} from {origin}, wave {wave}" for (origin, wave), leaves in grouped.items()]


def shorten(found: Sequence[Change], room: int) -> tuple[Sequence[Change], str]:
    """As many changes as there is room for (the most dangerous kinds first), and a line on those left out."""
    if len(found) <= room:
        return found, ""
    weight = {Action.UNKNOWN: 0, Action.DELETE: 1, Action.REPLACE: 2, Action.FORGET: 3, Action.UPDATE: 4}
    ranked = sorted(found, key=lambda change: weight.get(change.action, 5))
    left = Counter(SYMBOLS[change.action] for change in ranked[room:])
    kinds = ", ".join(f"{number} {symbol.strip()}" for symbol, number in sorted(left.items()))
    return ranked[:room], f"… and {len(ranked) - room} more ({kinds}); --json has all of them"


def _leaves(path: tuple[str | int, ...], before: Any, after: Any, unknown: Any) -> Iterator[tuple[str, Any, Any]]:
    if unknown is True:
        yield _path(path), before, "(known after apply)"
    elif _is_branch(before, after, unknown):
        for key in _keys(before, after, unknown):
            yield from _leaves((*path, key), _item(before, key), _item(after, key), _item(unknown, key))
    elif before is not after and before != after:
        yield _path(path), before, after


def _is_branch(before: Any, after: Any, unknown: Any) -> bool:
    sides = [side for side in (before, after) if side is not None and side is not _ABSENT]
    holds_unknown = isinstance(unknown, (dict, list)) and bool(unknown)
    return (
        all(isinstance(side, dict) for side in sides)
        and (len(sides) == 2 or holds_unknown)
        or (len(sides) == 2 and all(isinstance(side, list) for side in sides))
    )


def _keys(*sides: Any) -> list[str | int]:
    keys: dict[str | int, None] = {}
    for side in sides:
        if isinstance(side, dict):
            keys.update(dict.fromkeys(side))
        elif isinstance(side, list):
            keys.update(dict.fromkeys(range(len(side))))
    return list(keys)


def _item(side: Any, key: str | int) -> Any:
    if isinstance(side, dict):
        return side.get(key, _ABSENT)
    if isinstance(side, list) and isinstance(key, int):
        return side[key] if key < len(side) else _ABSENT
    return _ABSENT


def _path(path: Sequence[str | int]) -> str:
    written = ""
    for part in path:
        written += f"[{part}]" if isinstance(part, int) else f".{part}" if written else part
    return written


def _within(path: str, place: str) -> bool:
    return path == place or path.startswith((f"{place}.", f"{place}[")) or place == ""


def _short(value: Any) -> str:
    if value is _ABSENT or value is None:
        return "(none)"
    written = value if value == "(known after apply)" else text(value) if not isinstance(value, str) else f'"{value}"'
    written = written.replace("\n", "\\n")
    return written if len(written) <= _WIDTH else f"{written[: _WIDTH - 1]}…"


def _phrase(difference: Difference) -> str:
    force = " (forces replacement)" if difference.forces_replacement else ""
    return f"{difference.path}: {difference.before} → {difference.after}{force}"


def _few(leaves: Sequence[str]) -> str:
    return ", ".join(leaves) if len(leaves) <= 3 else f"{', '.join(leaves[:3])} and {len(leaves) - 3} more"
