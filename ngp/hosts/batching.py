"""Runs one command on hosts, batch by batch."""

from __future__ import annotations

from collections.abc import Sequence

from ngp.hosts import remote
from ngp.hosts.host import Host
from ngp.hosts.remote import Emit, HostResult, Options


def run(batches: Sequence[Sequence[Host]], command: str, options: Options, emit: Emit) -> list[HostResult]:
    """Run a command on one batch after the other; after a failure with `fail_fast`, or a stop, no batch is begun."""
    results: list[HostResult] = []
    for batch in batches:
        has_failed = options.fail_fast and not all(one.is_good for one in results)
        if has_failed or options.stop.is_set():
            left = [HostResult(host, None, 0.0, remote.NOT_STARTED) for host in batch]
            for result in left:
                emit(result)
            results += left
        else:
            results += remote.run_all(batch, command, options, emit)
    return results
