"""Rules for tags: every resource has them, also those that it starts, and their values match their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ngp.catalogue import evaluating, hcl, literals
from ngp.catalogue.operators import ExpressionError, UnknownError
from ngp.catalogue.rules import names
from ngp.catalogue.rules.resources import taggable
from ngp.catalogue.rules.source import Fault, ModuleSource, address, code, inner, literal
from ngp.errors import UsageError

# tag → the input that it says
VALUES: Mapping[str, str] = {
    "Environment": "environment",
    "Project": "project",
    "Service": "service",
    "Version": "version_tag",
}
_TAGS = re.compile(r"tags|\w+_tags")


def present(source: ModuleSource) -> Iterator[Fault]:
    """Require the module's tags on every resource that can have tags, and on those that it starts."""
    for block in source.of("resource"):
        type_, attributes = block.labels[0], block.body.attributes
        if type_ == "aws_autoscaling_group":
            propagates = [literal(tag.body, "propagate_at_launch") for tag in inner(block.body, "tag")]
            if not propagates or not all(value is True for value in propagates):
                why = "default tags of the provider do not reach its instances"
                what = f"`{address(block)}` does not propagate its tags at launch"
                yield source.fault("tags", what, block.where, why=why)
        elif type_ in taggable() and ("tags" not in attributes or _is_empty(source, block.body)):
            todo = "tags = merge(local.tags, …)"
            yield source.fault("tags", f"`{address(block)}` passes no tags", block.where, todo=todo)
        if type_ == "aws_launch_template":
            specified = list(source.given(block.body, "tag_specifications"))
            if not specified or any(_is_empty(source, each.body) for each in specified):
                yield source.fault("tags", f"`{address(block)}` has no tag_specifications", block.where)
    if any(source.of("resource")) and "tags" in source.module.variables and "tags" not in _inputs(source):
        yield source.fault("tags", "the input `tags` reaches no resource", str(source.module.variables["tags"].place))


def values(source: ModuleSource) -> Iterator[Fault]:
    """Require that `Environment` is the environment and `Service` the service."""
    inputs = {name: _marker(name) for name in source.module.variables}
    scope = names.scope(source, var=inputs)
    for attribute in _tags(source):
        for key, text, where in _entries(attribute):
            if key in VALUES and _value(text, scope) != _marker(VALUES[key]):
                yield source.fault("tags", f"the tag `{key}` is `{text}`", where, todo=f"{key} = var.{VALUES[key]}")
    for block in source.of("resource", "aws_autoscaling_group"):
        for tag in block.body.of("tag"):
            name, given = str(literal(tag.body, "key")), tag.body.attributes.get("value")
            if name in VALUES and given and _value(given.text, scope) != _marker(VALUES[name]):
                what = f"the tag `{name}` is `{given.text}`"
                yield source.fault("tags", what, given.where, todo=f"value = var.{VALUES[name]}")


def complete(source: ModuleSource) -> Iterator[Fault]:
    """Require the platform's tags wherever there are tags."""
    for block in source.of("resource"):
        attribute = block.body.attributes.get("tags")
        if block.labels[0] in taggable() and attribute is not None and not _is_empty(source, block.body):
            reached = [attribute, *(source.locals[name] for name in source.locals_in(attribute.code))]
            found = {key for attribute in reached for key, _, _ in _entries(attribute)}
            missing = sorted({"Environment", "Service", "Version"} - found)
            if missing:
                what = f"`{address(block)}` does not have the tags {', '.join(missing)}"
                yield source.fault("tags", what, attribute.where, todo="tags = merge(local.tags, …)")


def _inputs(source: ModuleSource) -> set[str]:
    return source.inputs("\n".join(code(block.body) for block in source.of("resource")))


def _is_empty(source: ModuleSource, body: hcl.Body) -> bool:
    """Whether `tags` says nothing, where inputs other than `tags` have their defaults."""
    attribute = body.attributes.get("tags")
    return attribute is not None and "var.tags" not in attribute.code and source.value(body, "tags") in (None, {}, "")


def _tags(source: ModuleSource) -> Iterator[hcl.Attribute]:
    """Every attribute that gives tags, and the locals that it takes, each once."""
    found: dict[str, hcl.Attribute] = {}
    for block in source.of("resource"):
        for attribute in _attributes(block):
            found[attribute.where] = attribute
            found |= {source.locals[name].where: source.locals[name] for name in source.locals_in(attribute.code)}
    yield from found.values()


def _attributes(block: hcl.Block) -> Iterator[hcl.Attribute]:
    for name, attribute in block.body.attributes.items():
        if _TAGS.fullmatch(name) or (name == "for_each" and block.type == "dynamic" and block.labels == ("tag",)):
            yield attribute
    for inner_block in block.body.blocks:
        yield from _attributes(inner_block)


def _entries(attribute: hcl.Attribute) -> Iterator[tuple[str, str, str]]:
    """Key, text of the value and place of every entry of the objects in an expression."""
    for node in attribute.node.iter_subtrees():
        if node.data != "object":
            continue
        for element in literals.object_elements(node, attribute.scanned):
            key_node, _, value_node = element.children
            try:
                key = literals.key(key_node, attribute.scanned)
            except UsageError:
                continue  # a computed key
            where = attribute.scanned.where(key_node.meta.start_pos)
            yield key, hcl.source(value_node, attribute.scanned), where


def _value(text: str, scope: Mapping[str, Any]) -> Any:
    try:
        return evaluating.evaluate_text(text, scope)
    except (ExpressionError, UnknownError):
        return None


def _marker(name: str) -> str:
    return f"<{name}>"
