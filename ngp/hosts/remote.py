"""Runs one command on many hosts in parallel: whole lines, a result for each host, in bounded time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from ngp.errors import NgpError
from ngp.hosts import descriptors, ending
from ngp.hosts.host import Host
from ngp.hosts.login_failures import LoginError
from ngp.hosts.logins import Login, Logins, require_library
from ngp.hosts.spooling import InputError, Spool

PARALLELISM = 32
_PIECE = 64 * 1024  # read at once; a longer line comes in pieces
_LOOK_S = 0.1
_END_OF_INPUT = b"\x04"  # Ctrl-D
NOT_STARTED = "not started"


@dataclass(frozen=True)
class Options:
    """`stdin` is sent to every host; `has_terminal` requests a pty; setting `stop` ends everything."""

    login: Login
    parallelism: int = PARALLELISM
    fail_fast: bool = False
    timeout_s: float | None = None
    stdin: Spool | None = None
    has_terminal: bool = False
    stop: Event = field(default_factory=Event)


@dataclass(frozen=True)
class HostStarted:
    """A command starts on a host after the login."""

    host: Host


@dataclass(frozen=True)
class OutputLine:
    """A whole line without its newline, or a piece of a very long one. `stream` is ``stdout`` or ``stderr``."""

    host: Host
    stream: str
    data: bytes

    @property
    def text(self) -> str:
        """The line as text; bytes that are no UTF-8 become U+FFFD."""
        return self.data.decode("utf-8", errors="replace")


@dataclass(frozen=True)
class HostCopied:
    """The number of bytes of `total` that were copied to or from a host."""

    host: Host
    done: int
    total: int


@dataclass(frozen=True)
class HostResult:
    """The result of the command on one host: `exit` is None if it never ended there, as `problem` says."""

    host: Host
    exit: int | None
    seconds: float
    problem: str = ""
    todo: str = ""

    @property
    def is_good(self) -> bool:
        """Whether the command ran and returned 0."""
        return self.exit == 0 and not self.problem


HostEvent = HostStarted | OutputLine | HostCopied | HostResult
Emit = Callable[[HostEvent], None]
Work = Callable[[Host, Any], Awaitable[str]]  # takes an asyncssh connection; returns what went wrong, or ""


def runner(options: Options) -> Callable[[Sequence[Host], str, Callable[[Host, str], None]], list[HostResult]]:
    """Return what runs a command on hosts and hands on each line of their output.

    It has a stop of its own by default, so that no signal cuts a command off: apt must end what it began.
    """

    def run(hosts: Sequence[Host], command: str, emit: Callable[[Host, str], None]) -> list[HostResult]:
        def take(event: HostEvent) -> None:
            if isinstance(event, OutputLine):
                emit(event.host, event.text)

        return run_all(hosts, command, options, take)

    return run


def exit_code(results: Iterable[HostResult], stopped_by: int = 0) -> int:
    """Return the exit code of a command on hosts: 1 if it failed on any, 128 + N if signal N stopped ngp."""
    if stopped_by:
        return 128 + stopped_by
    return 0 if all(one.is_good for one in results) else NgpError.exit_code


def run_all(hosts: Sequence[Host], command: str, options: Options, emit: Emit) -> list[HostResult]:
    """Run a command on all hosts, at most `parallelism` at once; return a result for each, in the order of `hosts`.

    `emit` gets events on the calling thread. Nothing that happens on a host raises; MissingError (69) without asyncssh.
    What `emit` raises is raised once all commands are ended.
    """
    return _run(hosts, _Run(command, options, emit))


def work_all(hosts: Sequence[Host], work: Work, options: Options, emit: Emit) -> list[HostResult]:
    """Call `work` with a connection to each host, as `run_all` runs a command."""
    return _run(hosts, _Run("", options, emit, work))


def _run(hosts: Sequence[Host], run: _Run) -> list[HostResult]:
    require_library()
    descriptors.allow(min(len(hosts), run.options.parallelism))
    run.options.login.trust.learn(hosts, run.options.stop)
    return asyncio.run(run.all(hosts))


class _StartError(Exception):
    """sshd did not start a command."""


@dataclass
class _Run:
    command: str
    options: Options
    emit: Emit
    work: Work | None = None
    failed: bool = False
    deaf: Exception | None = None  # what `emit` raised: nobody hears any more

    async def all(self, hosts: Sequence[Host]) -> list[HostResult]:
        ending.silence(asyncio.get_running_loop())
        gate, logins = asyncio.Semaphore(self.options.parallelism), Logins(self.options.login)
        tasks = [asyncio.ensure_future(self._one(host, gate, logins)) for host in hosts]
        watch = asyncio.ensure_future(self._watch(tasks))
        try:
            results = list(await asyncio.gather(*tasks))
            if self.deaf is not None:
                raise self.deaf
            return results
        finally:
            watch.cancel()
            for task in tasks:
                task.cancel()
            await logins.close()

    @property
    def _is_over(self) -> bool:
        return self.options.stop.is_set() or self.deaf is not None

    def _emit(self, event: HostEvent) -> None:
        """Tell an event. Where that fails, as with a pipe that nobody reads, all commands are ended as by a stop."""
        if self.deaf is None:
            try:
                self.emit(event)
            except Exception as error:  # noqa: BLE001  raised in all()
                self.deaf = error

    async def _watch(self, tasks: Sequence[asyncio.Task[HostResult]]) -> None:
        while not self._is_over:
            await asyncio.sleep(_LOOK_S)
        for task in tasks:
            task.cancel()

    async def _one(self, host: Host, gate: asyncio.Semaphore, logins: Logins) -> HostResult:
        began: float | None = None
        try:
            async with gate:
                if self._is_over or (self.failed and self.options.fail_fast):
                    return self._end(host, None, None, NOT_STARTED)
                began = time.monotonic()
                async with logins.open(host) as connection:
                    if self.work is not None:
                        return await self._do(host, connection, self.work, began)
                    return await self._attend(host, connection, began)
        except LoginError as error:
            return self._end(host, began, None, str(error), error.todo)
        except asyncio.CancelledError:
            return self._end(host, began, None, "interrupted before it started" if began else NOT_STARTED)
        except NgpError as error:
            return self._end(host, began, None, str(error), error.findings[0].todo)
        except Exception as error:  # noqa: BLE001  whatever a host does to a library costs no other host its result
            return self._end(host, began, None, f"{type(error).__name__}: {error}")

    async def _do(self, host: Host, connection: Any, work: Work, began: float) -> HostResult:
        self._emit(HostStarted(host))
        task = asyncio.ensure_future(work(host, connection))
        try:
            await asyncio.wait([task], timeout=self.options.timeout_s)
            problem = task.result() if task.done() else f"timed out after {self.options.timeout_s:g} s"
        except asyncio.CancelledError:
            problem = "interrupted"
        finally:
            await ending.cut(task, connection)
        return self._end(host, began, 1 if problem else 0, problem)

    async def _attend(self, host: Host, connection: Any, began: float) -> HostResult:
        process: Any = None
        try:
            async with asyncio.timeout(self.options.timeout_s):
                process = await self._start(connection)
                self._emit(HostStarted(host))
                await self._follow(host, process)
        except _StartError as error:
            return self._end(host, began, None, f"the command did not start: {error}")
        except TimeoutError:
            sure = ending.describe_end(ended=await ending.end(process))
            return self._end(host, began, None, f"timed out after {self.options.timeout_s:g} s{sure}")
        except InputError as error:
            more = " and may treat that as the end of its input"
            sure = ending.describe_end(ended=await ending.end(process), more=more)
            return self._end(host, began, None, f"cannot read its input any more: {error}{sure}")
        except asyncio.CancelledError:
            sure = ending.describe_end(ended=await ending.end(process))
            return self._end(host, began, None, f"interrupted{sure}")
        return self._end(host, began, *ending.outcome(process))

    async def _start(self, connection: Any) -> Any:
        """Start the command. Raises _StartError."""
        import asyncssh

        more: dict[str, Any] = {"term_type": "xterm"} if self.options.has_terminal else {}
        if self.options.stdin is None and not self.options.has_terminal:
            more["stdin"] = asyncssh.DEVNULL
        try:
            return await connection.create_process(self.command, encoding=None, **more)
        except (OSError, asyncssh.Error) as error:
            raise _StartError(error) from None

    async def _follow(self, host: Host, process: Any) -> None:
        """Hand over both streams to their ends while stdin is fed."""
        if self.options.has_terminal:
            process.stdin.write(_END_OF_INPUT)  # a command that asks gets no answer, and does not wait for one
        reading = asyncio.ensure_future(self._read_all(host, process))
        feeding = [asyncio.ensure_future(self.options.stdin.send(process.stdin))] if self.options.stdin else []
        try:
            await asyncio.wait([reading, *feeding], return_when=asyncio.FIRST_COMPLETED)
            for task in feeding:
                if task.done():
                    task.result()  # raises where the input broke off
            await reading
        finally:
            for task in (reading, *feeding):
                task.cancel()
            await asyncio.gather(reading, *feeding, return_exceptions=True)

    async def _read_all(self, host: Host, process: Any) -> None:
        await asyncio.gather(self._read(host, process.stdout, "stdout"), self._read(host, process.stderr, "stderr"))
        await process.wait_closed()

    async def _read(self, host: Host, stream: Any, name: str) -> None:
        rest = b""
        while piece := await _piece(stream):
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                self._emit(OutputLine(host, name, line.removesuffix(b"\r") if self.options.has_terminal else line))
            if len(rest) >= _PIECE:
                self._emit(OutputLine(host, name, rest))
                rest = b""
        if rest:
            self._emit(OutputLine(host, name, rest))

    def _end(self, host: Host, began: float | None, code: int | None, problem: str, todo: str = "") -> HostResult:
        result = HostResult(host, code, 0.0 if began is None else time.monotonic() - began, problem, todo)
        self.failed = self.failed or not result.is_good
        self._emit(result)
        return result


async def _piece(stream: Any) -> bytes:
    import asyncssh

    try:
        return bytes(await stream.read(_PIECE))
    except (asyncssh.Error, OSError):  # a lost connection shows in the missing exit code
        return b""
