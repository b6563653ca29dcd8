"""The states of an environment: their locations and contents, unit by unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ngp.errors import Finding, MissingError, NgpError, RefusedError
from ngp.runs import duplicate_states, orphans, ownership, units
from ngp.runs.events import Note
from ngp.state import reading
from ngp.terraform import lockfile, states
from ngp.terraform.binary import OPENTOFU_REGISTRY, TERRAFORM_REGISTRY

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.environments.resolving import Resolved
    from ngp.runs.context import RunContext
    from ngp.runs.units import Unit
    from ngp.state.locations import StateLocation
    from ngp.state.reading import Holder


@dataclass(frozen=True)
class UnitState:
    """The state of a unit, None if it has none yet. `holder` holds its lock.

    `problem` says why the state cannot be read or does not belong to the unit; `findings` add the fix.
    """

    unit: str
    place: StateLocation
    state: states.State | None
    holder: Holder | None
    problem: str = ""
    is_declared: bool = True  # else an orphan
    findings: tuple[Finding, ...] = ()


def collect(resolved: Resolved, session: Session) -> Mapping[str, UnitState]:
    """Return every state of the environment, by unit (one, ``root``, with `state: single`), then those of no unit."""
    declared = {
        name: _checked(resolved, session, unit, _fact(name, unit.place, session))
        for name, unit in units.collect(resolved).items()
    }
    left = {
        name: replace(_fact(name, place, session), is_declared=False)
        for name, place in orphans.find(resolved, session).items()
    }
    return {**declared, **left}


def require_readable(context: RunContext, unit: Unit, state: states.State) -> None:
    """Raise NgpError if Terraform would read a state of OpenTofu; warn if OpenTofu reads one of Terraform.

    Each completes ``hashicorp/aws`` with its own registry and writes that into the state. OpenTofu accepts Terraform's;
    Terraform does not accept OpenTofu's (both tried).
    """
    if context.terraform.binary.is_opentofu:
        if any(one.startswith(f"{TERRAFORM_REGISTRY}/") for one in state.providers):
            context.emit(
                Note(f"{unit.name}: Terraform wrote its state; an apply with OpenTofu makes it an OpenTofu state")
            )
        return
    locked = {one.address for one in lockfile.load(context.resolved.platform.path / lockfile.NAME)}
    for address in sorted(state.providers - locked):
        if address.startswith(f"{OPENTOFU_REGISTRY}/"):
            ours = address.replace(OPENTOFU_REGISTRY, TERRAFORM_REGISTRY)
            raise NgpError(
                f"the state of `{unit.name}` was written by OpenTofu",
                where=str(unit.place),
                why=f"it names the provider {address}, which Terraform does not have",
                todo="set `terraform: tofu` in ngp.yaml; or, to stay with Terraform, hand the state over: in "
                f"{unit.root}: terraform init (it complains), then terraform state replace-provider {address} {ours}",
            )


def _checked(resolved: Resolved, session: Session, unit: Unit, fact: UnitState) -> UnitState:
    """Return the state with a problem if it belongs to another unit or environment."""
    if fact.state is None:
        return fact
    try:
        ownership.require_own(unit, fact.state)
        duplicate_states.require_single(resolved, session, unit, fact.state)
    except RefusedError as error:
        return replace(fact, problem=str(error), findings=error.findings)
    return fact


def _fact(name: str, place: StateLocation, session: Session) -> UnitState:
    holder = reading.holder(place, session)
    try:
        state = reading.load(place, session)
    except MissingError:
        raise  # credentials, network, bucket: this concerns all units
    except NgpError as error:
        return UnitState(name, place, None, holder, str(error), findings=error.findings)
    return UnitState(name, place, state, holder)
