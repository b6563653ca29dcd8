"""Rules for IAM: no action `*`, resource `*` only with a reason, and no use of others' permissions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ngp.catalogue import hcl, literals
from ngp.catalogue.rules.source import Fault, ModuleSource, inner, literal
from ngp.catalogue.scanning import Scanned

_BROAD = re.compile(r"policy/(AdministratorAccess|PowerUserAccess|IAMFullAccess)$")
_READS_PARAMETERS = re.compile(r"(?:^|policy/)(AmazonSSMManagedInstanceCore|AmazonEC2RoleforSSM)$")
_INTERPOLATION = re.compile(r"\$\{[^}]*\}")
_WHOLE = re.compile(r"\*|(arn:[^:]+|\.):[^:]+:[^:]*:([^:]*:\*|\*:[\w*-]*[:/]?\*)")  # of a service, or of any account
# actions that use others' permissions → the condition that limits them
_BOUNDS: Mapping[str, str] = {
    "iam:PassRole": "iam:PassedToService",
    "iam:AttachRolePolicy": "iam:PermissionsBoundary",
    "iam:AttachUserPolicy": "iam:PermissionsBoundary",
    "iam:CreateRole": "iam:PermissionsBoundary",
    "iam:CreateUser": "iam:PermissionsBoundary",
    "iam:PutRolePolicy": "iam:PermissionsBoundary",
    "iam:PutUserPolicy": "iam:PermissionsBoundary",
    "sts:AssumeRoleWithWebIdentity": ":sub",
}
_TEXTS = frozenset({".json", ".tftpl", ".tpl"})
_JSON_POLICY = re.compile(r'"(Not)?Action"\s*:')


@dataclass(frozen=True)
class _Statement:
    """The literal strings in the parts of one statement."""

    where: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    is_inverted: bool  # NotAction, NotResource
    of: hcl.Block  # what it stands in
    text: str


def policies(source: ModuleSource) -> Iterator[Fault]:
    """Check every statement that allows something against the manifest's `wildcards`."""
    wildcards = source.module.manifest.wildcards
    used: set[str] = set()
    for statement in _statements(source):
        yield from _check(source, statement, wildcards, used)
    for action in sorted(set(wildcards) - used):
        where = source.manifest.where(f"wildcards.{action}")
        yield source.fault("iam-wildcard", f"`wildcards` names `{action}`, which no policy needs", where)


def texts(source: ModuleSource) -> Iterator[Fault]:
    """Refuse policies in plain text, and AWS's own policies for administrators or for all parameters."""
    for text, where in _texts(source):
        broad = _BROAD.search(text)
        if broad:
            yield source.fault("iam-action", f"`{broad[1]}` allows nearly everything", where)
        reads = _READS_PARAMETERS.search(text)
        if reads:
            todo = "write a policy of what the agent does, as the module swarm has it"
            yield source.fault("iam-action", f"`{reads[1]}` reads every parameter of the account", where, todo=todo)
        if _JSON_POLICY.search(text.replace('\\"', '"')):
            todo = 'write it as a data "aws_iam_policy_document"'
            yield source.fault("iam-text", "a policy is written as a text", where, todo=todo)


def _check(
    source: ModuleSource, statement: _Statement, wildcards: Mapping[str, str], used: set[str]
) -> Iterator[Fault]:
    if statement.is_inverted:
        what = "not_actions and not_resources allow what nobody named"
        yield source.flaw(statement.of, "iam-action", what, where=statement.where)
    allowed = {action: [rule for rule in wildcards if fnmatchcase(action, rule)] for action in statement.actions}
    whole = {action for action in statement.actions if action == "*" or action.endswith(":*")}
    for action in statement.actions:
        if action in whole and action not in wildcards:
            what = f"the action `{action}` is a wildcard"
            yield source.flaw(statement.of, "iam-action", what, where=statement.where)
    used.update(whole)
    yield from _bounded(source, statement, set(statement.actions) - whole)
    wide = next((each for each in statement.resources if _WHOLE.fullmatch(_INTERPOLATION.sub(".", each))), "")
    if not wide:
        return
    used.update(rule for rules in allowed.values() for rule in rules)
    open_ = [action for action in statement.actions if not allowed[action] and action not in whole]
    if open_ or not statement.actions:
        named = ", ".join(f"`{action}`" for action in open_) or "actions that are not literal"
        todo = "name the resources, or give the reason in module.yaml under `wildcards`"
        what = f'resource "{wide}" with {named}'
        yield source.flaw(statement.of, "iam-wildcard", what, where=statement.where, todo=todo)


def _bounded(source: ModuleSource, statement: _Statement, actions: set[str]) -> Iterator[Fault]:
    """Rights that make more rights are bound by a condition, or are of resources that are named."""
    is_pattern = any("*" in each for each in statement.resources)
    for action, condition in _BOUNDS.items():
        is_allowed = any(fnmatchcase(action, each) for each in actions)
        if is_allowed and (is_pattern or action.startswith("sts:")) and condition not in statement.text:
            what, todo = f"`{action}` has no condition on `{condition}`", f"a condition on {condition}"
            yield source.flaw(statement.of, "iam-escalation", what, where=statement.where, todo=todo)


def _texts(source: ModuleSource) -> Iterator[tuple[str, str]]:
    """What the strings of the module's code say, and its files that may hold a policy, each with its place."""
    for scanned in source.scanned:
        for template in scanned.templates.values():
            yield scanned.source[slice(*template.inner)], scanned.where(template.start)
    for path in sorted(source.module.path.rglob("*")):
        is_hidden = any(part.startswith(".") for part in path.relative_to(source.module.path).parts)
        if path.suffix in _TEXTS and path.is_file() and not is_hidden:
            yield path.read_text(encoding="utf-8", errors="replace"), str(path)


def _statements(source: ModuleSource) -> Iterator[_Statement]:
    for block in source.of("data", "aws_iam_policy_document"):
        for statement in inner(block.body, "statement"):
            if literal(statement.body, "effect") != "Deny":
                yield _of_block(block, statement)
    for body in source.bodies.values():
        for block in body.blocks:
            for attribute in _attributes(block.body):
                yield from _of_objects(block, attribute)


def _of_block(of: hcl.Block, statement: hcl.Block) -> _Statement:
    attributes = statement.body.attributes
    actions, resources = (attributes.get(name) for name in ("actions", "resources"))
    is_inverted = not attributes.keys().isdisjoint({"not_actions", "not_resources"})
    text = statement.scanned.source[statement.span.start : statement.span.end]
    return _Statement(statement.where, _strings(actions), _raw(resources), is_inverted, of, text)


def _strings(attribute: hcl.Attribute | None) -> tuple[str, ...]:
    return () if attribute is None else _between(attribute.scanned, *_ends(attribute))


def _raw(attribute: hcl.Attribute | None) -> tuple[str, ...]:
    """The strings of an attribute as they are written, interpolations too."""
    return () if attribute is None else _written(attribute.scanned, *_ends(attribute))


def _ends(attribute: hcl.Attribute) -> tuple[int, int]:
    return attribute.value_span.start, attribute.value_span.end


def _between(scanned: Scanned, start: int, end: int) -> tuple[str, ...]:
    """The literal strings in a part of the text."""
    inside = (each for at, each in scanned.templates.items() if start <= at < end and each.is_literal)
    return tuple(literals.string(template, scanned) for template in inside)


def _written(scanned: Scanned, start: int, end: int) -> tuple[str, ...]:
    return tuple(scanned.source[slice(*each.inner)] for at, each in scanned.templates.items() if start <= at < end)


def _of_objects(of: hcl.Block, attribute: hcl.Attribute) -> Iterator[_Statement]:
    """Statements as ``jsonencode({ Statement = [{ Action = …, Resource = … }] })`` has them."""
    scanned = attribute.scanned
    waiting: list[Any] = [attribute.node]
    while waiting:
        at = waiting.pop()
        children = getattr(at, "children", ())
        waiting += children
        if getattr(at, "data", "") == "object":
            parts = {_key(each, scanned): each for each in literals.object_elements(at, scanned)}
            if "Action" in parts or "NotAction" in parts:
                statement = {name: _part(each, scanned) for name, each in parts.items()}
                targets = parts["Resource"].children[2].meta if "Resource" in parts else None
                if statement.get("Effect") != ("Deny",):
                    yield _Statement(
                        scanned.where(at.meta.start_pos),
                        statement.get("Action", ()),
                        _written(scanned, targets.start_pos, targets.end_pos) if targets else (),
                        not statement.keys().isdisjoint({"NotAction", "NotResource"}),
                        of,
                        scanned.source[at.meta.start_pos : at.meta.end_pos],
                    )


def _key(element: Any, scanned: Scanned) -> str:
    key = element.children[0]
    return scanned.source[key.meta.start_pos : _end(key, scanned)].strip('"')


def _part(element: Any, scanned: Scanned) -> tuple[str, ...]:
    value = element.children[2]
    return _between(scanned, value.meta.start_pos, value.meta.end_pos)


def _end(node: Any, scanned: Scanned) -> int:
    end: int = node.meta.end_pos
    template = scanned.templates.get(end - 2)
    return template.end if template else end


def _attributes(body: hcl.Body) -> Iterator[hcl.Attribute]:
    for item in body.items:
        if isinstance(item, hcl.Attribute):
            yield item
        else:
            yield from _attributes(item.body)
