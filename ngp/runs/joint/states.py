"""States of several units joined into one document, and one document split by unit (Terraform's state format 4).

A resource has the same address in the joint root and in its unit's own root (``module.UNIT…``), so a split is a
partition by module. Outputs carry their unit's name as a prefix (``UNIT__output``), as `state: single` renders them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ngp.errors import NgpError
from ngp.rendering import exact
from ngp.runs.addresses import owner
from ngp.terraform import documents, versions

SEPARATOR = "__"  # between a unit's name and that of its output or variable; no unit's name has an underscore

SERIAL = 1  # of a joint state that Terraform has not written yet
_FORMAT = 4
_INSTANCE = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\]')
_ROOT_OBJECT = re.compile(r"(var|output)\.(.+?)__(.+)")

Document = Mapping[str, Any]


class ForeignStateError(NgpError):
    """A state that cannot be joined: not Terraform's format, or resources outside of its unit's module."""

    code = "foreign_state"


@dataclass(frozen=True)
class StatePart:
    """A unit's part of a joint state, as in the unit's own state.

    `check_results` is None if there are none, as Terraform writes it.
    """

    resources: Sequence[Document]
    outputs: Document
    check_results: Sequence[Document] | None = None

    def equals(self, prior: Document | None) -> bool:
        """Whether `prior` (a unit's state document, or None) has the same content in any order."""
        if prior is None:
            return not (self.resources or self.outputs)
        before = StatePart(prior.get("resources") or (), prior.get("outputs") or {}, prior.get("check_results"))
        return bool(_comparable(before) == _comparable(self))


def load(text: str, *, where: str) -> Document:
    """Parse a state file. Raises ForeignStateError if it is not one, is encrypted or has another format."""
    try:
        document = documents.parse(text)
        version = document["version"] if "encrypted_data" not in document else None
        if version == _FORMAT:
            versions.parse(document["terraform_version"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ForeignStateError("this is not a Terraform state", where=where) from None
    if version is None:
        raise ForeignStateError(
            "this state is encrypted",
            where=where,
            why="ngp joins and splits states, so it has to read them",
            todo="decrypt it (OpenTofu: an `encryption` block whose fallback reads the old method), then plan again",
        )
    if version != _FORMAT:
        raise ForeignStateError(f"this state has format {version}, but ngp reads only format 4", where=where)
    return document  # type: ignore[no-any-return]


def join(
    found: Mapping[str, Document], *, lineage: str, terraform_version: str, needs: Mapping[str, Collection[str]]
) -> str:
    """Return the text of one state that holds those of several units (by name), also where there is none yet.

    A state of no resources keeps the plan's `lineage`: without one, Terraform would make up another at the apply.
    `needs` names the units whose outputs each unit takes. A split drops dependencies across units, so they are added
    again here, each resource on all of the upstream unit: Terraform destroys in their order.
    Raises ForeignStateError for a resource outside of its unit's module.
    """
    for name, document in found.items():
        require_own(name, document)
    upstream = {name: sorted(_upstream(name, found, needs)) for name in found}
    return exact.dump(
        {
            "version": _FORMAT,
            "terraform_version": max(
                (str(document["terraform_version"]) for document in found.values()),
                key=versions.parse,
                default=terraform_version,
            ),
            "serial": SERIAL,
            "lineage": lineage,
            "outputs": {
                f"{name}{SEPARATOR}{output}": value
                for name, document in found.items()
                for output, value in (document.get("outputs") or {}).items()
            },
            "resources": [
                _depending(resource, upstream[name])
                for name, document in found.items()
                for resource in document.get("resources") or ()
            ],
            "check_results": None,
        }
    )


def split(document: Document, units: Collection[str]) -> dict[str, StatePart]:
    """Return each unit's part of a joint state. Raises ForeignStateError for content of no unit."""
    resources: dict[str, list[Document]] = {name: [] for name in units}
    for resource in document.get("resources") or ():
        name = owner(str(resource.get("module", "")))
        if name not in resources:
            address = f"{resource.get('module', '')}.{resource.get('type')}.{resource.get('name')}".lstrip(".")
            raise ForeignStateError(f"the joint state holds {address}, which belongs to no unit")
        resources[name].append(_own(resource, name))
    outputs: dict[str, dict[str, Any]] = {name: {} for name in units}
    for key, value in (document.get("outputs") or {}).items():
        name, _, output = key.partition(SEPARATOR)
        if name in outputs:
            outputs[name][output] = value
    checks = {name: list(_checks(document.get("check_results") or (), name)) for name in units}
    return {name: StatePart(resources[name], outputs[name], checks[name] or None) for name in units}


def render(part: StatePart, *, lineage: str, serial: int, terraform_version: str) -> str:
    """Return the text of a unit's state."""
    return exact.dump(
        {
            "version": _FORMAT,
            "terraform_version": terraform_version,
            "serial": serial,
            "lineage": lineage,
            "outputs": part.outputs,
            "resources": part.resources,
            "check_results": part.check_results,
        }
    )


def require_own(name: str, document: Document) -> None:
    """Raise ForeignStateError if a unit's state contains a resource outside of the unit's module."""
    for resource in document.get("resources") or ():
        if owner(str(resource.get("module", ""))) != name:
            raise ForeignStateError(
                f"the state of `{name}` holds {config_address(resource)}, which is outside of module.{name}",
                why="a joint plan cannot contain a resource outside of the unit's module",
            )


def addresses(document: Document, *, is_deposed_too: bool = True) -> Iterator[str]:
    """Return the full address of every instance of a managed resource; deposed ones without their mark."""
    for one in document.get("resources") or ():
        if one.get("mode") != "managed":
            continue
        base = f"{one['module']}." if one.get("module") else ""
        for instance in one.get("instances") or ():
            if instance.get("deposed") and not is_deposed_too:
                continue
            key = instance.get("index_key")
            index = "" if key is None else f"[{json.dumps(key, ensure_ascii=False)}]"
            yield f"{base}{one.get('type')}.{one.get('name')}{index}"


def identities(document: Document) -> Iterator[tuple[str, str]]:
    """Return every current instance of a managed resource with its ``id``, "" if it has none."""
    for one in document.get("resources") or ():
        for instance in one.get("instances") or ():
            if one.get("mode") == "managed" and not instance.get("deposed"):
                (address,) = addresses({"resources": [{**one, "instances": [instance]}]})
                yield address, str((instance.get("attributes") or {}).get("id", ""))


def without_keys(address: str) -> str:
    """Return an address without instance keys and without the mark of a deposed object."""
    return _INSTANCE.sub("", address.partition(" (deposed object ")[0])


def config_address(resource: Document) -> str:
    """Return a resource's address without instance keys, as in Terraform's dependencies."""
    module = _INSTANCE.sub("", str(resource.get("module", "")))
    data = "data." if resource.get("mode") == "data" else ""
    return f"{module}.{data}{resource.get('type')}.{resource.get('name')}".lstrip(".")


def _upstream(name: str, documents: Mapping[str, Document], needs: Mapping[str, Collection[str]]) -> set[str]:
    """Return the addresses that a unit's resources depend on: those of its upstreams, also through empty ones."""
    found: set[str] = set()
    ahead, seen = list(needs.get(name, ())), {name}
    while ahead:
        unit = ahead.pop()
        if unit in seen:
            continue
        seen.add(unit)
        managed = [one for one in (documents.get(unit) or {}).get("resources") or () if one.get("mode") == "managed"]
        found |= {config_address(one) for one in managed}
        if not managed:
            ahead += needs.get(unit, ())
    return found


def _depending(resource: Document, upstream: Sequence[str]) -> Document:
    if not upstream or resource.get("mode") != "managed":
        return resource
    return {
        **resource,
        "instances": [
            {**one, "dependencies": sorted({*(one.get("dependencies") or ()), *upstream})}
            for one in resource.get("instances") or ()
        ],
    }


def _own(resource: Document, name: str) -> Document:
    """Return a resource without dependencies across units, which the unit's own root does not have."""
    return {**resource, "instances": [_own_instance(one, name) for one in resource.get("instances") or ()]}


def _own_instance(instance: Document, name: str) -> Document:
    if "dependencies" not in instance:
        return instance
    own = [one for one in instance["dependencies"] or () if owner(str(one)) == name]
    rest = {key: value for key, value in instance.items() if key != "dependencies"}
    return {**rest, "dependencies": own} if own else rest


def _checks(results: Iterable[Document], name: str) -> Iterator[Document]:
    """Return the checks of one unit, renamed: those below its module, and those of its root variables and outputs."""
    for result in results:
        address = str(result.get("config_addr", ""))
        if owner(address) == name:
            yield result
        elif (found := _ROOT_OBJECT.fullmatch(address)) and found[2] == name:
            yield _renamed(result, name)


def _renamed(result: Document, name: str) -> Document:
    def rename(address: str) -> str:
        return re.sub(rf"^(var|output)\.{re.escape(name + SEPARATOR)}", r"\1.", address)

    objects = [{**one, "object_addr": rename(str(one.get("object_addr", "")))} for one in result.get("objects") or ()]
    return {**result, "config_addr": rename(str(result["config_addr"])), "objects": objects or None}


def _comparable(part: StatePart) -> Any:
    def instance(one: Document) -> str:
        return json.dumps({**one, "dependencies": sorted(one.get("dependencies") or ())}, sort_keys=True, default=str)

    resources = sorted(
        json.dumps({**one, "instances": sorted(map(instance, one.get("instances") or ()))}, sort_keys=True, default=str)
        for one in part.resources
        if one.get("instances")
    )
    checks = sorted(json.dumps(one, sort_keys=True, default=str) for one in part.check_results or ())
    return resources, json.dumps(part.outputs, sort_keys=True, default=str), checks
