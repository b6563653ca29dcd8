"""Client of a running pool: reuses its providers and AWS clients."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn

from ngp.aws.failures import DeniedError
from ngp.aws.session import READS, ApiCall, RelayGoneError, Session
from ngp.daemons import record
from ngp.daemons.lines import SocketConnection
from ngp.errors import Finding, MissingError, NgpError, RefusedError
from ngp.pool import home, surroundings, values
from ngp.proxy import session as proxies
from ngp.proxy.packages import ProviderPackage
from ngp.proxy.session import ProxyError
from ngp.settings import FALSE

CHECKS = ":checks"  # who asks where no environment is concerned: a label that none can have
_CALL_S = 120.0  # longer than boto3's own attempts take
_FAILURES = {one.code: one for one in (NgpError, MissingError, RefusedError, DeniedError)}


class PoolClient:
    """Serves one command in an environment. What the pool cannot do is done without it, and one line says so."""

    def __init__(
        self, found: record.DaemonRecord, environ: Mapping[str, str], label: str, note: Callable[[str], None]
    ) -> None:
        self._found, self._surroundings, self._label, self._note = found, surroundings.select(environ), label, note
        self._guard = threading.Lock()
        self._has_told = False
        self._silent: TimeoutError | None = None

    @contextmanager
    def open_session(
        self, packages: Sequence[ProviderPackage], environ: Mapping[str, str], cache: Path
    ) -> Iterator[proxies.ProxySession]:
        """As `ngp.proxy.session.open_session`, with the pool's processes where it has them to give.

        Raises ProxyError for what the pool refuses, and where the run's own proxy cannot start either.
        """
        with ExitStack() as stack:
            try:
                line = stack.enter_context(self._connect())
                session = proxies.ProxySession(line)
                session.order(**proxies.first_order(packages, environ, cache, label=self._label))
            except (OSError, ProxyError) as error:
                if isinstance(error, ProxyError) and line.has_answered:
                    raise  # a process of the run's own would refuse it, too
                self._tell(str(error))
                session = stack.enter_context(proxies.open_session(packages, environ, cache))
            yield session

    def relay(self, session: Session, call: ApiCall) -> dict[str, Any] | None:
        """Let the pool make a call of an AWS API (`ngp.aws.session.Relay`).

        Raises NgpError where the pool may have made a call that changes something and its answer is lost.
        """
        with ExitStack() as stack:
            try:
                order = self._order(session, call)
                line = stack.enter_context(self._connect())
                line.write_line(json.dumps(order))
            except (OSError, ValueError, TypeError) as error:
                self._tell(str(error))
                raise RelayGoneError from error
            try:
                answer = line.read_answer(_CALL_S)
            except (OSError, ValueError) as error:
                answer = {"error": str(error)}
        if "failure" in answer:
            raise _failure(answer)
        if "answer" not in answer:
            self._give_up(call, answer)
        found: dict[str, Any] | None = values.decode(answer["answer"])
        return found

    def _order(self, session: Session, call: ApiCall) -> Mapping[str, Any]:
        role = session.role
        return {
            "order": "call",
            "surroundings": self._surroundings,
            "env": session.env,
            "profile": session.profile,
            "role": [role.arn, role.external_id, role.session_name] if role else None,
            "service": call.service,
            "operation": call.operation,
            "absent": call.absent,
            "parameters": values.encode(call.parameters),
        }

    def _give_up(self, call: ApiCall, answer: Mapping[str, Any]) -> NoReturn:
        reason = answer.get("gone") or answer.get("error", "")
        if "gone" not in answer and not call.operation.startswith(READS):
            raise NgpError(
                "the answer to a call is lost",
                where=f"{call.service}:{call.operation}",
                why=f"{reason}; AWS may have done it, so it is not asked twice",
                todo="run again: what was done is found there",
            )
        self._tell(reason)
        raise RelayGoneError

    def _connect(self) -> SocketConnection:
        """A line to the pool. One that was silent is not waited for again."""
        if self._silent is not None:
            raise self._silent
        try:
            return SocketConnection(self._found)
        except TimeoutError as error:
            self._silent = error
            raise

    def _tell(self, reason: str) -> None:
        with self._guard:
            told, self._has_told = self._has_told, True
        if not told:
            self._note(f"without the pool: {reason}")


def find(workspace: Path, environ: Mapping[str, str], label: str, note: Callable[[str], None]) -> PoolClient | None:
    """The way to a platform's pool for a command in the environment `label`; None where there is none to be used."""
    if environ.get(proxies.SWITCH, "1").lower() in FALSE:
        return None
    found = record.read(home(workspace))
    if found is None or not record.is_alive(found):  # what a killed one has left is cleared by the next start
        return None
    if not found.is_ours:
        note("without the pool: it runs another ngp than this one; ngp pool stop, then start")
        return None
    return PoolClient(found, environ, label, note)


def _failure(answer: Mapping[str, Any]) -> NgpError:
    kind = _FAILURES.get(answer["failure"], NgpError)
    return kind([Finding(*one) for one in answer["findings"]])
