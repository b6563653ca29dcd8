"""The JSON Schemas of what `--json` and `--jsonl` print: one for each command, named ``ngp.`` and the command's words.

Within a version, keys are only added, so a reader ignores those that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from ngp.runs.events import Phase, Step
from ngp.runs.outcomes import Outcome
from ngp.runs.results import Verb
from ngp.terraform.plans import Action

Schema = dict[str, Any]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ANY: Schema = {}
_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_WHOLE: Schema = {"type": "integer"}
_NUMBER: Schema = {"type": "number", "minimum": 0}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _map(schema: Schema) -> Schema:
    return {"type": "object", "additionalProperties": schema}


def _enum(values: type[Enum]) -> Schema:
    return {"enum": [one.value for one in values]}


def _object(optional: Mapping[str, Schema] | None = None, **required: Schema) -> Schema:
    """An object; the keyword arguments are always there."""
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


_TEXTS = _list(_TEXT)
_FACTS: Schema = {"type": "object"}
_PLACE = {"file": _maybe(_TEXT), "line": _maybe(_WHOLE), "column": _maybe(_WHOLE), "address": _maybe(_TEXT)}
FINDING = _object(what=_TEXT, why=_TEXT, hint=_TEXT, **_PLACE)
DIAGNOSTIC = _object(severity=_TEXT, summary=_TEXT, detail=_TEXT, **_PLACE)
_FINDINGS = _list(FINDING)
_COUNTS = _object(**dict.fromkeys(("create", "update", "replace", "delete", "forget", "total"), _WHOLE))
_PATHS = _list(_list({"type": ["string", "integer"]}))
_CHANGE = _object(
    address=_TEXT,
    type=_TEXT,
    action=_enum(Action),
    before=_ANY,
    after=_ANY,
    after_unknown=_ANY,
    replace_paths=_PATHS,
    sensitive_changes=_PATHS,
    mode=_TEXT,
    reason=_TEXT,
    actions=_TEXTS,
    previous_address=_TEXT,
    importing=_FLAG,
)
_OUTPUT_CHANGE = _object(name=_TEXT, action=_enum(Action), before=_ANY, after=_ANY, after_unknown=_ANY, sensitive=_FLAG)
UNIT = _object(
    unit=_TEXT,
    module=_TEXT,
    wave=_WHOLE,
    outcome=_enum(Outcome),
    counts=_COUNTS,
    changes=_list(_CHANGE),
    outputs=_map(_OUTPUT_CHANGE),
    unknowns=_list(_object(leaf=_TEXT, origin=_TEXT, wave=_WHOLE)),
    is_preview=_FLAG,
    reason=_TEXT,
    diagnostics=_list(DIAGNOSTIC),
    duration_s=_NUMBER,
    log=_TEXT,
)
_REASON = _object(cause=_TEXT, text=_TEXT, paths=_TEXTS)
_AFFECTED = _list(_object(environment=_TEXT, unit=_TEXT, module=_TEXT, reasons=_list(_REASON)))
_SINCE = {"since": _object(commit=_TEXT, name=_TEXT), "affected": _AFFECTED, "removed": _AFFECTED}
_FACT = _object(unit=_TEXT, module=_TEXT, wave=_WHOLE)
_STATE = {
    "unit": _TEXT,
    "place": _TEXT,
    "exists": _FLAG,
    "lineage": _maybe(_TEXT),
    "serial": _maybe(_WHOLE),
    "resources": _TEXTS,
    "locked_by": _maybe(_object(id=_TEXT, who=_TEXT, since=_TEXT)),
}
_SUMMARY = {
    **dict.fromkeys(("name", "title", "summary", "category", "status"), _TEXT),
    "version": _ANY,
    **dict.fromkeys(("requires", "provides"), _TEXTS),
    "conflicts": _map(_TEXT),
}
_WRITTEN = _object(name=_TEXT, written=_TEXTS)


def _run(optional: Mapping[str, Schema] | None = None) -> Schema:
    return _object(
        optional,
        run_id=_TEXT,
        environment=_TEXT,
        exit_code=_WHOLE,
        duration_s=_NUMBER,
        stopped_by=_WHOLE,
        counts=_COUNTS,
        units=_list(UNIT),
    )


_EVENTS = {
    "run_started": _object(
        run_id=_TEXT,
        verb=_enum(Verb),
        **dict.fromkeys(("environment", "target", "account", "region", "commit", "terraform", "binary"), _TEXT),
        providers=_TEXTS,
        units=_list(_FACT),
    ),
    "unit_entered": _object(unit=_TEXT, phase=_enum(Phase), total=_WHOLE),
    "unit_progressed": _object(
        unit=_TEXT, done=_WHOLE, total=_WHOLE, address=_TEXT, elapsed_s=_NUMBER, step=_enum(Step)
    ),
    "unit_diagnosed": _object(unit=_TEXT, diagnostic=DIAGNOSTIC),
    "unit_finished": _object(result=UNIT),
    "note": _object(text=_TEXT),
}
_INPUT = _object(
    name=_TEXT,
    type=_TEXT,
    description=_TEXT,
    has_default=_FLAG,
    default=_ANY,
    sensitive=_FLAG,
    ephemeral=_FLAG,
    nullable=_FLAG,
    validations=_TEXTS,
    file=_maybe(_TEXT),
    line=_maybe(_WHOLE),
    column=_maybe(_WHOLE),
)
_OUTPUT_OF_MODULE = _object(
    name=_TEXT,
    description=_TEXT,
    sensitive=_FLAG,
    ephemeral=_FLAG,
    file=_maybe(_TEXT),
    line=_maybe(_WHOLE),
    column=_maybe(_WHOLE),
)
_ENVIRONMENT = _object(
    {**dict.fromkeys(("target", "account", "region", "domain", "error"), _TEXT), "units": _TEXTS},
    name=_TEXT,
    protected=_FLAG,
)
_OUTPUT = _object(value=_ANY, sensitive=_FLAG, masked=_FLAG)
_STATUS = _object(
    **dict.fromkeys(("unit", "module", "changed_at", "problem", "status"), _TEXT),
    wave=_WHOLE,
    resources=_WHOLE,
    serial=_WHOLE,
)
_POOL = _object(
    {
        **dict.fromkeys(("folder", "built", "started"), _TEXT),
        **dict.fromkeys(("pid", "memory_bytes"), _WHOLE),
        "idle_s": _NUMBER,
        "proxies": _ANY,
        "aws": _ANY,
        "is_ours": _FLAG,
    },
    running=_FLAG,
)
_SANDBOX = _object(
    {**dict.fromkeys(("url", "engine", "started", "id"), _TEXT), "pid": _WHOLE, "port": _WHOLE}, running=_FLAG
)
_LOCKED = _object(address=_TEXT, version=_TEXT, constraints=_TEXT, hashes=_TEXTS)
_ANSWER = _object(unit=_TEXT, kind=_TEXT, target=_TEXT, is_ready=_FLAG, says=_TEXT, duration_s=_NUMBER)
_CHECK = _object(name=_TEXT, ok=_FLAG, says=_TEXT, findings=_FINDINGS)

COMMANDS: Mapping[str, Schema] = {
    "init": _object(name=_TEXT, path=_TEXT, written=_TEXTS),
    "module.list": _object(modules=_list(_object(**_SUMMARY))),
    "module.show": _object(**_SUMMARY, manifest=_FACTS, inputs=_list(_INPUT), outputs=_list(_OUTPUT_OF_MODULE)),
    "module.new": _WRITTEN,
    "module.add": _object(
        name=_TEXT,
        source=_object(address=_TEXT, checksum=_TEXT, commit=_TEXT),
        requires=_TEXTS,
        provides=_TEXTS,
        changes=_maybe(_TEXTS),
        written=_TEXTS,
        removed=_TEXTS,
    ),
    "module.check": _object(modules=_TEXTS, findings=_list(_object(module=_TEXT, rule=_TEXT, **FINDING["properties"]))),
    "module.docs": _object(modules=_TEXTS, written=_FLAG, stale=_TEXTS),
    "env.new": _object(environment=_TEXT, written=_TEXTS),
    "env.list": _object(platform=_TEXT, environments=_list(_ENVIRONMENT)),
    "env.affected": _object(**_SINCE),
    "configure": _object(
        environment=_TEXT,
        units=_map(_TEXT),
        added=_TEXTS,
        removed=_TEXTS,
        pulled_in=_map(_TEXT),
        wired=_TEXTS,
        changed=_TEXTS,
        written=_FLAG,
    ),
    "render": _object(
        {"diff": _TEXT, **_SINCE, "removed": _AFFECTED},
        environments=_TEXTS,
        rendered_by=_TEXT,
        written=_FLAG,
        is_stale=_FLAG,
        missing=_TEXTS,
        differing=_TEXTS,
        orphaned=_TEXTS,
        foreign=_TEXTS,
    ),
    "validate": _object(_SINCE, environments=_TEXTS, terraform=_FLAG, findings=_FINDINGS),
    "graph": _object(
        _SINCE, environment=_TEXT, units=_list(_FACT), wires=_list(_object(unit=_TEXT, input=_TEXT, origin=_TEXT))
    ),
    "plan": _run(_SINCE),
    "apply": _run(),
    "destroy": _run(),
    "output": _object(environment=_TEXT, units=_map(_map(_OUTPUT))),
    "status": _object(environment=_TEXT, units=_list(_STATUS)),
    "ready": _object(environment=_TEXT, exit_code=_WHOLE, checks=_list(_ANSWER)),
    "doctor": _object(environment=_TEXT, exit_code=_WHOLE, checks=_list(_CHECK)),
    "lock": _object(changed=_FLAG, providers=_list(_LOCKED), findings=_FINDINGS),
    "state.bootstrap": _object(bucket=_TEXT, created=_FLAG, set=_TEXTS),
    "state.list": _object(environment=_TEXT, states=_list(_object(**_STATE))),
    "state.show": _object(environment=_TEXT, **_STATE),
    "pool.start": _POOL,
    "pool.stop": _object(stopped=_FLAG, serves=_WHOLE),
    "pool.status": _POOL,
    "sandbox.start": _SANDBOX,
    "sandbox.stop": _object(stopped=_FLAG),
    "sandbox.status": _SANDBOX,
    "sandbox.reset": _SANDBOX,
    "version": _object(
        version=_TEXT,
        python=_TEXT,
        system=_TEXT,
        terraform=_maybe(_object(flavour=_TEXT, version=_TEXT, path=_TEXT)),
        rendered_by=_TEXT,
    ),
    "sandbox.env": _object(export=_map(_TEXT), unset=_TEXTS),
}
_ERROR = _object(error=_object(code=_TEXT, exit_code=_WHOLE, findings=_FINDINGS))


def published() -> dict[str, Schema]:
    """Return all schemas by name and version: ``ngp.plan/1``.

    `error` is the failure of any command, `event` a line of `--jsonl`.
    """
    found = {
        f"ngp.{name}/1": _titled(f"ngp.{name}/1", schema) for name, schema in {**COMMANDS, "error": _ERROR}.items()
    }
    events = [
        _object(schema={"const": "ngp.event/1"}, event={"const": name}, **schema["properties"])
        for name, schema in _EVENTS.items()
    ]
    found["ngp.event/1"] = {"$schema": _DIALECT, "title": "ngp.event/1", "oneOf": [*events, found["ngp.error/1"]]}
    return found


def file_name(name: str) -> str:
    """``ngp.plan.1.schema.json``: the name of a schema's file."""
    return f"{name.replace('/', '.')}.schema.json"


def _titled(name: str, schema: Schema) -> Schema:
    properties = {"schema": {"const": name}, **schema["properties"]}
    return {
        **schema,
        "$schema": _DIALECT,
        "title": name,
        "properties": properties,
        "required": list(properties)[:1] + schema["required"],
    }
