"""Patches for moto's AWS Backup: selections, which moto does not support, and tags."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import unquote

from moto.backup.exceptions import ResourceNotFoundException
from moto.backup.responses import BackupResponse

MOTO = "5.2.5"  # the version that this file patches


def add_selections() -> None:
    """Add the selections of a backup plan; they back up nothing."""
    response_class: Any = BackupResponse
    response_class.create_backup_selection = _create
    response_class.get_backup_selection = _get
    response_class.delete_backup_selection = _delete


def list_tags() -> None:
    """List tags also for addresses without a trailing slash: Terraform's client sends these."""

    def list_tags(response: Any) -> str:
        arn = unquote(response.path.removesuffix("/").rpartition("/")[2])
        return json.dumps({"Tags": response.backup_backend.list_tags(resource_arn=arn)})

    response_class: Any = BackupResponse
    response_class.list_tags = list_tags


def _kept(response: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the selections of the account and region by the IDs of plan and selection. A reset removes them."""
    kept: dict[tuple[str, str], dict[str, Any]] = response.backup_backend.__dict__.setdefault("selections", {})
    return kept


def _key(response: Any) -> tuple[str, str]:
    plan, _, selection = response.path.rpartition("/backup/plans/")[2].partition("/selections/")
    if (plan, selection) not in _kept(response):
        raise ResourceNotFoundException(msg=f"Cannot find Backup selection with ID {selection}")
    return plan, selection


def _create(response: Any) -> str:
    plan_id = response.path.rpartition("/backup/plans/")[2].partition("/selections")[0]
    response.backup_backend.get_backup_plan(backup_plan_id=plan_id, version_id=None)  # raises for an unknown plan
    ids = {"BackupPlanId": plan_id, "SelectionId": str(uuid.uuid4())}
    asked = json.loads(response.body)
    _kept(response)[plan_id, ids["SelectionId"]] = {**ids, "BackupSelection": asked["BackupSelection"]}
    return json.dumps(ids)


def _get(response: Any) -> str:
    return json.dumps(_kept(response)[_key(response)])


def _delete(response: Any) -> str:
    del _kept(response)[_key(response)]
    return ""


PATCHES = (add_selections, list_tags)
