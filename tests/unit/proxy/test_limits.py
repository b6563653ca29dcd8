"""What nobody uses does not run for ever, and does not fill the memory."""

import asyncio
import mmap
import os

import pytest

from ngp import processes
from ngp.proxy import eviction, limits
from ngp.proxy.limits import Limits


def run(work):
    return asyncio.run(asyncio.wait_for(work, 60))


@pytest.fixture(autouse=True)
def shared(bench):
    bench.share()  # so that a process outlives the Terraform that it was started for


async def configure(proxy, bench, *configurations):
    async with bench.terraform(proxy) as terraform:
        for one in configurations:
            await terraform().ask("ConfigureProvider", one)
        return proxy.pids


def test_processes_that_have_idled_too_long_are_ended(bench):
    async def work():
        async with bench.proxy() as proxy:
            pids = await configure(proxy, bench, b"eu", b"us")
            await eviction.enforce(proxy.fleets, Limits(idle_s=60))
            assert proxy.pids == pids
            await eviction.enforce(proxy.fleets, Limits(idle_s=0))
            return pids, proxy.pids

    pids, left = run(work())
    assert (len(pids), left) == (2, [])
    assert not any(map(processes.is_alive, pids))


def test_a_process_in_use_is_never_ended_for_a_limit(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            client = terraform()
            await client.ask("ConfigureProvider", b"eu")
            await eviction.enforce(proxy.fleets, Limits(idle_s=0, memory_bytes=0))
            return await client.ask("ReadResource", b"x")

    assert run(work()) == b"read x"


def test_too_much_memory_ends_those_that_have_idled_longest(bench, monkeypatch):
    monkeypatch.setattr(eviction, "_SETTLED_S", 0)

    async def work():
        async with bench.proxy() as proxy:
            first, second = await configure(proxy, bench, b"eu", b"us")
            sizes = limits.memory([first, second])
            await eviction.enforce(proxy.fleets, Limits(memory_bytes=sizes[second] + 1))
            return first, second, proxy.pids

    first, second, left = run(work())
    assert left == [second]
    assert not processes.is_alive(first)


def test_one_that_was_ended_is_started_again_for_the_next(bench):
    async def work():
        async with bench.proxy() as proxy:
            before = await configure(proxy, bench, b"eu")
            await eviction.enforce(proxy.fleets, Limits(idle_s=0))
            return before, await configure(proxy, bench, b"eu")

    before, after = run(work())
    assert len(before) == len(after) == 1
    assert before != after


def test_memory_is_told_in_bytes_and_the_dead_are_left_out():
    found = limits.memory([os.getpid(), 2**22 + 1])
    assert [*found] == [os.getpid()]
    assert 10 << 20 < found[os.getpid()] < 10 << 30


def test_what_is_mapped_from_a_file_is_not_counted(tmp_path):
    before = limits.memory([os.getpid()])[os.getpid()]
    path = tmp_path / "big"
    path.write_bytes(bytes(64 << 20))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert sum(mapped[at] for at in range(0, len(mapped), 4096)) == 0
        assert limits.memory([os.getpid()])[os.getpid()] - before < 16 << 20


def test_without_proc_ps_tells_the_same(monkeypatch):
    own = os.getpid()
    told = limits._by_ps([own])[own]
    assert told >= limits.memory([own])[own] // 2
    assert limits._by_ps([]) == {}
