"""Finds causes of changes: the lines of tfvars, environment.yaml, a template or the module.

It says what is written, and only that. Where nothing written explains a change it says so: a default of the provider,
or somebody who changed the resource outside of Terraform.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ngp.environments import tfvars, validations
from ngp.environments.binding import ValueSource
from ngp.environments.environment import StateMode
from ngp.environments.resolving import Resolved
from ngp.environments.values import Values
from ngp.errors import UsageError
from ngp.reports import references, template_causes
from ngp.reports.references import Code, Leaf
from ngp.reports.report import Cause
from ngp.review.baseline import Baseline
from ngp.review.origins import files
from ngp.runs import addresses
from ngp.runs.results import RunResult, UnitResult, Verb
from ngp.terraform.plans import Action, Change

_LINE = re.compile(r":[0-9]+$")
_MOST = 8  # causes of one change
_WHOLE = {
    "replace_because_tainted": "an earlier apply did not finish it, so Terraform has marked it as tainted",
    "replace_by_request": "you passed -replace for it",
    "delete_because_no_resource_config": "the module no longer declares it",
    "delete_because_no_module": "its module is no longer used",
}
_NOT_SET = "the module does not set it: a default of the provider, or a change outside of Terraform"


@dataclass(frozen=True)
class Finder:
    """Finds causes in one environment; with `baseline`, changes since that commit come first."""

    resolved: Resolved
    baseline: Baseline | None = None

    def of_run(self, result: RunResult) -> dict[tuple[str, str], tuple[Cause, ...]]:
        """Return the causes of every change of a run, by unit and address."""
        is_destroy = result.verb is Verb.DESTROY
        return {
            (unit.unit, change.address): self.of_change(unit, change, is_destroy=is_destroy)
            for unit in result.units
            for change in unit.changes
        }

    def of_change(self, unit: UnitResult, change: Change, *, is_destroy: bool = False) -> tuple[Cause, ...]:
        """Return the causes of one change, the most important first."""
        if is_destroy:
            return (Cause("", "ngp destroy"),)
        name = self._owner(unit, change)
        if name not in self.resolved.environment.units:
            return (Cause("", f"the unit `{name}` is no longer declared", self._place(self._units)),)
        found = [*self._whole(name, unit, change), *self._attributes(name, unit, change)]
        templates = self._templates.get("root" if self._is_single else name, ())
        if templates:
            found = [cause for cause in found if cause.text != _NOT_SET]
            is_fresh = any(cause.text.endswith(self._since) for cause in found)
            found = [*found, *templates] if is_fresh else [*templates, *found]
        return tuple(dict.fromkeys(found))[:_MOST]

    @cached_property
    def _templates(self) -> Mapping[str, tuple[Cause, ...]]:
        return template_causes.find(self.resolved, self.baseline) if self.baseline else {}

    @property
    def _is_single(self) -> bool:
        return self.resolved.environment.state is StateMode.SINGLE

    @property
    def _since(self) -> str:
        return f", changed since {self.baseline.commit[:8]}" if self.baseline else ""

    def _owner(self, unit: UnitResult, change: Change) -> str:
        return addresses.owner(change.address) if self._is_single else unit.unit

    @property
    def _units(self) -> str:
        return self.resolved.environment.where("units")

    def _whole(self, name: str, unit: UnitResult, change: Change) -> Iterator[Cause]:
        block = self._block(name, change)
        module = self._module(name)
        if change.address in unit.drift:
            yield Cause("", "it was changed outside of Terraform since the last apply (drift)")
        if change.reason in _WHOLE:
            place = self._place(str(module)) if change.reason.startswith("delete_") and module else ""
            yield Cause("", _WHOLE[change.reason], place)
        if block and change.action is Action.CREATE:
            yield Cause("", "the module declares it", self._place(block[1].where))
            if all(one.action is Action.CREATE for one in unit.changes):
                where = self.resolved.environment.where(f"units.{name}")
                yield Cause("", f"the unit `{name}` has not been applied yet", self._place(where))
                return
        if block and (change.action is Action.CREATE or change.reason.startswith("delete_because")):
            for one in references.repeating(block[1]):
                yield from self._fresh_first(self._explain(name, unit, one.name, block[0].leaves(block[1], [one])))

    def _attributes(self, name: str, unit: UnitResult, change: Change) -> Iterator[Cause]:
        block = self._block(name, change)
        if block is None or change.action not in (Action.UPDATE, Action.REPLACE):
            return
        for attribute in _changed(change):
            written = references.inside(block[1], "tags" if attribute == "tags_all" else attribute)
            if written:
                leaves = block[0].leaves(block[1], written)
                yield from self._fresh_first(self._explain(name, unit, attribute, leaves))
            elif not _is_unknown(change, attribute) and change.address not in unit.drift:
                yield Cause(attribute, _NOT_SET)

    def _explain(self, name: str, unit: UnitResult, attribute: str, leaves: Sequence[Leaf]) -> list[tuple[Cause, bool]]:
        """Each cause, and whether it is new since the baseline."""
        changing = {_inside(change.address, name) for change in unit.changes}
        found = []
        for leaf in leaves:
            if leaf.kind == "variable":
                found.append(self._input(name, attribute, leaf))
                continue
            place = self._place(leaf.place)
            is_new = self._is_changed_file(leaf.place)
            if leaf.kind == "resource" and any(one.startswith(leaf.name) for one in changing):
                found.append((Cause(attribute, f"it depends on {leaf.name}, which changes, too", place), is_new))
            elif leaf.kind == "data":
                found.append((Cause(attribute, f"data.{leaf.name} reads it", place), is_new))
            elif leaf.kind == "file":
                found.append((Cause(attribute, "a file of the module", place), is_new))
            elif leaf.kind == "default":
                found.append((Cause(attribute, f"the default of `{leaf.name}` in a module", place), is_new))
            elif leaf.kind == "literal":
                found.append((Cause(attribute, "written in the module", place), is_new))
        return found

    def _input(self, unit: str, attribute: str, leaf: Leaf) -> tuple[Cause, bool]:
        """The cause that an input of the unit is."""
        binding = self.resolved.bindings[unit].inputs.get(leaf.name)
        where = validations.place(self.resolved.environment, self.resolved.values, unit, leaf.name)
        label = f"{unit}.{leaf.name}"
        if binding is None or binding.source is ValueSource.DEFAULT:
            module = self.resolved.catalogue.modules[self.resolved.environment.units[unit].module]
            variable = module.variables.get(leaf.name)
            declared = str(variable.place) if variable else leaf.place
            cause = Cause(attribute, f"the default of {label}", self._place(declared))
            return cause, self._is_changed_file(declared)
        words = {
            ValueSource.FACT: f"{label}, a fact",
            ValueSource.UNIT: label,
            ValueSource.COMMON: f"{leaf.name}, shared by all units",
            ValueSource.WIRE: f"{label}, wired from {binding.wire}",
            ValueSource.GENERATED: f"{label}, a generated secret",
            ValueSource.SECRET: f"{label}, a secret reference",
        }
        cause = Cause(attribute, words[binding.source], self._place(where))
        return cause, self._is_new(unit, leaf.name, binding.source)

    def _is_new(self, unit: str, name: str, source: ValueSource) -> bool:
        """Whether the operator's value of an input is another one than in the baseline."""
        document, values = files(self.resolved.environment.name)
        if self.baseline is None:
            return False
        if source in (ValueSource.UNIT, ValueSource.COMMON, ValueSource.SECRET):
            if values not in self.baseline.changed:
                return False
            now = self.resolved.values.unit(unit).get(name) or self.resolved.values.common.get(name)
            old = self._before.unit(unit).get(name) or self._before.common.get(name)
            return now is not None and (old is None or old.value != now.value)
        return source is ValueSource.FACT and name != "unit" and document in self.baseline.changed

    @cached_property
    def _before(self) -> Values:
        path = Path(tfvars.FILE)
        text = self.baseline.before.get(files(self.resolved.environment.name)[1], "") if self.baseline else ""
        try:
            return tfvars.parse(text, path)
        except UsageError:
            return Values(path)

    def _is_changed_file(self, place: str) -> bool:
        return self.baseline is not None and _LINE.sub("", self._place(place)) in self.baseline.changed

    def _fresh_first(self, found: Sequence[tuple[Cause, bool]]) -> list[Cause]:
        """Of one attribute, what has changed since the baseline, else all."""
        fresh = [replace(cause, text=f"{cause.text}{self._since}") for cause, is_new in found if is_new]
        return fresh or [cause for cause, _ in found]

    def _module(self, unit: str) -> Path | None:
        choice = self.resolved.environment.units.get(unit)
        module = self.resolved.catalogue.modules.get(choice.module) if choice else None
        return module.path if module else None

    def _block(self, unit: str, change: Change) -> tuple[Code, Any] | None:
        module = self._module(unit)
        return references.find(module, _inside(change.address, unit)) if module else None

    def _place(self, where: str) -> str:
        """A place relative to the platform; one in a pinned catalogue as the rendered copy that Git has."""
        catalogue, platform = self.resolved.catalogue.path, self.resolved.platform.path
        if self.resolved.environment.catalogue and where.startswith(f"{catalogue}/"):
            return f"environments/{self.resolved.environment.name}/modules/{where.removeprefix(f'{catalogue}/')}"
        return where.removeprefix(f"{platform}/")


def _inside(address: str, unit: str) -> str:
    """An address from inside of the unit's module."""
    return address.removeprefix(f"module.{unit}.").partition(" (deposed")[0]


def _changed(change: Change) -> list[str]:
    """The attributes of a change that differ, those that force a replacement first."""
    before, after = _tree(change.before), _tree(change.after)
    unknown = {name for name, mark in _tree(change.after_unknown).items() if mark not in (False, None, {}, [])}
    names = [str(path[0]) for path in change.replace_paths if path]
    names += [str(path[0]) for path in change.sensitive_changes if path]
    names += [name for name in {**before, **after} if before.get(name) != after.get(name) or name in unknown]
    found = list(dict.fromkeys(names))
    return [name for name in found if not (name == "tags_all" and "tags" in found)]


def _is_unknown(change: Change, attribute: str) -> bool:
    return _tree(change.after_unknown).get(attribute) not in (None, False, {}, [])


def _tree(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
