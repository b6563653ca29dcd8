"""What a command does with a pool that fails it: its own work, once, and never twice what changes something."""

import io
import json
import socket
import threading
from contextlib import suppress

import pytest

from ngp.aws.session import Session
from ngp.daemons.record import DaemonRecord
from ngp.errors import NgpError
from ngp.pool.client import PoolClient

SILENT, DROPPED, GONE = None, "", json.dumps({"gone": "it has other plans"})


class Pool:
    """A pool that greets, hears an order and says `answer`; a silent one does not even greet."""

    def __init__(self, folder, answer):
        self.record, self.answer, self.heard, self.met = DaemonRecord(1, str(folder), "", ""), answer, [], 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.record.socket))
        self._listener.listen()
        self._open = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            connection, _ = self._listener.accept()
            self.met += 1
            if self.answer is SILENT:
                self._open.append(connection)
                continue
            with suppress(OSError), connection, connection.makefile("r") as lines:
                connection.sendall(b"{}\n")
                self.heard.append(lines.readline())
                connection.sendall(self.answer.encode() + b"\n" if self.answer else b"")


@pytest.fixture
def meet(sockets, mocker):
    """A session through a pool, and the calls that it made itself."""
    client = mocker.patch.object(Session, "_client").return_value
    client.get_object.return_value, client.put_object.return_value = {"Body": io.BytesIO(b"state")}, {}

    def make(answer):
        pool, notes = Pool(sockets, answer), []
        door = PoolClient(pool.record, {}, "dev", notes.append)
        return pool, notes, [Session({}, relay=door.relay) for _ in range(2)], client

    return make


def test_a_write_whose_answer_is_lost_is_not_made_again(meet):
    pool, _, (session, _), client = meet(DROPPED)
    with pytest.raises(NgpError, match="s3:put_object: the answer to a call is lost"):
        session.put_object("bucket", "key", b"state")
    assert len(pool.heard) == 1
    assert client.mock_calls == []


def test_a_read_whose_answer_is_lost_is_made_again(meet):
    _, notes, (session, _), client = meet(DROPPED)
    session.object("bucket", "key")
    client.get_object.assert_called_once_with(Bucket="bucket", Key="key")
    assert len(notes) == 1


def test_a_write_that_the_pool_does_not_take_is_made_without_it(meet):
    _, notes, (session, _), client = meet(GONE)
    session.put_object("bucket", "key", b"state")
    assert client.put_object.call_count == 1
    assert notes == ["without the pool: it has other plans"]


def test_a_pool_that_does_not_greet_is_asked_nothing_and_waited_for_once(meet, mocker):
    mocker.patch("ngp.daemons.lines._GREETING_S", 0.1)
    pool, notes, sessions, client = meet(SILENT)
    for session in sessions:
        session.put_object("bucket", "key", b"state")
    assert (pool.met, client.put_object.call_count) == (1, 2)
    assert notes == ["without the pool: the pool does not answer (process 1)"]


def test_a_run_whose_pool_hangs_up_has_a_proxy_of_its_own(sockets, mocker, tmp_path):
    own = mocker.patch("ngp.proxy.session.open_session")
    notes = []
    door = PoolClient(Pool(sockets, DROPPED).record, {}, "dev", notes.append)
    with door.open_session([], {}, tmp_path) as session:
        assert session is own.return_value.__enter__.return_value
    assert len(notes) == 1


def test_another_users_pool_is_told_nothing(meet, mocker):
    mocker.patch("ngp.daemons.peers.is_own_peer", return_value=False)
    pool, notes, (session, _), client = meet(json.dumps({"answer": {}}))
    session.put_object("bucket", "key", b"state")
    assert client.put_object.call_count == 1
    assert [order for order in pool.heard if order] == []
    assert "another user's" in notes[0]
