"""Locks of an environment's states: their holders, whether those are alive, and their release."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ngp import files, process_tree
from ngp.errors import LockHeldError, NgpError, UsageError
from ngp.runs import killed, units
from ngp.runs.joint import composition, record
from ngp.state import reading

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.environments.resolving import Resolved
    from ngp.state.locations import StateLocation
    from ngp.state.reading import Holder


@dataclass(frozen=True)
class LockedState:
    """A locked state. `lives` is None if this machine cannot tell whether its holder lives; `because` says why."""

    unit: str
    place: StateLocation
    holder: Holder
    lives: bool | None
    because: str


def collect(resolved: Resolved, session: Session, names: Iterable[str] = ()) -> list[LockedState]:
    """Return the locked states of an environment, or of the named units."""
    chosen, found = set(names), []
    for name, unit in units.collect(resolved).items():
        holder = reading.holder(unit.place, session) if name in chosen or not chosen else None
        if holder is not None:
            lives, because = judge(resolved, name, unit.root, holder.who)
            found.append(LockedState(name, unit.place, holder, lives, because))
    return found


def judge(resolved: Resolved, unit: str, root: Path, who: str) -> tuple[bool | None, str]:
    """Return whether the holder of a unit's lock is alive, and the evidence.

    `who` is Terraform's ``user@host``. The environment's own lock shows a living ngp, the call folders show a Terraform
    that a killed ngp left, and the working folders of processes one that somebody started by hand.
    """
    host = who.rpartition("@")[2]
    if host != socket.gethostname():
        return None, f"it is on another machine: check on {host or 'the holder’s machine'} whether Terraform still runs"
    workspace, name = resolved.platform.workspace, resolved.environment.name
    left = [call for run in killed.find(workspace, name) for call in run.at_work if _is_of(call.about, unit)]
    pids = [pid for call in left for pid in call.pids]
    pids += process_tree.working_in([root, workspace.opentofu(name) / unit])
    if left or pids:
        return True, "Terraform still works on it" + (f" (process {' '.join(map(str, pids))})" if pids else "")
    return False, "no Terraform on this machine is using it"


def release(
    resolved: Resolved, session: Session, unit: str, agree: Callable[[LockedState], bool]
) -> LockedState | None:
    """Release the lock of a unit's state, and return it; None if there is none.

    `agree` is asked once, with the lock. Raises LockHeldError (5) if the holder is alive or another ngp works in the
    environment, NgpError if the answer is no or the holder changed meanwhile.
    """
    known = units.collect(resolved)
    if unit not in known:
        raise UsageError(f"`{resolved.environment.name}` has no unit `{unit}`")
    workspace, name = resolved.platform.workspace, resolved.environment.name
    with files.lock(workspace.lock(name), purpose=f"ngp unlock {name} {unit}"):
        found = next(iter(collect(resolved, session, [unit])), None)
        if found is None:
            return None
        if found.lives:
            raise LockHeldError(
                f"the holder of the lock of `{unit}` is still running: {found.holder}",
                where=str(found.place),
                why=found.because,
                todo="wait until it ends; two processes that write one state lose each other's resources",
            )
        if any(found.holder.id == one.lock for _, run in record.unended(workspace, name) for one in run.units.values()):
            raise LockHeldError(
                f"the lock of `{unit}` belongs to an apply that was killed before it saved the state",
                where=str(found.place),
                todo=f"ngp apply {name} saves the state, then releases the lock",
            )
        if not agree(found):
            raise NgpError("nothing was released", why="you answered no")
        reading.release(found.place, session, found.holder)
        return found


def _is_of(about: str, unit: str) -> bool:
    """Whether a call (``apply swarm``) concerns a unit; one that names no unit may."""
    return about.partition(" ")[2] in ("", unit, composition.NAME)
