"""What a command does with a pool that fails it: its own work, and one line about it."""

import socket
import threading
from contextlib import suppress

import pytest

from ngp.daemons.record import DaemonRecord
from ngp.pool.client import PoolClient

SILENT, DROPPED = None, ""


class Pool:
    """A pool that greets, hears an order and hangs up; a silent one does not even greet."""

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


@pytest.fixture
def meet(sockets, mocker, tmp_path):
    """A pool that fails, and two sessions through it that have a proxy of their own in the end."""
    own = mocker.patch("ngp.proxy.session.open_session")

    def make(answer):
        pool, notes = Pool(sockets, answer), []
        client = PoolClient(pool.record, "dev", notes.append)
        for number in (1, 2):
            with client.open_session([], {}, tmp_path) as session:
                assert session is own.return_value.__enter__.return_value
            assert own.call_count == number
        return pool, notes

    return make


def test_a_run_whose_pool_hangs_up_has_a_proxy_of_its_own(meet):
    pool, notes = meet(DROPPED)
    assert (pool.met, len(notes)) == (1, 1)


def test_a_pool_that_does_not_greet_is_asked_nothing_and_waited_for_once(meet, mocker):
    mocker.patch("ngp.daemons.lines._GREETING_S", 0.1)
    pool, notes = meet(SILENT)
    assert (pool.met, pool.heard) == (1, [])
    assert notes == ["without the pool: the pool does not answer (process 1)"]


def test_another_users_pool_is_told_nothing(meet, mocker):
    mocker.patch("ngp.daemons.peers.is_own_peer", return_value=False)
    pool, notes = meet(DROPPED)
    assert [order for order in pool.heard if order] == []
    assert "another user's" in notes[0]
