"""Compares two environments: modules, units, wiring and values; and which differences are declared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from ngp.catalogue import hcl
from ngp.catalogue.module import Catalogue, Variable
from ngp.environments import documents, references, revisions, tfvars
from ngp.environments.environment import DeclaredDifference, Environment, Platform
from ngp.environments.values import Values, WrittenValue
from ngp.errors import UsageError

# Common inputs that are particular to an environment or its account: another's values are never right.
BOUND = frozenset(
    {
        "pre_tag",
        "post_tag",
        "vpc_id",
        "private_subnet_ids",
        "public_subnet_ids",
        "key_pair_name",
        "hosted_zone_id",
        "kms_key_arn",
        "permissions_boundary_arn",
        "alarm_topic_arn",
    }
)
_ZONES = frozenset({"availability_zone", "availability_zones", "azs"})
_ABOUT = (".dummy", "README.md", ".tftest.hcl")


class Topic(Enum):
    MODULE = "module"
    UNIT = "unit"
    WIRE = "wire"
    VALUE = "value"
    STATE = "state"


class DifferenceStatus(Enum):
    UNDECLARED = "undeclared"
    DECLARED = "declared"
    EXPIRED = "expired"


@dataclass(frozen=True)
class EnvironmentDifference:
    """One difference of a source and a target; the texts are "" where one of them has nothing there.

    `key` is what a declaration names: ``values.openvpn.instance_type``. `where` is the line of the target, else of the
    source. Sensitive texts are here as they are; `is_sensitive` says to mask them.
    """

    topic: Topic
    key: str
    unit: str  # "" for common values, modules and the kind of state
    name: str
    source: str
    target: str
    where: str
    is_sensitive: bool = False
    declared: DeclaredDifference | None = None
    standing: DifferenceStatus = DifferenceStatus.UNDECLARED


@dataclass(frozen=True)
class Side:
    """One of two compared environments."""

    environment: Environment
    catalogue: Catalogue
    values: Values

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """The version of each used module, with a digest of its files."""
        used = {choice.module for choice in self.environment.units.values()}
        found = ((name, self.catalogue.modules[name]) for name in sorted(used & self.catalogue.modules.keys()))
        return {name: f"{module.manifest.version} ({_digest(module.path)})" for name, module in found}

    def variable(self, unit: str, name: str) -> Variable | None:
        """The declaration of an input; of a common one ("" for the unit) in the first module that has it."""
        choices = self.environment.units
        names = [choices[unit].module] if unit in choices else [choice.module for choice in choices.values()]
        modules = (self.catalogue.modules[each] for each in names if each in self.catalogue.modules)
        return next((each.variables[name] for each in modules if name in each.variables), None)


def load(platform: Platform, name: str) -> Side:
    """Load one environment, even if it does not resolve. Raises UsageError for a file that cannot be read."""
    environment = documents.load(platform, name)
    values = tfvars.load(environment.path / tfvars.FILE, platform.cache)
    return Side(environment, revisions.load_catalogue(platform, environment), values)


def load_pair(platform: Platform, source: str, target: str) -> tuple[Side, Side, tuple[EnvironmentDifference, ...]]:
    """Load two environments with their current differences. Raises UsageError if they are the same."""
    if source == target:
        raise UsageError(
            f"`{source}` cannot be compared with itself", todo="name two environments; ngp env list shows all"
        )
    one, other = load(platform, source), load(platform, target)
    return one, other, compare(one, other, datetime.now(UTC).date())


def compare(source: Side, target: Side, today: date) -> tuple[EnvironmentDifference, ...]:
    """Return all differences, by topic, except what is particular to an environment (facts, `BOUND`, references to
    secrets)."""
    pair = _Pair(source, target)
    found = (*pair.state(), *pair.modules(), *pair.units(), *pair.wires(), *pair.values())
    return tuple(_judged(each, target.environment.differences, today) for each in found)


def unused(found: tuple[EnvironmentDifference, ...], target: Side) -> tuple[str, ...]:
    """Return the declarations of a target that match no difference."""
    return tuple(
        pattern
        for pattern in target.environment.differences
        if not any(fnmatchcase(each.key, pattern) for each in found)
    )


def is_declared(found: Iterable[EnvironmentDifference]) -> bool:
    """Return whether every difference is declared, and no declaration has expired."""
    return all(each.standing is DifferenceStatus.DECLARED for each in found)


def _judged(
    found: EnvironmentDifference, declared: Mapping[str, DeclaredDifference], today: date
) -> EnvironmentDifference:
    matching = [each for pattern, each in declared.items() if fnmatchcase(found.key, pattern)]
    if not matching:
        return found
    best = max(matching, key=lambda each: each.until)
    standing = DifferenceStatus.DECLARED if date.fromisoformat(best.until) >= today else DifferenceStatus.EXPIRED
    return replace(found, declared=best, standing=standing)


@dataclass(frozen=True)
class _Pair:
    source: Side
    target: Side

    def state(self) -> Iterator[EnvironmentDifference]:
        one, other = self.source.environment, self.target.environment
        if one.state is not other.state:
            where = other.where("state")
            yield EnvironmentDifference(Topic.STATE, "state", "", "state", one.state.value, other.state.value, where)

    def modules(self) -> Iterator[EnvironmentDifference]:
        where = self.target.environment.where("catalogue")
        for name, version in self.source.versions.items():
            other = self.target.versions.get(name, version)
            if other != version:
                yield EnvironmentDifference(Topic.MODULE, f"modules.{name}", "", name, version, other, where)

    def units(self) -> Iterator[EnvironmentDifference]:
        one, other = self.source.environment, self.target.environment
        for name in dict.fromkeys((*one.units, *other.units)):
            source, target = (_unit(each, name) for each in (one, other))
            if source != target:
                where = (other if target else one).where(f"units.{name}")
                yield EnvironmentDifference(Topic.UNIT, f"units.{name}", name, name, source, target, where)

    def wires(self) -> Iterator[EnvironmentDifference]:
        one, other = self.source.environment, self.target.environment
        for unit in self._shared():
            source, target = one.wiring.get(unit, {}), other.wiring.get(unit, {})
            for name in dict.fromkeys((*source, *target)):
                here, there = (str(each.get(name, "")) for each in (source, target))
                if here != there:
                    key = f"wiring.{unit}.{name}"
                    yield EnvironmentDifference(
                        Topic.WIRE, key, unit, name, here, there, (other if there else one).where(key)
                    )

    def values(self) -> Iterator[EnvironmentDifference]:
        yield from self._values("", self.source.values.common, self.target.values.common)
        for unit in self._shared():
            yield from self._values(unit, self.source.values.unit(unit), self.target.values.unit(unit))

    def _values(
        self, unit: str, source: Mapping[str, WrittenValue], target: Mapping[str, WrittenValue]
    ) -> Iterator[EnvironmentDifference]:
        prefix = f"values.{unit}." if unit else "values."
        for name in dict.fromkeys((*source, *target)):
            here, there = source.get(name), target.get(name)
            variables = [each.variable(unit, name) for each in (self.source, self.target)]
            if self._is_own(name, unit) or _is_same(here, there, variables):
                continue
            is_sensitive = any(each is not None and (each.sensitive or each.ephemeral) for each in variables)
            written = [each for each in (there, here) if each is not None]
            where = str(written[0].place)
            yield EnvironmentDifference(
                Topic.VALUE, prefix + name, unit, name, _text(here), _text(there), where, is_sensitive
            )

    def _is_own(self, name: str, unit: str) -> bool:
        if name in _ZONES:
            return self.source.environment.region != self.target.environment.region
        return not unit and name in BOUND

    def _shared(self) -> list[str]:
        return [name for name in self.source.environment.units if name in self.target.environment.units]


def _is_same(here: WrittenValue | None, there: WrittenValue | None, variables: list[Variable | None]) -> bool:
    """Whether two values are the same, or references to a secret of each; what is not written is the default."""
    values = []
    for value, variable in zip((here, there), variables, strict=True):
        if value is None and not (variable and variable.has_default):
            return False
        values.append(value.value if value else variable.default if variable else None)
    return values[0] == values[1] or all(references.is_reference(each) for each in values)


def _text(value: WrittenValue | None) -> str:
    return " ".join(hcl.render(value.value).split()) if value else ""


def _unit(environment: Environment, name: str) -> str:
    choice = environment.units.get(name)
    return ", ".join([choice.module, *(f"tag {tag}" for tag in choice.tags)]) if choice else ""


def _digest(folder: Path) -> str:
    """A digest of the files of a module that Terraform or ngp reads."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if not path.is_file() or inner.parts[0] in ("tests", ".terraform") or inner.name.endswith(_ABOUT):
            continue
        if inner.name != ".terraform.lock.hcl":
            digest.update(f"{inner.as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:8]
