"""A plan, read from ``terraform show -json`` (format_version 1.x)."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ngp.errors import Finding, NgpError, RefusedError

SENSITIVE = "(sensitive value)"  # as Terraform writes it
_KEY = secrets.token_bytes(32)


class Action(Enum):
    NO_OP = "no-op"
    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    REPLACE = "replace"  # both orders of delete and create
    DELETE = "delete"
    FORGET = "forget"
    UNKNOWN = "unknown"  # unknown to this version of ngp; never fits an envelope


class Masked(str):
    """The replacement of a sensitive value. Two of them from one process can be compared.

    The digest is keyed by the process and stays in its memory; copies and files contain only the text.
    """

    __slots__ = ("fingerprint",)
    fingerprint: bytes

    @classmethod
    def of(cls, value: Any) -> Masked:
        """Mask a value."""
        made = cls(SENSITIVE)
        text = json.dumps(value, sort_keys=True, default=str)
        made.fingerprint = hmac.digest(_KEY, text.encode(), "sha256")
        return made

    def differs(self, other: Masked) -> bool:
        """Whether the values of both are known to differ."""
        return self.fingerprint != other.fingerprint

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


@dataclass(frozen=True)
class Change:
    """The planned change of a resource. Sensitive leaves of `before` and `after` are masked."""

    address: str
    type: str
    action: Action
    before: Any = None
    after: Any = None
    after_unknown: Any = None
    replace_paths: tuple[tuple[str | int, ...], ...] = ()
    mode: str = "managed"  # managed or data
    reason: str = ""
    actions: tuple[str, ...] = ()  # in Terraform's words
    previous_address: str = ""
    importing: bool = False
    import_id: str = ""  # of what is imported, where the plan knows it; JSON for an identity
    sensitive_changes: tuple[tuple[str | int, ...], ...] = ()  # paths of masked leaves that differ


@dataclass(frozen=True)
class Invocation:
    """An action that Terraform invokes beside the changes. Sensitive leaves of `values` are masked."""

    address: str
    trigger: str = ""  # the resource and the event that invoke it, "" where the command line does
    values: Any = None
    unknown: Any = False

    def __str__(self) -> str:
        return f"{self.address}{f' ({self.trigger})' if self.trigger else ''}"


@dataclass(frozen=True)
class OutputChange:
    """The planned change of an output. `after_unknown` is False, True or a structure of those, as in Terraform's
    document."""

    name: str
    action: Action
    before: Any = None
    after: Any = None
    after_unknown: Any = False
    sensitive: bool = False


@dataclass(frozen=True)
class Plan:
    changes: tuple[Change, ...]  # every resource, no-ops too
    outputs: Mapping[str, OutputChange]  # every root output
    drift: tuple[Change, ...] = ()
    terraform_version: str = ""
    errored: bool = False
    invocations: tuple[Invocation, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)  # all other parts (checks, …), as they are


_ACTIONS: Mapping[tuple[str, ...], Action] = {
    ("no-op",): Action.NO_OP,
    ("create",): Action.CREATE,
    ("read",): Action.READ,
    ("update",): Action.UPDATE,
    ("delete",): Action.DELETE,
    ("forget",): Action.FORGET,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
}
# Not kept in `extra`: what is read here, and the parts that hold values in clear, sensitive ones too.
_READ = frozenset(
    {
        "format_version",
        "terraform_version",
        "resource_changes",
        "resource_drift",
        "output_changes",
        "action_invocations",
    }
)
_LEFT = frozenset({"errored", "variables", "planned_values", "prior_state", "configuration", "proposed_unknown"})

# Parts that change nothing themselves. Any other part may be a kind of change that nobody would see.
_HARMLESS = frozenset({"applyable", "checks", "complete", "relevant_attributes", "timestamp"})


def parse(document: Mapping[str, Any]) -> Plan:
    """Parse the document of ``show -json PLAN``, and mask its sensitive leaves."""
    if str(document.get("format_version", "")).partition(".")[0] != "1":
        raise NgpError(
            f"this plan has format {document.get('format_version', 'unknown')}, but ngp reads 1.x",
            why="the Terraform in use is newer than this ngp, or the file is not a plan",
            todo="use a Terraform that the constraint in ngp.yaml allows",
        )
    outputs = document.get("output_changes") or {}
    return Plan(
        changes=tuple(_change(entry) for entry in document.get("resource_changes") or ()),
        outputs={name: _output(name, change) for name, change in outputs.items()},
        drift=tuple(_change(entry) for entry in document.get("resource_drift") or ()),
        terraform_version=str(document.get("terraform_version", "")),
        errored=bool(document.get("errored", False)),
        invocations=tuple(_invocation(entry) for entry in document.get("action_invocations") or ()),
        extra={key: value for key, value in document.items() if key not in _READ | _LEFT},
    )


def require_known(plan: Plan) -> None:
    """Raise RefusedError (3) with each change of an unknown kind, including deferred ones."""
    found = [
        f"{one.address}: the plan says {' and '.join(one.actions) or 'nothing'}, which ngp does not know"
        for one in plan.changes
        if one.action is Action.UNKNOWN
    ]
    for key, value in plan.extra.items():
        if value and key not in _HARMLESS:
            found += [f"{address}: the plan has it in `{key}`, which ngp does not apply" for address in _named(value)]
    if found:
        why = "what ngp cannot show is neither reviewed nor compared"
        todo = "take it out of the configuration, or apply it with Terraform in the unit's root"
        raise RefusedError([Finding(text, why=why, todo=todo) for text in found])


def _named(value: Any) -> list[str]:
    """Return the addresses in a part of a plan that ngp does not know."""
    entries = value if isinstance(value, list) else [value]
    inner = [_inside(entry) for entry in entries if isinstance(entry, dict)]
    return [str(entry["address"]) for entry in inner if "address" in entry] or ["something"]


def _inside(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Unwrap a deferred change or action."""
    wrapped = entry.get("resource_change") or entry.get("action_invocation")
    return wrapped if isinstance(wrapped, dict) else entry


def mask(value: Any, sensitive: Any) -> Any:
    """Replace the leaves of `value` that `sensitive` (True, False or a structure of those) marks."""
    if value is None:
        return None
    if sensitive is True:
        return Masked.of(value)
    if isinstance(value, dict) and isinstance(sensitive, dict):
        return {key: mask(leaf, sensitive.get(key, False)) for key, leaf in value.items()}
    if isinstance(value, list) and isinstance(sensitive, list):
        marks = [*sensitive, *[False] * (len(value) - len(sensitive))]
        return [mask(leaf, mark) for leaf, mark in zip(value, marks, strict=False)]
    return value


def _differing_secrets(change: Mapping[str, Any]) -> tuple[tuple[str | int, ...], ...]:
    """Return the paths of the sensitive leaves that a change alters, both sides of which are masked."""
    before, after = change.get("before"), change.get("after")
    marks = change.get("before_sensitive"), change.get("after_sensitive")
    return tuple(_differing(before, after, marks, ()))


def _differing(
    before: Any, after: Any, marks: tuple[Any, Any], path: tuple[str | int, ...]
) -> Iterator[tuple[str | int, ...]]:
    if before is None or after is None or before == after:
        return
    if marks[0] is True or marks[1] is True:
        yield path
        return
    keys: Iterable[str | int] = ()
    if isinstance(before, dict) and isinstance(after, dict):
        keys = before.keys() & after.keys()
    elif isinstance(before, list) and isinstance(after, list):
        keys = range(min(len(before), len(after)))
    for key in sorted(keys, key=str):
        inner = tuple(_mark(mark, key) for mark in marks)
        yield from _differing(before[key], after[key], (inner[0], inner[1]), (*path, key))


def _mark(mark: Any, key: str | int) -> Any:
    if isinstance(mark, dict):
        return mark.get(key, False)
    if isinstance(mark, list) and isinstance(key, int):
        return mark[key] if key < len(mark) else False
    return False


def _change(entry: Mapping[str, Any]) -> Change:
    change = entry.get("change") or {}
    actions = tuple(change.get("actions") or ())
    deposed = entry.get("deposed")
    return Change(
        address=entry["address"] + (f" (deposed object {deposed})" if deposed else ""),
        type=str(entry.get("type", "")),
        action=_ACTIONS.get(actions, Action.UNKNOWN),
        before=mask(change.get("before"), change.get("before_sensitive")),
        after=mask(change.get("after"), change.get("after_sensitive")),
        after_unknown=change.get("after_unknown"),
        replace_paths=tuple(tuple(path) for path in change.get("replace_paths") or ()),
        mode=str(entry.get("mode", "managed")),
        reason=str(entry.get("action_reason", "")),
        actions=actions,
        previous_address=str(entry.get("previous_address", "")),
        importing=bool(change.get("importing")),
        import_id=_import_id(change.get("importing") or {}),
        sensitive_changes=_differing_secrets(change),
    )


def _import_id(importing: Mapping[str, Any]) -> str:
    found = importing.get("id") or importing.get("identity")
    return found if isinstance(found, str) else json.dumps(found, sort_keys=True) if found else ""


def _invocation(entry: Mapping[str, Any]) -> Invocation:
    trigger = entry.get("lifecycle_action_trigger") or {}
    words = (trigger.get("action_trigger_event"), trigger.get("triggering_resource_address"))
    return Invocation(
        str(entry.get("address", "")),
        " ".join(str(word) for word in words if word),
        mask(entry.get("config_values"), entry.get("config_sensitive")),
        entry.get("config_unknown", False),
    )


def _output(name: str, change: Mapping[str, Any]) -> OutputChange:
    before_sensitive, after_sensitive = change.get("before_sensitive"), change.get("after_sensitive")
    return OutputChange(
        name=name,
        action=_ACTIONS.get(tuple(change.get("actions") or ()), Action.UNKNOWN),
        before=mask(change.get("before"), before_sensitive),
        after=mask(change.get("after"), after_sensitive),
        after_unknown=change.get("after_unknown", False),
        sensitive=bool(before_sensitive) or bool(after_sensitive),
    )
