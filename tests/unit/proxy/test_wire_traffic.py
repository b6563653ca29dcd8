"""How bytes leave: what belongs together in one piece, and nothing is left behind at the end."""

import asyncio

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


def test_what_was_written_before_the_end_is_sent_before_it():
    async def work(gathering):
        gathering.write(b"last words")
        gathering.close()
        assert gathering.is_closing()

    assert sent(work) == [b"last words", "the end"]
