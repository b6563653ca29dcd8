"""The rule that common inputs are equal in all modules; `shared.tf` declares them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from ngp.catalogue import hcl, types
from ngp.catalogue.rules.source import Fault, ModuleSource

_REFERENCE = Path(__file__).parent / "shared.tf"
_TOLD = ("type", "description", "default", "nullable", "sensitive", "ephemeral")
_OWN = "service"  # by default the module's own name


def equal(source: ModuleSource) -> Iterator[Fault]:
    """Require that a module declares the common inputs like every other module; it may leave some out."""
    why = "one value of terraform.tfvars reaches every module that has the input"
    for block in source.of("variable"):
        reference = _blocks().get(block.labels[0])
        if reference is None:
            continue
        wanted, found = _texts(reference), _texts(block)
        if _OWN in block.labels:
            wanted["default"] = hcl.render(source.module.name)
        asked = wanted.keys() | found.keys() if "description" in wanted else wanted.keys()
        for part in sorted(each for each in asked if wanted.get(each) != found.get(each)):
            part_expected = wanted.get(part)
            todo = f"it is: {part_expected}" if part_expected else f"take the {part} out"
            what = f"the {part} of `{block.labels[0]}` is not that of the other modules"
            yield source.fault("common-inputs", what, block.where, why=why, todo=todo)


def type_of(name: str) -> types.Type | None:
    """Return the type of a common input, None for other names."""
    block = _blocks().get(name)
    return types.parse(block.body.attributes["type"].text) if block else None


def declaration(name: str) -> str:
    """Return the text of an input that is equal in all modules, "" for others."""
    block = _blocks().get(name)
    if block is None or "description" not in block.body.attributes:
        return ""
    return block.scanned.source[block.span.start : block.span.end]


@cache
def _blocks() -> Mapping[str, hcl.Block]:
    return {block.labels[0]: block for block in hcl.load(_REFERENCE).of("variable")}


def _texts(block: hcl.Block) -> dict[str, str]:
    """All that a variable says, each on one line."""
    attributes = block.body.attributes
    texts = {name: " ".join(attributes[name].text.split()) for name in _TOLD if name in attributes}
    rules = [each.body.attributes for each in block.body.of("validation")]
    lines = [" ".join(rule[name].text.split()) for rule in rules for name in ("condition", "error_message")]
    return {**texts, "validation": "; ".join(lines)} if lines else texts
