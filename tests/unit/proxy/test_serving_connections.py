"""What a Terraform process meets behind its socket: its own configuration, its own stop, and nobody else's."""

import asyncio
import json
import os
import stat

import pytest
from grpclib import GRPCError, Status

from ngp import files, processes
from ngp.errors import RefusedError
from ngp.proxy import messages, orders, rpc, schema, wire
from ngp.proxy.server import AttachRequest


def types(answer):
    found = set()
    for field in wire.fields(answer):
        if field.number in messages.SCHEMA_MAPS:
            found.add(wire.first(answer[field.body : field.end], 1).decode())
    return found


def run(work):
    return asyncio.run(asyncio.wait_for(work, 60))


def test_one_process_serves_equal_configurations_and_is_configured_once(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as one, bench.terraform(proxy) as other:
            clients = [one(), one(), other()]
            await asyncio.gather(*(client.ask("ConfigureProvider", b"same") for client in clients))
            return await asyncio.gather(*(client.ask("ReadResource", b"x") for client in clients))

    assert run(work()) == [b"read x"] * 3
    assert len(bench.notes("ConfigureProvider")) == 1
    assert len({pid for pid, _, _ in bench.notes("ReadResource")}) == 1


def test_connections_of_one_terraform_with_other_configurations_have_other_processes(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            here, there = terraform(), terraform()
            await here.ask("ConfigureProvider", b"eu")
            await there.ask("ConfigureProvider", b"us")
            await here.ask("ReadResource", b"in-eu")
            await there.ask("ReadResource", b"in-us")

    run(work())
    configured = {request: pid for pid, _, request in bench.notes("ConfigureProvider")}
    read = {request: pid for pid, _, request in bench.notes("ReadResource")}
    assert configured["eu"] != configured["us"]
    assert read == {"in-eu": configured["eu"], "in-us": configured["us"]}


def test_refused_configuration_is_tried_again_by_the_next(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            return [await terraform().ask("ConfigureProvider", b"refuse") for _ in range(2)]

    first, second = run(work())
    assert messages.has_errors(first)
    assert first == second
    assert len({pid for pid, _, _ in bench.notes("ConfigureProvider")}) == 2


def test_stop_of_one_run_leaves_the_shared_process_to_the_other(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as one, bench.terraform(proxy) as other:
            mine, theirs = one(), other()
            for client in (mine, theirs):
                await client.ask("ConfigureProvider", b"same")
            mine_waits = asyncio.ensure_future(mine.ask("ReadResource", b"sleep mine"))
            theirs_wait = asyncio.ensure_future(theirs.ask("ReadResource", b"sleep theirs"))
            await asyncio.sleep(0.3)
            await mine.ask("StopProvider")
            with pytest.raises(GRPCError) as caught:
                await mine_waits
            assert not theirs_wait.done()
            assert await theirs.ask("ReadResource", b"x") == b"read x"
            theirs_wait.cancel()
            return caught.value.status

    assert run(work()) is Status.CANCELLED
    assert bench.notes("StopProvider") == []
    assert [request for _, _, request in bench.notes("cancelled")][:1] == ["sleep mine"]


def test_stop_of_the_only_user_reaches_the_process_which_then_is_nobody_elses(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as one:
            client = one()
            await client.ask("ConfigureProvider", b"same")
            under_way = asyncio.ensure_future(client.ask("ReadResource", b"sleep"))
            await asyncio.sleep(0.3)
            await client.ask("StopProvider")
            async with bench.terraform(proxy) as other:
                again = other()
                await again.ask("ConfigureProvider", b"same")
                return await under_way

    assert run(work()) == b"stopped"
    assert len({pid for pid, _, _ in bench.notes("ConfigureProvider")}) == 2


def test_packages_have_their_processes_beside_each_other(bench):
    async def work():
        async with bench.proxy(bench.pack("ours/other")) as proxy:
            number, entries = await proxy.attach(AttachRequest(bench.path, ()))
            sockets = [entry["Addr"]["String"] for entry in entries.values()]
            for socket in sockets:
                channel = rpc.channel(socket)
                await rpc.ask(channel, "/tfplugin6.Provider/ConfigureProvider", b"same")
                channel.close()
            pids = len(proxy.pids)
            await asyncio.sleep(0.05)
            await proxy.detach(number, "")
            return len(set(sockets)), pids

    assert run(work()) == (2, 2)


def test_an_apply_has_a_process_of_its_own_which_is_told_to_stop_and_gives_its_answer(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as plan:
            async with bench.terraform(proxy, is_apply=True) as apply:
                planner, applier = plan(), apply()
                for client in (planner, applier):
                    await client.ask("ConfigureProvider", b"same")
                under_way = asyncio.ensure_future(applier.ask("ReadResource", b"sleep"))
                await asyncio.sleep(0.3)
                await applier.ask("StopProvider")
                answer = await under_way
            assert await planner.ask("ReadResource", b"x") == b"read x"
            return answer, len(proxy.pids)

    assert run(work()) == (b"stopped", 1)  # its process has ended with it


def test_crash_is_unavailable_and_the_next_run_has_a_new_process(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as one:
            client = one()
            await client.ask("ConfigureProvider", b"same")
            with pytest.raises(GRPCError) as caught:
                await client.ask("ReadResource", b"crash")
            with pytest.raises(GRPCError) as later:
                await client.ask("ReadResource", b"x")
            async with bench.terraform(proxy) as other:
                again = other()
                await again.ask("ConfigureProvider", b"same")
                assert await again.ask("ReadResource", b"x") == b"read x"
            return caught.value.status, later.value.status

    assert run(work()) == (Status.UNAVAILABLE, Status.CANCELLED)


@pytest.mark.parametrize("configured", [True, False])
def test_last_words_of_a_crashed_provider_come_with_the_end_of_its_terraform(bench, configured):
    async def work():
        async with bench.proxy() as proxy:
            number, entries = await proxy.attach(AttachRequest(bench.path, ()))
            channel = rpc.channel(entries[bench.package.address]["Addr"]["String"])
            if configured:
                await rpc.ask(channel, "/tfplugin6.Provider/ConfigureProvider", b"same")
            with pytest.raises(GRPCError):
                await rpc.ask(channel, "/tfplugin6.Provider/ReadResource", b"crash")
            channel.close()
            return await proxy.detach(number, "GONE")

    lacks, failures, crashes = run(work())
    assert (lacks, failures) == (False, [])
    assert crashes == ["the provider example.test/ours/fake has ended in the middle of a call:\npanic: boom"]


def test_errors_and_streams_pass_as_they_are(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            client = terraform()
            with pytest.raises(GRPCError) as caught:
                await client.ask("ReadResource", b"error")
            path = "/tfplugin6.Provider/ListThings"
            async with client.channel.request(path, rpc._BOTH_WAYS, bytes, bytes) as call:
                await call.send_message(b"a")
                first = [await call.recv_message(), await call.recv_message()]
                await call.send_message(b"b", end=True)
                rest = [message async for message in call]
            return caught.value.status, caught.value.message, first, rest

    assert run(work()) == (Status.RESOURCE_EXHAUSTED, "too much", [b"a", b"a!"], [b"b", b"b!"])


def test_plumbing_never_reaches_the_shared_process(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            client = terraform()
            await client.ask("ConfigureProvider", b"same")
            serving = await rpc.ask(client.channel, "/grpc.health.v1.Health/Check", b"")
            await rpc.ask(client.channel, "/plugin.GRPCController/Shutdown", b"")
            assert await client.ask("ReadResource", b"x") == b"read x"
            with pytest.raises(GRPCError):
                await rpc.ask(client.channel, "/foreign.Service/Method", b"")
            return serving

    assert run(work()) == b"\x08\x01"
    assert bench.notes("Shutdown") == []


def test_schema_is_cut_to_the_words_of_the_texts_and_asked_for_once(bench):
    text = bench.path / "main.tf"
    text.write_text('resource "fake_one" "x" {}')

    async def work():
        async with bench.proxy() as proxy:
            async with bench.terraform(proxy, texts=[text]) as terraform:
                cut = await terraform().ask("GetProviderSchema")
            async with bench.terraform(proxy, texts=[text], whole_schema=True) as terraform:
                whole = await terraform().ask("GetProviderSchema")
            number, _ = await proxy.attach(request(bench, text))
            lacks = await proxy.detach(number, "no schema for fake_two.y")
            number, _ = await proxy.attach(request(bench, text))
            other = await proxy.detach(number, "fake_one.x: it is wrong")
            return cut, whole, lacks, other

    def request(bench, text):
        return AttachRequest(bench.path, (text,))

    cut, whole, lacks, other = run(work())
    assert (types(cut), types(whole)) == ({"fake_one"}, {"fake_one", "fake_two"})
    assert wire.first(cut, 7) is not None  # functions are everybody's
    assert (lacks, other) == ((True, [], []), (False, [], []))
    run(work())
    assert len(bench.notes("GetProviderSchema")) == 1


def test_types_that_a_run_has_met_are_its_own_roots_alone(bench):
    """A pool's proxy serves many runs: what they have met, together, would be the whole schema in the end."""
    one, other = bench.path / "one.tf", bench.path / "other.tf"
    one.write_text("fake_one")
    other.write_text("fake_two")

    async def schema_of(reader, answers, text):
        order = {"order": "attach", "root": str(bench.path), "texts": [str(text)], "is_apply": False}
        reader.feed_data(json.dumps(order | {"whole_schema": False}).encode() + b"\n")
        entries = (await answers.get())["reattach"]
        channel = rpc.channel(entries[bench.package.address]["Addr"]["String"])
        answer = await rpc.ask(channel, "/tfplugin6.Provider/GetProviderSchema", b"")
        channel.close()
        return types(answer)

    async def run_of(proxy, *texts):
        reader, answers = asyncio.StreamReader(), asyncio.Queue()
        conversing = asyncio.ensure_future(orders.serve_orders(proxy, reader, answers.put))
        seen = [await schema_of(reader, answers, text) for text in texts]
        reader.feed_eof()
        await conversing
        return seen

    async def work():
        async with bench.proxy() as proxy:
            return [*await run_of(proxy, one, other), *await run_of(proxy, other)]

    assert run(work()) == [{"fake_one"}, {"fake_one", "fake_two"}, {"fake_two"}]


def test_a_run_whose_ngp_has_gone_keeps_its_providers_until_its_terraform_has_ended(bench):
    """Not until nobody is connected: Terraform is not, between what it asks first and what it does then."""
    calls = bench.path / "calls"
    (calls / "call-1").mkdir(parents=True)

    async def work():
        async with bench.proxy() as proxy:
            number, entries = await proxy.attach(AttachRequest(bench.path, (), calls=calls))
            (entry,) = entries.values()
            with files.lock_folder(calls / "call-1"):
                abandoned = asyncio.ensure_future(proxy.abandon(number))
                await asyncio.sleep(0.5)
                assert not abandoned.done()
                client = rpc.channel(entry["Addr"]["String"])
                await rpc.ask(client, "/tfplugin6.Provider/GetProviderSchema", b"")
                client.close()
            await asyncio.wait_for(abandoned, 10)

    run(work())


def test_nothing_of_a_request_is_held_that_was_answered(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            for _ in range(2):
                await terraform().ask("ValidateResourceConfig", b"wrong hunter2")
            (fleet,) = proxy.fleets
            return repr(fleet._checked), dict(fleet._pending)

    held, pending = run(work())
    assert "hunter2" not in held
    assert pending == {}
    assert len(bench.notes("ValidateResourceConfig")) == 1


def test_pure_answers_are_given_again_without_a_process(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            client = terraform()
            for method in ("ValidateProviderConfig", "ValidateResourceConfig", "GetFunctions"):
                await client.ask(method, b"hunter2")
            wrong = await client.ask("ValidateResourceConfig", b"wrong")
            return messages.has_errors(wrong), len(proxy.pids)

    assert run(work()) == (True, 1)
    before = len(bench.notes())
    assert run(work()) == (True, 1)
    asked = [method for _, method, _ in bench.notes()[before:] if method != "StreamStdio"]
    assert asked == ["ValidateResourceConfig"]  # the wrong one
    for path in bench.cache.iterdir():
        assert b"hunter2" not in path.read_bytes()


def test_a_configured_connection_asks_its_own_process_to_validate(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            client = terraform()
            await client.ask("ConfigureProvider", b"same")
            for _ in range(2):
                await client.ask("ValidateResourceConfig", b"x")

    run(work())
    assert len(bench.notes("ValidateResourceConfig")) == 2


def test_a_spoilt_schema_is_asked_for_again(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy, whole_schema=True) as terraform:
            return types(await terraform().ask("GetProviderSchema"))

    assert run(work()) == {"fake_one", "fake_two"}
    (kept,) = bench.cache.glob("*.schema")
    kept.write_bytes(kept.read_bytes().replace(b"fake_two", b"fake_bad"))
    assert run(work()) == {"fake_one", "fake_two"}
    assert len(bench.notes("GetProviderSchema")) == 2


def test_what_the_provider_is_not_to_know_stays_out_of_its_environment(bench):
    bench.environ |= {
        "TF_VAR_password": "s",
        "TF_TOKEN_app": "t",
        "AWS_REGION": "eu-central-1",
        "PLUGIN_CLIENT_CERT": "c",
    }

    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            return await terraform().environ()

    seen = run(work())
    assert seen["AWS_REGION"] == "eu-central-1"
    assert {"TF_VAR_password", "TF_TOKEN_app", "PLUGIN_CLIENT_CERT"} & seen.keys() == set()


def test_a_process_stands_in_its_root_unless_it_may_be_shared(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            return (await terraform().environ())["CWD"]

    assert run(work()) == str(bench.path)


def test_sockets_are_this_users_alone(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            await terraform().ask("GetFunctions")
            (folder,) = bench.sockets.iterdir()
            return {path.name: stat.S_IMODE(path.lstat().st_mode) for path in (folder, *folder.rglob("*"))}

    modes = run(work())
    assert {mode & 0o077 for name, mode in modes.items() if not name.startswith("plugin")} == {0}
    assert [mode for name, mode in modes.items() if len(name) == 9] == [0o700]  # in which the provider's socket lies


def test_package_that_is_not_the_locked_one_is_not_started(bench):
    (bench.package.folder / "README").write_text("changed")

    async def work():
        async with bench.proxy():
            pass

    with pytest.raises(RefusedError, match="not the one that is locked"):
        run(work())
    assert bench.notes() == []


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("FAKE_START", "dies", "does not want"),
        ("FAKE_PROTOCOL", "4", "protocol 4"),
        ("FAKE_CERTIFICATE", "bm9uZQ", "cannot read the provider's certificate"),
    ],
)
def test_a_provider_that_does_not_start_says_why(bench, name, value, why):
    bench.environ[name] = value

    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy):
            pass

    with pytest.raises(Exception, match=why):
        run(work())


def test_nothing_is_left_when_the_proxy_has_ended(bench):
    async def work():
        async with bench.proxy() as proxy, bench.terraform(proxy) as terraform:
            await terraform().ask("ConfigureProvider", b"same")
            return proxy.pids

    pids = run(work())
    assert pids
    assert not any(processes.is_alive(pid) for pid in pids)
    assert os.getpid() not in pids
    assert list(bench.sockets.glob("*/p*")) == []
    assert schema.words(b"a fake_one.x") == {"a", "fake_one", "x"}
