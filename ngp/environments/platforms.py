"""ngp.yaml: finds the platform of a folder, and loads it.

The shell's completion only finds platforms, so everything that loading needs is imported late.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ngp.errors import UsageError

if TYPE_CHECKING:
    from ngp.catalogue.module import Catalogue
    from ngp.environments.environment import Platform
    from ngp.yaml import Document

FILE = "ngp.yaml"
SCHEMA_COMMENT = "# yaml-language-server: $schema="


def find(cwd: Path) -> Path:
    """Return the platform's folder: the nearest one above `cwd` with an ngp.yaml, inside of the Git repository."""
    for folder in (cwd, *cwd.parents):
        if (folder / FILE).is_file():
            return folder
        if (folder / ".git").exists():
            below = _below(cwd)
            break
    else:
        below = []
    raise UsageError(
        "this is not a platform",
        where=str(cwd),
        why=f"no {FILE} in this folder or above it, up to the root of the Git repository",
        todo=_change_to(below) or "change to the folder of a platform, or create one: ngp init my-platform",
    )


def _below(cwd: Path) -> list[str]:
    """Return the platforms one or two folders below, as a repository of several projects has them."""
    found = (path.parent.relative_to(cwd) for pattern in (f"*/{FILE}", f"*/*/{FILE}") for path in cwd.glob(pattern))
    return sorted(str(one) for one in found if not any(part.startswith(".") for part in one.parts))


def _change_to(folders: list[str]) -> str:
    import shlex

    if len(folders) > 1:
        return f"change to the folder of a platform: {', '.join(folders)}"
    return f"cd {shlex.quote(folders[0])}" if folders else ""


def environment_at(path: Path, cwd: Path) -> str:
    """Return the environment whose folder contains `cwd`, in the platform at `path`; "" outside of all."""
    for folder in (cwd, *cwd.parents):
        if folder.parent == path / "environments" and (folder / "environment.yaml").is_file():
            return folder.name
    return ""


def schema_comment(path: Path, file: str, depth: int) -> str:
    """Return the comment with the schema of a YAML file `depth` folders below the platform, for editors.

    "" if the platform has no such schema: `ngp init` writes them to docs/schemas.
    """
    schema = f"docs/schemas/{file}.schema.json"
    return f"{SCHEMA_COMMENT}{'../' * depth}{schema}\n" if (path / schema).is_file() else ""


def load(path: Path) -> Platform:
    """Load the ngp.yaml of the platform in folder `path`. Raises one UsageError with all errors.

    Raises RefusedError (3) like `workspaces.require_own`.
    """
    from ngp import yaml
    from ngp.cache import recall
    from ngp.environments import workspaces

    workspace = workspaces.require_own(path)
    text = yaml.read(path / FILE)
    return _platform(recall(workspace.facts, FILE, text.encode(), lambda: _check(yaml.parse(text, path / FILE))), path)


def load_catalogue(cwd: Path, cache: Path) -> tuple[Catalogue, bool]:
    """Return the catalogue of the platform that `cwd` lies in, and True; outside of all ngp's own, and False.

    Facts about ngp's own modules are kept below `cache`.
    """
    from ngp import shipped
    from ngp.catalogue import loading
    from ngp.workspace import Workspace

    try:
        path = find(cwd)
    except UsageError:
        return loading.load(shipped.modules(), cache / "facts"), False
    return loading.load(path / "modules", Workspace.of(path).facts), True


def parse(text: str, place: Path, path: Path) -> Platform:
    """Parse the text of an ngp.yaml that is not on the disk, for the platform in folder `path`.

    `place` is for messages only. Raises like `load`, but caches nothing.
    """
    from ngp import yaml

    return _platform(_check(yaml.parse(text, place)), path)


def _platform(data: dict[str, Any], path: Path) -> Platform:
    from ngp.environments.environment import Approval, BundleKeeping, Platform, StateKind

    more = {
        "path": path,
        "state": StateKind(data["state"]),
        "bundles": BundleKeeping(data["bundles"]),
        "protected": tuple(data["protected"]),
        "approvals": {name: Approval(**{**one, "by": tuple(one["by"])}) for name, one in data["approvals"].items()},
    }
    lists = {key: {name: tuple(one) for name, one in data[key].items()} for key in ("signers", "emergency")}
    return Platform(**{**data, **more, **lists})


def _check(document: Document) -> dict[str, Any]:
    """What the document says, as JSON data."""
    from ngp.environments import approvals, schemas
    from ngp.errors import require
    from ngp.terraform import versions

    model = schemas.read(document, schemas.PlatformModel)
    versions.parse_constraint(model.terraform_version, where=document.where("terraform_version"))
    require(approvals.check(model, document))
    return model.model_dump(mode="json")


def schema() -> dict[str, Any]:
    """Return the JSON Schema of ngp.yaml."""
    from ngp.environments import schemas

    return schemas.PlatformModel.model_json_schema()
