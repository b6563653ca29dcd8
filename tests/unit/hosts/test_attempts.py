"""Logins that are slow or dropped are tried again: how often, how many at the same time, and for how long.

Time passes at once here: `Clock` moves on to what the loop waits for, so fleets of 500 hosts take no time.
"""

import asyncio
import contextlib
import selectors
from collections import Counter
from types import SimpleNamespace

import asyncssh
import pytest

from ngp.hosts import login_failures
from ngp.hosts.attempts import LoginAttempts, SlowLoginError
from ngp.hosts.host import Host
from ngp.hosts.login_failures import LoginError
from ngp.hosts.logins import Login, Logins
from ngp.hosts.trust import Trust


class Clock(asyncio.SelectorEventLoop):
    """A loop that does not wait."""

    def __init__(self):
        self.now, real = 0.0, selectors.SelectSelector()
        super().__init__(real)
        select = real.select

        def move_on(timeout=None):
            if found := select(None if timeout is None else 0):
                return found
            self.now += timeout or 0
            return []

        real.select = move_on

    def time(self):
        return self.now


def run(work):
    with asyncio.Runner(loop_factory=Clock) as runner:
        return runner.run(work)


class Fleet:
    """Hosts that behave all alike; counts the attempts of each and how many are under way."""

    limit_s = 10.0

    def __init__(self, behave):
        self.behave, self.attempts, self.under_way, self.most = behave, Counter(), 0, 0

    async def connect(self, address, *, client_factory, **_):
        self.attempts[address] += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            client_factory().connection_made(None)
            async with asyncio.timeout(self.limit_s):
                await self.behave(self.attempts[address])
            return SimpleNamespace(abort=lambda: None)
        finally:
            self.under_way -= 1


async def hang(attempt):
    await asyncio.sleep(3600)


async def slow_at_first(attempt):
    await asyncio.sleep(3600 if attempt == 1 else 0.5)


async def drop(attempt):
    raise asyncssh.ConnectionLost("dropped")


def reach(fleet, monkeypatch, number, parallelism, *, jump="", proxy=(), patience_s=60.0):
    """Log in to so many hosts; return how many are reached, the longest time of one of them, and the time in all."""
    fleet.limit_s = min(10.0, patience_s)
    monkeypatch.setattr(asyncssh, "connect", fleet.connect)

    async def checked(*_):
        return {}

    async def open_jump_host(*_):
        return SimpleNamespace(is_closed=lambda: False)

    async def reach_all():
        found = Logins(Login(Trust(None, None), patience_s=patience_s))
        monkeypatch.setattr(Logins, "checked", checked)
        monkeypatch.setattr(Logins, "_bastion", open_jump_host)
        gate, loop, spent = asyncio.Semaphore(parallelism), asyncio.get_running_loop(), []

        async def one(place):
            host = Host("a", "a", "qa", private_address=f"10.0.{place // 250}.{place % 250}")
            async with gate:
                began = loop.time()
                with contextlib.suppress(TimeoutError, asyncssh.Error):
                    await found._connect(host, SimpleNamespace(proxy_command=proxy, username="me"), jump)
                    return True
                spent.append(loop.time() - began)
                return False

        made = sum(await asyncio.gather(*(one(place) for place in range(number))))
        return made, max(spent, default=0.0), loop.time()

    return run(reach_all())


@pytest.mark.parametrize("parallelism", [1, 10, 32, 500])
@pytest.mark.parametrize("jump", ["", "bastion"])
def test_hosts_that_are_slow_the_first_time_are_all_reached(monkeypatch, parallelism, jump):
    fleet = Fleet(slow_at_first)
    made, *_ = reach(fleet, monkeypatch, 500, parallelism, jump=jump)
    assert (made, {*fleet.attempts.values()}) == (500, {2})
    assert fleet.most == min(parallelism, 10 if jump else 64)


@pytest.mark.parametrize("parallelism", [1, 10, 32, 500])
def test_hosts_that_hang_cost_their_limit_twice(monkeypatch, parallelism):
    fleet = Fleet(hang)
    made, _, seconds = reach(fleet, monkeypatch, 500, parallelism)
    assert (made, {*fleet.attempts.values()}) == (0, {2})
    rounds = -(-500 // min(parallelism, 64))
    assert seconds < rounds * (2 * 10 + 1)


def test_a_time_limit_of_the_user_covers_all_attempts(monkeypatch):
    """`--timeout 3 -j 200`; 64 hosts at the same time take four rounds."""
    fleet = Fleet(hang)
    made, longest, _ = reach(fleet, monkeypatch, 200, 200, patience_s=3)
    assert (made, {*fleet.attempts.values()}, longest <= 4 * 3) == (0, {1}, True)
    _, longest, _ = reach(fleet, monkeypatch, 1, 1, patience_s=15)
    assert longest <= 15
    _, longest, _ = reach(Fleet(drop), monkeypatch, 64, 64, patience_s=15)
    assert longest <= 15


def test_a_proxy_command_accepts_a_dead_host_too(monkeypatch):
    """As `aws ssm start-session` does: the host may be dead, so it costs its limit once."""
    hanging, dropping = Fleet(hang), Fleet(drop)
    reach(hanging, monkeypatch, 100, 32, proxy=("aws", "ssm"))
    assert {*hanging.attempts.values()} == {1}
    reach(dropping, monkeypatch, 100, 32, proxy=("aws", "ssm"))
    assert {*dropping.attempts.values()} == {4}


@pytest.mark.parametrize("parallelism", [10, 32, 500])
def test_hosts_behind_one_busy_sshd_are_all_reached(monkeypatch, parallelism):
    """As MaxStartups: a sshd behind all these addresses drops what comes while it has enough."""

    async def behave(attempt):
        if fleet.under_way > 5:
            raise asyncssh.ConnectionLost("dropped")
        await asyncio.sleep(0.2)

    fleet = Fleet(behave)
    made, *_ = reach(fleet, monkeypatch, 200, parallelism)
    assert made == 200


def test_hosts_that_drop_every_login_cost_their_time_for_a_minute_only(monkeypatch):
    """While no login is made at all, a drop soon counts again."""
    fleet = Fleet(drop)
    _, longest, seconds = reach(fleet, monkeypatch, 500, 32)
    assert longest <= 60
    assert seconds < 60 + 60 + 500 / 32 * 6
    assert sorted(fleet.attempts.values())[400] == 4


class Dropping:
    """Connects after `drops` lost connections."""

    def __init__(self, drops, error=ConnectionResetError):
        self.drops, self.error, self.calls = drops, error, 0

    async def connect(self, *_, **__):
        self.calls += 1
        if self.calls <= self.drops:
            raise self.error("lost")
        return SimpleNamespace(abort=lambda: None)


def log_in(dropping, others=0):
    """Log in while others are wanted."""

    async def one():
        found = LoginAttempts(60.0)
        waiting = [asyncio.ensure_future(found.repeat(lambda _: asyncio.sleep(3600), ())) for _ in range(others)]
        await asyncio.sleep(0)
        try:
            return await found.repeat(dropping.connect, (ConnectionResetError,))
        finally:
            for task in waiting:
                task.cancel()

    return run(one())


def test_a_host_alone_that_drops_every_login_is_given_up_after_four():
    sound, dead = Dropping(3), Dropping(99)
    assert log_in(sound)
    with pytest.raises(ConnectionResetError):
        log_in(dead)
    assert (sound.calls, dead.calls) == (4, 4)


def test_a_drop_beside_other_logins_does_not_count_but_the_time_ends():
    busy, dead = Dropping(12), Dropping(10**9)
    assert log_in(busy, others=1)
    assert busy.calls == 13
    with pytest.raises(ConnectionResetError):
        log_in(dead, others=1)
    assert 4 < dead.calls < 60


@pytest.mark.parametrize("others", [0, 10])
def test_a_slow_login_is_tried_twice(others):
    dead, sound = Dropping(99, SlowLoginError), Dropping(1, SlowLoginError)
    with pytest.raises(SlowLoginError):
        log_in(dead, others)
    assert log_in(sound, others)
    assert (dead.calls, sound.calls) == (2, 2)


def test_another_error_is_no_drop():
    refused = Dropping(99, ConnectionRefusedError)
    with pytest.raises(ConnectionRefusedError):
        log_in(refused, others=10)
    assert refused.calls == 1


@pytest.fixture
def login(tmp_path):
    (tmp_path / "config").write_text("IdentityFile none\nIdentityAgent none\nHost 10.0.1.*\n  ProxyJump 10.0.2.1\n")
    return Login(Trust(tmp_path, tmp_path), config=tmp_path / "config")


def open_once(login, address="10.0.0.1", found=None):
    async def reach_one():
        async with (found or Logins(login)).open(Host("a", "a", "qa", private_address=address, user="me")):
            pass

    return asyncio.run(reach_one())


@pytest.fixture
def short_pauses(monkeypatch):
    monkeypatch.setattr("ngp.hosts.attempts._PAUSE_S", 0.001)


@pytest.mark.parametrize(
    ("accepts", "why", "times"),
    [(True, "sshd accepted the connection but did not finish the login in 10 s", 2), (False, "no answer in 10 s", 1)],
)
def test_only_a_host_that_accepted_the_connection_is_slow(login, monkeypatch, short_pauses, accepts, why, times):
    """One that does not even accept it is dead, and costs its time limit once."""
    calls = []

    async def connect(*_, client_factory, **__):
        calls.append(client_factory)
        if accepts:
            client_factory().connection_made(None)
        raise TimeoutError

    monkeypatch.setattr(asyncssh, "connect", connect)
    with pytest.raises(LoginError) as caught:
        open_once(login)
    assert (str(caught.value), len(calls)) == (why, times)


def test_a_slow_jump_host_is_tried_again_and_takes_a_slot(login, monkeypatch, short_pauses):
    calls, free, found = [], [], Logins(login)

    async def connect(address, *, client_factory, **__):
        calls.append(address)
        free.append(found._attempts._slots._value)
        client_factory().connection_made(None)
        if calls == ["10.0.2.1"] or len(calls) > 3:
            raise TimeoutError
        return SimpleNamespace(abort=lambda: None, is_closed=lambda: False)

    monkeypatch.setattr(asyncssh, "connect", connect)
    open_once(login, "10.0.1.1", found)
    assert free == [63] * 3
    assert calls == ["10.0.2.1", "10.0.2.1", "10.0.1.1"]
    with pytest.raises(LoginError, match=r"the jump host 10\.0\.2\.1: sshd accepted the connection but did not finish"):
        open_once(login, "10.0.1.1")
    assert calls[3:] == ["10.0.2.1"] * 2


def test_a_jump_host_that_drops_every_login_is_given_up_after_four(login, monkeypatch, short_pauses):
    """The hosts behind it log in to nothing meanwhile, so they do not excuse it."""
    dropping = Dropping(99)
    monkeypatch.setattr(asyncssh, "connect", dropping.connect)
    with pytest.raises(LoginError, match="cannot connect through the jump host"):
        open_once(login, "10.0.1.1")
    assert dropping.calls == 4


@pytest.mark.parametrize("error", [ConnectionResetError, BrokenPipeError, asyncssh.ConnectionLost])
def test_whatever_a_drop_looks_like_the_host_is_reached(login, monkeypatch, short_pauses, error):
    dropping = Dropping(3, error)
    monkeypatch.setattr(asyncssh, "connect", dropping.connect)
    open_once(login)
    assert dropping.calls == 4
    dropping.drops = 99
    with pytest.raises(LoginError):
        open_once(login)


def test_seconds_are_written_in_full():
    assert login_failures.reason(TimeoutError(), 0.5, has_key=False)[0] == "no answer in 0.5 s"
