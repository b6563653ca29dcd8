"""Records of applied bundles, stored beside the states, so that every machine sees them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ngp.aws.session import Session
from ngp.environments.resolving import Resolved
from ngp.errors import StaleError
from ngp.runs import units
from ngp.state import storing
from ngp.state.locations import StateLocation
from ngp.state.storing import Encryption

PREFIX = "bundles/"
APPLIED, COMPLETE = ".applied", ".complete"
_USUAL = Encryption()


class UsedError(StaleError):
    """The bundle was applied before. `is_complete` says that nothing of it is left to do."""

    def __init__(self, text: str, *, is_complete: bool) -> None:
        todo = "" if is_complete else "if something is left to do, make a new one: ngp plan ENV --out FILE"
        super().__init__(
            f"the bundle was applied already{_by(text)}", why="a bundle can be applied only once", todo=todo
        )
        self.is_complete = is_complete


@dataclass(frozen=True)
class Uses:
    """The records of one environment. `place` is the location of any of its states."""

    place: StateLocation
    environment: str
    session: Session
    encryption: Encryption = Encryption()

    @classmethod
    def of(cls, resolved: Resolved, session: Session, encryption: Encryption = _USUAL) -> Uses:
        """Return the records of an environment; `encryption` is that of its states."""
        return cls(units.any_place(resolved), resolved.environment.name, session, encryption)

    def require_none(self, digest: str) -> None:
        """Raise UsedError (4) if the bundle was applied before, on any machine."""
        found = storing.fetch(self._note(digest), self.session)
        if found.text:
            raise self._used(digest, found.text)

    def note(self, digest: str, run_id: str) -> None:
        """Record that a run applies the bundle. Only one machine succeeds; the others get UsedError (4)."""
        try:
            self._store(self._note(digest), run_id)
        except StaleError:
            raise self._used(digest, storing.fetch(self._note(digest), self.session).text) from None

    def complete(self, digest: str, run_id: str) -> None:
        """Record that a run applied the whole bundle, if that run recorded its use."""
        used = storing.fetch(self._note(digest), self.session).text
        if used and _run(used) == run_id:
            self._store(self._note(digest, COMPLETE), run_id)

    def _store(self, place: StateLocation, run_id: str) -> None:
        text = json.dumps({"run": run_id, "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")})
        if place.path is not None:
            place.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        storing.store(place, self.session, text, storing.ABSENT, self.encryption)

    def _used(self, digest: str, text: str) -> UsedError:
        done = storing.fetch(self._note(digest, COMPLETE), self.session).text
        return UsedError(text, is_complete=bool(done) and _run(done) == _run(text))

    def _note(self, digest: str, ending: str = APPLIED) -> StateLocation:
        name = f"{digest}{ending}"
        if self.place.path is not None:
            return replace(self.place, path=self.place.path.parent / PREFIX / name)
        return replace(self.place, key=f"{PREFIX}{self.environment}/{name}")


def _by(text: str) -> str:
    try:
        note = json.loads(text)
        return f", by run {note['run']} at {note['at']}"
    except (ValueError, KeyError, TypeError):
        return ""  # truncated: the bundle is used all the same


def _run(text: str) -> str:
    try:
        return str(json.loads(text)["run"])
    except (ValueError, KeyError, TypeError):
        return ""
