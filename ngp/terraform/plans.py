"""A plan as a value, read from ``terraform show -json`` (format_version 1.x)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Action(Enum):
    NO_OP = "no-op"
    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    REPLACE = "replace"  # both orders of delete and create
    DELETE = "delete"
    FORGET = "forget"
    UNKNOWN = "unknown"  # a kind that this version of ngp does not know; never fits an envelope


@dataclass(frozen=True)
class Change:
    """What is to happen to one resource. Sensitive leaves of `before` and `after` are masked already."""

    address: str
    type: str
    action: Action
    before: Any = None
    after: Any = None
    after_unknown: Any = None
    replace_paths: tuple[tuple[str | int, ...], ...] = ()
    mode: str = "managed"  # managed or data
    reason: str = ""
    actions: tuple[str, ...] = ()  # as Terraform says them
    previous_address: str = ""
    importing: bool = False


@dataclass(frozen=True)
class OutputChange:
    """`after_unknown` is False, True, or a structure of those, as in Terraform's document."""

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
    extra: Mapping[str, Any] = field(default_factory=dict)  # unknown kinds (deferred_changes, …), kept
