"""A state, read from Terraform's state file (format version 4)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ngp.errors import NgpError
from ngp.terraform import documents

_TAG = "Environment"
_PROVIDER = re.compile(r'provider\["([^"]+)"\]')


@dataclass(frozen=True)
class StateOutput:
    """An output. `type` is Terraform's JSON notation: ``"string"``, ``["list", "string"]``. `value` is not masked."""

    value: Any
    type: Any = "dynamic"
    sensitive: bool = False


@dataclass(frozen=True)
class StateResource:
    address: str
    type: str
    mode: str = "managed"  # or data


@dataclass(frozen=True)
class State:
    """A state. `serial` is 0 and `lineage` "" if it is empty; `providers` are complete addresses.

    `tagged` are the values of the tag ``Environment`` of its resources.
    """

    lineage: str = ""
    serial: int = 0
    terraform_version: str = ""
    outputs: Mapping[str, StateOutput] = field(default_factory=dict)
    resources: tuple[StateResource, ...] = ()
    providers: frozenset[str] = frozenset()
    tagged: frozenset[str] = frozenset()


def parse(text: str, *, where: str = "") -> State:
    """Parse a state file; an empty text is an empty state. Raises NgpError for other content or formats."""
    if not text.strip():
        return State()
    try:
        document = documents.parse(text)
        if "encrypted_data" in document:
            raise _encrypted(where)
        version = document["version"]
    except (ValueError, KeyError, TypeError):
        raise _broken(where, "it is not JSON with a version, or cut off") from None
    if version != 4:
        raise NgpError(
            f"this state has format {version}, but ngp reads only format 4",
            where=where,
            todo="let Terraform upgrade it: `terraform apply -refresh-only` in the unit's folder",
        )
    try:
        return _state(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _broken(where, f"it lacks the form of one ({type(error).__name__}: {error})") from None


def _encrypted(where: str) -> NgpError:
    why = "ngp reads, joins and splits states"
    todo = "decrypt it (OpenTofu: an `encryption` block whose fallback reads the old method), then plan again"
    return NgpError("this state is encrypted", where=where, why=why, todo=todo)


def _broken(where: str, why: str) -> NgpError:
    todo = "restore an earlier version of it; a state bucket keeps them all"
    return NgpError("this is not a Terraform state", where=where, why=why, todo=todo)


def _state(document: Mapping[str, Any]) -> State:
    entries = document.get("resources") or ()
    return State(
        lineage=str(document.get("lineage", "")),
        serial=int(document.get("serial", 0)),
        terraform_version=str(document.get("terraform_version", "")),
        outputs=outputs(document.get("outputs") or {}),
        resources=tuple(resource for entry in entries for resource in _resources(entry)),
        providers=frozenset(address for entry in entries for address in _PROVIDER.findall(entry.get("provider", ""))),
        tagged=frozenset(name for entry in entries if entry.get("mode") == "managed" for name in _tagged(entry)),
    )


def outputs(document: Mapping[str, Any]) -> dict[str, StateOutput]:
    """Parse the outputs of a state file or of ``output -json``, which have the same form."""
    return {
        name: StateOutput(entry.get("value"), entry.get("type", "dynamic"), bool(entry.get("sensitive", False)))
        for name, entry in document.items()
    }


def _tagged(entry: Mapping[str, Any]) -> Iterator[str]:
    for instance in entry.get("instances") or ():
        attributes = instance.get("attributes") or {}
        tags = attributes.get("tags_all") or attributes.get("tags")
        if isinstance(tags, Mapping) and isinstance(tags.get(_TAG), str):
            yield tags[_TAG]


def _resources(entry: Mapping[str, Any]) -> Iterator[StateResource]:
    mode, kind = str(entry.get("mode", "managed")), str(entry.get("type", ""))
    module = f"{entry['module']}." if entry.get("module") else ""
    base = f"{module}{'data.' if mode == 'data' else ''}{kind}.{entry.get('name', '')}"
    for instance in entry.get("instances") or ():
        key = instance.get("index_key")
        index = "" if key is None else f"[{json.dumps(key, ensure_ascii=False)}]"
        deposed = f" (deposed object {instance['deposed']})" if instance.get("deposed") else ""
        yield StateResource(base + index + deposed, kind, mode)
