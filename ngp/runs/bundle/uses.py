"""Which bundles were applied: noted beside the states, where every machine sees it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ngp.aws.session import Session
from ngp.environments.resolving import Resolved
from ngp.errors import StaleError
from ngp.runs import units
from ngp.state import storing
from ngp.state.places import StatePlace
from ngp.state.storing import Encryption

PREFIX = "bundles/"
APPLIED = ".applied"
_USUAL = Encryption()


@dataclass(frozen=True)
class Uses:
    """The notes of one environment. `place` is that of any of its states."""

    place: StatePlace
    environment: str
    session: Session
    encryption: Encryption = Encryption()

    @classmethod
    def of(cls, resolved: Resolved, session: Session, encryption: Encryption = _USUAL) -> Uses:
        """The notes of an environment; `encryption` is that of its states."""
        return cls(units.any_place(resolved), resolved.environment.name, session, encryption)

    def require_none(self, digest: str) -> None:
        """Raise StaleError (4) where the bundle was applied before, wherever that was."""
        found = storing.fetch(self._note(digest), self.session)
        if found.text:
            raise _used(found.text)

    def note(self, digest: str, run_id: str) -> None:
        """Note that a run applies the bundle; of several machines one can. Raises StaleError (4) for all others."""
        text = json.dumps({"run": run_id, "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")})
        place = self._note(digest)
        if place.path is not None:
            place.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            storing.store(place, self.session, text, storing.ABSENT, self.encryption)
        except StaleError:
            raise _used(storing.fetch(place, self.session).text) from None

    def _note(self, digest: str) -> StatePlace:
        name = f"{digest}{APPLIED}"
        if self.place.path is not None:
            return replace(self.place, path=self.place.path.parent / PREFIX / name)
        return replace(self.place, key=f"{PREFIX}{self.environment}/{name}")


def _used(text: str) -> StaleError:
    try:
        said = json.loads(text)
        by = f", by run {said['run']} at {said['at']}"
    except (ValueError, KeyError, TypeError):
        by = ""  # it was cut off: the bundle was taken all the same
    return StaleError(
        f"the bundle was applied already{by}",
        why="a bundle is applied once",
        todo="make a new one, if something is left to do: ngp plan ENV --out FILE",
    )
