"""Show the graph of an environment: text, Graphviz, Mermaid or JSON."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from ngp.settings import Settings
from ngp.views import documents, excerpts, findings, terminal

if TYPE_CHECKING:
    from rich.table import Table

    from ngp.runs.events import UnitSummary
    from ngp.runs.results import UnitStatus, WireEdge

_MODULES = 5  # named in the line of a wave
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class GraphFormat(Enum):
    TEXT = "text"
    DOT = "dot"
    MERMAID = "mermaid"
    JSON = "json"


def show(
    units: Sequence[UnitSummary],
    wires: Sequence[WireEdge],
    *,
    environment: str,
    form: GraphFormat = GraphFormat.TEXT,
    whole: bool = False,
) -> None:
    """Write the graph to stdout; as text, many units are counted by wave, unless `whole`."""
    if form is GraphFormat.JSON:
        documents.write(documents.graph(environment, units, wires))
    elif form is GraphFormat.TEXT and excerpts.is_big(len(units)) and not whole:
        sys.stdout.write(_counted(units, wires))
    else:
        sys.stdout.write(render(units, wires, form))


def render(units: Sequence[UnitSummary], wires: Sequence[WireEdge], form: GraphFormat) -> str:
    """The graph as text in one of the drawn formats. Units come in the order of their waves."""
    return _DRAWN[form](units, wires)


def show_status(
    units: Sequence[UnitStatus],
    settings: Settings,
    *,
    environment: str,
    words: Sequence[str] = (),
    whole: bool = False,
) -> None:
    """Print one table of what each unit's state says, on stdout; of many, those applied are counted, unless `whole`.

    `words` selected the units, so the next command has them too.
    """
    console = terminal.out(settings)
    digest = excerpts.pick(units, _weight, whole=whole)
    if digest.shown:
        console.print(_table(digest.shown))
    for finding in (finding for unit in digest.shown for finding in unit.findings):
        console.print(terminal.line(findings.block(finding), style="red"), soft_wrap=True)
    if more := digest.more("units") if digest.shown else "":
        console.print(terminal.line(more, style="dim"), soft_wrap=True)
    standing = sum(unit.word == "applied" for unit in units)
    amounts = terminal.amount(len(units), "unit"), terminal.amount(sum(unit.resources for unit in units), "resource")
    total = f"{environment}: {standing:,} of {amounts[0]} applied, {amounts[1]}"
    console.print(terminal.line(total, style="bold"), soft_wrap=True)
    if standing < len(units):
        command = shlex.join(["ngp", "plan", environment, *words])
        console.print(terminal.line(f"next: {command}"), soft_wrap=True)
    elif not units:
        console.print(terminal.line(f"next: ngp configure {environment}"), soft_wrap=True)


def _weight(unit: UnitStatus) -> int | None:
    return {"unreadable": excerpts.URGENT, "misplaced": excerpts.URGENT, "empty": 1, "not applied": 2}.get(unit.word)


def _table(units: Sequence[UnitStatus]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    rows = [_cells(unit) for unit in units]
    heads = ("unit", "module", "wave", "status", "resources", "changed", "problem")
    shown = [at for at, head in enumerate(heads) if head not in ("changed", "problem") or any(row[at] for row in rows)]
    for at in shown:
        right = heads[at] in ("wave", "resources")
        table.add_column(heads[at], no_wrap=heads[at] != "problem", justify="right" if right else "left")
    tones = {"applied": "green", "unreadable": "red", "misplaced": "red"}
    for row in rows:
        style = tones.get(row[3], "yellow")
        table.add_row(*(terminal.line(row[at], style=style if at == 3 else "") for at in shown))
    return table


def _cells(unit: UnitStatus) -> tuple[str, ...]:
    amount = "" if unit.serial < 0 else str(unit.resources)
    return unit.unit, unit.module, str(unit.wave), unit.word, amount, unit.changed_at, unit.problem


def _counted(units: Sequence[UnitSummary], wires: Sequence[WireEdge]) -> str:
    """A line a wave: how many units, of which modules, taking how much."""
    taken = Counter(wire.unit for wire in wires)
    digest = excerpts.pick(_waves(units).items())
    lines = [_count(wave, facts, sum(taken[fact.unit] for fact in facts)) for wave, facts in digest.shown]
    lines += [more] if (more := digest.more("waves")) else []
    total = f"{terminal.amount(len(units), 'unit')}, {terminal.amount(len(wires), 'wire')}"
    lines.append(f"{total}: name units to see theirs (--all or --json shows every one)")
    return "".join(f"{line}\n" for line in lines)


def _count(wave: int, facts: Sequence[UnitSummary], wires: int) -> str:
    modules = Counter(fact.module for fact in facts).most_common()
    shown = ", ".join(f"{name} {number:,}" for name, number in modules[:_MODULES])
    more = f" and {terminal.amount(len(modules) - _MODULES, 'more module')}" if len(modules) > _MODULES else ""
    taking = f", {terminal.amount(wires, 'wire')}" if wires else ""
    return f"wave {wave}: {terminal.amount(len(facts), 'unit')}{taking} ({shown}{more})"


def _text(units: Sequence[UnitSummary], wires: Sequence[WireEdge]) -> str:
    lines, taken = [], _by(wires, lambda wire: wire.unit)
    for wave, facts in _waves(units).items():
        lines.append(f"wave {wave}")
        for fact in facts:
            module = "" if fact.module == fact.unit else f" (module {fact.module})"
            lines.append(f"  {fact.unit}{module}")
            lines += [f"    {wire.input} <- {wire.origin}" for wire in taken.get(fact.unit, ())]
    return "".join(f"{line}\n" for line in lines)


def _dot(units: Sequence[UnitSummary], wires: Sequence[WireEdge]) -> str:
    lines = ["digraph ngp {", "  rankdir=LR;"]
    for facts in _waves(units).values():
        names = " ".join(f'"{fact.unit}";' for fact in facts)
        lines.append(f"  {{ rank=same; {names} }}")
    for (source, unit), inputs in _edges(wires).items():
        lines.append(f'  "{source}" -> "{unit}" [label="{_join(inputs, chr(92) + "n")}"];')
    return "\n".join([*lines, "}\n"])


def _mermaid(units: Sequence[UnitSummary], wires: Sequence[WireEdge]) -> str:
    edges = _edges(wires)
    names = dict.fromkeys([*(fact.unit for fact in units), *(source for source, _ in edges)])  # sources not chosen too
    number = {unit: f"u{at}" for at, unit in enumerate(names)}
    lines = ["graph LR", *(f'  {number[unit]}["{unit}"]' for unit in names)]
    for (source, unit), inputs in edges.items():
        lines.append(f'  {number[source]} -->|"{_join(inputs, "<br>")}"| {number[unit]}')
    return "\n".join([*lines, ""])


def _waves(units: Sequence[UnitSummary]) -> dict[int, list[UnitSummary]]:
    return dict(sorted(_by(units, lambda fact: fact.wave).items()))


def _by(things: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """The things by what they have in common, each looked at once."""
    found: dict[K, list[T]] = {}
    for thing in things:
        found.setdefault(key(thing), []).append(thing)
    return found


def _edges(wires: Sequence[WireEdge]) -> dict[tuple[str, str], list[str]]:
    edges: dict[tuple[str, str], list[str]] = {}
    for wire in wires:
        edges.setdefault((wire.origin.partition(".")[0], wire.unit), []).append(wire.input)
    return edges


def _join(inputs: Sequence[str], mark: str) -> str:
    return mark.join(inputs)


_DRAWN: dict[GraphFormat, Callable[[Sequence[UnitSummary], Sequence[WireEdge]], str]] = {
    GraphFormat.TEXT: _text,
    GraphFormat.DOT: _dot,
    GraphFormat.MERMAID: _mermaid,
}
