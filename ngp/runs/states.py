"""Where the states of an environment lie and what they hold, unit by unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ngp.runs import units
from ngp.state import reading
from ngp.terraform import states

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.environments.resolving import Resolved
    from ngp.state.places import StatePlace
    from ngp.state.reading import Holder


@dataclass(frozen=True)
class StateFact:
    """`state` is None where the unit has none yet; `holder` is who holds its lock."""

    unit: str
    place: StatePlace
    state: states.State | None
    holder: Holder | None


def collect(resolved: Resolved, session: Session) -> Mapping[str, StateFact]:
    """Every state of the environment, by unit (one, ``root``, with `state: single`)."""
    return {name: _fact(name, unit.place, session) for name, unit in units.collect(resolved).items()}


def _fact(name: str, place: StatePlace, session: Session) -> StateFact:
    text = reading.read(place, session)
    state = None if text is None else states.parse(text, where=str(place))
    return StateFact(name, place, state, reading.holder(place, session))
