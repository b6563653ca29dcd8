"""Show the graph of an environment: text, Graphviz, Mermaid or JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from ngp.settings import Settings
from ngp.views import documents, terminal

if TYPE_CHECKING:
    from ngp.runs.events import UnitFact
    from ngp.runs.results import UnitStatus, Wire


class Format(Enum):
    TEXT = "text"
    DOT = "dot"
    MERMAID = "mermaid"
    JSON = "json"


def show(units: Sequence[UnitFact], wires: Sequence[Wire], *, environment: str, form: Format = Format.TEXT) -> None:
    """Write the graph to stdout."""
    if form is Format.JSON:
        documents.write(documents.graph(environment, units, wires))
    else:
        sys.stdout.write(render(units, wires, form))


def render(units: Sequence[UnitFact], wires: Sequence[Wire], form: Format) -> str:
    """The graph as text in one of the drawn formats. Units come in the order of their waves."""
    return _DRAWN[form](units, wires)


def show_status(units: Sequence[UnitStatus], settings: Settings, *, environment: str) -> None:
    """One table of what each unit's state says, on stdout."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    rows = [_cells(unit) for unit in units]
    heads = ("unit", "module", "wave", "status", "resources", "changed", "problem")
    shown = [at for at, head in enumerate(heads) if head not in ("changed", "problem") or any(row[at] for row in rows)]
    for at in shown:
        right = heads[at] in ("wave", "resources")
        table.add_column(heads[at], no_wrap=heads[at] != "problem", justify="right" if right else "left")
    tones = {"applied": "green", "unreadable": "red"}
    for row in rows:
        style = tones.get(row[3], "yellow")
        table.add_row(*(terminal.line(row[at], style=style if at == 3 else "") for at in shown))
    console = terminal.out(settings)
    console.print(table)
    standing = sum(unit.word == "applied" for unit in units)
    amounts = terminal.amount(len(units), "unit"), terminal.amount(sum(unit.resources for unit in units), "resource")
    total = f"{environment}: {standing} of {amounts[0]} applied, {amounts[1]}"
    console.print(terminal.line(total, style="bold"), soft_wrap=True)
    if standing < len(units):
        console.print(terminal.line(f"next: ngp plan {environment}"), soft_wrap=True)


def _cells(unit: UnitStatus) -> tuple[str, ...]:
    amount = "" if unit.serial < 0 else str(unit.resources)
    return unit.unit, unit.module, str(unit.wave), unit.word, amount, unit.changed_at, unit.problem


def _text(units: Sequence[UnitFact], wires: Sequence[Wire]) -> str:
    lines = []
    for wave in sorted({fact.wave for fact in units}):
        lines.append(f"wave {wave}")
        for fact in (fact for fact in units if fact.wave == wave):
            module = "" if fact.module == fact.unit else f" (module {fact.module})"
            lines.append(f"  {fact.unit}{module}")
            lines += [f"    {wire.input} <- {wire.origin}" for wire in wires if wire.unit == fact.unit]
    return "".join(f"{line}\n" for line in lines)


def _dot(units: Sequence[UnitFact], wires: Sequence[Wire]) -> str:
    lines = ["digraph ngp {", "  rankdir=LR;"]
    for wave in sorted({fact.wave for fact in units}):
        names = " ".join(f'"{fact.unit}";' for fact in units if fact.wave == wave)
        lines.append(f"  {{ rank=same; {names} }}")
    for (source, unit), inputs in _edges(wires).items():
        lines.append(f'  "{source}" -> "{unit}" [label="{_join(inputs, chr(92) + "n")}"];')
    return "\n".join([*lines, "}\n"])


def _mermaid(units: Sequence[UnitFact], wires: Sequence[Wire]) -> str:
    number = {fact.unit: f"u{at}" for at, fact in enumerate(units)}
    lines = ["graph LR", *(f'  {number[fact.unit]}["{fact.unit}"]' for fact in units)]
    for (source, unit), inputs in _edges(wires).items():
        lines.append(f'  {number[source]} -->|"{_join(inputs, "<br>")}"| {number[unit]}')
    return "\n".join([*lines, ""])


def _edges(wires: Sequence[Wire]) -> dict[tuple[str, str], list[str]]:
    edges: dict[tuple[str, str], list[str]] = {}
    for wire in wires:
        edges.setdefault((wire.origin.partition(".")[0], wire.unit), []).append(wire.input)
    return edges


def _join(inputs: Sequence[str], mark: str) -> str:
    return mark.join(inputs)


_DRAWN: dict[Format, Callable[[Sequence[UnitFact], Sequence[Wire]], str]] = {
    Format.TEXT: _text,
    Format.DOT: _dot,
    Format.MERMAID: _mermaid,
}
