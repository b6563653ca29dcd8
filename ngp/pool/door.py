"""A command's way to a pool that runs: its providers instead of new ones, its AWS clients instead of boto3 here."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ngp.aws.failures import DeniedError
from ngp.aws.session import Call, RelayGoneError, Session
from ngp.errors import Finding, MissingError, NgpError, RefusedError
from ngp.pool import record, values
from ngp.proxy import session as proxies
from ngp.proxy.packages import Package
from ngp.proxy.safe import is_own
from ngp.proxy.session import ProxyError
from ngp.settings import FALSE

_CONNECT_S = 2.0
_CALL_S = 300.0  # longer than boto3's own attempts take
_FAILURES = {one.code: one for one in (NgpError, MissingError, RefusedError, DeniedError)}


class Line:
    """Lines to and from the pool. Raises OSError where there is none, or none of this user's."""

    def __init__(self, found: record.Record) -> None:
        if not record.is_private(found):
            raise PermissionError(f"{found.socket} is not in a private folder of this user")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_CONNECT_S)
        try:
            self._socket.connect(str(found.socket))
            if not is_own(self._socket):
                raise PermissionError(f"{found.socket} is another user's")
        except BaseException:
            self._socket.close()
            raise
        self._lines = self._socket.makefile("r", encoding="utf-8", newline="\n")

    def write_line(self, line: str) -> None:
        """Say a line; raise OSError where nobody listens any more."""
        self._socket.sendall(line.encode() + b"\n")

    def read_line(self, timeout_s: float) -> str | None:
        """The next line that it says; None where none comes in time, or it has ended."""
        self._socket.settimeout(timeout_s)
        try:
            return self._lines.readline() or None
        except OSError:
            return None

    def last_words(self) -> str:
        return "the pool does not answer"

    def ask(self, timeout_s: float, **order: Any) -> Mapping[str, Any]:
        """One order and its answer; raise OSError where there is none."""
        self.write_line(json.dumps(order))
        answer = self.read_line(timeout_s)
        if answer is None:
            raise ConnectionError(self.last_words())
        found: Mapping[str, Any] = json.loads(answer)
        return found

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()


class Door:
    """Serves one command in an environment. What the pool cannot do is done without it, and one line says so."""

    def __init__(
        self, found: record.Record, environ: Mapping[str, str], label: str, note: Callable[[str], None]
    ) -> None:
        self._found, self._surroundings, self._label, self._note = found, record.surroundings(environ), label, note
        self._guard = threading.Lock()
        self._has_told = False

    @contextmanager
    def open_session(
        self, packages: Sequence[Package], environ: Mapping[str, str], cache: Path
    ) -> Iterator[proxies.Session]:
        """As `ngp.proxy.session.open_session`, with the pool's processes where it has them to give."""
        with ExitStack() as stack:
            try:
                line = stack.enter_context(Line(self._found))
                session = proxies.Session(line)
                proxies.begin(session, packages, environ, cache, label=self._label)
            except (OSError, ProxyError) as error:
                self._tell(str(error))
                session = stack.enter_context(proxies.open_session(packages, environ, cache))
            yield session

    def relay(self, session: Session, call: Call) -> dict[str, Any] | None:
        """Let the pool make a call of an AWS API (`ngp.aws.session.Relay`)."""
        role = session.role
        try:
            with Line(self._found) as line:
                answer = line.ask(
                    _CALL_S,
                    order="call",
                    surroundings=self._surroundings,
                    env=session.env,
                    profile=session.profile,
                    role=[role.arn, role.external_id, role.session_name] if role else None,
                    service=call.service,
                    operation=call.operation,
                    absent=call.absent,
                    parameters=values.encode(call.parameters),
                )
        except (OSError, ValueError, TypeError) as error:
            self._tell(str(error))
            raise RelayGoneError from error
        if "failure" in answer:
            raise _failure(answer)
        if "answer" not in answer:
            self._tell(answer.get("gone") or answer.get("error", ""))
            raise RelayGoneError
        found: dict[str, Any] | None = values.decode(answer["answer"])
        return found

    def _tell(self, reason: str) -> None:
        with self._guard:
            told, self._has_told = self._has_told, True
        if not told:
            self._note(f"without the pool: {reason}")


def find(workspace: Path, environ: Mapping[str, str], label: str, note: Callable[[str], None]) -> Door | None:
    """The way to a platform's pool for a command in the environment `label`; None where there is none to be used."""
    if environ.get(proxies.SWITCH, "1").lower() in FALSE:
        return None
    found = record.read(workspace)
    if found is None:
        return None
    if found.built != record.built():
        note("without the pool: it runs another ngp than this one; ngp pool stop, then start")
        return None
    return Door(found, environ, label, note)


def _failure(answer: Mapping[str, Any]) -> NgpError:
    kind = _FAILURES.get(answer["failure"], NgpError)
    return kind([Finding(*one) for one in answer["findings"]])
