"""Patches for moto's IAM: policies that are larger than IAM's quotas."""

from __future__ import annotations

import inspect
import re
from typing import Any

from moto.iam.exceptions import LimitExceededException
from moto.iam.models import IAMBackend

MOTO = "5.2.5"  # the version that this file patches
# IAM and STS quotas, in characters without white space. That of trust is 2,048 and may be raised to this.
MANAGED, TRUST = 6144, 8192
INLINE = {"group": 5120, "role": 10240, "user": 2048}  # of all inline policies of one together


def refuse_large_policies() -> None:
    """Refuse policies above IAM's quotas, also all inline policies of one role, user or group together."""
    managed, trust = (
        f"Cannot exceed quota for PolicySize: {MANAGED}",
        f"Cannot exceed quota for ACLSizePerRole: {TRUST}",
    )
    _limit("create_policy", "policy_document", MANAGED, managed)
    _limit("create_policy_version", "policy_document", MANAGED, managed)
    _limit("create_role", "assume_role_policy_document", TRUST, trust)
    _limit("update_assume_role_policy", "policy_document", TRUST, trust)
    for kind, most in INLINE.items():
        _limit_inline(kind, most)


def _limit(name: str, argument: str, most: int, said: str) -> None:
    backend_class: Any = IAMBackend
    known = getattr(backend_class, name)
    signature = inspect.signature(known)

    def limited(backend: Any, *given: Any, **named: Any) -> Any:
        if _size(signature.bind(backend, *given, **named).arguments[argument]) > most:
            raise LimitExceededException(said)
        return known(backend, *given, **named)

    setattr(backend_class, name, limited)


def _limit_inline(kind: str, most: int) -> None:
    backend_class: Any = IAMBackend
    method = f"put_{kind}_policy"
    known = getattr(backend_class, method)

    def limited(backend: Any, name: str, policy_name: str, policy_json: str) -> Any:
        held = {**getattr(backend, f"get_{kind}")(name).policies, policy_name: policy_json}
        if sum(map(_size, held.values())) > most:
            raise LimitExceededException(f"Maximum policy size of {most} bytes exceeded for {kind} {name}")
        return known(backend, name, policy_name, policy_json)

    setattr(backend_class, method, limited)


def _size(text: Any) -> int:
    return len(re.sub(r"\s", "", str(text)))


PATCHES = (refuse_large_policies,)
