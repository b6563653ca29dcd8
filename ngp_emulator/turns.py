"""WSGI middleware of moto's server: one request at a time, none for a client that is gone, one answer for one call.

moto's models are not made for threads: two requests at once end in "dictionary changed size during iteration", which
the server answers with 500, sometimes after it has acted. AWS SDKs send such a call again, as they do when an answer is
lost on the way, and the second attempt of a create finds that it "already exists". AWS has no such answers.
"""

from __future__ import annotations

import io
import pkgutil
import re
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

MOTO = "5.2.5"  # the version that `WAITS` names functions of
WAITS = (  # in which moto waits: for messages of a queue, a function's container, another server
    ("moto.sqs.models:Queue", "wait_for_messages"),
    ("moto.awslambda.models:LambdaFunction", "_invoke_lambda"),
    ("requests:Session", "send"),
)
KEPT_ANSWERS = 256
KEPT_BYTES = 1 << 16  # of one answer; larger ones are of calls that read
RESET_PATH = "/moto-api/reset"
_ACCESS_KEY = re.compile(r"Credential=([^/,\s]+)")
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True)
class Answer:
    """What the application answered to one request."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether a later attempt gets it too: what was refused or failed has changed nothing, and is tried again."""
        return self.status.startswith("2")


class Turn:
    """A lock that its thread can give up for a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder = 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the turn and hold it."""
        self._take()
        try:
            yield
        finally:
            self._give()

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Let others have the turn meanwhile; do nothing in a thread that does not hold it."""
        if self._holder != threading.get_ident():
            yield
            return
        self._give()
        try:
            yield
        finally:
            self._take()

    def _take(self) -> None:
        self._lock.acquire()
        self._holder = threading.get_ident()

    def _give(self) -> None:
        self._holder = 0
        self._lock.release()


TURN = Turn()  # one a process, as moto's models are
Key = tuple[str, ...]


@dataclass
class _Attempt:
    """The first attempt of a call, which is under way until `ended` is set."""

    ended: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None


class Calls:
    """Calls of which a later attempt may come: those under way, and the answers to the latest. Used under the turn."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._under_way: dict[Key, _Attempt] = {}
        self._kept: OrderedDict[Key, Answer] = OrderedDict()

    def answer(self, key: Key, act: Callable[[], Answer]) -> Answer:
        """Return the answer to the first attempt of a call; wait for one under way; act if no attempt succeeded."""
        while key in self._under_way:
            first = self._under_way[key]
            with self._turn.given_up():
                first.ended.wait()
            if first.answer is not None and first.answer.is_success:
                return first.answer
        return self._kept[key] if key in self._kept else self._act(key, act)

    def forget(self) -> None:
        """Forget every call, also the answers to come of those under way."""
        self._under_way = {}
        self._kept.clear()

    def _act(self, key: Key, act: Callable[[], Answer]) -> Answer:
        under_way = self._under_way
        attempt = under_way[key] = _Attempt()
        try:
            answer = attempt.answer = act()
        finally:
            del under_way[key]
            attempt.ended.set()
        if under_way is self._under_way and answer.is_success and len(answer.body) <= KEPT_BYTES:
            self._kept[key] = answer
            while len(self._kept) > KEPT_ANSWERS:
                self._kept.popitem(last=False)
        return answer


def serialized(app: Application, turn: Turn = TURN) -> Application:
    """The WSGI application `app`, called by one thread at a time.

    An attempt whose client has closed the connection is not acted on: the client was killed, or sends the call again.
    A later attempt of the same call (`amz-sdk-invocation-id`) gets the answer of the first, and waits for one that has
    given its turn up.
    """
    calls = Calls(turn)

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        given = {**environ, "wsgi.input": io.BytesIO(_body(environ))}  # before the turn: a slow client delays nobody

        def act() -> Answer:
            _require_client(environ)
            return _ask(app, given)

        with turn.taken():
            key = _key(environ)
            answer = calls.answer(key, act) if key else act()
            if environ.get("PATH_INFO") == RESET_PATH:
                calls.forget()
        start_response(answer.status, answer.headers)
        return [answer.body]

    return serve


def give_up_while_waiting(turn: Turn = TURN) -> None:
    """Let others have their turn while moto waits. Call it once: it changes classes of the moto in this process."""
    for place, name in WAITS:
        owner = pkgutil.resolve_name(place)
        setattr(owner, name, giving_up(getattr(owner, name), turn))


def giving_up(wait: Callable[..., Any], turn: Turn) -> Callable[..., Any]:
    """The function `wait`, which gives up the turn of its thread until it returns."""

    def waiting(*arguments: Any, **named: Any) -> Any:
        with turn.given_up():
            return wait(*arguments, **named)

    return waiting


def _key(environ: dict[str, Any]) -> Key:
    """What attempts of one call have in common; empty for a request that names no call."""
    call = environ.get("HTTP_AMZ_SDK_INVOCATION_ID", "")
    signer = _ACCESS_KEY.search(environ.get("HTTP_AUTHORIZATION", ""))
    place = (environ.get(name, "") for name in ("REQUEST_METHOD", "HTTP_HOST", "PATH_INFO"))
    return (call, signer[1] if signer else "", *place) if call else ()


def _body(environ: dict[str, Any]) -> bytes:
    """The whole body of a request. Raises ConnectionAbortedError where the client went before its end."""
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        return bytes(stream.read())
    length = int(environ.get("CONTENT_LENGTH") or 0)  # werkzeug gives "" for a request without one
    body = bytes(stream.read(length))
    if len(body) < length:
        raise ConnectionAbortedError("the client went before the end of its request")
    return body


def _require_client(environ: dict[str, Any]) -> None:
    """Raise ConnectionAbortedError where the client has closed its connection, as one that was killed has."""
    connection = environ.get("werkzeug.socket")
    if connection is None:
        return
    try:
        is_gone = not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    if is_gone:
        raise ConnectionAbortedError("the client is gone")


def _ask(app: Application, environ: dict[str, Any]) -> Answer:
    from werkzeug.test import run_wsgi_app

    parts, status, headers = run_wsgi_app(app, environ, buffered=True)
    return Answer(status, headers.to_wsgi_list(), b"".join(parts))
