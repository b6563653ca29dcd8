"""Merges override files into the other files of a module, like Terraform."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ngp.catalogue import hcl
from ngp.errors import UsageError

_MERGED = frozenset({"lifecycle", "required_providers"})  # nested blocks of which arguments replace arguments


def merge(bases: Mapping[Path, hcl.Body], overrides: Sequence[hcl.Body]) -> dict[Path, hcl.Body]:
    """Merge override files, in order, into the bodies of the other files.

    Raises UsageError with file:line for an override of nothing.
    """
    merged = dict(bases)
    for override in overrides:
        for block in override.blocks:
            _merge_into(merged, block)
    return merged


def is_override(path: Path) -> bool:
    """Whether Terraform merges a file into the others: ``override.tf``, ``NAME_override.tf.json``."""
    stem = path.name.removesuffix(".json").removesuffix(".tf")
    return stem == "override" or stem.endswith("_override")


def _merge_into(bodies: dict[Path, hcl.Body], block: hcl.Block) -> None:
    found = False
    for path, body in bodies.items():
        items = []
        for item in body.items:
            if isinstance(item, hcl.Block) and (item.type, item.labels) == (block.type, block.labels):
                names = block.body.attributes.keys() & item.body.attributes.keys()
                is_here = block.type != "locals" or bool(names)
                found = found or is_here
                item = _overridden(item, block) if is_here else item  # noqa: PLW2901
            items.append(item)
        bodies[path] = hcl.Body(tuple(items))
    if not found:
        if block.type != "terraform":
            about = " ".join([block.type, *block.labels])
            raise UsageError(f"`{about}` does not exist, so this file cannot override it", where=block.where)
        first = next(iter(bodies))
        bodies[first] = hcl.Body((*bodies[first].items, block))


def _overridden(base: hcl.Block, override: hcl.Block) -> hcl.Block:
    given = override.body.attributes
    if base.type == "locals":
        given = {name: each for name, each in given.items() if name in base.body.attributes}
    replaced = {block.type for block in override.body.blocks} - _MERGED
    items: list[hcl.Attribute | hcl.Block] = []
    for item in base.body.items:
        if isinstance(item, hcl.Attribute):
            items.append(given.get(item.name, item))
        elif item.type in _MERGED:
            items.append(_all(item, override.body.of(item.type)))
        elif item.type not in replaced:
            items.append(item)
    items += [each for name, each in given.items() if name not in base.body.attributes]
    present = {item.type for item in base.body.blocks}
    items += [each for each in override.body.blocks if each.type in replaced or each.type not in present]
    return replace(base, body=hcl.Body(tuple(items)))


def _all(base: hcl.Block, overrides: Iterable[hcl.Block]) -> hcl.Block:
    for override in overrides:
        base = _overridden(base, override)
    return base
