"""What the HCL of a module creates, for its page: resources, network rules and permissions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ngp.catalogue import hcl, literals
from ngp.catalogue.rules.source import ModuleSource, address, code, inner, literal
from ngp.errors import UsageError

_RULES = {"aws_vpc_security_group_ingress_rule": "in", "aws_vpc_security_group_egress_rule": "out"}
_PEERS = ("cidr_ipv4", "cidr_ipv6", "referenced_security_group_id", "prefix_list_id")
_DOCUMENT = re.compile(r"\bdata\.aws_iam_policy_document\.([\w-]+)")
_RESOURCE = re.compile(r"(?<![\w.\-])(aws_[a-z0-9_]+\.[\w-]+)")
_ONLY = re.compile(r"\?\s*\[\]\s*:\s*\[([\w.\-]+)\]$")
_SWITCH = re.compile(r"\s*\?\s*1\s*:\s*0$")
_MANAGED = re.compile(r":policy/(?:[\w-]+/)*([\w+=,.@-]+)")


@dataclass(frozen=True)
class Resource:
    """A resource block. `repeated` is the expression of its `count` or `for_each`, "" if it has none."""

    type: str
    name: str
    repeated: str


@dataclass(frozen=True)
class NetworkRule:
    """A rule of a security group. Every text is a literal's value, or the expression."""

    direction: str  # in, out
    group: str
    protocol: str
    ports: str
    peer: str
    description: str
    repeated: str


@dataclass(frozen=True)
class PolicyStatement:
    """A statement of a policy document, and the address that the policy is for. `targets` are the resources, or the
    principals where it names none; `conditions` the keys that it depends on. Of a policy that is attached as a whole
    there is only the name, in `sid`."""

    of: str
    sid: str
    actions: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    is_denied: bool = False


@dataclass(frozen=True)
class Contents:
    resources: tuple[Resource, ...]
    network_rules: tuple[NetworkRule, ...]
    statements: tuple[PolicyStatement, ...]


def collect(source: ModuleSource) -> Contents:
    """Return everything that a module's files create, in their order."""
    labelled = ((*block.labels[:2], _repeated(block)) for block in source.of("resource"))
    resources = tuple(Resource(type_, name, repeated) for type_, name, repeated in labelled)
    return Contents(resources, tuple(_network_rules(source)), tuple(_statements(source)))


def _network_rules(source: ModuleSource) -> Iterator[NetworkRule]:
    for block in source.of("resource", *_RULES):
        peers = [name for name in _PEERS if name in block.body.attributes]
        for each in _instances(source, block):
            texts = {name: _text(attribute, each) for name, attribute in block.body.attributes.items()}
            yield NetworkRule(
                direction=_RULES[block.labels[0]],
                group=_group(texts.get("security_group_id", "")),
                protocol=texts.get("ip_protocol", ""),
                ports=_ports(texts.get("from_port", ""), texts.get("to_port", "")),
                peer=_group(texts[peers[0]]) if peers else "",
                description=texts.get("description", ""),
                repeated="" if each else _repeated(block),
            )


def _instances(source: ModuleSource, block: hcl.Block) -> list[Mapping[str, Any]]:
    """``each`` of every instance where `for_each` is a local with literal values; else one empty mapping."""
    attribute = block.body.attributes.get("for_each")
    named = source.locals.get(attribute.text.removeprefix("local.")) if attribute else None
    if named is None:
        return [{}]
    try:
        found = hcl.literal(named)
    except UsageError:
        return [{}]
    return [{"key": key, "value": value} for key, value in found.items()] if isinstance(found, dict) else [{}]


def _text(attribute: hcl.Attribute, each: Mapping[str, Any]) -> str:
    steps = attribute.text.split(".")
    if each and steps[0] == "each":
        found: Any = each
        for step in steps[1:]:
            found = found.get(step) if isinstance(found, Mapping) else None
        if isinstance(found, str | int):
            return str(found)
    try:
        value = hcl.literal(attribute)
    except UsageError:
        return " ".join(attribute.text.split())
    return value if isinstance(value, str) else hcl.render(value)


def _ports(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"


def _group(expression: str) -> str:
    """``aws_security_group.lb`` of ``aws_security_group.lb[0].id``; other expressions as they are."""
    return re.sub(r"^(aws_security_group\.[\w-]+)(\[[^]]*\])?\.id$", r"\1", expression)


def _statements(source: ModuleSource) -> Iterator[PolicyStatement]:
    documents = {block.labels[1]: block for block in source.of("data", "aws_iam_policy_document")}
    for block in source.of("resource"):
        named = dict.fromkeys(_DOCUMENT.findall(code(block.body)))
        for name in [each for first in named for each in _with_sources(documents, first)]:
            for statement, value in _blocks(documents[name]):
                yield _statement(_holder(block), statement, value)
        if block.labels[0] == "aws_iam_role_policy_attachment":
            arn = block.body.attributes["policy_arn"].text + _repeated(block)
            attached = _MANAGED.findall(arn) or _RESOURCE.findall(arn)
            yield from (PolicyStatement(_holder(block), name) for name in attached)


def _blocks(document: hcl.Block) -> Iterator[tuple[hcl.Block, str]]:
    """The statements, each with what ``statement.value`` is where it is one thing or none; else ""."""
    for block in document.body.blocks:
        if block.type == "statement":
            yield block, ""
        elif block.type == "dynamic" and block.labels == ("statement",):
            only = _ONLY.search(block.body.attributes["for_each"].text)
            yield from ((content, only[1] if only else "") for content in block.body.of("content"))


def _with_sources(documents: Mapping[str, hcl.Block], name: str) -> list[str]:
    """A document and those that it takes in, each once."""
    found, waiting = list[str](), [name]
    while waiting:
        at = waiting.pop(0)
        if at in documents and at not in found:
            found.append(at)
            taken = [each for each in documents[at].body.attributes.values() if each.name.endswith("policy_documents")]
            waiting += [each for attribute in taken for each in _DOCUMENT.findall(attribute.code)]
    return found


def _statement(of: str, block: hcl.Block, value: str) -> PolicyStatement:
    attributes = block.body.attributes
    targets = _items(attributes["resources"]) if "resources" in attributes else ()
    if not targets:
        principals = [each.body.attributes["identifiers"] for each in inner(block.body, "principals")]
        targets = tuple(item for each in principals for item in _items(each))
    return PolicyStatement(
        of=of,
        sid=str(literal(block.body, "sid") or ""),
        actions=_items(attributes["actions"]) if "actions" in attributes else (),
        targets=tuple(each.replace("statement.value", value) if value else each for each in targets),
        conditions=tuple(str(literal(each.body, "variable")) for each in inner(block.body, "condition")),
        is_denied=literal(block.body, "effect") == "Deny",
    )


def _items(attribute: hcl.Attribute) -> tuple[str, ...]:
    """The elements of a list: what literals say, and the source of what is none."""
    node = literals.unwrap(attribute.node)
    if node.data != "tuple":
        return (" ".join(attribute.text.split()),)
    items = [child for child in node.children if hasattr(child, "data") and child.data != "new_line_or_comment"]
    return tuple(_item(each, attribute) for each in items)


def _item(node: Any, attribute: hcl.Attribute) -> str:
    try:
        return str(literals.evaluate(node, attribute.scanned))
    except UsageError:
        return " ".join(hcl.source(node, attribute.scanned).split()).strip('"')


def _holder(block: hcl.Block) -> str:
    """Whom a policy is for: the role that it is attached to, where the module makes it; else what holds it."""
    role = block.body.attributes.get("role")
    if role is None:
        return address(block)
    made = _RESOURCE.match(role.text)
    return made[1] if made else role.text


def _repeated(block: hcl.Block) -> str:
    for name in ("count", "for_each"):
        if name in block.body.attributes:
            return _SWITCH.sub("", " ".join(block.body.attributes[name].text.split()))
    return ""
