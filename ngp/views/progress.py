"""Follow a run while it is at work: a line per unit that changes in place, or plain lines for a log."""

from __future__ import annotations

import time
from collections import Counter
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
from ngp.views import changes, digests, runs, terminal
from ngp.views.documents import EventLines

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.text import Text

_QUIET_S = 10.0  # in plain lines, a unit (or the count of many) is heard at most this often between its phases
_BAD = (Outcome.FAILED, Outcome.REFUSED, Outcome.LOCKED, Outcome.STOPPED)


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
        self._lines: dict[str, _Line] = {}  # of many units, those at work only
        self._ended: dict[str, Outcome] = {}
        self._units = 0
        self._is_big = False
        self._told: set[str] = set()  # of many units, those that went wrong and are told
        self._counted = clock()
        self._started = clock()
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        self._show()
        return self

    def __exit__(self, *_: object) -> None:
        self._hide()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Take the display away while somebody is asked."""
        self._hide()
        try:
            yield
        finally:
            self._show()

    def on_event(self, event: RunEvent) -> None:
        """Show what happened. A closed stderr never disturbs the run."""
        with self._lock:
            told = self._take(event)
        # The display asks for our lock while it holds its own, and printing asks for that one: never hold ours here.
        with suppress(BrokenPipeError):
            if isinstance(event, RunStarted):
                runs.show_start(event, self._console)
            elif told is not None:
                self._console.print(told, soft_wrap=True)

    def _show(self) -> None:
        if terminal.is_live(self._settings):
            from rich.live import Live

            # A new one each time: a display that starts again would erase what was written since.
            self._live = Live(get_renderable=self._table, console=self._console, transient=True, refresh_per_second=8)
            self._live.start()

    def _hide(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _take(self, event: RunEvent) -> Text | None:
        """Note what happened; return what is to be printed beside the display, or for a log."""
        if isinstance(event, RunStarted):
            self._units, self._is_big = len(event.units), digests.is_big(len(event.units))
            self._lines = {} if self._is_big else {fact.unit: _Line() for fact in event.units}
        elif isinstance(event, UnitEntered):
            return self._enter(event)
        elif isinstance(event, UnitProgressed):
            return self._advance(event)
        elif isinstance(event, UnitDiagnosed):
            is_error = event.diagnostic.severity == "error"
            return _diagnose(event) if self._is_worth(event.unit, went_wrong=is_error) else None
        elif isinstance(event, UnitFinished):
            return self._finish(event.result)
        elif isinstance(event, Note):
            return terminal.line(event.text)
        return None

    def _enter(self, event: UnitEntered) -> Text | None:
        now = self._clock()
        self._ended.pop(event.unit, None)
        self._lines[event.unit] = _Line(event.phase, total=event.total, entered=now, said=now)
        if self._is_big:
            return None
        amount = f", {terminal.amount(event.total, 'resource')}" if event.total else ""
        return self._plain(f"{event.unit}: {event.phase.value}{amount}")

    def _advance(self, event: UnitProgressed) -> Text | None:
        now = self._clock()
        old = self._lines.get(event.unit, _Line(entered=now, said=now))
        is_due = now - old.said >= _QUIET_S
        new = replace(old, done=event.done, total=event.total, address=event.address, said=now if is_due else old.said)
        self._lines[event.unit] = new
        took = terminal.duration(now - old.entered)
        text = f"{event.unit}: {old.phase.value} {_share(new)} {event.address} ({took})"
        return self._plain(text) if is_due and not self._is_big else None

    def _finish(self, result: UnitResult) -> Text | None:
        self._ended[result.unit] = result.outcome
        if not self._is_big:
            self._lines[result.unit] = replace(self._lines.get(result.unit, _Line()), result=result)
        else:
            self._lines.pop(result.unit, None)
            if not self._is_worth(result.unit, went_wrong=result.outcome in _BAD):
                return self._count()
        return self._plain(f"{result.unit}: {_end(result)} ({terminal.duration(result.duration_s)})")

    def _is_worth(self, unit: str, *, went_wrong: bool) -> bool:
        """Whether a line is: of many units for the first that went wrong, the result names the others."""
        if went_wrong and len(self._told) < digests.MOST:
            self._told.add(unit)
        return not self._is_big or (went_wrong and unit in self._told)

    def _count(self) -> Text | None:
        """A line for a log on how far many units have come, now and then."""
        now = self._clock()
        if now - self._counted < _QUIET_S:
            return None
        self._counted = now
        return self._plain(self._total(now))

    def _total(self, now: float) -> str:
        outcomes = Counter(self._ended.values()).items() if self._is_big else ()
        told = "".join(f", {number:,} {outcome.value}" for outcome, number in outcomes)
        return f"{len(self._ended):,} of {terminal.amount(self._units, 'unit')}{told}, {_elapsed(now - self._started)}"

    def _plain(self, text: str) -> Text | None:
        """A line for a log; the display shows the same by itself."""
        return terminal.line(text) if self._live is None else None

    def _table(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table

        with self._lock:
            lines, now = dict(self._lines), self._clock()
            total = self._total(now)
        if not (lines or self._is_big):
            return ""
        table = Table.grid(padding=(0, 2))
        for _ in range(4):
            table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for unit, line in _visible(lines, self._console.height - 3):
            table.add_row(*(terminal.line(cell, style=_style(line)) for cell in _cells(unit, line, now)))
        return Group(table, terminal.line(total, style="dim"))


def _diagnose(event: UnitDiagnosed) -> Text:
    word = event.diagnostic
    place = word.address or word.place
    text = f"{event.unit}: {word.severity}: {word.summary}" + (f" ({place})" if place else "")
    return terminal.line(text, style="red" if word.severity == "error" else "yellow")


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
    return unit, line.phase.value, _share(line), _elapsed(now - line.entered), line.address


def _elapsed(seconds: float) -> str:
    """A time that still runs, in whole seconds."""
    return f"{seconds:.0f} s" if seconds < 60 else terminal.duration(seconds)


def _share(line: _Line) -> str:
    return f"{line.done}/{line.total}" if line.total else ""


def _end(result: UnitResult) -> str:
    amount = changes.summary(result.counts) if result.counts.total else ""
    return f"{result.outcome.value}, {amount}" if amount else result.outcome.value


def _style(line: _Line) -> str:
    if line.result is None:
        return "dim" if line.phase is Phase.WAITING else ""
    return "red" if line.result.outcome in _BAD else "green"
