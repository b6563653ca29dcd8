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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from ngp.errors import Finding, LockHeldError, NgpError
from ngp.hosts.host import Host
from ngp.packages import fleet, scripts
from ngp.packages.fleet import Result, Run
from ngp.packages.scripts import Claim

_ID = re.compile(r"\w{1,32}", re.ASCII)  # a person pastes it into a shell; what a host says may be anything


@contextmanager
def hold(hosts: Sequence[Host], claim: Claim, run: Run, steal: str = "") -> Iterator[None]:
    """Hold the lock of all hosts, or of none.

    Raises LockHeldError (5) with who holds one that is not free, NgpError where a host cannot be asked.
    """
    taken: Sequence[Host] = hosts  # all, where the answers are lost
    try:
        heard = _Lines()
        results = run(hosts, scripts.take(claim, steal), heard.add)
        taken = [each.host for each in results if fleet.is_good(each) or each.exit is None]
        _require_all(results, heard)
        yield
    finally:
        with suppress(NgpError):  # a host that is gone has no lock that anybody meets
            run(taken, scripts.release(claim), _ignore)


def _require_all(results: Sequence[Result], heard: _Lines) -> None:
    held = [_held(each, heard) for each in results if each.exit == scripts.LOCKED and not each.problem]
    if held:
        raise LockHeldError(held)
    failed = [each for each in results if not fleet.is_good(each)]
    if failed:
        raise NgpError([_unreached(each, heard) for each in failed])


def _held(result: Result, heard: _Lines) -> Finding:
    fields = next((line.split("\t") for line in heard.of(result.host) if line.startswith(scripts.HELD)), [])
    _, number, who, action, since, *_ = [*fields, *[""] * 5]
    if not number:
        what = "a step of a deploy still runs there, though nobody holds the lock"
        return Finding(what, where=result.host.name, todo="wait until it ends, then run the command again")
    todo = f"wait until it ends; if {who}'s ngp is gone, --accept-lock {number} takes its lock over"
    if not _ID.fullmatch(number):
        todo = f"wait until it ends; its id is none of ngp's: look at {scripts.FOLDER}/deploy.lock there"
    return Finding(
        f"{who} deploys here since {since} ({action} {number})",
        where=result.host.name,
        todo=todo,
    )


def _unreached(result: Result, heard: _Lines) -> Finding:
    said = [line for line in heard.of(result.host) if not line.startswith(scripts.HELD)]
    return Finding(
        "the lock cannot be taken, so nothing was changed anywhere",
        where=result.host.name,
        why="; ".join([*said[-2:], fleet.reason(result)]),
        todo=result.todo or "check that `sudo -n true` works there, and that its disk is not full",
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


def _ignore(_host: Host, _line: str) -> None:
    """Nobody reads what giving a lock back prints."""


def new_claim(action: str) -> Claim:
    """Return a claim of this user on this machine, with an id of its own."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = str(os.getuid())
    return Claim(uuid.uuid4().hex[:8], f"{user}@{socket.gethostname()}", action)
