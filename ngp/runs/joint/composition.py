"""The joint root: the units of a run in one Terraform root, over their joined states.

It is in a shadow tree of the platform, at the same relative path to its (copied) modules as the units' own roots, so
addresses and `path.module` are the same in both.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ngp.aws.session import Session
from ngp.errors import MissingError, NgpError
from ngp.rendering import exact, roots
from ngp.runs import copies, duplicate_states, leftovers, preview, wires
from ngp.runs.context import RunContext
from ngp.runs.expected_outputs import ExpectedOutputs
from ngp.runs.graph import Needs
from ngp.runs.joint import choosing, edges, states
from ngp.runs.joint.partition import Partition
from ngp.runs.joint.states import Document
from ngp.runs.units import SINGLE, Unit
from ngp.state import storing
from ngp.state.locations import StateLocation
from ngp.state.storing import Stored
from ngp.terraform import driver
from ngp.terraform import states as values

NAME = "_all"  # in place of a unit's name, which cannot begin with an underscore
PLAN = "plan.bin"
_READERS = 8
T = TypeVar("T")


class ApartError(Exception):
    """Some units cannot be joined: `reasons` by unit."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in reasons.items()))
        self.reasons = dict(reasons)


@dataclass(frozen=True)
class Joint:
    """The units of a joint plan and everything that it is made from.

    `stored` are the units' states as they were read, `documents` those of units that have one, parsed. `outside` has
    the versions of states that give constants: those of upstream units that are not in the joint root. `lineage` is
    that of the joint state, a new one for every plan, so that Terraform's own check of a saved plan means something.
    `needs` are the edges between units that the state was joined by (see `join`).
    """

    units: Mapping[str, Unit]
    stored: Mapping[str, Stored]
    documents: Mapping[str, Document]
    outside: Mapping[str, str]
    lineage: str
    root: driver.Root
    tree: copies.ShadowTree
    state: str
    partition: Partition
    needs: Needs

    @property
    def plan(self) -> Path:
        return self.root.path / PLAN

    def source(self, unit: str) -> Path:
        """Return the folder of a unit's module in the platform."""
        ((_, source),) = self.units[unit].sources.items()
        return source


def compose(
    context: RunContext, names: Collection[str], known: ExpectedOutputs, tree: copies.ShadowTree, kind: str
) -> Joint:
    """Read the states of units and make the root that plans them together, in `tree`.

    `kind` names the folder of Terraform's working data. Raises ApartError for units that cannot be joined, MissingError
    if states cannot be reached.
    """
    units = {name: context.units[name] for name in names}
    stored, documents = _read(context, units)
    constants, outside = _constants(context, units, known)
    tree.copy_modules(source for unit in units.values() for source in unit.sources.values())
    folder = _make_root(context, units, constants, tree)
    lineage = new_lineage()
    needs = edges_of(context, units)
    state = join(context, documents, lineage, needs)
    (folder / preview.STATE).write_text(state, encoding="utf-8")
    (folder / preview.STATE).chmod(0o600)
    root = driver.Root(folder, context.data(NAME, kind))
    return Joint(units, stored, documents, outside, lineage, root, tree, state, Partition.of(units), needs)


def _make_root(
    context: RunContext, units: Mapping[str, Unit], constants: Mapping[str, Any], tree: copies.ShadowTree
) -> Path:
    """Make the joint root in `tree`, or a copy of the unit's own root with one state for all; return its path."""
    more = {**preview.local_copy(), **context.guard.files}
    original = place(context, units)
    tree.remove_root(original)
    if Partition.of(units).is_whole:
        return tree.copy_root(original, more, context.terraform.binary)
    texts = dict(roots.together(context.resolved, units, NAME))
    if not choosing.means_the_same(context, units.values(), texts):
        raise ApartError(dict.fromkeys(units, "the platform's own versions.tf differs between units"))
    return tree.make_root(original, {**texts, **more, wires.FILE: exact.dump(constants)}, context.terraform.binary)


def place(context: RunContext, units: Collection[str]) -> Path:
    """Return the path of a joint root in the platform."""
    home = context.resolved.environment.path
    return context.units[SINGLE].root if Partition.of(units).is_whole else home / "units" / NAME


def new_lineage() -> str:
    """Return a lineage for a new state, in Terraform's format."""
    return str(uuid.uuid4())


def edges_of(context: RunContext, units: Mapping[str, Unit]) -> Needs:
    """Return the upstream units of each unit, by the wiring and by the last apply."""
    return edges.combine({name: unit.needs for name, unit in units.items()}, edges.load(context))


def join(context: RunContext, documents: Mapping[str, Document], lineage: str, needs: Needs) -> str:
    """Return the joined state of units, ordered by `needs`. Raises ApartError for a state that cannot be joined."""
    foreign = {}
    partition = Partition.of(documents)
    for name, document in documents.items():
        try:
            partition.require_own(name, document)
        except states.ForeignStateError as error:
            foreign[name] = str(error)
    if foreign:
        raise ApartError(foreign)
    version = context.terraform.binary.version
    return partition.join(documents, lineage=lineage, terraform_version=version, needs=needs)


def _read(context: RunContext, units: Mapping[str, Unit]) -> tuple[dict[str, Stored], dict[str, Document]]:
    stored: dict[str, Stored] = {}
    documents: dict[str, Document] = {}
    reasons: dict[str, str] = {}
    for name, found in _fetch(context, units, _fetch_or_error).items():
        unit = units[name]
        try:
            if isinstance(found, NgpError):
                raise found
            stored[name] = found
            leftovers.require_recovered(unit.root, context.copy(unit))
            if stored[name].text:
                documents[name] = states.load(stored[name].text, where=str(unit.place))
                duplicate_states.require(context, unit, values.parse(stored[name].text, where=str(unit.place)))
        except MissingError:
            raise
        except NgpError as error:
            reasons[name] = error.findings[0].what
    if reasons:
        raise ApartError(reasons)
    return stored, documents


def fetch(context: RunContext, units: Mapping[str, Unit]) -> dict[str, Stored]:
    """Read the states of units concurrently."""
    return _fetch(context, units, storing.fetch)


def _fetch(
    context: RunContext, units: Mapping[str, Unit], fetch_one: Callable[[StateLocation, Session], T]
) -> dict[str, T]:
    if not units:
        return {}
    with ThreadPoolExecutor(min(_READERS, len(units)), thread_name_prefix="state") as pool:
        read = pool.map(lambda unit: fetch_one(unit.place, context.access.session), units.values())
        return dict(zip(units, read, strict=True))


def _fetch_or_error(place: StateLocation, session: Session) -> Stored | NgpError:
    """Return a state, or the error of this one state."""
    try:
        return storing.fetch(place, session)
    except MissingError:
        raise
    except NgpError as error:
        return error


def _constants(
    context: RunContext, units: Mapping[str, Unit], known: ExpectedOutputs
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the outputs of units outside of the joint root that feed it, as values of root variables."""
    values: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    feeding: set[str] = set()
    outside = [(name, wire) for name, unit in units.items() for wire in unit.wires if wire.origin.unit not in units]
    known.learn(wire for _, wire in outside)
    for name, wire in outside:
        expected = known.get(wire)
        feeding.add(wire.origin.unit)
        if expected.sensitive:
            reasons[name] = f"{wire.origin} is sensitive"
        elif expected.unknown is not False:
            reasons[name] = f"it uses {wire.origin}, which is not known yet"
        else:
            values[f"{name}{states.SEPARATOR}{wire.name}"] = expected.value
    if reasons:
        raise ApartError(reasons)
    versions = fetch(context, {name: context.units[name] for name in feeding})
    return values, {name: one.version for name, one in versions.items()}
