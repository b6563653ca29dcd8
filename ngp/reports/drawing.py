"""The diagram of an environment: the positions of units and wires, wave by wave from left to right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ngp.reports import words
from ngp.reports.report import Report, UnitReport

MOST = 80  # boxes; of more units those that change nothing are one box for each wave
_WIDTH, _HEIGHT = 168, 46
_ACROSS, _DOWN = 236, 60  # from one box to the next
_EDGE, _TOP = 12, 34
_NAME = 20  # characters of a name in its box


@dataclass(frozen=True)
class Box:
    """A unit, or the rest of a wave (`unit` is "")."""

    x: int
    y: int
    unit: str
    name: str
    state: str  # failed, danger, changed, waiting, same
    symbol: str
    says: str
    width: int = _WIDTH
    height: int = _HEIGHT


@dataclass(frozen=True)
class Edge:
    """A line from a unit to one that uses its outputs; `is_unknown` says that a value is not known yet."""

    path: str
    source: str
    unit: str
    inputs: str
    is_unknown: bool


@dataclass(frozen=True)
class Drawing:
    width: int
    height: int
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    waves: tuple[tuple[int, int], ...]  # the number and the x of each


def draw(report: Report) -> Drawing:
    """Return the diagram of a report."""
    shown, rest = _pick(report.units)
    columns: dict[int, list[UnitReport]] = {wave: [] for wave in sorted({*(one.wave for one in shown), *rest})}
    for unit in shown:
        columns[unit.wave].append(unit)
    feeders = _feeders(report)
    boxes: dict[str, Box] = {}
    others: list[Box] = []
    waves = []
    for column, (wave, units) in enumerate(columns.items()):
        x = _EDGE + column * _ACROSS
        waves.append((wave, x))
        for row, unit in enumerate(_ordered(units, feeders, boxes)):
            boxes[unit.unit] = _box(unit, x, _TOP + row * _DOWN)
        if wave in rest:
            others.append(_rest(rest[wave], x, _TOP + len(units) * _DOWN, is_all=not units))
    placed = [*boxes.values(), *others]
    return Drawing(
        max((box.x + box.width for box in placed), default=0) + _EDGE,
        max((box.y + box.height for box in placed), default=0) + _EDGE,
        tuple(placed),
        tuple(_edges(report, boxes)),
        tuple(waves),
    )


def state(unit: UnitReport) -> str:
    """Return the style of a unit."""
    return ("failed", "danger", "changed", "waiting", "same")[unit.rank]


def _pick(units: tuple[UnitReport, ...]) -> tuple[tuple[UnitReport, ...], dict[int, int]]:
    """The units that get a box of their own, and how many others each wave has."""
    if len(units) <= MOST:
        return units, {}
    shown = tuple(unit for unit in units if unit.rank < 4)[:MOST]
    known, rest = {unit.unit for unit in shown}, dict[int, int]()
    for unit in units:
        if unit.unit not in known:
            rest[unit.wave] = rest.get(unit.wave, 0) + 1
    return shown, rest


def _ordered(
    units: list[UnitReport], feeders: Mapping[str, set[str]], boxes: Mapping[str, Box]
) -> Iterable[UnitReport]:
    """The units of a wave beside those that feed them, so that lines cross less."""

    def height(unit: UnitReport) -> tuple[float, str]:
        found = [boxes[one].y for one in feeders.get(unit.unit, ()) if one in boxes]
        return (sum(found) / len(found) if found else 0.0, unit.unit)

    return sorted(units, key=height)


def _feeders(report: Report) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for wire in report.wires:
        found.setdefault(wire.unit, set()).add(wire.origin.partition(".")[0])
    return found


def _box(unit: UnitReport, x: int, y: int) -> Box:
    name = unit.unit if len(unit.unit) <= _NAME else f"{unit.unit[: _NAME - 1]}…"
    kind = state(unit)
    symbol = "⚠" if kind == "danger" else unit.outcome.traits.symbol
    return Box(x, y, unit.unit, name, kind, symbol, words.size(unit))


def _rest(number: int, x: int, y: int, *, is_all: bool) -> Box:
    name = f"{number:,} {'units' if is_all else 'more units'}"
    return Box(x, y, "", name, "same", "…", "not drawn separately")


def _edges(report: Report, boxes: Mapping[str, Box]) -> Iterable[Edge]:
    taken: dict[tuple[str, str], list[str]] = {}
    for wire in report.wires:
        taken.setdefault((wire.origin.partition(".")[0], wire.unit), []).append(wire.input)
    unknown = {(_origin(text), unit.unit) for unit in report.units for text in unit.unknowns}
    for (source, unit), inputs in taken.items():
        if source in boxes and unit in boxes:
            start, end = boxes[source], boxes[unit]
            x1, y1 = start.x + start.width, start.y + start.height // 2
            x2, y2 = end.x - 6, end.y + end.height // 2
            bend = (x1 + x2) // 2
            path = f"M{x1},{y1} C{bend},{y1} {bend},{y2} {x2},{y2}"
            yield Edge(path, source, unit, ", ".join(sorted(set(inputs))), (source, unit) in unknown)


def _origin(text: str) -> str:
    """The unit in ``vpc_id from network.vpc_id, wave 1``."""
    return text.rpartition(" from ")[2].partition(".")[0]
