"""Patches for moto's EFS: backup policies."""

from __future__ import annotations

import json
from typing import Any

from moto.efs.exceptions import FileSystemNotFound
from moto.efs.responses import EFSResponse

MOTO = "5.2.5"  # the version that this file patches


def add_backup_policies() -> None:
    """Turn the automatic backups of a file system on and off, also after it was made."""
    responses: Any = EFSResponse

    def put_backup_policy(response: Any) -> Any:
        system, status = _find(response), response._get_param("BackupPolicy")["Status"]
        system._backup = status == "ENABLED"
        return _policy(status)

    def describe_backup_policy(response: Any) -> Any:
        return _policy("ENABLED" if _find(response)._backup else "DISABLED")

    responses.put_backup_policy = put_backup_policy
    responses.describe_backup_policy = describe_backup_policy


def _find(response: Any) -> Any:
    name = response._get_param("FileSystemId")
    if name not in response.efs_backend.file_systems_by_id:
        raise FileSystemNotFound(name)
    return response.efs_backend.file_systems_by_id[name]


def _policy(status: str) -> Any:
    return 200, {"Content-Type": "application/json"}, json.dumps({"BackupPolicy": {"Status": status}})


PATCHES = (add_backup_policies,)
