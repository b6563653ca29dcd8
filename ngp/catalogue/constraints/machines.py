"""Checks instance types against images: both must have the same architecture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ngp.catalogue import evaluating, hcl
from ngp.catalogue.constraints.accepting import Refusal
from ngp.catalogue.constraints.instances import Argument
from ngp.catalogue.operators import ExpressionError, UnknownError
from ngp.catalogue.rules import names
from ngp.catalogue.rules.source import ModuleSource

_IMAGES: Mapping[str, str] = {"aws_instance": "ami", "aws_launch_template": "image_id"}
_ARM = re.compile(r"(a1|[a-z]+\d+g[a-z]*)\.")  # Graviton: a g behind the generation
_MAC = re.compile(r"(mac|u-)")
_WORDS = {"amd64": "amd64", "x86_64": "amd64", "arm64": "arm64", "aarch64": "arm64"}
_LOOKUP = re.compile(r"\bdata\.(aws_ssm_parameter|aws_ami)\.([\w-]+)")
_SOURCE = "AWS documentation: EC2 instance types; Graviton's have a g behind the generation"


def of_type(instance_type: str) -> str:
    """Return the architecture of an instance type, amd64 or arm64."""
    return "arm64" if _ARM.match(instance_type) else "amd64"


def refusals(
    source: ModuleSource, block: hcl.Block, arguments: Sequence[Argument], var: Mapping[str, Any]
) -> Iterator[Refusal]:
    """Yield a refusal if the looked-up image has another architecture than the instance type."""
    known = {each.value.path: each.value.value for each in arguments if not each.value.partial}
    image = block.body.attributes.get(_IMAGES.get(block.labels[0], ""))
    type_ = known.get("instance_type")
    if image is None or not isinstance(type_, str) or _MAC.match(type_):
        return
    if isinstance(known.get(image.name), str):
        return  # an image by its id: only AWS knows what it is
    found = _architectures(source, image, var)
    if len(found) == 1 and of_type(type_) not in found:
        rule = f"is of the image's architecture, {found.pop()}; this type is {of_type(type_)}"
        yield Refusal("instance_type", type_, rule, _SOURCE)


def _architectures(source: ModuleSource, image: hcl.Attribute, var: Mapping[str, Any]) -> set[str]:
    """Return the architectures in the names of the looked-up images; several if that depends."""
    texts = [image.code, *(source.locals[name].code for name in source.locals_in(image.code))]
    wanted = set(_LOOKUP.findall("\n".join(texts)))
    found = set()
    for block in source.of("data"):
        if block.labels in wanted:
            found |= set(_architectures_of(source, block, var)) or {"amd64", "arm64"}
    return found


def _architectures_of(source: ModuleSource, block: hcl.Block, var: Mapping[str, Any]) -> Iterator[str]:
    scope = names.scope(source, var=var)
    attributes = [*block.body.attributes.values()]
    for inner in block.body.of("filter"):
        attributes += inner.body.attributes.values()
    for attribute in attributes:
        try:
            text = str(evaluating.evaluate(attribute, scope))
        except (UnknownError, ExpressionError, RecursionError):
            continue
        yield from (meaning for word, meaning in _WORDS.items() if word in text)
