"""Client of the proxy: opened once a run, gives each Terraform process the variable that leads to its providers."""

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
from ngp.daemons.lines import LineConnection
from ngp.daemons.workers import Worker
from ngp.errors import NgpError
from ngp.proxy.packages import ProviderPackage
from ngp.settings import FALSE

VARIABLE = "TF_REATTACH_PROVIDERS"
SWITCH = "NGP_PROVIDER_PROXY"
_ANSWER_S = 120.0  # reading a schema for the first time takes seconds
_END_S = 5.0


class ProxyError(NgpError):
    """The proxy cannot serve; the run continues without it."""


@dataclass(frozen=True)
class Attached:
    """A Terraform process that is served. `environ` must be added to its environment."""

    number: int
    environ: Mapping[str, str]


@dataclass(frozen=True)
class Detached:
    """What happened to a process that was served.

    `lacks`: it may have failed because a schema was left out. `failures` are those of the proxy itself. `crashes` are
    providers that ended in the middle of a call, which the proxy did not cause.
    """

    lacks: bool = False
    failures: tuple[str, ...] = ()
    crashes: tuple[str, ...] = ()


def why_disabled(environ: Mapping[str, str]) -> str:
    """Return why the environment variables disable the proxy, in one line; "" if they do not."""
    if environ.get(SWITCH, "1").lower() in FALSE:
        return f"{SWITCH} is {environ[SWITCH]}"
    logs = sorted(name for name, value in environ.items() if name.startswith("TF_LOG") and value)
    return f"{logs[0]} is set, and a provider behind the proxy would not log" if logs else ""


class ProxySession:
    """A connection to a proxy. Thread-safe. After the first failure every call raises."""

    def __init__(self, line: LineConnection) -> None:
        self._line = line
        self._guard = threading.Lock()
        self._is_beginning = False
        self.broken = ""

    def begin(self, words: Mapping[str, Any]) -> None:
        """Send the first order without waiting: the next order waits for both answers and raises the errors of both."""
        with self._guard:
            self._send(words)
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
        """Prepare to serve a Terraform process in `root`. Raises ProxyError on failure.

        `calls` is the folder with its output (`supervised`), which shows the proxy of a killed ngp whether the process
        is running.
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

    def detach(self, attached: Attached, errors: str = "") -> Detached:
        """Stop serving a process that has ended. `errors` are those that it reported."""
        try:
            answer = self.order(order="detach", number=attached.number, said=errors)
        except ProxyError as error:
            return Detached(failures=(str(error),))
        return Detached(answer["lacks"], tuple(answer["failures"]), tuple(answer["crashes"]))

    def order(self, **words: Any) -> dict[str, Any]:
        """Send an order and return the answer."""
        with self._guard:
            if self._is_beginning:
                self._is_beginning = False
                self._receive()
            self._send(words)
            return self._receive()

    def _send(self, words: Mapping[str, Any]) -> None:
        if self.broken:
            raise ProxyError(self.broken)
        try:
            self._line.write_line(json.dumps(words))
        except OSError:
            self._break(self._ended())

    def _receive(self) -> dict[str, Any]:
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
    """A proxy process that waits for its session; meanwhile it can check packages."""

    def __init__(self, process: Worker) -> None:
        self._process = process
        self.has_served = False

    def check(self, packages: Sequence[ProviderPackage], cache: Path) -> None:
        """Hash packages early, which takes longest. The session reports their errors."""
        with suppress(OSError):  # a process that has ended fails again when the session opens
            self._process.write_line(json.dumps({"order": "check", **_describe_packages(packages, cache)}))

    @contextmanager
    def open_session(
        self, packages: Sequence[ProviderPackage], environ: Mapping[str, str], cache: Path
    ) -> Iterator[ProxySession]:
        """Like the function `open_session`, with this process."""
        session = ProxySession(self._process)
        session.begin(first_order(packages, environ, cache))
        self.has_served = True
        yield session


@contextmanager
def start(environ: Mapping[str, str]) -> Iterator[Standby]:
    """Start a proxy process and stop it at the end. Raises ProxyError if its sockets have no place."""
    try:
        folder = sockets.make_folder(environ)
    except NgpError as error:
        raise ProxyError(str(error)) from error
    # the first order carries the credentials, for the providers only
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
def open_session(
    packages: Sequence[ProviderPackage], environ: Mapping[str, str], cache: Path
) -> Iterator[ProxySession]:
    """Start the proxy of a run. Its providers get `environ`; `cache` is the folder of its store.

    The proxy starts up in the background: the first order of the session reports a package that is not locked, or a
    folder of another user. Raises ProxyError if the process does not start.
    """
    with start(environ) as standby, standby.open_session(packages, environ, cache) as session:
        yield session


def first_order(
    packages: Sequence[ProviderPackage], environ: Mapping[str, str], cache: Path, **more: str
) -> Mapping[str, Any]:
    """Return the order to serve these packages with this environment and umask."""
    own = {"environ": dict(environ), "umask": processes.own_umask()}
    return {"order": "serve", **_describe_packages(packages, cache), **own, **more}


def _describe_packages(packages: Sequence[ProviderPackage], cache: Path) -> Mapping[str, Any]:
    stock = [{"address": one.address, "folder": str(one.folder), "hashes": one.hashes} for one in packages]
    return {"packages": stock, "cache": str(cache)}


def reattach_for_init(addresses: Iterable[str]) -> dict[str, str]:
    """Return the variable for `terraform init`, which then installs none of these providers and calls none."""
    nowhere = {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": os.getpid(), "Test": True}
    address = {"Network": "unix", "String": os.devnull}
    return {VARIABLE: json.dumps({one: {**nowhere, "Addr": address} for one in addresses})}
