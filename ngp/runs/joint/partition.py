"""Divides a joint root among the units of a run, by module. With one state for all units there is one part."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from ngp.rendering import exact
from ngp.runs import addresses
from ngp.runs.joint import states
from ngp.runs.joint.states import Document, StatePart
from ngp.runs.units import SINGLE
from ngp.terraform.plans import Plan


@dataclass(frozen=True)
class Partition:
    """The division of a joint root. With `state: single` one unit owns the whole root: nothing is renamed or split."""

    units: frozenset[str]
    is_whole: bool = False

    @classmethod
    def of(cls, units: Collection[str]) -> Partition:
        """Return the partition of a run's units."""
        return cls(frozenset(units), SINGLE in units)

    def owner(self, address: str) -> str:
        """Return the unit of an address or a module path, "" if there is none."""
        if self.is_whole:
            return SINGLE
        found = addresses.owner(address)
        return found if found in self.units else ""

    def variable(self, unit: str, name: str) -> str:
        """Return the root variable for a unit's input."""
        return name if self.is_whole else f"{unit}{states.SEPARATOR}{name}"

    def plan(self, whole: Plan, unit: str) -> Plan:
        """Return the part of a joint plan for one unit, as the unit's own root would show it."""
        if self.is_whole:
            return whole
        outputs = ((*key.partition(states.SEPARATOR), one) for key, one in whole.outputs.items())
        return replace(
            whole,
            changes=tuple(one for one in whole.changes if addresses.owner(one.address) == unit),
            outputs={output: replace(one, name=output) for name, _, output, one in outputs if name == unit},
            drift=tuple(one for one in whole.drift if addresses.owner(one.address) == unit),
            invocations=tuple(one for one in whole.invocations if addresses.owner(one.address) == unit),
        )

    def join(
        self,
        documents: Mapping[str, Document],
        *,
        lineage: str,
        terraform_version: str,
        needs: Mapping[str, Collection[str]],
    ) -> str:
        """Return the text of the joint state, of a new lineage: see `states.join`."""
        if self.is_whole and SINGLE in documents:
            return exact.dump({**documents[SINGLE], "lineage": lineage, "serial": states.SERIAL})
        return states.join(documents, lineage=lineage, terraform_version=terraform_version, needs=needs)

    def split(self, document: Document) -> dict[str, StatePart]:
        """Return each unit's part of a joint state. Raises ForeignStateError: see `states.split`."""
        if not self.is_whole:
            return states.split(document, self.units)
        resources, outputs = document.get("resources") or (), document.get("outputs") or {}
        return {SINGLE: StatePart(resources, outputs, document.get("check_results"))}

    def require_own(self, unit: str, document: Document) -> None:
        """Raise ForeignStateError if a unit's state contains what a joint state cannot hold."""
        if not self.is_whole:
            states.require_own(unit, document)
