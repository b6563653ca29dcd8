"""Providers that crash, hang or err while they are started or configured: nobody else pays, and nothing is left."""

import asyncio

import pytest
from grpclib import GRPCError, Status

from ngp import processes
from ngp.proxy import messages
from ngp.proxy.server import AttachRequest


def run(work):
    return asyncio.run(asyncio.wait_for(work, 60))


async def noted(bench, method, times=1):
    while len(bench.notes(method)) < times:
        await asyncio.sleep(0.02)


async def left(proxy, number):
    while len(proxy.pids) != number:
        await asyncio.sleep(0.02)
    return proxy.pids


def ask(client, method, request=b""):
    return asyncio.ensure_future(client.ask(method, request))


def test_a_crashed_process_is_cleared_away_by_the_next_that_wants_one_like_it(bench):
    bench.share()

    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            one, other = terraform(), terraform()
            for client in (one, other):  # the second stays connected, and has the crashed one still
                await client.ask("ConfigureProvider", b"same")
            with pytest.raises(GRPCError):
                await one.ask("ReadResource", b"crash")
            (crashed,) = proxy.pids
            await terraform().ask("ConfigureProvider", b"same")
            with pytest.raises(GRPCError):
                await terraform().ask("ReadResource", b"crash")
            await terraform().ask("ReadResource", b"x")
            return crashed, proxy.pids, len([*bench.sockets.glob("*/p*")])

    crashed, pids, folders = run(work())
    assert crashed not in pids
    assert (len(pids), folders) == (2, 2)  # one for each: configured, and not


def test_a_crashed_process_ends_with_its_last_user(bench):
    bench.share()

    async def work():
        async with bench.proxy() as proxy:
            async with bench.terraform(proxy) as terraform:
                client = terraform()
                await client.ask("ConfigureProvider", b"same")
                with pytest.raises(GRPCError):
                    await client.ask("ReadResource", b"crash")
            return proxy.pids

    assert run(work()) == []


def test_a_configuration_that_ends_in_an_error_leaves_no_process(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            await terraform().ask("GetFunctions")  # the process that is then configured is taken, not started
            for _ in range(2):
                with pytest.raises(GRPCError, match="too much"):
                    await terraform().ask("ConfigureProvider", b"error")
            return proxy.pids

    assert run(work()) == []


def test_stop_reaches_a_process_that_is_being_configured(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            client = terraform()
            under_way = ask(client, "ConfigureProvider", b"hang")
            await noted(bench, "ConfigureProvider")
            await client.ask("StopProvider")
            return messages.has_errors(await under_way)

    assert run(work())
    assert len(bench.notes("StopProvider")) == 1


def test_stop_of_one_that_waits_for_a_configuration_leaves_it_to_the_other(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            one, other = terraform(), terraform()
            mine, theirs = (ask(client, "ConfigureProvider", b"hang") for client in (one, other))
            await noted(bench, "ConfigureProvider")
            await asyncio.sleep(0.1)  # both wait
            await one.ask("StopProvider")
            with pytest.raises(GRPCError) as caught:
                await mine
            assert bench.notes("StopProvider") == []
            assert not theirs.done()
            await other.ask("StopProvider")
            await theirs
            return caught.value.status

    assert run(work()) is Status.CANCELLED
    assert len(bench.notes("StopProvider")) == 1


def test_a_configuration_that_hangs_ends_with_the_last_that_waits_and_is_tried_again(bench):
    bench.share()

    async def work():
        async with bench.proxy() as proxy:
            async with bench.terraform(proxy) as terraform:
                client = terraform()
                under_way = ask(client, "ConfigureProvider", b"deaf")
                await noted(bench, "ConfigureProvider")
                pids = proxy.pids
                client.channel.close()
                await left(proxy, 0)
                await asyncio.gather(under_way, return_exceptions=True)
            async with bench.terraform(proxy) as terraform:
                under_way = ask(terraform(), "ConfigureProvider", b"deaf")
                await noted(bench, "ConfigureProvider", 2)
                under_way.cancel()
            return pids

    (pid,) = run(work())
    assert not processes.is_alive(pid)


@pytest.mark.parametrize("method", ["ConfigureProvider", "ReadResource"])
@pytest.mark.parametrize("by", ["detach", "end"])
def test_a_process_that_is_just_starting_ends_with_the_proxy_or_its_client(bench, method, by):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            await terraform().ask("GetProviderSchema")
        bench.environ["FAKE_START"] = "hangs"
        async with bench.proxy() as proxy:
            number, entries = await proxy.attach(AttachRequest(bench.path, ()))
            (fleet,), (scope,) = proxy.fleets, proxy._attached[number].scopes
            path = "/tfplugin6.Provider/" + method
            if method == "ConfigureProvider":
                asked = asyncio.ensure_future(fleet.configure(fleet.configuration(scope.share_key, path, b"same")))
            else:
                asked = asyncio.ensure_future(fleet.ask(scope.share_key, path, b"x"))
            await noted(bench, "start")
            if by == "end":
                proxy.end()
            await proxy.detach(number, "")
            with pytest.raises(GRPCError):
                await asked
            return proxy.pids

    assert run(work()) == []
    ((pid, _, _),) = bench.notes("start")
    assert not processes.is_alive(int(pid))
    assert list(bench.sockets.glob("*/p*")) == []


def test_an_ended_proxy_starts_nothing_more(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            client = terraform()
            await client.ask("GetProviderSchema")
            proxy.end()
            with pytest.raises(GRPCError, match="has ended"):
                await client.ask("ReadResource", b"x")
            return proxy.pids

    assert run(work()) == []


def test_a_process_that_is_being_configured_is_not_idle(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            under_way = ask(terraform(), "ConfigureProvider", b"deaf")
            await noted(bench, "ConfigureProvider")
            (fleet,) = proxy.fleets
            (one,) = fleet.providers
            idle = fleet.is_idle(one)
            under_way.cancel()
            return idle

    assert not run(work())


def test_a_process_belongs_to_those_that_wait_for_it_from_the_moment_that_it_is_configured(bench):
    """Else another's release in that moment could end it, for one too many that nobody uses."""

    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            await terraform().ask("GetProviderSchema")
            (fleet,), (attachment,) = proxy.fleets, proxy._attached.values()
            wanted = fleet.configuration(
                attachment.scopes[0].share_key, "/tfplugin6.Provider/ConfigureProvider", b"same"
            )
            waiting = asyncio.ensure_future(fleet.configure(wanted))
            await asyncio.sleep(0)  # it waits
            seen = []
            wanted.task.add_done_callback(lambda task: seen.append(fleet.is_idle(task.result().provider)))
            await waiting
            return seen

    assert run(work()) == [False]


def test_of_those_that_nobody_uses_the_ones_that_idled_longest_are_ended(bench):
    bench.share()

    async def work():
        async with bench.proxy() as proxy:
            async with bench.terraform(proxy) as terraform:
                clients = [terraform() for _ in range(5)]
                for number, client in enumerate(clients):
                    await client.ask("ConfigureProvider", b"%d" % number)
                pids = proxy.pids
                await clients[0].ask("ReadResource", b"x")  # the first one was used last
            return pids, proxy.pids

    pids, kept = run(work())
    assert kept == [pids[0], *pids[2:]]
