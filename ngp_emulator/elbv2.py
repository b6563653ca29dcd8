"""Patches for moto's Elastic Load Balancing (v2)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from moto.elbv2.exceptions import TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend

MOTO = "5.2.5"  # the version that this file patches


def accept_repeated_deletions() -> None:
    """Accept DeleteTargetGroup for a target group that is gone: a client that lost the answer asks again.

    AWS documents ResourceInUse as its only error (Elastic Load Balancing API, 2015-12-01).
    """
    backend_class: Any = ELBv2Backend
    delete = backend_class.delete_target_group

    def delete_target_group(backend: Any, arn: str) -> Any:
        with suppress(TargetGroupNotFoundError):
            return delete(backend, arn)
        return None

    backend_class.delete_target_group = delete_target_group


PATCHES = (accept_repeated_deletions,)
