"""The lock of a deploy, on every host that it changes.

It lies on the hosts, not beside the states: whoever deploys reaches the hosts, from a platform, from a folder that has
none, by another checkout or another account's credentials; a lock elsewhere would hold for some of them only. Every
step checks on its host that the lock is still its own, so a lock that was taken over stops the deploy that lost it.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from ngp.errors import Finding, LockHeldError, NgpError
from ngp.hosts.host import Host
from ngp.packages import fleet, scripts
from ngp.packages.fleet import CommandResult, Run
from ngp.packages.scripts import Claim

Warn = Callable[[Finding], None]
_ID = re.compile(r"\w{1,32}", re.ASCII)  # a person pastes it into a shell; what a host says may be anything


def _ignore(*_: object) -> None:
    """Nobody reads what giving a lock back prints."""


@contextmanager
def hold(hosts: Sequence[Host], claim: Claim, run: Run, steal: str = "", warn: Warn = _ignore) -> Iterator[None]:
    """Hold the lock of all hosts, or of none. `warn` gets a finding for each lock that cannot be given back.

    Raises LockHeldError (5) with who holds one that is not free, NgpError where a host cannot be asked.
    """
    taken, lost = list(hosts), list[Host]()  # all, where the answers are lost
    try:
        heard = _Lines()
        results = run(hosts, scripts.take(claim, steal), heard.add)
        taken = [each.host for each in results if fleet.is_good(each)]
        lost = [each.host for each in results if each.exit is None]  # it may have been taken before the answer was lost
        _require_all(results, heard)
        yield
    finally:
        with suppress(NgpError):
            _give_back([*taken, *lost], taken, claim, run, warn)


def _give_back(hosts: Sequence[Host], taken: Sequence[Host], claim: Claim, run: Run, warn: Warn) -> None:
    """Release locks, with a second attempt; report those that certainly stay."""
    left = _release(hosts, claim, run)
    left = _release([each.host for each in left], claim, run) if left else []
    for each in left:
        if each.host in taken:
            why = "one of its steps is still running there" if each.exit == scripts.LOCKED else fleet.reason(each)
            todo = f"wait until the step ends; to take over the lock: --accept-lock {claim.id}"
            warn(Finding("cannot release the lock of this deploy", where=each.host.name, why=why, todo=todo))


def _release(hosts: Sequence[Host], claim: Claim, run: Run) -> list[CommandResult]:
    """Give locks back; return the results of the hosts that keep theirs."""
    results = run(hosts, scripts.release(claim), _ignore)
    return [each for each in results if not fleet.is_good(each)]


def _require_all(results: Sequence[CommandResult], heard: _Lines) -> None:
    held = [_held(each, heard) for each in results if each.exit == scripts.LOCKED and not each.problem]
    if held:
        raise LockHeldError(held)
    failed = [each for each in results if not fleet.is_good(each)]
    if failed:
        raise NgpError([_unreached(each, heard) for each in failed])


def _held(result: CommandResult, heard: _Lines) -> Finding:
    fields = next((line.split("\t") for line in heard.of(result.host) if line.startswith(scripts.HELD)), [])
    _, number, who, action, since, *_ = [*fields, *[""] * 5]
    if not number:
        what = "a step of another deploy is still running, but nobody holds the lock"
        return Finding(what, where=result.host.name, todo="wait until it ends, then run the command again")
    todo = f"wait until it ends; if {who}'s ngp no longer runs, take over its lock: --accept-lock {number}"
    if not _ID.fullmatch(number):
        todo = f"wait until it ends; ngp did not write this lock: check {scripts.FOLDER}/deploy.lock on the host"
    return Finding(
        f"{who} has been deploying here since {since} ({action} {number})",
        where=result.host.name,
        todo=todo,
    )


def _unreached(result: CommandResult, heard: _Lines) -> Finding:
    printed = [line for line in heard.of(result.host) if not line.startswith(scripts.HELD)]
    return Finding(
        "cannot lock this host, so nothing was deployed to any host",
        where=result.host.name,
        why="; ".join([*printed[-2:], fleet.reason(result)]),
        todo=result.todo or "check that `sudo -n true` works on the host and that its disk is not full",
    )


class _Lines:
    """Lines of each host."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def add(self, host: Host, line: str) -> None:
        with self._lock:
            self._found.setdefault(host.id, []).append(line)

    def of(self, host: Host) -> list[str]:
        return self._found.get(host.id, [])


def new_claim(action: str) -> Claim:
    """Return a new claim of this user on this machine, with its own id."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = str(os.getuid())
    return Claim(uuid.uuid4().hex[:8], f"{user}@{socket.gethostname()}", action)
