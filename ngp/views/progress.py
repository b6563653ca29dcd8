"""Shows the progress of a run: a live line per unit, or plain lines for a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from ngp.runs.events import (
    ChangeAuthorised,
    Note,
    RunEstimated,
    RunEvent,
    RunStarted,
    UnitDiagnosed,
    UnitEntered,
    UnitFinished,
    UnitProgressed,
)
from ngp.runs.results import UnitResult
from ngp.settings import Settings
from ngp.views import approvals, board, excerpts, runs, terminal
from ngp.views.documents import EventLines
from ngp.views.tally import Tally

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.text import Text

_QUIET_S = 10.0  # in plain lines, minimum time between two lines of a unit (or of the count of many)


def follow(settings: Settings, *, jsonl: bool = False) -> Progress | EventLines:
    """Return the listener of a run: the display on stderr, or (`--jsonl`) a line of JSON per event on stdout."""
    return EventLines() if jsonl else Progress(settings)


class Progress:
    """A context manager whose `on_event(event)` takes the events of a run, from any thread.

    ``with Progress(settings) as progress: planning.plan(…, on_event=progress.on_event)``. All of it goes to stderr.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._console = terminal.live(settings)
        self._lock = Lock()
        self._tally = Tally()
        self._shown: set[str] = set()  # of many units, the failed ones that were printed
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
        """Hide the display while somebody is asked."""
        self._hide()
        asked = self._clock()
        try:
            yield
        finally:
            self._started += self._clock() - asked  # waiting for a person is not part of the run's time
            self._show()

    def on_event(self, event: RunEvent) -> None:
        """Show an event. A closed stderr never disturbs the run."""
        with self._lock:
            text = self._take(event)
        # The display takes our lock while holding its own, and printing takes that one: never hold ours here.
        with suppress(BrokenPipeError):
            if isinstance(event, RunStarted):
                runs.show_start(event, self._console)
            elif text is not None:
                self._console.print(text, soft_wrap=True)

    def table(self) -> RenderableType:
        """Return the display at this moment."""
        from rich.console import Group

        width, height = self._console.size
        with self._lock:
            now = self._clock()
            rows = board.visible(self._tally.rows, height - 3)
            total = self._tally.total(now - self._started, now)
            verb, has_units = self._tally.verb, self._tally.has_units
        if not has_units:
            return ""
        below = terminal.line(total, style="dim")
        below.truncate(width, overflow="ellipsis")
        return Group(*board.arrange(rows, now, width, verb), below)

    def _show(self) -> None:
        if terminal.is_live(self._settings):
            from rich.live import Live

            # A new one each time: a display that starts again would erase what was written since.
            self._live = Live(get_renderable=self.table, console=self._console, transient=True, refresh_per_second=8)
            self._live.start()

    def _hide(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _take(self, event: RunEvent) -> Text | None:
        """Note what happened; return what is to be printed beside the display, or for a log."""
        if isinstance(event, RunStarted):
            self._tally.start(event)
        elif isinstance(event, RunEstimated):
            self._tally.expect(event.seconds, self._clock())
            return self._plain(f"about {board.elapsed(event.seconds)}, judging by earlier runs")
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
        elif isinstance(event, ChangeAuthorised):
            return terminal.line(approvals.authority(event.authority), style="bold")
        return None

    def _enter(self, event: UnitEntered) -> Text | None:
        self._tally.enter(event, self._clock())
        if self._tally.is_big:
            return None
        amount = f", {terminal.amount(event.total, 'change')}" if event.total else ""
        return self._plain(f"{event.unit}: {event.phase.value}{amount}")

    def _advance(self, event: UnitProgressed) -> Text | None:
        now = self._clock()
        row = self._tally.advance(event, now)
        if row is None or now - row.shown_at < _QUIET_S:
            return None
        self._tally.rows[event.unit] = replace(row, shown_at=now)
        if self._tally.is_big:
            return self._count()
        shown = " ".join(part for part in (row.phase.value, board.share(row)) if part)
        slow = board.slow(row, now)
        text = f"{event.unit}: {shown} after {board.elapsed(now - row.entered)}" + (
            f", slowest: {slow}" if slow else ""
        )
        return self._plain(text)

    def _finish(self, result: UnitResult) -> Text | None:
        self._tally.finish(result)
        if self._tally.is_big and not self._is_worth(result.unit, went_wrong=result.outcome.traits.style == "red"):
            return self._count()
        return self._plain(f"{result.unit}: {board.ending(result)} ({terminal.duration(result.duration_s)})")

    def _is_worth(self, unit: str, *, went_wrong: bool) -> bool:
        """Whether a line is: of many units for the first that went wrong, the result names the others."""
        if went_wrong and len(self._shown) < excerpts.MOST:
            self._shown.add(unit)
        return not self._tally.is_big or (went_wrong and unit in self._shown)

    def _count(self) -> Text | None:
        """A line for a log on how far many units have come, now and then."""
        now = self._clock()
        if now - self._counted < _QUIET_S:
            return None
        self._counted = now
        return self._plain(self._tally.total(now - self._started, now))

    def _plain(self, text: str) -> Text | None:
        """A line for a log; the display shows the same by itself."""
        return terminal.line(text) if self._live is None else None


def _diagnose(event: UnitDiagnosed) -> Text:
    word = event.diagnostic
    place = word.address or word.place
    text = f"{event.unit}: {word.severity}: {word.summary}" + (f" ({place})" if place else "")
    return terminal.line(text, style="red" if word.severity == "error" else "yellow")
