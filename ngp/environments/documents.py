"""environment.yaml: lists the environments of a platform and loads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ngp import yaml
from ngp.cache import recall
from ngp.environments.environment import (
    AssumedRole,
    DeclaredDifference,
    Environment,
    OutputRef,
    Platform,
    StateMode,
    Target,
    UnitChoice,
)
from ngp.errors import UsageError, nearest

FILE = "environment.yaml"


def names(platform: Platform) -> list[str]:
    """Return the environments of the platform, sorted. Hidden folders are none."""
    # Python's glob, unlike a shell's, finds hidden folders
    found = [path.parent.name for path in (platform.path / "environments").glob(f"*/{FILE}") if path.is_file()]
    return sorted(name for name in found if not name.startswith("."))


def load(platform: Platform, name: str) -> Environment:
    """Load environments/NAME/environment.yaml. Raises one UsageError with all errors."""
    path = platform.environment_path(name) / FILE
    # a name, never a path: `dev/` would lead to the same file by another name
    if "/" in name or name.startswith(".") or not path.is_file():
        known = names(platform)
        raise UsageError(
            f"the environment `{name}` does not exist",
            where=str(platform.path / "environments"),
            why="" if known else "this platform has no environments yet",
            todo=nearest(name, known, "create one: ngp env new NAME --region REGION --account ACCOUNT --domain DOMAIN"),
        )
    text = yaml.read(path)
    data = recall(platform.cache, f"{name}/{FILE}", text.encode(), lambda: _check(yaml.parse(text, path)))
    return _environment(platform, name, data)


def load_each(platform: Platform) -> dict[str, Environment | UsageError]:
    """Return all environments of the platform by name, or the error of each that cannot be read."""
    found: dict[str, Environment | UsageError] = {}
    for name in names(platform):
        try:
            found[name] = load(platform, name)
        except UsageError as error:
            found[name] = error
    return found


def read(platform: Platform, name: str, document: yaml.Document) -> Environment:
    """Return the environment of a parsed document."""
    return _environment(platform, name, _check(document))


def check_fact(key: str, text: str) -> list[str]:
    """Return why `text` cannot be the account, the region or the domain of an environment."""
    from ngp.environments import schemas

    return schemas.check(schemas.EnvironmentModel, key, text)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of environment.yaml."""
    from ngp.environments import schemas

    return schemas.EnvironmentModel.model_json_schema()


def _check(document: yaml.Document) -> dict[str, Any]:
    """What the document says, and the lines of its keys, as JSON data."""
    from ngp.environments import schemas

    model = schemas.read(document, schemas.EnvironmentModel)
    return {**model.model_dump(mode="json"), "lines": dict(document.lines)}


def _environment(platform: Platform, name: str, data: Mapping[str, Any]) -> Environment:
    role, wiring = data["assume_role"], data["wiring"]
    special = {
        "target": Target(data["target"]),
        "units": {
            unit: UnitChoice(unit, each["module"] or unit, tuple(each["tags"])) for unit, each in data["units"].items()
        },
        "assume_role": AssumedRole(**role) if role else None,
        "state": StateMode(data["state"]),
        "differences": {key: DeclaredDifference(**each) for key, each in data["differences"].items()},
        "wiring": {unit: {name: _output(ref) for name, ref in wires.items()} for unit, wires in wiring.items()},
    }
    return Environment(**{**data, **special, "name": name, "path": platform.environment_path(name)})


def _output(text: str) -> OutputRef:
    unit, _, output = text.partition(".")
    return OutputRef(unit, output)
