"""Finds the resources that a unit's own configuration creates before it destroys (`create_before_destroy`).

Terraform spreads the flag to everything that such a resource depends on, in a joint root also across units, and writes
it into their states. A unit's own root does not know its consumers, so its part of a joint state must not have their
flags.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ngp.catalogue import hcl
from ngp.errors import UsageError
from ngp.runs.joint.states import Document, StatePart, config_address
from ngp.terraform import fingerprints

_FLAG = "create_before_destroy"
_MODULE = re.compile(r'^\s*module\s+"|"module"', re.M)

Fetched = Mapping[str, Path]


def declared(unit: str, source: Path, fetched: Fetched | None = None) -> frozenset[str]:
    """Return the addresses (without instance keys) of resources with create_before_destroy, also in nested modules.

    `fetched` are the folders of modules that `terraform init` installed, from `fetched` below.
    """
    return frozenset(_declared(source, f"module.{unit}", (), fetched or {}))


def fetched(root: Path, data: Path) -> dict[str, Path]:
    """Return the folder of each module that `terraform init` installed, by its key (``UNIT.MODULE``).

    `data` is the root's TF_DATA_DIR; it names folders relative to `root`.
    """
    try:
        entries = json.loads((data / "modules" / "modules.json").read_text(encoding="utf-8"))["Modules"]
        return {str(one["Key"]): root / one["Dir"] for one in entries}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def has_flag(part: StatePart) -> bool:
    """Whether any instance has the flag."""
    return any(each.get(_FLAG) for one in part.resources for each in one.get("instances") or ())


def normalize(part: StatePart, prior: Document | None, own: Collection[str]) -> StatePart:
    """Remove the flag from instances that have it only because of another unit's resource.

    It stays if the configuration sets it (`own`), if such a resource of the same unit spreads it, or if `prior`, the
    unit's earlier state, had it.
    """
    allowed = spread(part.resources, own) | _flagged(prior)
    resources = [one if config_address(one) in allowed else _without(one) for one in part.resources]
    return StatePart(resources, part.outputs, part.check_results)


def spread(resources: Sequence[Document], own: Collection[str]) -> set[str]:
    """Return `own` and every resource of the unit that those depend on (a state lists all indirect dependencies)."""
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


def _declared(folder: Path, prefix: str, above: tuple[Path, ...], fetched: Fetched) -> Iterator[str]:
    folder = folder.resolve()
    if folder in above:
        return
    for ending in fingerprints.ENDINGS:
        for path in sorted(folder.glob(f"*{ending}")):
            text = path.read_text(encoding="utf-8", errors="replace")
            if _FLAG in text or _MODULE.search(text):
                names, calls = (_of_json if path.suffix == ".json" else _of_file)(text, path)
                yield from (f"{prefix}.{name}" for name in names)
                for name, source in calls.items():
                    inner = f"{prefix}.module.{name}"
                    key = inner.removeprefix("module.").replace(".module.", ".")
                    called = folder / source if source.startswith(("./", "../")) else fetched.get(key)
                    if called is not None:
                        yield from _declared(called, inner, (*above, folder), fetched)


def _of_file(text: str, path: Path) -> tuple[list[str], dict[str, str]]:
    """Return the resources of a file with the flag, as TYPE.NAME, and the sources of its modules."""
    try:
        body = hcl.parse(text, path)
    except UsageError:
        # Terraform may read what ngp cannot: take every resource before the flag
        found = re.findall(r'^resource\s+"([^"]+)"\s+"([^"]+)"', text, re.M)
        return [f"{kind}.{name}" for kind, name in found], {}
    names = []
    for block in body.of("resource"):
        lifecycles = block.body.of("lifecycle")
        flags = [one.body.attributes[_FLAG] for one in lifecycles if _FLAG in one.body.attributes]
        if len(block.labels) == 2 and any(one.text.strip() == "true" for one in flags):
            names.append(f"{block.labels[0]}.{block.labels[1]}")
    sources = {
        block.labels[0]: block.body.attributes["source"].text.strip('"')
        for block in body.of("module")
        if block.labels and "source" in block.body.attributes
    }
    return names, sources


def _of_json(text: str, _: Path) -> tuple[list[str], dict[str, str]]:
    """Return the same for a file in Terraform's JSON syntax, where every block may be an object or a list."""
    try:
        document = json.loads(text)
    except ValueError:
        return [], {}
    names = [
        f"{kind}.{name}"
        for kind, name, block in _blocks(document, "resource", 2)
        if any(one.get(_FLAG) in (True, "true") for one in _objects(block.get("lifecycle")))
    ]
    return names, {name: str(block.get("source", "")) for name, block in _blocks(document, "module", 1)}


def _blocks(value: Any, kind: str, labels: int) -> Iterator[tuple[Any, ...]]:
    """Yield each block of a kind with its labels."""
    for outer in _objects(value):
        yield from _labelled(outer.get(kind), labels)


def _labelled(value: Any, labels: int) -> Iterator[tuple[Any, ...]]:
    for one in _objects(value):
        if not labels:
            yield (one,)
        else:
            yield from ((label, *rest) for label, inner in one.items() for rest in _labelled(inner, labels - 1))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
