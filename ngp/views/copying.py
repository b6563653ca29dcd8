"""Show how far a copy to or from many hosts is: lines that change in place on a terminal, nothing elsewhere."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from ngp.settings import Level
from ngp.views import terminal

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

    from ngp.hosts.host import Host
    from ngp.hosts.remote import HostEvent
    from ngp.settings import Settings

_UNITS = ("B", "kB", "MB", "GB", "TB")
_BELOW = 2  # lines that the display needs beside hosts: the sum, and the cursor's


class CopyProgress:
    """A context manager that shows the progress of a copy on `count` hosts.

    It writes to stderr, and is removed at the end.
    """

    def __init__(self, count: int, settings: Settings) -> None:
        self._count, self._settings = count, settings
        self._console = terminal.live(settings)
        self._lock = Lock()  # the display has a thread of its own
        self._rows: dict[Host, tuple[int, int]] = {}  # done and total of the running copies
        self._ended = 0
        self._live: Live | None = None

    def __enter__(self) -> CopyProgress:
        if terminal.is_live(self._settings) and self._settings.level is not Level.ERROR:
            from rich.live import Live

            self._live = Live(get_renderable=self.table, console=self._console, transient=True, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, event: HostEvent) -> None:
        """Note what happened."""
        from ngp.hosts.remote import HostCopied, HostResult, HostStarted

        with self._lock:
            if isinstance(event, HostCopied):
                self._rows[event.host] = (event.done, event.total)
            elif isinstance(event, HostStarted):
                self._rows[event.host] = (0, 0)
            elif isinstance(event, HostResult):
                self._rows.pop(event.host, None)
                self._ended += 1

    def table(self) -> Text:
        """Return the display at this moment: as many hosts as the terminal has lines for, and the sum."""
        width, height = self._console.size
        with self._lock:
            rows, ended = list(self._rows.items()), self._ended
        shown = rows[: max(0, height - _BELOW)]
        names = [terminal.cell(host.name) for host, _ in shown]
        column = max(map(len, names), default=0)
        lines = [f"{name.ljust(column)}  {share(*row)}" for name, (_, row) in zip(names, shown, strict=True)]
        hidden = f", {len(rows) - len(shown)} more at work" if len(rows) > len(shown) else ""
        lines.append(f"{ended} of {terminal.amount(self._count, 'host')} done{hidden}")
        return terminal.line("\n".join(line[:width] for line in lines))


def share(done: int, total: int) -> str:
    """``1.5 MB of 3.0 MB, 50 %``; before the total is known ``…``."""
    return f"{size(done)} of {size(total)}, {100 * done // total} %" if total else "…"


def size(count: int) -> str:
    """``850 B``, ``1.5 MB``."""
    number, power = float(count), 0
    while number >= 1000 and power < len(_UNITS) - 1:
        number, power = number / 1000, power + 1
    return f"{number:.1f} {_UNITS[power]}" if power else f"{count} B"
