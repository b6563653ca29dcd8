"""Patches for moto's S3: bucket policies that require TLS."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

MOTO = "5.2.5"  # the version that this file patches


def ignore_tls_only_policies() -> None:
    """Ignore statements of bucket policies that only deny plain HTTP: these requests never leave the machine."""

    def get_permission(bucket: Any, action: str, resource: str) -> Any:
        if bucket.policy is None:
            return PermissionResult.NEUTRAL
        return IAMPolicy(without_tls_denials(bucket.policy)).is_action_permitted(action, resource)

    bucket_class: Any = FakeBucket
    bucket_class.get_permission = get_permission


def without_tls_denials(policy: bytes | str) -> str:
    """Return a policy without the statements that only deny requests without TLS."""
    document = json.loads(policy)
    statements = document["Statement"]
    if isinstance(statements, dict):
        statements = [statements]
    return json.dumps({**document, "Statement": [each for each in statements if not _denies_plain_http(each)]})


def _denies_plain_http(statement: dict[str, Any]) -> bool:
    condition = statement.get("Condition") or {}
    asked = {
        (operator.removesuffix("IfExists"), key.lower(), str(value).lower())
        for operator, keys in condition.items()
        for key, values in keys.items()
        for value in (values if isinstance(values, list) else [values])
    }
    return statement.get("Effect") == "Deny" and asked == {("Bool", "aws:securetransport", "false")}


PATCHES = (ignore_tls_only_policies,)
