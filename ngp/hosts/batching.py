"""Batches of hosts, and one command on one batch after the other."""

from __future__ import annotations

from collections.abc import Sequence

from ngp.errors import UsageError
from ngp.hosts import remote
from ngp.hosts.host import Host
from ngp.hosts.remote import Emit, HostResult, Options


def divide(hosts: Sequence[Host], size: str) -> list[list[Host]]:
    """Divide hosts by ``5`` or ``10%`` (of all, at least one); "" is one batch. Raises UsageError (64)."""
    number = size.removesuffix("%")
    if size and not (number.isdecimal() and int(number) > 0):
        raise UsageError(
            f"`--batch {size}` is not a valid size", todo="write a number such as 5, or a share such as 10%"
        )
    if not size:
        return [list(hosts)] if hosts else []
    step = max(1, len(hosts) * int(number) // 100) if size.endswith("%") else int(number)
    return [list(hosts[at : at + step]) for at in range(0, len(hosts), step)]


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
