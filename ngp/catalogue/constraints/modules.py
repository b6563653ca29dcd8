"""The rule of `ngp module check` and `ngp validate` that AWS accepts a module's known values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ngp.catalogue import hcl
from ngp.catalogue.constraints import accepting, drifting, instances, machines, parameters, policies, regions
from ngp.catalogue.constraints.accepting import ArgumentValue, Refusal
from ngp.catalogue.constraints.instances import Argument
from ngp.catalogue.constraints.parameters import Tables
from ngp.catalogue.constraints.policies import InlinePolicy
from ngp.catalogue.rules.calls import Expression
from ngp.catalogue.rules.source import Fault, ModuleSource, address
from ngp.errors import Finding

RULE = "aws-accepts"
_SHOWN = 120
_MANY = 1000  # instances of one resource that are counted
_INSTANCE = re.compile(r"(?<![\w.])(?:count|each)\.")  # another value in each instance


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
        if not each.refusal.is_certain:
            continue  # the account decides
        where = each.attribute.where if each.attribute else each.block.where
        yield Fault(source.module.name, RULE, Finding(each.what, where, each.why), address(each.block))


def check(source: ModuleSource, given: Mapping[str, Any], tables: Tables) -> Iterator[RefusedArgument]:
    """Return what AWS would refuse of the resources' known values, each once; `given` are values of inputs."""
    var = instances.inputs(source, given)
    seen = set()
    inline: list[InlinePolicy] = []
    for block in source.of("resource"):
        if len(block.labels) != 2 or not block.labels[0].startswith("aws_"):
            continue
        # Another provider may be for another region.
        region = None if "provider" in block.body.attributes else var.get("region")
        number = instances.number(source, block, var) if policies.has_inline(block.labels[0]) else None
        for arguments in instances.collect(source, block, var):
            values = _values(block, arguments)
            inline += _inline(block, arguments, number)
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
    for policy, rule, origin in policies.sums(inline):
        block, attribute = policy.where
        path = "policy" if policies.holder_of(policy.type) else "inline_policy.policy"
        yield RefusedArgument(block, attribute, Refusal(path, policy.text, rule, origin))


def _inline(block: hcl.Block, arguments: Sequence[Argument], number: int | None) -> Iterator[InlinePolicy]:
    """Yield the inline policies of a resource, with the holder's address where its name is not known.

    None are counted of a resource whose `number` is not known: another may be there in its place.
    """
    if number is None:
        return
    attributes = block.body.attributes
    policy = attributes.get("policy")
    known = {each.value.path: each.value.value for each in arguments if not each.value.partial}
    account = attributes["provider"].text.strip() if "provider" in attributes else ""
    parts = [each for each in (policy, attributes.get(policies.holder_of(block.labels[0]))) if each is not None]
    is_equal = "count" in attributes and not any(_INSTANCE.search(each.code) for each in parts)
    for each in policies.inline(block.labels[0], known, (block, policy), _holder(block)):
        yield from [replace(each, holder=f"{account} {each.holder}")] * (min(number, _MANY) if is_equal else 1)
    if attributes.keys().isdisjoint({"count", "for_each"}):
        certain = [each.body.attributes.get("policy") for each in block.body.of("inline_policy")]  # no dynamic one
        inner = [each for each in arguments if each.attribute in certain and not each.value.partial]
        where = (block, inner[-1].attribute if inner else None)
        yield from policies.blocks(block.labels[0], [each.value.value for each in inner], where, address(block))


def _holder(block: hcl.Block) -> str:
    """Return the address of an inline policy's holder, as it is written; "" if it differs between instances."""
    attribute = block.body.attributes.get(policies.holder_of(block.labels[0]))
    name = Expression.of(attribute).bare() if attribute else None
    return re.sub(r"\.(id|name)$", "", name.text) if name and not _INSTANCE.search(name.code) else ""


def _values(block: hcl.Block, arguments: Sequence[Argument]) -> list[ArgumentValue]:
    """The known values of a resource's arguments, with AWS's own for some that are not given."""
    values = [each.value for each in arguments]
    nulls = [each.path for each in values if each.value is None]
    own = drifting.defaults(block.labels[0], block.body.attributes, nulls)
    return [*values, *(ArgumentValue(path, value) for path, value in own.items())]
