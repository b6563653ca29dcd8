"""The middleware before moto: turns, clients that are gone, and later attempts of one call."""

import io
import pkgutil
import socket
import threading
from importlib.metadata import version

import pytest
from werkzeug.serving import make_server

from ngp_emulator import turns

WAIT_S = 5


@pytest.fixture
def connection():
    """Both ends of a connection: the server's and the client's."""
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def ask(app, body=b"", **environ):
    """The status and body that an application answers."""
    said = []
    given = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), **environ}
    parts = app(given, lambda status, headers: said.append(status))
    return said[0], b"".join(parts)


def counting(status="200 OK", size=0):
    """An application that answers how often it was called, and its calls."""
    calls = []

    def app(environ, start_response):
        calls.append(environ["wsgi.input"].read())
        start_response(status, [])
        return [str(len(calls)).encode() + b" " * size]

    return app, calls


def test_two_requests_are_never_inside_at_once():
    inside, most, barrier = [], [], threading.Barrier(4)

    def app(environ, start_response):
        inside.append(1)
        most.append(len(inside))
        threading.Event().wait(0.01)
        inside.pop()
        start_response("200 OK", [])
        return [b""]

    serve = turns.serialized(app, turns.Turn())

    def client():
        barrier.wait(WAIT_S)
        ask(serve)

    threads = [threading.Thread(target=client) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(WAIT_S)
    assert most == [1, 1, 1, 1]


def test_a_request_that_waits_lets_others_have_their_turn():
    turn, came, done = turns.Turn(), threading.Event(), []

    def app(environ, start_response):
        if environ["PATH_INFO"] == "/wait":
            with turn.given_up():
                done.append(came.wait(WAIT_S))
            done.append(turn._lock.locked())
        came.set()
        start_response("200 OK", [])
        return [b""]

    serve = turns.serialized(app, turn)
    waiting = threading.Thread(target=ask, args=(serve,), kwargs={"PATH_INFO": "/wait"})
    waiting.start()
    assert ask(serve, PATH_INFO="/other")[0] == "200 OK"
    waiting.join(WAIT_S)
    assert done == [True, True], "the other came meanwhile, and the turn was taken again"


def test_a_thread_without_the_turn_gives_nothing_up():
    turn, was_held = turns.Turn(), []

    def other():
        with turn.given_up():
            was_held.append(turn._lock.locked())

    with turn.taken():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(WAIT_S)
    assert was_held == [True]


def test_what_moto_waits_in_gives_the_turn_up():
    turn, held = turns.Turn(), []

    def wait(*arguments, **named):
        held.append(turn._lock.locked())
        return arguments, named

    with turn.taken():
        assert turns.giving_up(wait, turn)(1, two=2) == ((1,), {"two": 2})
        assert turn._lock.locked()
    assert held == [False]


@pytest.mark.parametrize(("place", "name"), turns.WAITS)
def test_every_wait_is_there_and_gives_the_turn_up(monkeypatch, place, name):
    turn, held = turns.Turn(), []
    for one, method in turns.WAITS:  # all of them are put back
        monkeypatch.setattr(f"{one.replace(':', '.')}.{method}", lambda *_: held.append(turn._lock.locked()))
    turns.give_up_while_waiting(turn)
    with turn.taken():
        getattr(pkgutil.resolve_name(place), name)(None)
    assert held == [False]


def test_waits_are_of_the_moto_that_is_installed():
    assert version("moto") == turns.MOTO, "look for what this moto waits in"


def test_a_request_fails_and_the_next_has_its_turn():
    def app(environ, start_response):
        raise RuntimeError("dictionary changed size during iteration")

    serve = turns.serialized(app, turns.Turn())
    for _ in range(2):
        with pytest.raises(RuntimeError):
            ask(serve)


def test_nothing_is_done_for_a_client_that_is_gone(connection):
    ours, theirs = connection
    app, calls = counting()
    serve = turns.serialized(app, turns.Turn())
    assert ask(serve, **{"werkzeug.socket": ours})[0] == "200 OK"
    theirs.sendall(b"more")
    assert ask(serve, **{"werkzeug.socket": ours})[0] == "200 OK"
    ours.recv(4)
    theirs.close()
    with pytest.raises(ConnectionAbortedError):
        ask(serve, **{"werkzeug.socket": ours})
    assert len(calls) == 2


def test_the_server_does_nothing_for_a_client_that_went_while_it_waited_for_its_turn():
    """A killed Terraform's request would make something minutes later, when the next apply makes it too."""
    inside, go_on, made = threading.Event(), threading.Event(), []

    def app(environ, start_response):
        made.append(environ["PATH_INFO"])
        inside.set()
        assert go_on.wait(WAIT_S)
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    server = make_server("127.0.0.1", 0, turns.serialized(app, turns.Turn()), threaded=True)
    server.daemon_threads, server.block_on_close = False, True  # server_close() waits for every request
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    first, killed = (socket.create_connection(server.server_address) for _ in range(2))
    first.sendall(b"PUT /first HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    assert inside.wait(WAIT_S)
    killed.sendall(b"PUT /killed HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi")
    killed.close()
    last = socket.create_connection(server.server_address)  # accepted after the one that is gone
    last.sendall(b"PUT /last HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    go_on.set()
    for client in (first, last):
        assert client.recv(100).startswith(b"HTTP/1.1 200")
        client.close()
    server.shutdown()
    serving.join(WAIT_S)
    server.server_close()
    assert made == ["/first", "/last"]


def test_a_client_that_is_reset_is_gone():
    class Reset:
        def recv(self, *_):
            raise ConnectionResetError

    app, calls = counting()
    with pytest.raises(ConnectionError):
        ask(turns.serialized(app, turns.Turn()), **{"werkzeug.socket": Reset()})
    assert calls == []


def test_nothing_is_done_for_half_a_request():
    app, calls = counting()
    with pytest.raises(ConnectionAbortedError):
        ask(turns.serialized(app, turns.Turn()), b"half", CONTENT_LENGTH="8")
    assert calls == []


def test_the_body_is_handed_on_also_without_a_length():
    app, calls = counting()
    serve = turns.serialized(app, turns.Turn())
    ask(serve, b"with")
    ask(serve, b"without", CONTENT_LENGTH="", **{"wsgi.input_terminated": True})
    ask(serve, CONTENT_LENGTH="")
    assert calls == [b"with", b"without", b""]


def test_a_later_attempt_gets_the_answer_of_the_first():
    app, _ = counting("201 Created")
    serve = turns.serialized(app, turns.Turn())
    first = ask(serve, HTTP_AMZ_SDK_INVOCATION_ID="one")
    assert ask(serve, HTTP_AMZ_SDK_INVOCATION_ID="one") == first == ("201 Created", b"1")
    assert ask(serve, HTTP_AMZ_SDK_INVOCATION_ID="two")[1] == b"2"
    assert ask(serve)[1] == b"3"
    assert ask(serve)[1] == b"4", "who names no call is asked anew"


@pytest.mark.parametrize("status", ["400 Bad Request", "409 Conflict", "500 Internal Server Error", "503 Slow Down"])
def test_a_later_attempt_after_an_error_is_made(status):
    app, calls = counting(status)
    serve = turns.serialized(app, turns.Turn())
    for _ in range(2):
        ask(serve, HTTP_AMZ_SDK_INVOCATION_ID="one")
    assert len(calls) == 2


def signed(key):
    return f"AWS4-HMAC-SHA256 Credential={key}/20260102/eu-central-1/s3/aws4_request, SignedHeaders=host"


@pytest.mark.parametrize(
    "other",
    [
        {"REQUEST_METHOD": "DELETE"},
        {"HTTP_HOST": "other"},
        {"PATH_INFO": "/other"},
        {"HTTP_AUTHORIZATION": signed("other")},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_call_of_another_account_or_on_another_thing_is_no_later_attempt(other):
    app, calls = counting()
    serve = turns.serialized(app, turns.Turn())
    usual = {"REQUEST_METHOD": "PUT", "HTTP_HOST": "one", "PATH_INFO": "/one", "HTTP_AUTHORIZATION": signed("one")}
    for environ in (usual, usual | other, usual):
        ask(serve, HTTP_AMZ_SDK_INVOCATION_ID="same", **environ)
    assert len(calls) == 2


def test_a_reset_forgets_every_answer():
    app, _ = counting()
    serve = turns.serialized(app, turns.Turn())
    assert ask(serve, HTTP_AMZ_SDK_INVOCATION_ID="one")[1] == b"1"
    ask(serve, PATH_INFO=turns.RESET_PATH)
    assert ask(serve, HTTP_AMZ_SDK_INVOCATION_ID="one")[1] == b"3"


class Waiting:
    """An application that gives its turn up in the first call to `/wait` until it may go on, and then fails or not."""

    def __init__(self, status="200 OK", size=0):
        self.turn, self.inside, self.go_on, self.calls = turns.Turn(), threading.Event(), threading.Event(), []
        self.status, self.size, self.answers = status, size, []
        self.serve = turns.serialized(self, self.turn)

    def __call__(self, environ, start_response):
        self.calls.append(environ["PATH_INFO"])
        number = self.calls.count("/wait")
        is_first = environ["PATH_INFO"] == "/wait" and number == 1
        if is_first:
            with self.turn.given_up():
                self.inside.set()
                assert self.go_on.wait(WAIT_S)
        if is_first and self.status == "raise":
            raise RuntimeError("dictionary changed size during iteration")
        start_response(self.status if is_first else "200 OK", [])
        return [str(number).encode() + b" " * self.size]

    def attempt(self):
        """Start an attempt of the call in a thread of its own."""
        thread = threading.Thread(target=self._attempt)
        thread.start()
        return thread

    def _attempt(self):
        try:
            self.answers.append(ask(self.serve, PATH_INFO="/wait", HTTP_AMZ_SDK_INVOCATION_ID="one")[1].strip())
        except RuntimeError:
            self.answers.append(b"failed")


def attempts(app, before_the_end=lambda: None):
    """The answers to two attempts, the second of which comes while the first has given its turn up."""
    first = app.attempt()
    assert app.inside.wait(WAIT_S)
    second = app.attempt()
    second.join(0.2)  # it would have acted by now
    assert app.answers == []
    assert ask(app.serve, PATH_INFO="/other")[0] == "200 OK", "the one that waits holds the turn"
    before_the_end()
    app.go_on.set()
    for thread in (first, second):
        thread.join(WAIT_S)
    return sorted(app.answers)


@pytest.mark.parametrize("size", [0, turns.KEPT_BYTES])
def test_a_later_attempt_waits_for_a_first_that_has_given_its_turn_up(size):
    """It would deliver a message twice, or run a function twice."""
    app = Waiting(size=size)
    assert attempts(app) == [b"1", b"1"]
    assert app.calls == ["/wait", "/other"]


@pytest.mark.parametrize(("status", "first"), [("500 Internal Server Error", b"1"), ("raise", b"failed")])
def test_a_later_attempt_acts_where_the_first_that_it_waited_for_failed(status, first):
    assert attempts(Waiting(status)) == sorted([first, b"2"])


def test_a_reset_forgets_also_the_answer_to_come():
    app = Waiting()
    assert attempts(app, lambda: ask(app.serve, PATH_INFO=turns.RESET_PATH)) == [b"1", b"1"]
    app.attempt().join(WAIT_S)
    assert app.answers[-1] == b"2"


def test_few_and_small_answers_are_kept():
    app, calls = counting(size=turns.KEPT_BYTES)
    serve = turns.serialized(app, turns.Turn())
    for _ in range(2):
        ask(serve, HTTP_AMZ_SDK_INVOCATION_ID="large")
    assert len(calls) == 2

    app, calls = counting()
    serve = turns.serialized(app, turns.Turn())
    for number in range(turns.KEPT_ANSWERS + 1):
        ask(serve, HTTP_AMZ_SDK_INVOCATION_ID=str(number))
    before = len(calls)
    ask(serve, HTTP_AMZ_SDK_INVOCATION_ID="1")
    assert len(calls) == before
    ask(serve, HTTP_AMZ_SDK_INVOCATION_ID="0")
    assert len(calls) == before + 1
