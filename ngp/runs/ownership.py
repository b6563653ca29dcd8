"""Checks that a state contains only the unit's own resources, before a plan deletes others."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from ngp.catalogue import hcl
from ngp.errors import NgpError, RefusedError
from ngp.runs.addresses import owner
from ngp.runs.units import SINGLE, Unit
from ngp.terraform.states import State

_SHOWN = 3
_SAID = ("moved", "removed")  # blocks in which an operator moves or removes an address


def require_own(unit: Unit, state: State) -> None:
    """Raise RefusedError (3) if a state holds resources that are not the unit's.

    They are the unit's if they are in its module, or if a file in its root declares them, or says in a ``moved`` or
    ``removed`` block what becomes of them. Resources outside of every module may be left over from a file that is gone:
    they count only if the state holds nothing of the unit's module. One state for all units is refused only if it
    holds nothing of any.
    """
    held = [one.address for one in state.resources if one.mode == "managed"]
    own = [address for address in held if owner(address) in unit.sources]
    foreign = [address for address in held if owner(address) not in unit.sources and (owner(address) or not own)]
    if not foreign or (unit.name == SINGLE and own):
        return
    declared = tuple(_declared(unit.root))
    foreign = [address for address in foreign if not _is_covered(address, declared)]
    if foreign:
        raise _refusal(unit, foreign)


def _refusal(unit: Unit, foreign: list[str]) -> RefusedError:
    owners = sorted({owner(address) for address in foreign} - {""})
    shown = ", ".join(foreign[:_SHOWN]) + (f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else "")
    whose = f"resources of {', '.join(f'`{name}`' for name in owners)}" if owners else "resources of no unit"
    moved = f"module.{owners[0]}" if owners else foreign[0]
    target = f"module.{unit.name}" if owners else f"module.{unit.name}.{foreign[0]}"
    return RefusedError(
        f"the state of `{unit.name}` holds {whose}: {shown}",
        where=str(unit.place),
        why="a plan would delete them: it may be the state of another unit, copied or moved to this place",
        todo="if it is, move it back and restore the earlier version here; if they belong to this unit "
        f"now, write `moved {{ from = {moved}, to = {target} }}` (one argument a line) to a .tf file in {unit.root}; "
        "to delete them, write a `removed` block for each to that file",
    )


def _is_covered(address: str, declared: Collection[str]) -> bool:
    return any(address == one or address.startswith((f"{one}.", f"{one}[")) for one in declared)


def _declared(root: Path) -> Iterator[str]:
    """Yield the addresses that the files of a root declare, move or remove."""
    for path in sorted(root.glob("*.tf")):
        for block in hcl.load(path).blocks:
            if block.type in _SAID and "from" in block.body.attributes:
                yield block.body.attributes["from"].code.strip()
            elif block.type in ("module", "resource"):
                yield ".".join((*(["module"] if block.type == "module" else []), *block.labels))
    for path in sorted(root.glob("*.tf.json")):
        yield from _declared_in_json(path)


def _declared_in_json(path: Path) -> Iterator[str]:
    try:
        document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        yield from (f"module.{name}" for name in document.get("module", {}))
        yield from (f"{kind}.{name}" for kind, names in document.get("resource", {}).items() for name in names)
        for kind in _SAID:
            blocks = document.get(kind, [])
            yield from (str(block["from"]) for block in (blocks if isinstance(blocks, list) else [blocks]))
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise NgpError("this file is not Terraform's JSON", where=str(path), why=str(error)) from None
