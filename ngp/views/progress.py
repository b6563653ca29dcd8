"""Follow a run while it is at work: a line per unit that changes in place, or plain lines for a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

from ngp.runs.events import (
    Note,
    Phase,
    RunEvent,
    RunStarted,
    UnitDiagnosed,
    UnitEntered,
    UnitFinished,
    UnitProgressed,
)
from ngp.runs.results import Outcome, UnitResult
from ngp.settings import Settings
from ngp.views import changes, runs, terminal
from ngp.views.documents import EventLines

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_QUIET_S = 10.0  # in plain lines, a unit is heard at most this often between its phases


@dataclass(frozen=True)
class _Line:
    """What is known of a unit at this moment; `entered` and `said` are clock readings."""

    phase: Phase = Phase.WAITING
    done: int = 0
    total: int = 0
    address: str = ""
    entered: float = 0.0
    said: float = 0.0
    result: UnitResult | None = None


def follow(settings: Settings, *, jsonl: bool = False) -> Progress | EventLines:
    """What listens to a run: the display on stderr, or (`--jsonl`) a line of JSON per event on stdout."""
    return EventLines() if jsonl else Progress(settings)


class Progress:
    """A context manager whose `on_event(event)` takes the events of a run, from any thread.

    ``with Progress(settings) as progress: planning.plan(…, on_event=progress.on_event)``. All of it goes to stderr.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._console = terminal.err(settings)
        self._lock = Lock()
        self._lines: dict[str, _Line] = {}
        self._started = clock()
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        if terminal.is_live(self._settings):
            from rich.live import Live

            self._live = Live(get_renderable=self._table, console=self._console, transient=True, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Take the display away while somebody is asked."""
        if self._live is None:
            yield
            return
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()

    def on_event(self, event: RunEvent) -> None:
        """Show what happened. A closed stderr never disturbs the run."""
        with self._lock, suppress(BrokenPipeError):
            if isinstance(event, RunStarted):
                self._begin(event)
            elif isinstance(event, UnitEntered):
                self._enter(event)
            elif isinstance(event, UnitProgressed):
                self._advance(event)
            elif isinstance(event, UnitDiagnosed):
                self._diagnose(event)
            elif isinstance(event, UnitFinished):
                self._finish(event.result)
            elif isinstance(event, Note):
                self._say(event.text)

    def _begin(self, event: RunStarted) -> None:
        self._lines = {fact.unit: _Line() for fact in event.units}
        runs.show_start(event, self._console)

    def _enter(self, event: UnitEntered) -> None:
        now = self._clock()
        self._lines[event.unit] = _Line(event.phase, total=event.total, entered=now, said=now)
        if self._live is None:
            self._say(f"{event.unit}: {event.phase.value}" + (f", {event.total} resources" if event.total else ""))

    def _advance(self, event: UnitProgressed) -> None:
        now = self._clock()
        old = self._lines.get(event.unit, _Line(entered=now, said=now))
        new = replace(old, done=event.done, total=event.total, address=event.address)
        if self._live is None and now - old.said >= _QUIET_S:
            new = replace(new, said=now)
            took = terminal.duration(now - old.entered)
            self._say(f"{event.unit}: {old.phase.value} {_share(new)} {event.address} ({took})")
        self._lines[event.unit] = new

    def _diagnose(self, event: UnitDiagnosed) -> None:
        word = event.diagnostic
        place = word.address or word.place
        text = f"{event.unit}: {word.severity}: {word.summary}" + (f" ({place})" if place else "")
        self._say(text, style="red" if word.severity == "error" else "yellow")

    def _finish(self, result: UnitResult) -> None:
        self._lines[result.unit] = replace(self._lines.get(result.unit, _Line()), result=result)
        if self._live is None:
            self._say(f"{result.unit}: {_end(result)} ({terminal.duration(result.duration_s)})")

    def _say(self, text: str, *, style: str = "") -> None:
        self._console.print(terminal.line(text, style=style), soft_wrap=True)

    def _table(self) -> Table:
        from rich.table import Table

        with self._lock:
            lines, now = dict(self._lines), self._clock()
        table = Table.grid(padding=(0, 2))
        for _ in range(4):
            table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for unit, line in _visible(lines, self._console.height - 3):
            table.add_row(*(terminal.line(cell, style=_style(line)) for cell in _cells(unit, line, now)))
        finished = sum(line.result is not None for line in lines.values())
        total = f"{finished} of {len(lines)} units, {terminal.duration(int(now - self._started))}"
        table.add_row(terminal.line(total, style="dim"))
        return table


def _visible(lines: dict[str, _Line], room: int) -> list[tuple[str, _Line]]:
    """The lines that fit: units at work first, then those that ended last, then those that wait."""
    if len(lines) <= room:
        return list(lines.items())
    order = {unit: at for at, unit in enumerate(lines)}

    def rank(item: tuple[str, _Line]) -> tuple[int, int]:
        unit, line = item
        if line.result is None:
            return (2 if line.phase is Phase.WAITING else 0, order[unit])
        return (1, -order[unit])

    chosen = sorted(lines.items(), key=rank)[: max(room, 1)]
    return sorted(chosen, key=lambda item: order[item[0]])


def _cells(unit: str, line: _Line, now: float) -> tuple[str, str, str, str, str]:
    if line.result is not None:
        return unit, _end(line.result), "", terminal.duration(line.result.duration_s), line.result.reason
    if line.phase is Phase.WAITING:
        return unit, line.phase.value, "", "", ""
    return unit, line.phase.value, _share(line), terminal.duration(int(now - line.entered)), line.address


def _share(line: _Line) -> str:
    return f"{line.done}/{line.total}" if line.total else ""


def _end(result: UnitResult) -> str:
    amount = changes.summary(result.counts) if result.counts.total else ""
    return f"{result.outcome.value}, {amount}" if amount else result.outcome.value


def _style(line: _Line) -> str:
    if line.result is None:
        return "dim" if line.phase is Phase.WAITING else ""
    bad = (Outcome.FAILED, Outcome.REFUSED, Outcome.LOCKED, Outcome.STOPPED)
    return "red" if line.result.outcome in bad else "green"
