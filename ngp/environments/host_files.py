"""hosts.yaml: the machines of a platform that no cloud knows, such as bare metal or a hypervisor's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ngp.environments.schemas import HostModel

FILE = "hosts.yaml"


def load(folder: Path) -> dict[str, HostModel]:
    """Return the hosts of the hosts.yaml in a folder, by name; none if it has no such file.

    Raises UsageError (64) with everything that is wrong in it.
    """
    from ngp import yaml
    from ngp.environments import schemas

    path = folder / FILE
    if not path.is_file():
        return {}
    return schemas.read(yaml.load(path), schemas.HostsModel).hosts


def schema() -> dict[str, Any]:
    """Return the JSON Schema of hosts.yaml."""
    from ngp.environments import schemas

    return schemas.HostsModel.model_json_schema()
