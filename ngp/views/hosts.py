"""Shows hosts: a table, lines for other programs, and the output of a command on many hosts."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ngp.settings import Level
from ngp.views import documents, terminal

if TYPE_CHECKING:
    from ngp.hosts.host import Host
    from ngp.hosts.remote import HostEvent, HostResult, OutputLine
    from ngp.settings import Settings

_NAMED = 20  # hosts in one message
_COLUMNS = ("name", "environment", "cluster", "unit", "state", "address", "id")
_COLOURS = ("cyan", "green", "yellow", "blue", "magenta", "bright_cyan", "bright_green", "bright_yellow", "bright_blue")


def row(host: Host) -> dict[str, Any]:
    """Return a host for documents."""
    own = ("name", "id", "environment", "cluster", "unit", "packages", "user", "port", "tags", "source", "address")
    more = ("public_address", "private_address", "public_dns", "private_dns")
    return {**{name: getattr(host, name) for name in (*own, *more)}, "state": host.state.value}


def show_list(selection: str, hosts: Sequence[Host], settings: Settings) -> None:
    """A table on stdout; on stderr that a selection has no hosts."""
    if hosts:
        show(hosts, settings)
    else:
        terminal.say(settings, f"no hosts in `{selection}`")


def copy_document(results: Iterable[HostResult], code: int) -> dict[str, Any]:
    """``ngp.host.copy/1``."""
    rows = [{"name": one.host.name, "id": one.host.id, **outcome(one)} for one in results]
    return {"schema": "ngp.host.copy/1", "exit_code": code, "hosts": rows}


def print_session_manager(settings: Settings, hosts: Sequence[Host]) -> None:
    """Print on stderr which hosts ngp reaches through Session Manager by default."""
    names = terminal.cell(hosts[0].name) if len(hosts) == 1 else terminal.amount(len(hosts), "host")
    terminal.say(settings, f"{names}: connecting through Session Manager; to connect directly: --via ssh")


def print_left_out(settings: Settings, hosts: Sequence[Host]) -> None:
    """Print on stderr the hosts that a command leaves out because they are not running."""
    if hosts:
        names = ", ".join(f"{terminal.cell(host.name)} ({host.state.value})" for host in hosts[:_NAMED])
        more = f" and {len(hosts) - _NAMED} more" if len(hosts) > _NAMED else ""
        terminal.say(settings, f"not running, so left out: {names}{more}")


def document(selector: str, hosts: Iterable[Host], ways: Mapping[Host, str] | None = None) -> dict[str, Any]:
    """``ngp.host.list/1``; with `ways`, each host has its way."""
    rows = [{**row(host), **({"via": ways[host]} if ways else {})} for host in hosts]
    return {"schema": "ngp.host.list/1", "selector": selector, "hosts": rows}


def show(hosts: Sequence[Host], settings: Settings) -> None:
    """Print a table with one line per host."""
    table([_COLUMNS, *map(_cells, hosts)], terminal.out(settings))


def table(rows: Iterable[Iterable[str]], console: Any) -> None:
    """Print rows with aligned columns; the first is the head."""
    cells = [[terminal.cell(cell) for cell in line] for line in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for number, line in enumerate(cells):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        console.print(terminal.line(text, style="bold" if number == 0 else ""), soft_wrap=True)


def tsv(hosts: Iterable[Host]) -> str:
    """Return a line per host with its columns divided by tabs, without a head: for cut and awk."""
    return "".join("\t".join(_cells(host)) + "\n" for host in hosts)


class PrefixedOutput:
    """Follows a command on many hosts and prints each line with its host's name before it."""

    def __init__(self, hosts: Sequence[Host], settings: Settings) -> None:
        self._width = max((len(terminal.cell(host.name)) for host in hosts), default=0)
        self._settings = settings
        self._consoles = {"stdout": terminal.out(settings), "stderr": terminal.err(settings)}
        self._terminals = {"stdout": settings.stdout_is_terminal, "stderr": settings.stderr_is_terminal}

    def __call__(self, event: HostEvent) -> None:
        """Print a line; a host's start and end are in the table."""
        from ngp.hosts.remote import OutputLine

        if isinstance(event, OutputLine):
            self._print(event)

    def _print(self, line: OutputLine) -> None:
        name = terminal.cell(line.host.name).ljust(self._width)
        if self._terminals[line.stream]:
            from rich.text import Text

            text = Text.assemble((f"{name} | ", colour(line.host.name)), terminal.line(line.text.rstrip("\r")))
            self._consoles[line.stream].print(text, soft_wrap=True)
            return
        stream = getattr(sys, line.stream)
        binary = getattr(stream, "buffer", None)
        if binary is None:
            stream.write(f"{name} | {line.text}\n")
            return
        stream.flush()
        binary.write(f"{name} | ".encode() + line.data + b"\n")
        binary.flush()


def follow(hosts: Sequence[Host], settings: Settings, *, as_lines: bool) -> JsonLines | PrefixedOutput:
    """Return what prints the events of a command on hosts: lines of JSON, or lines with the names of hosts."""
    return JsonLines() if as_lines else PrefixedOutput(hosts, settings)


class JsonLines:
    """Follows a command on many hosts and prints each event as a line of JSON."""

    def __call__(self, event: HostEvent) -> None:
        """Print an event."""
        from ngp.hosts.remote import HostResult, OutputLine

        fields = {"schema": "ngp.event/1", "host": event.host.name, "id": event.host.id}
        if isinstance(event, OutputLine):
            documents.write({**fields, "event": "host_line", "stream": event.stream, "text": event.text}, one_line=True)
        elif isinstance(event, HostResult):
            documents.write({**fields, "event": "host_finished", **outcome(event)}, one_line=True)
        else:
            documents.write({**fields, "event": "host_started"}, one_line=True)


class CollectedOutput:
    """Follows a command on many hosts and keeps what each wrote, for one document at the end."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str, str], list[str]] = {}

    def __call__(self, event: HostEvent) -> None:
        """Keep a line."""
        from ngp.hosts.remote import OutputLine

        if isinstance(event, OutputLine):
            key = (event.host.environment, event.host.id, event.stream)
            self._lines.setdefault(key, []).append(event.text)

    def document(self, command: str, results: Sequence[HostResult], exit_code: int) -> dict[str, Any]:
        """``ngp.host.exec/1``."""
        hosts = [
            {
                **{name: getattr(one.host, name) for name in ("name", "id", "environment")},
                **outcome(one),
                **{stream: self._of(one.host, stream) for stream in ("stdout", "stderr")},
            }
            for one in results
        ]
        return {"schema": "ngp.host.exec/1", "command": command, "exit_code": exit_code, "hosts": hosts}

    def _of(self, host: Host, stream: str) -> str:
        return "".join(f"{line}\n" for line in self._lines.get((host.environment, host.id, stream), ()))


def outcome(result: HostResult) -> dict[str, Any]:
    """Return the result of a command on a host, for documents."""
    seconds = round(result.seconds, 3)
    return {"exit": result.exit, "duration_s": seconds, "problem": result.problem, "hint": result.todo}


def summary(results: Sequence[HostResult], settings: Settings, *, repeats: bool = True) -> None:
    """Print the final table on stderr: host, exit, seconds and the problem; then what to do about it."""
    if settings.level is Level.ERROR:
        results = [one for one in results if not one.is_good]
    if not results:
        return
    console = terminal.err(settings)
    rows = [("host", "exit", "seconds", "problem")]
    for one in results:
        code = "-" if one.exit is None else str(one.exit)
        rows.append((one.host.name, code, f"{one.seconds:.1f}", one.problem))
    table(rows, console)
    for todo in dict.fromkeys(one.todo for one in results if one.todo):
        console.print(terminal.line(f"fix: {terminal.cell(todo)}"), soft_wrap=True)
    failed = sum(not one.is_good for one in results)
    if failed:
        fields = f"{failed} of {terminal.amount(len(results), 'host')} failed"
        fields += "; to repeat the command there: --failed" if repeats else ""
        console.print(terminal.line(fields), soft_wrap=True)


def colour(name: str) -> str:
    """Return the colour of a host, the same each time."""
    return _COLOURS[zlib.crc32(name.encode()) % len(_COLOURS)]


def _cells(host: Host) -> list[str]:
    found = row(host)
    return [terminal.cell(str(found[name])) for name in _COLUMNS]
