"""Repairs of moto's AWS Backup: selections of plans, which it does not support, and tags."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import unquote

from ngp.sandbox import lifecycles


def apply() -> None:
    """Put every repair into the moto that this process has imported."""
    keep_backup_selections()
    list_tags_of_backups()
    lifecycles.apply()


def keep_backup_selections() -> None:
    """Selections of a backup plan can be made, read and deleted; nothing is backed up by them."""
    from moto.backup.responses import BackupResponse

    response_class: Any = BackupResponse
    response_class.create_backup_selection = _create
    response_class.get_backup_selection = _get
    response_class.delete_backup_selection = _delete


def list_tags_of_backups() -> None:
    """Vaults and plans show their tags to every client: Terraform's asks without a slash at the end of the address."""
    from moto.backup.responses import BackupResponse

    def list_tags(response: Any) -> str:
        arn = unquote(response.path.removesuffix("/").rpartition("/")[2])
        return json.dumps({"Tags": response.backup_backend.list_tags(resource_arn=arn)})

    response_class: Any = BackupResponse
    response_class.list_tags = list_tags


def _kept(response: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """Selections of the account and region by the ids of plan and selection; a reset of the sandbox removes them."""
    kept: dict[tuple[str, str], dict[str, Any]] = response.backup_backend.__dict__.setdefault("selections", {})
    return kept


def _key(response: Any) -> tuple[str, str]:
    from moto.backup.exceptions import ResourceNotFoundException

    plan, _, selection = response.path.rpartition("/backup/plans/")[2].partition("/selections/")
    if (plan, selection) not in _kept(response):
        raise ResourceNotFoundException(msg=f"Cannot find Backup selection with ID {selection}")
    return plan, selection


def _create(response: Any) -> str:
    plan_id = response.path.rpartition("/backup/plans/")[2].partition("/selections")[0]
    response.backup_backend.get_backup_plan(backup_plan_id=plan_id, version_id=None)  # refuses an unknown plan
    ids = {"BackupPlanId": plan_id, "SelectionId": str(uuid.uuid4())}
    asked = json.loads(response.body)
    _kept(response)[plan_id, ids["SelectionId"]] = {**ids, "BackupSelection": asked["BackupSelection"]}
    return json.dumps(ids)


def _get(response: Any) -> str:
    return json.dumps(_kept(response)[_key(response)])


def _delete(response: Any) -> str:
    del _kept(response)[_key(response)]
    return ""
