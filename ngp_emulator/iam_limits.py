"""Patches for moto's IAM: policies that are larger than IAM's quotas."""

from __future__ import annotations

import inspect
import re
from typing import Any

from moto.iam.exceptions import LimitExceededException
from moto.iam.models import IAMBackend

MOTO = "5.2.5"  # the version that this file patches
# IAM and STS quotas, in characters without white space. That of trust is 2,048 and may be raised to this.
MANAGED, INLINE, TRUST = 6144, 10240, 8192


def refuse_large_policies() -> None:
    """Refuse policies above IAM's quotas: 6,144 characters if managed, 10,240 of a role's own, 8,192 of trust."""
    managed, trust = (
        f"Cannot exceed quota for PolicySize: {MANAGED}",
        f"Cannot exceed quota for ACLSizePerRole: {TRUST}",
    )
    _limit("create_policy", "policy_document", MANAGED, managed)
    _limit("create_policy_version", "policy_document", MANAGED, managed)
    _limit("create_role", "assume_role_policy_document", TRUST, trust)
    _limit("update_assume_role_policy", "policy_document", TRUST, trust)
    _limit_inline()


def _limit(name: str, argument: str, most: int, said: str) -> None:
    backend_class: Any = IAMBackend
    known = getattr(backend_class, name)
    signature = inspect.signature(known)

    def limited(backend: Any, *given: Any, **named: Any) -> Any:
        if _size(signature.bind(backend, *given, **named).arguments[argument]) > most:
            raise LimitExceededException(said)
        return known(backend, *given, **named)

    setattr(backend_class, name, limited)


def _limit_inline() -> None:
    backend_class: Any = IAMBackend
    known = backend_class.put_role_policy

    def put_role_policy(backend: Any, role_name: str, policy_name: str, policy_json: str) -> Any:
        held = {**backend.get_role(role_name).policies, policy_name: policy_json}
        if sum(map(_size, held.values())) > INLINE:
            raise LimitExceededException(f"Maximum policy size of {INLINE} bytes exceeded for role {role_name}")
        return known(backend, role_name, policy_name, policy_json)

    backend_class.put_role_policy = put_role_policy


def _size(text: Any) -> int:
    return len(re.sub(r"\s", "", str(text)))


PATCHES = (refuse_large_policies,)
