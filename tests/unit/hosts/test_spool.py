"""The spool of piped input, without a host."""

import asyncio
import os
import threading
import time

from ngp.hosts import spooling
from ngp.hosts.spooling import Spool

PIECE = b"y\n" * 32 * 1024


class Endless:
    """A writer that never ends, such as ``yes``, and how many bytes somebody took from it."""

    def __init__(self):
        self.source, self._target = os.pipe()
        self.taken = 0
        threading.Thread(target=self._write, daemon=True).start()

    def _write(self):
        try:
            while True:
                self.taken += os.write(self._target, PIECE)
        except OSError:
            pass

    def settled(self):
        """Return what was taken once nobody takes more."""
        before, count = -1, 0
        while (before != self.taken or count < 3) and self.taken < 10**8:
            before, count = self.taken, count + 1 if before == self.taken else 0
            time.sleep(0.05)
        return before


async def _take(spool, least):
    count = 0
    async for piece in spool.pieces():
        assert piece == PIECE[count % 2 :][: len(piece)]
        count += len(piece)
        if count >= least:
            return count
    return count


def test_an_endless_input_fills_no_disk_before_anybody_reads_it(tmp_path):
    endless = Endless()
    limit = spooling._AHEAD + 1024**2
    with Spool(endless.source, tmp_path) as spool:
        assert spooling._AHEAD <= endless.settled() < limit
        fast = asyncio.run(_take(spool, 20 * 1024**2))
        assert fast < endless.settled() < fast + limit
        assert asyncio.run(_take(spool, fast)) >= fast  # one that begins late misses nothing
    os.close(endless.source)
