"""Loads module.yaml. Pydantic is imported only here, and only to read one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ngp.catalogue.module import Effect, Generated, Manifest, ModuleStatus, Origin, ReadinessCheck, Upgrade
from ngp.errors import Finding, UsageError, nearest
from ngp.yaml import Document

if TYPE_CHECKING:
    from pydantic import BaseModel

FILE = "module.yaml"


def read(document: Document) -> dict[str, Any]:
    """Return the checked data of a module.yaml, for `build`. Raises one UsageError with all errors, by file:line."""
    from pydantic import ValidationError

    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        raise UsageError("this must be a mapping (`key: value`)", where=str(document.path))
    try:
        return _model().model_validate(data).model_dump(mode="json")
    except ValidationError as error:
        findings = [_finding(document, each) for each in error.errors()]
        raise UsageError(sorted(findings, key=lambda each: int(each.where.rpartition(":")[2]))) from None


def build(data: Mapping[str, Any]) -> Manifest:
    """Return the manifest of data from `read`."""
    lists = {name: tuple(value) for name, value in data.items() if isinstance(value, list)}
    special = {
        "status": ModuleStatus(data["status"]),
        "generated": {name: Generated(**each) for name, each in data["generated"].items()},
        "ready": tuple(ReadinessCheck(**each) for each in data["ready"]),
        "upgrade": {
            name: Upgrade(Effect(each["effect"]), each["note"], tuple(each["resources"]))
            for name, each in data.get("upgrade", {}).items()  # an older cache lacks it
        },
        "source": Origin(**data["source"]) if data.get("source") else None,
    }
    return Manifest(**{**data, **lists, **special})


def schema() -> dict[str, Any]:
    """Return the JSON Schema of module.yaml."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_model().model_json_schema()}


@cache
def _model() -> type[BaseModel]:
    from ngp.catalogue import schemas

    return schemas.ManifestModel


def _finding(document: Document, error: Any) -> Finding:
    path = tuple(str(part) for part in error["loc"] if part != "[key]")
    key = ".".join(path)
    where = document.where(key) if path[0] in document.lines else f"{document.path}:1"
    if error["type"] == "extra_forbidden":
        return Finding(f"unknown key `{key}`", where, todo=nearest(path[-1], _known(path[:-1])))
    if error["type"] == "missing":
        return Finding(f"`{key}` is missing", where, _model().model_fields[path[0]].description or "")
    if error["type"] == "string_type" and isinstance(error["input"], int | float | bool):
        return Finding(f"`{key}` is invalid", where, f'it must be a text: quote it, "{error["input"]}"')
    return Finding(f"`{key}` is invalid", where, str(error["msg"]))


def _known(path: tuple[str, ...]) -> list[str]:
    from ngp.catalogue import schemas

    nested: dict[str, type[BaseModel]] = {
        "generated": schemas.GeneratedModel,
        "ready": schemas.CheckModel,
        "upgrade": schemas.UpgradeModel,
        "source": schemas.SourceModel,
    }
    return list((nested.get(path[0], _model()) if path else _model()).model_fields)
