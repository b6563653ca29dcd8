"""environment.yaml: which environments there are, and what each says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ngp import yaml
from ngp.environments.environment import (
    AssumedRole,
    Environment,
    OutputRef,
    Platform,
    StateMode,
    Target,
    UnitChoice,
)
from ngp.errors import UsageError, nearest

if TYPE_CHECKING:
    from ngp.environments.schemas import EnvironmentModel

FILE = "environment.yaml"


def names(platform: Platform) -> list[str]:
    """The environments of the platform, sorted."""
    return sorted(path.parent.name for path in (platform.path / "environments").glob(f"*/{FILE}") if path.is_file())


def load(platform: Platform, name: str) -> Environment:
    """Read environments/NAME/environment.yaml; raise one UsageError with all that is wrong in it."""
    known = names(platform)
    if name not in known:  # a name, never a path: `dev/` would lead to the same file by another name
        raise UsageError(
            f"there is no environment `{name}`",
            where=str(platform.path / "environments"),
            why=nearest(name, known) if known else "this platform has none yet",
            todo="to make one: ngp env new NAME --region REGION --account ACCOUNT --domain DOMAIN",
        )
    return read(platform, name, yaml.load(platform.environment_path(name) / FILE))


def read(platform: Platform, name: str, document: yaml.Document) -> Environment:
    """The environment that a parsed document describes."""
    from ngp.environments import schemas

    model = schemas.read(document, schemas.EnvironmentModel)
    return _environment(platform, name, document, model)


def check_fact(key: str, text: str) -> list[str]:
    """Why `text` cannot be the account, the region or the domain of an environment."""
    from ngp.environments import schemas

    return schemas.check(schemas.EnvironmentModel, key, text)


def schema() -> dict[str, Any]:
    """The JSON Schema of environment.yaml."""
    from ngp.environments import schemas

    return schemas.EnvironmentModel.model_json_schema()


def _environment(platform: Platform, name: str, document: yaml.Document, model: EnvironmentModel) -> Environment:
    role = model.assume_role
    return Environment(
        name=name,
        path=platform.environment_path(name),
        target=Target(model.target),
        account=model.account,
        region=model.region,
        domain=model.domain,
        units={unit: UnitChoice(unit, each.module or unit) for unit, each in model.units.items()},
        profile=model.profile,
        assume_role=AssumedRole(role.arn, role.external_id, role.session_name) if role else None,
        state=StateMode(model.state),
        catalogue=model.catalogue,
        wiring={unit: {name: _output(ref) for name, ref in wires.items()} for unit, wires in model.wiring.items()},
        lines=document.lines,
    )


def _output(text: str) -> OutputRef:
    unit, _, output = text.partition(".")
    return OutputRef(unit, output)
