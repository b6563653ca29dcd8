"""What a state's lock that is held means for a run, and the way out."""

from __future__ import annotations

import os
import pwd
import re
import socket
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ngp.errors import Finding

if TYPE_CHECKING:
    from ngp.runs.context import RunContext
    from ngp.runs.units import Unit
    from ngp.terraform.results import LockHolder

_CREATED = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)")  # Go's time.String() in UTC


def explain(context: RunContext, unit: Unit, holder: LockHolder, *, duration_s: float) -> Finding:
    """Return what to do about a lock that stopped a call of Terraform, which took `duration_s` until now.

    A lock of this user and machine that is younger than the call is most likely its own: S3 wrote it, and the answer
    was lost, so Terraform tried again and met itself. Nobody would ever release it.
    """
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
    return Finding(f"its state is locked by {holder}", str(unit.place), todo=todo)


def _is_own(holder: LockHolder, since: float) -> bool:
    found = _CREATED.match(holder.created)
    if not found or holder.who != _me():
        return False
    created = datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC)
    return created.timestamp() >= int(since)


def _me() -> str:
    """Return this user as Terraform writes it into a lock."""
    try:
        return f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}"
    except KeyError:  # a user id without a name
        return f"@{socket.gethostname()}"
