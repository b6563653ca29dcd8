"""Default answers for `ngp configure`: dummies in the sandbox, values of other environments on AWS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ngp.catalogue import hcl
from ngp.catalogue.module import Catalogue, Module
from ngp.environments import documents, naming, tfvars
from ngp.environments.environment import Environment, Platform, Target
from ngp.environments.tfvars_edits import Key
from ngp.environments.values import Values, WrittenValue
from ngp.errors import UsageError


@dataclass(frozen=True)
class OtherEnvironment:
    """Another environment of the platform, with its values."""

    environment: Environment
    values: Values


@dataclass(frozen=True)
class Proposal:
    """A value as HCL text, and its origin; both "" if there is no proposal."""

    text: str = ""
    origin: str = ""


def others(platform: Platform, name: str) -> tuple[OtherEnvironment, ...]:
    """Return the other environments that can be read, those on AWS first."""
    found = []
    for each in documents.names(platform):
        if each == name:
            continue
        try:
            environment = documents.load(platform, each)
            found.append(OtherEnvironment(environment, tfvars.load(environment.path / tfvars.FILE, platform.cache)))
        except UsageError:
            continue
    return tuple(sorted(found, key=lambda one: one.environment.target is not Target.AWS))


def propose(
    environment: Environment, known: Sequence[OtherEnvironment], key: Key, modules: Sequence[Module], dummy: str
) -> Proposal:
    """Return the default answer for an input (a `key` of terraform.tfvars) of a unit with the first of `modules`.

    The others of `modules` share the input with it, and so their dummies for it.
    A dummy is proposed in the sandbox only. For a real account it is what another environment has there, unless that
    is a dummy itself or sensitive.
    """
    if environment.target is Target.SANDBOX:
        return Proposal(dummy, "a dummy") if dummy else Proposal()
    if modules[0].variables[key[-1]].sensitive:
        return Proposal()
    for other in known:
        for value in _values_of(other, key, modules[0]):
            text = _text(value, key, environment.name, other.environment.name)
            if text and not any(_is_dummy(key, value, module) for module in modules):
                return Proposal(text, f"from `{other.environment.name}`")
    return Proposal()


def distinct(environment: Environment, known: Sequence[OtherEnvironment], key: Key, dummy: str) -> str:
    """Return the dummy for an input, or another text where it would give two environments of an account one name.

    That is `post_tag`, the end of every name: it becomes the environment's name, or as much of it as is allowed.
    """
    if key != ("post_tag",):
        return dummy
    beside = [each for each in known if _home(each.environment) == _home(environment)]
    taken = {str(each.values.common["post_tag"].value).lower() for each in beside if "post_tag" in each.values.common}
    texts = [environment.name[: naming.LIMITS["post_tag"][1]], *(f"env{number}" for number in range(1, len(taken) + 2))]
    free = (hcl.render(text) for text in texts if text not in taken and not naming.check("post_tag", text))
    return next(free, dummy) if dummy.strip('"').lower() in taken else dummy


def _home(environment: Environment) -> tuple[Target, str]:
    return environment.target, environment.account


def dummies(values: Values, units: Mapping[str, str], catalogue: Catalogue) -> tuple[Key, ...]:
    """Return the keys of terraform.tfvars that still have the dummy of one of these units (unit → module)."""
    modules = {unit: catalogue.modules[name] for unit, name in units.items() if name in catalogue.modules}
    found: list[Key] = [
        (name,)
        for name, value in values.common.items()
        if any(_is_dummy((name,), value, module) for module in modules.values())
    ]
    found += [
        (unit, name)
        for unit, module in modules.items()
        for name, value in values.unit(unit).items()
        if _is_dummy((unit, name), value, module)
    ]
    return tuple(found)


def _values_of(other: OtherEnvironment, key: Key, module: Module) -> Iterator[WrittenValue]:
    """What another environment says for a common input, or for that input of a unit with the same module."""
    if len(key) == 1:
        if key[0] in other.values.common:
            yield other.values.common[key[0]]
        return
    units = sorted(other.environment.units.values(), key=lambda unit: unit.name != key[0])
    for unit in units:
        if unit.module == module.name and key[1] in other.values.unit(unit.name):
            yield other.values.unit(unit.name)[key[1]]


def _text(value: WrittenValue, key: Key, name: str, other: str) -> str:
    if key == ("post_tag",) and value.value == other:  # derived from the environment's name, like this one
        return hcl.render(name)
    try:
        return hcl.render(value.value)
    except (ValueError, TypeError):
        return ""


def _is_dummy(key: Key, value: WrittenValue, module: Module) -> bool:
    return key[-1] in module.dummies and module.dummies[key[-1]].value == value.value
