"""The pool process: accepts commands on its socket, each on its own connection."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from ngp.pool import server
from ngp.proxy.limits import Limits


def main(argv: list[str]) -> None:
    """Serve until the pool is stopped or has been idle too long."""
    workspace, folder, idle_s, memory_bytes, forks = argv
    os.umask(0o077)
    limits = Limits(idle_s=float(idle_s), memory_bytes=int(memory_bytes))
    pool = server.Pool(Path(workspace), Path(folder), limits, forks)
    asyncio.run(pool.serve())


if __name__ == "__main__":
    main(sys.argv[1:])
