"""How bytes leave: what belongs together in one piece, and nothing is left behind at the end."""

import asyncio

import pytest

from ngp.proxy import rpc


class Ledger(asyncio.Transport):
    """Writes down in which pieces it is given what it is to send."""

    def __init__(self):
        super().__init__()
        self.sent = []

    def write(self, data):
        self.sent.append(data)

    def close(self):
        self.sent.append("the end")

    def is_closing(self):
        return "the end" in self.sent


def sent(work):
    """What a transport is given while `work(gathering)` goes on, and in the step after it."""
    ledger = Ledger()

    async def go():
        await work(rpc.Gathering(ledger))
        await asyncio.sleep(0)

    asyncio.run(go())
    return ledger.sent


def test_what_one_step_writes_is_sent_in_one_piece():
    async def work(gathering):
        for part in (b"head", b"body", b"trailer"):
            gathering.write(part)
        await asyncio.sleep(0)
        gathering.write(b"next")

    assert sent(work) == [b"headbodytrailer", b"next"]


def test_a_large_answer_goes_on_its_way_while_it_is_written():
    parts = []

    async def work(gathering):
        for _ in range(100):
            gathering.write(b"x" * 10_000)
        parts.append(len(gathering._transport.sent))

    whole = sent(work)
    assert parts[0] > 10
    assert max(map(len, whole)) < 100_000
    assert sum(map(len, whole)) == 1_000_000


def test_both_ends_of_a_call_gather_what_they_write(tmp_path):
    async def echo(_, stream):
        await stream.send_message(await stream.recv_message())

    async def go():
        server = await rpc.listen(tmp_path / "s", lambda: (echo, lambda: None))
        channel = rpc.channel(str(tmp_path / "s"))
        writes.clear()
        assert await rpc.ask(channel, "/tfplugin5.Provider/ReadResource", b"all of it") == b"all of it"
        channel.close()
        server.close()

    writes = []
    with pytest.MonkeyPatch.context() as patch:
        send = rpc.Gathering._send
        patch.setattr(rpc.Gathering, "_send", lambda self: (writes.append(bytes(self._written)), send(self))[1])
        asyncio.run(go())
    with_body = [each for each in writes if b"all of it" in each]
    assert len(with_body) == 2  # a request and an answer, each with its head
    assert all(len(each) > 40 for each in with_body)


def test_what_was_written_before_the_end_is_sent_before_it():
    async def work(gathering):
        gathering.write(b"last words")
        gathering.close()
        assert gathering.is_closing()

    assert sent(work) == [b"last words", "the end"]
