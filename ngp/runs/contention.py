"""Explains a lock that stopped a run: its holder, and how to continue."""

from __future__ import annotations

import os
import pwd
import re
import socket
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ngp.errors import Finding
from ngp.runs import locking

if TYPE_CHECKING:
    from ngp.runs.context import RunContext
    from ngp.runs.units import Unit
    from ngp.terraform.results import LockHolder

_CREATED = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)")  # Go's time.String() in UTC


def explain(context: RunContext, unit: Unit, holder: LockHolder, *, duration_s: float) -> Finding:
    """Return how to continue after a lock stopped a call of Terraform that has taken `duration_s`.

    A lock of this user and machine that is younger than the call is most likely its own: S3 wrote it, the answer was
    lost, and Terraform's retry found it. Nobody would ever release it.
    """
    _, because = locking.judge(context.resolved, unit.name, unit.root, holder.who)
    unlock = f"ngp unlock {context.name} {unit.name}"
    by_hand = f"or in {unit.root}: terraform force-unlock {holder.id or 'ID'}"
    if _is_own(holder, time.time() - duration_s):
        return Finding(
            f"its state is locked by {holder}",
            str(unit.place),
            "this run took the lock itself: the backend wrote it, but its answer was lost, so nobody will release it "
            "(unless another Terraform of yours started here at the same moment)",
            f"{unlock}, {by_hand}; then run the command again",
        )
    todo = f"wait until it is released; if its holder is gone: {unlock}, {by_hand}"
    return Finding(f"its state is locked by {holder}", str(unit.place), because, todo)


def _is_own(holder: LockHolder, since: float) -> bool:
    found = _CREATED.match(holder.created)
    if not found or holder.who != _me():
        return False
    created = datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC)
    return created.timestamp() >= int(since)


def _me() -> str:
    """Return this user in the format of Terraform's locks."""
    try:
        return f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}"
    except KeyError:  # a user id without a name
        return f"@{socket.gethostname()}"
