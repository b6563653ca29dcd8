"""ngp.yaml: find the platform that a folder belongs to, and read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ngp import yaml
from ngp.environments.environment import Platform, StateKind
from ngp.errors import UsageError
from ngp.terraform import versions

FILE = "ngp.yaml"


def find(cwd: Path) -> Path:
    """The folder of the platform that `cwd` lies in: the nearest one with an ngp.yaml, not beyond the Git root."""
    for folder in (cwd, *cwd.parents):
        if (folder / FILE).is_file():
            return folder
        if (folder / ".git").exists():
            break
    raise UsageError(
        "this is not a platform",
        where=str(cwd),
        why=f"there is no {FILE} here or above, up to the root of the Git repository",
        todo="go into a platform's folder, or make one: ngp init my-platform",
    )


def load(path: Path) -> Platform:
    """Read the ngp.yaml of the platform in folder `path`; raise one UsageError with all that is wrong in it."""
    from ngp.environments import schemas

    document = yaml.load(path / FILE)
    model = schemas.read(document, schemas.PlatformModel)
    versions.parse_constraint(model.terraform_version, where=document.where("terraform_version"))
    return Platform(
        path=path,
        name=model.name,
        terraform=model.terraform,
        terraform_version=model.terraform_version,
        state=StateKind(model.state),
        state_bucket=model.state_bucket,
        protected=tuple(model.protected),
        rendered_by=model.rendered_by,
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of ngp.yaml."""
    from ngp.environments import schemas

    return schemas.PlatformModel.model_json_schema()
