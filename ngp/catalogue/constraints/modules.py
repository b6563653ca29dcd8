"""The rule of `ngp module check` and `ngp validate` that AWS accepts a module's known values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ngp.catalogue import hcl
from ngp.catalogue.constraints import accepting, drifting, instances, machines, parameters, regions
from ngp.catalogue.constraints.accepting import ArgumentValue, Refusal
from ngp.catalogue.constraints.instances import Argument
from ngp.catalogue.constraints.parameters import Tables
from ngp.catalogue.rules.source import Fault, ModuleSource, address
from ngp.errors import Finding

RULE = "aws-accepts"
_SHOWN = 120


@dataclass(frozen=True)
class RefusedArgument:
    """A refusal with its resource and argument."""

    block: hcl.Block
    attribute: hcl.Attribute | None
    refusal: Refusal

    @property
    def what(self) -> str:
        """Resource, attribute and value."""
        shown = self.refusal.value if isinstance(self.refusal.value, str) else str(self.refusal.value)
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
        return f'{".".join(self.block.labels)} {self.refusal.path} = "{shown}": {self.refusal.effect}'

    @property
    def why(self) -> str:
        """The rule and its source."""
        return f"{self.refusal.path} {self.refusal.rule} ({self.refusal.source})"


def accepted(source: ModuleSource) -> Iterator[Fault]:
    """Require that AWS accepts every value that is known from the module's dummies and defaults."""
    given = {name: each.value for name, each in source.module.dummies.items()}
    for each in check(source, given, parameters.load()):
        where = each.attribute.where if each.attribute else each.block.where
        yield Fault(source.module.name, RULE, Finding(each.what, where, each.why), address(each.block))


def check(source: ModuleSource, given: Mapping[str, Any], tables: Tables) -> Iterator[RefusedArgument]:
    """Return what AWS would refuse of the resources' known values, each once; `given` are values of inputs."""
    var = instances.inputs(source, given)
    seen = set()
    for block in source.of("resource"):
        if len(block.labels) != 2 or not block.labels[0].startswith("aws_"):
            continue
        # Another provider may be for another region.
        region = None if "provider" in block.body.attributes else var.get("region")
        for arguments in instances.collect(source, block, var):
            values = _values(block, arguments)
            found = [
                *accepting.refusals(block.labels[0], values, tables),
                *machines.refusals(source, block, arguments, var),
                *regions.refusals(block.labels[0], values, region),
            ]
            for refusal in found:
                attribute = next((each.attribute for each in arguments if each.value.path == refusal.path), None)
                key = (block.labels, refusal.path, str(refusal.value), refusal.rule)
                if key not in seen:
                    seen.add(key)
                    yield RefusedArgument(block, attribute, refusal)


def _values(block: hcl.Block, arguments: Sequence[Argument]) -> list[ArgumentValue]:
    """The known values of a resource's arguments, with AWS's own for some that are not given."""
    values = [each.value for each in arguments]
    nulls = [each.path for each in values if each.value is None]
    own = drifting.defaults(block.labels[0], block.body.attributes, nulls)
    return [*values, *(ArgumentValue(path, value) for path, value in own.items())]
