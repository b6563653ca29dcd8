"""Checks planned values against what AWS accepts; the plan reports the problems before anybody is asked to apply."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ngp.runs import addresses
from ngp.runs.context import RunContext
from ngp.runs.events import Note
from ngp.runs.results import UnitResult
from ngp.terraform.plans import SENSITIVE, Action, Change

_SETS = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE})
_SHOWN = 120
# resource type → the argument that has AWS refuse its deletion
_LOCKS: Mapping[str, str] = {
    "aws_alb": "enable_deletion_protection",
    "aws_cognito_user_pool": "deletion_protection",
    "aws_db_instance": "deletion_protection",
    "aws_docdb_cluster": "deletion_protection",
    "aws_dynamodb_table": "deletion_protection_enabled",
    "aws_instance": "disable_api_termination",
    "aws_lb": "enable_deletion_protection",
    "aws_neptune_cluster": "deletion_protection",
    "aws_rds_cluster": "deletion_protection",
}


def emit_warnings(context: RunContext, result: UnitResult, planned: Sequence[Change]) -> None:
    """Warn of planned values that AWS would refuse, but for what the unit's module accepts with a reason.

    `planned` are the changes of the unit's plan with those that change nothing. The run continues: AWS decides.
    """
    for change in result.changes:
        lock = locked(change)
        if lock:
            todo = f"apply {lock} = false first"
            context.emit(
                Note(f"`{result.unit}`: AWS would refuse to delete {change.address}, which has {lock}: {todo}")
            )
        for text in () if _is_accepted(context, result, change) else refusals(context, change):
            context.emit(Note(f"`{result.unit}`: {text}"))
    for change, text in _sums(context, result, planned):
        if not _is_accepted(context, result, change):
            context.emit(Note(f"`{result.unit}`: {text}"))


def locked(change: Change) -> str:
    """Return the argument by which AWS refuses to delete what a change deletes; "" where nothing does.

    Terraform has by then deleted what depends on it, such as the listeners of a load balancer.
    """
    name = _LOCKS.get(change.type, "") if change.action in (Action.DELETE, Action.REPLACE) else ""
    before = change.before if isinstance(change.before, Mapping) else {}
    return name if before.get(name) in (True, "true", "ACTIVE") else ""


def refusals(context: RunContext, change: Change) -> Iterator[str]:
    """Yield the new values of a change that AWS would refuse or undo: resource, attribute, value, rule and source."""
    if change.action not in _SETS or not change.type.startswith("aws_"):
        return
    from ngp.catalogue.constraints import accepting, parameters

    before = {(each.path, str(each.value)) for each in accepting.flatten(change.before)}
    after = [each for each in accepting.flatten(change.after) if each.value != SENSITIVE]
    unchanged = [each for each in after if (each.path, str(each.value)) in before]
    values = [each for each in after if (each.path, str(each.value)) not in before]
    tables = parameters.load(context.resolved.platform.cache)
    for each in accepting.refusals(change.type, values, tables, unchanged):
        shown = str(each.value)
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
        what = each.of(f'{change.address} {each.path} = "{shown}"')
        yield f"{what}: it {each.rule} ({each.source})"


def sums(changes: Iterable[Change], account: Callable[[Change], str] = lambda _: "") -> Iterator[tuple[Change, str]]:
    """Yield the inline policies that IAM would refuse because those of one role, user or group are too large.

    Those that stay as they are count too. `account` returns what tells the providers of two changes apart.
    """
    from ngp.catalogue.constraints import policies

    found: list[policies.InlinePolicy] = []
    for change in sorted(changes, key=lambda change: change.action in _SETS):
        if change.action in {*_SETS, Action.NO_OP} and isinstance(change.after, Mapping):
            for each in policies.inline(change.type, change.after, change):
                found.append(replace(each, holder=f"{account(change)} {each.holder}"))
            inner = change.after.get("inline_policy")
            texts = [each.get("policy") for each in inner or () if isinstance(each, Mapping)]
            found += policies.blocks(change.type, texts, change, change.address)
    for each, rule, source in policies.sums(found):
        if each.where.action in _SETS:
            path = "policy" if policies.holder_of(each.type) else "inline_policy.policy"
            yield each.where, f"AWS would refuse {each.where.address} {path}: it {rule} ({source})"


def _sums(context: RunContext, result: UnitResult, planned: Sequence[Change]) -> Sequence[tuple[Change, str]]:
    """Return what `sums` finds; only then the module's code is read, for the providers of its resources."""
    found = tuple(sums(planned))
    module = context.resolved.catalogue.modules.get(result.module)
    if not found or not module:
        return found
    from ngp.catalogue.rules import source

    blocks = {source.address(block): block.body.attributes for block in source.load(module).of("resource")}

    def account(change: Change) -> str:
        own = blocks.get(addresses.without_keys(change.address.removeprefix(f"module.{result.unit}.")), {})
        return own["provider"].text.strip() if "provider" in own else ""

    return tuple(sums(planned, account))


def _is_accepted(context: RunContext, result: UnitResult, change: Change) -> bool:
    module = context.resolved.catalogue.modules.get(result.module)
    if not module or not module.manifest.exceptions:
        return False
    from ngp.catalogue.constraints.modules import RULE

    inside = addresses.without_keys(change.address.removeprefix(f"module.{result.unit}."))
    return f"{RULE} {inside}" in module.manifest.exceptions
