"""A run's door to the proxy: opened once, and for each Terraform process the variable that leads to its providers."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ngp import files, processes, proxy
from ngp.daemons import programs, sockets
from ngp.daemons.lines import Line
from ngp.daemons.workers import Worker
from ngp.errors import NgpError
from ngp.proxy.packages import Package
from ngp.settings import FALSE

VARIABLE = "TF_REATTACH_PROVIDERS"
SWITCH = "NGP_PROVIDER_PROXY"
_ANSWER_S = 120.0  # a schema that is asked for the first time takes seconds
_END_S = 5.0


class ProxyError(NgpError):
    """The proxy cannot serve; the run goes on without it."""


@dataclass(frozen=True)
class Attached:
    """A Terraform process that is served: `environ` is to be added to its environment."""

    number: int
    environ: Mapping[str, str]


@dataclass(frozen=True)
class Judgement:
    """`lacks`: it may have failed for want of a schema. `failures`: what the proxy could not do for it.

    `crashes`: its providers that ended in the middle of a call, which they would have done without a proxy.
    """

    lacks: bool = False
    failures: tuple[str, ...] = ()
    crashes: tuple[str, ...] = ()


def why_not(environ: Mapping[str, str]) -> str:
    """Why the surroundings do not want the proxy, in one line; "" where they do."""
    if environ.get(SWITCH, "1").lower() in FALSE:
        return f"{SWITCH} is {environ[SWITCH]}"
    logs = sorted(name for name, value in environ.items() if name.startswith("TF_LOG") and value)
    return f"{logs[0]} is set, and a provider behind the proxy would not log" if logs else ""


class Session:
    """A run's proxy. Safe to be used from several threads; after the first failure it serves nobody."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._guard = threading.Lock()
        self._is_beginning = False
        self.broken = ""

    def begin(self, words: Mapping[str, Any]) -> None:
        """Say the first order and wait for nothing: the next one waits for both answers, and raises for both."""
        with self._guard:
            self._say(words)
            self._is_beginning = True

    def attach(
        self,
        root: Path,
        texts: Sequence[Path],
        *,
        is_apply: bool = False,
        whole_schema: bool = False,
        calls: Path | None = None,
    ) -> Attached:
        """Make ready for one Terraform process in `root`; raise ProxyError where that fails.

        Its output lies in `calls` (`supervised.Call`), which tells the proxy of a killed ngp whether it is at work.
        """
        answer = self.order(
            order="attach",
            root=str(root),
            texts=[*map(str, texts)],
            is_apply=is_apply,
            whole_schema=whole_schema,
            calls=str(calls or ""),
        )
        return Attached(answer["number"], {VARIABLE: json.dumps(answer["reattach"])})

    def detach(self, attached: Attached, said: str = "") -> Judgement:
        """The process has ended; `said` are its errors."""
        try:
            answer = self.order(order="detach", number=attached.number, said=said)
        except ProxyError as error:
            return Judgement(failures=(str(error),))
        return Judgement(answer["lacks"], tuple(answer["failures"]), tuple(answer["crashes"]))

    def order(self, **words: Any) -> dict[str, Any]:
        """Say an order and return the answer."""
        with self._guard:
            if self._is_beginning:
                self._is_beginning = False
                self._hear()
            self._say(words)
            return self._hear()

    def _say(self, words: Mapping[str, Any]) -> None:
        if self.broken:
            raise ProxyError(self.broken)
        try:
            self._line.write_line(json.dumps(words))
        except OSError:
            self._break(self._ended())

    def _hear(self) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(self._line.read_line(_ANSWER_S) or "")
        except (OSError, ValueError):
            self._break(self._ended())
        if "error" in answer:
            self._break(answer["error"])
        return answer

    def _ended(self) -> str:
        return f"the provider proxy has ended: {self._line.last_words() or 'it said nothing'}"

    def _break(self, reason: str) -> NoReturn:
        self.broken = reason
        raise ProxyError(reason)


class Standby:
    """A proxy's own process, which serves one session; until then it may already look at what it is to start."""

    def __init__(self, process: Worker) -> None:
        self._process = process
        self.has_served = False

    def check(self, packages: Sequence[Package], cache: Path) -> None:
        """Let it hash packages, which takes longest; what is wrong with one is told when the session begins."""
        with suppress(OSError):  # one that has ended says so then
            self._process.write_line(json.dumps({"order": "check", **_stock(packages, cache)}))

    @contextmanager
    def open_session(self, packages: Sequence[Package], environ: Mapping[str, str], cache: Path) -> Iterator[Session]:
        """As the function of this name, with this process."""
        session = Session(self._process)
        session.begin(first_order(packages, environ, cache))
        self.has_served = True
        yield session


@contextmanager
def start(environ: Mapping[str, str]) -> Iterator[Standby]:
    """Start the proxy's process, and end it; raise ProxyError where its sockets have no place."""
    try:
        folder = sockets.make_folder(environ)
    except NgpError as error:
        raise ProxyError(str(error)) from error
    # the credentials go to the providers only, by an order
    request = programs.request(proxy, str(folder), folder=folder, environ=programs.bare(environ))
    try:
        process = Worker(request)
        standby = Standby(process)
        try:
            yield standby
        finally:
            process.end(grace_s=_END_S if standby.has_served else 0.0)
    finally:
        files.remove_all([folder])


@contextmanager
def open_session(packages: Sequence[Package], environ: Mapping[str, str], cache: Path) -> Iterator[Session]:
    """Start the proxy for a run; its providers get `environ`, and `cache` is where it remembers.

    While it makes itself ready the run does other things: what it cannot do (a package that is not the locked one, a
    folder that is somebody else's) the first order of the session tells. Raises ProxyError where it does not start.
    """
    with start(environ) as standby, standby.open_session(packages, environ, cache) as session:
        yield session


def first_order(packages: Sequence[Package], environ: Mapping[str, str], cache: Path, **more: str) -> Mapping[str, Any]:
    """What is to be served, in which environment and umask, and where to remember."""
    own = {"environ": dict(environ), "umask": processes.own_umask()}
    return {"order": "serve", **_stock(packages, cache), **own, **more}


def _stock(packages: Sequence[Package], cache: Path) -> Mapping[str, Any]:
    stock = [{"address": one.address, "folder": str(one.folder), "hashes": one.hashes} for one in packages]
    return {"packages": stock, "cache": str(cache)}


def mentioned(addresses: Iterable[str]) -> dict[str, str]:
    """The variable for an init, which installs no provider that runs already, and talks to none of them."""
    nowhere = {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": os.getpid(), "Test": True}
    address = {"Network": "unix", "String": os.devnull}
    return {VARIABLE: json.dumps({one: {**nowhere, "Addr": address} for one in addresses})}
