"""Patches for moto's SQS: policies of queues."""

from __future__ import annotations

import json
from typing import Any

from moto.sqs.models import Queue

MOTO = "5.2.5"  # the version that this file patches
_REDRIVE = ("RedrivePolicy", "RedriveAllowPolicy")


def keep_policies() -> None:
    """Keep each policy of a queue until a request changes it, and return redrive policies as Terraform writes them.

    moto adds blanks, drops the policy if another attribute is set, and never returns a redrive allow policy.
    """
    queue_class: Any = Queue
    show, change = queue_class.attributes.fget, queue_class._set_attributes

    def attributes(queue: Any) -> dict[str, Any]:
        shown: dict[str, Any] = show(queue)
        return shown | {name: _compact(shown[name]) for name in _REDRIVE if shown.get(name)}

    def set_attributes(queue: Any, given: dict[str, Any], now: float | None = None) -> None:
        change(queue, given if "Policy" in given else {**given, "Policy": queue.policy}, now)

    queue_class.BASE_ATTRIBUTES = [*queue_class.BASE_ATTRIBUTES, "RedriveAllowPolicy"]
    queue_class.redrive_allow_policy = None
    queue_class.attributes = property(attributes)
    queue_class._set_attributes = set_attributes


def _compact(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


PATCHES = (keep_policies,)
