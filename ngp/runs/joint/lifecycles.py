"""Which resources of a unit are created before they are destroyed by the unit's own configuration.

Terraform spreads `create_before_destroy` to everything that such a resource depends on, in a joint root across units
too, and writes it into their states. A unit's own root does not know its consumers, so a split state must not either.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ngp.catalogue import hcl
from ngp.errors import UsageError
from ngp.runs.joint.states import Document, Part, config_address
from ngp.terraform import fingerprints

_FLAG = "create_before_destroy"


def declared(unit: str, source: Path) -> frozenset[str]:
    """The addresses (without instance keys) of resources whose block says create_before_destroy, nested modules too."""
    return frozenset(_declared(source, f"module.{unit}", ()))


def has_flag(part: Part) -> bool:
    """Whether any instance carries the flag at all."""
    return any(each.get(_FLAG) for one in part.resources for each in one.get("instances") or ())


def normalize(part: Part, prior: Document | None, own: Collection[str]) -> Part:
    """Take the flag from instances that only another unit's resource gave it to.

    It stays where the configuration says it (`own`), where such a resource of the same unit spreads it, and where
    `prior`, the unit's state before, had it.
    """
    allowed = spread(part.resources, own) | _flagged(prior)
    resources = [one if config_address(one) in allowed else _without(one) for one in part.resources]
    return Part(resources, part.outputs, part.check_results)


def spread(resources: Sequence[Document], own: Collection[str]) -> set[str]:
    """Return `own` with every resource of the unit that those depend on (a state lists dependencies however far)."""
    depends: dict[str, set[str]] = {
        config_address(one): {dep for each in one.get("instances") or () for dep in each.get("dependencies") or ()}
        for one in resources
    }
    found, ahead = set[str](), list(own)
    while ahead:
        address = ahead.pop()
        if address not in found:
            found.add(address)
            ahead += depends.get(address, ())
    return found


def _flagged(prior: Document | None) -> set[str]:
    entries = (prior or {}).get("resources") or ()
    return {config_address(one) for one in entries if any(each.get(_FLAG) for each in one.get("instances") or ())}


def _without(resource: Document) -> Mapping[str, Any]:
    instances = [{key: value for key, value in one.items() if key != _FLAG} for one in resource.get("instances") or ()]
    return {**resource, "instances": instances}


def _declared(folder: Path, prefix: str, above: tuple[Path, ...]) -> Iterator[str]:
    folder = folder.resolve()
    if folder in above:
        return
    for path in sorted(folder.glob("*.tf")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if _FLAG in text or fingerprints.sources(text):
            yield from _of_file(text, path, prefix, (*above, folder))


def _of_file(text: str, path: Path, prefix: str, above: tuple[Path, ...]) -> Iterator[str]:
    try:
        body = hcl.parse(text, path)
    except UsageError:
        # what ngp cannot read, Terraform may: take every resource that stands before the flag
        yield from (
            f"{prefix}.{kind}.{name}" for kind, name in re.findall(r'^resource\s+"([^"]+)"\s+"([^"]+)"', text, re.M)
        )
        return
    for block in body.of("resource"):
        lifecycles = block.body.of("lifecycle")
        flags = [one.body.attributes[_FLAG] for one in lifecycles if _FLAG in one.body.attributes]
        if len(block.labels) == 2 and any(one.text.strip() == "true" for one in flags):
            yield f"{prefix}.{block.labels[0]}.{block.labels[1]}"
    for block in body.of("module"):
        source = block.body.attributes.get("source")
        where = source.text.strip('"') if source is not None else ""
        if block.labels and where.startswith(("./", "../")):
            yield from _declared(path.parent / where, f"{prefix}.module.{block.labels[0]}", above)
