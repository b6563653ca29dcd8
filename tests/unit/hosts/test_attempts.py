"""Logins that a busy sshd drops are tried again, for a bounded time."""

import asyncio
import contextlib
from types import SimpleNamespace

import asyncssh
import pytest

from ngp.hosts import attempts
from ngp.hosts.attempts import LoginAttempts, SlowLoginError
from ngp.hosts.host import Host
from ngp.hosts.login_failures import LoginError
from ngp.hosts.logins import Login, Logins
from ngp.hosts.trust import Trust


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(attempts, "_PAUSE_S", 0.001)
    monkeypatch.setattr(attempts, "_LONGEST_PAUSE_S", 0.002)


class Dropping:
    """Connects after `drops` lost connections."""

    def __init__(self, drops, error=ConnectionResetError):
        self.drops, self.error, self.calls = drops, error, 0

    async def connect(self, *_, **__):
        self.calls += 1
        if self.calls <= self.drops:
            raise self.error("lost")
        return SimpleNamespace(abort=lambda: None)


def log_in(dropping, others=0, patience_s=30.0):
    async def run():
        found = LoginAttempts(patience_s)
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(others):
                await stack.enter_async_context(found.one())
            return await found.again(dropping.connect, ConnectionResetError)

    return asyncio.run(run())


def test_one_host_that_drops_every_login_is_given_up_after_four():
    sound, dead = Dropping(3), Dropping(99)
    assert log_in(sound)
    with pytest.raises(ConnectionResetError):
        log_in(dead, others=9)
    assert (sound.calls, dead.calls) == (4, 4)


def test_a_drop_among_many_logins_does_not_count_but_patience_ends():
    busy, dead = Dropping(20), Dropping(10**9)
    assert log_in(busy, others=10)
    assert busy.calls == 21
    with pytest.raises(ConnectionResetError):
        log_in(dead, others=10, patience_s=0.1)
    assert dead.calls > 4


def test_a_slow_login_is_tried_again_among_many_only_and_leaves_fewer_places():
    alone, busy = Dropping(99, SlowLoginError), Dropping(5, SlowLoginError)
    with pytest.raises(SlowLoginError):
        log_in(alone, others=9)
    assert alone.calls == 1
    assert log_in(busy, others=10)
    assert busy.calls == 6

    async def run(slow):
        found, most = LoginAttempts(30.0), []

        async def one():
            async with found.one():
                most.append(found._running)
                await asyncio.sleep(0.01)

        for _ in range(slow):
            with pytest.raises(SlowLoginError):
                await found.again(Dropping(99, SlowLoginError).connect)
        await asyncio.gather(*(one() for _ in range(64)))  # whoever leaves takes a place away
        most.clear()
        await asyncio.gather(*(one() for _ in range(100)))
        return max(most)

    assert [asyncio.run(run(slow)) for slow in (0, 4, 200)] == [64, 60, 10]


@pytest.mark.parametrize(("accepts", "times"), [(True, 3), (False, 1)])
def test_only_a_host_that_accepted_the_connection_is_slow(tmp_path, monkeypatch, accepts, times):
    """One that does not even accept it is dead, and costs its time limit once."""
    calls = []

    async def connect(*_, client_factory, **__):
        calls.append(client_factory)
        if accepts:
            client_factory().connection_made(None)
        if len(calls) == 3:
            return SimpleNamespace(abort=lambda: None)
        raise TimeoutError

    monkeypatch.setattr(asyncssh, "connect", connect)
    (tmp_path / "config").write_text("IdentityFile none\nIdentityAgent none\n")
    logins = Logins(Login(Trust(tmp_path, tmp_path), config=tmp_path / "config"))
    logins._attempts._running = 10

    async def reach():
        async with logins.open(Host("a", "a", "qa", private_address="10.0.0.1", user="me")):
            pass

    with contextlib.nullcontext() if accepts else pytest.raises(LoginError, match="no answer in 10 s"):
        asyncio.run(reach())
    assert len(calls) == times


def test_another_error_is_no_drop():
    refused = Dropping(99, ConnectionRefusedError)
    with pytest.raises(ConnectionRefusedError):
        log_in(refused, others=10)
    assert refused.calls == 1


def test_so_many_logins_are_under_way_at_once():
    async def run():
        found, most = LoginAttempts(30), []

        async def one():
            async with found.one():
                most.append(found._running)
                await asyncio.sleep(0.01)

        await asyncio.gather(*(one() for _ in range(250)))
        return max(most)

    assert asyncio.run(run()) == 64


@pytest.mark.parametrize("error", [ConnectionResetError, BrokenPipeError, asyncssh.ConnectionLost])
def test_whatever_a_drop_looks_like_the_host_is_reached(tmp_path, monkeypatch, error):
    dropping = Dropping(3, error)
    monkeypatch.setattr(asyncssh, "connect", dropping.connect)
    (tmp_path / "config").write_text("IdentityFile none\nIdentityAgent none\n")
    login = Login(Trust(tmp_path, tmp_path), config=tmp_path / "config")

    async def reach():
        async with Logins(login).open(Host("a", "a", "qa", private_address="10.0.0.1", user="me")):
            return dropping.calls

    assert asyncio.run(reach()) == 4
    dropping.drops = 99
    with pytest.raises(LoginError):
        asyncio.run(reach())
