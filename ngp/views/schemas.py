"""The JSON Schemas of what `--json` and `--jsonl` print: one for each command, named ``ngp.`` and the command's words.

Within a version, keys are only added, so a reader ignores those that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping

from ngp.runs.events import Phase, ResourceStep
from ngp.runs.outcomes import Outcome
from ngp.runs.results import Verb
from ngp.terraform.plans import Action
from ngp.views import (
    bundle_shapes,
    ci_shapes,
    contract_shapes,
    host_shapes,
    package_shapes,
    promotion_shapes,
    report_shapes,
    state_shapes,
)
from ngp.views.shapes import ANY, FLAG, NUMBER, TEXT, WHOLE, Schema, array, enumeration, mapping, optional, record

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXTS = array(TEXT)
_FACTS: Schema = {"type": "object"}
_PLACE = {"file": optional(TEXT), "line": optional(WHOLE), "column": optional(WHOLE), "address": optional(TEXT)}
FINDING = record(what=TEXT, why=TEXT, hint=TEXT, **_PLACE)
DIAGNOSTIC = record(severity=TEXT, summary=TEXT, detail=TEXT, **_PLACE)
_FINDINGS = array(FINDING)
_COUNTS = record(**dict.fromkeys(("create", "update", "replace", "delete", "forget", "total"), WHOLE))
_PATHS = array(array({"type": ["string", "integer"]}))
_CHANGE = record(
    address=TEXT,
    type=TEXT,
    action=enumeration(Action),
    before=ANY,
    after=ANY,
    after_unknown=ANY,
    replace_paths=_PATHS,
    sensitive_changes=_PATHS,
    mode=TEXT,
    reason=TEXT,
    actions=_TEXTS,
    previous_address=TEXT,
    importing=FLAG,
    import_id=TEXT,
)
_OUTPUT_CHANGE = record(name=TEXT, action=enumeration(Action), before=ANY, after=ANY, after_unknown=ANY, sensitive=FLAG)
UNIT = record(
    unit=TEXT,
    module=TEXT,
    wave=WHOLE,
    outcome=enumeration(Outcome),
    counts=_COUNTS,
    changes=array(_CHANGE),
    outputs=mapping(_OUTPUT_CHANGE),
    invocations=array(record(address=TEXT, trigger=TEXT, values=ANY, unknown=ANY)),
    unknowns=array(record(leaf=TEXT, origin=TEXT, wave=WHOLE)),
    is_preview=FLAG,
    reason=TEXT,
    findings=_FINDINGS,
    diagnostics=array(DIAGNOSTIC),
    duration_s=NUMBER,
    log=TEXT,
    drift=_TEXTS,
)
_REASON = record(cause=TEXT, text=TEXT, paths=_TEXTS, folder=TEXT)
_AFFECTED = array(record(environment=TEXT, unit=TEXT, module=TEXT, reasons=array(_REASON)))
_SINCE = {"since": record(commit=TEXT, name=TEXT), "affected": _AFFECTED, "removed": _AFFECTED}
_FACT = record(unit=TEXT, module=TEXT, wave=WHOLE)
_STATE = state_shapes.state(_FINDINGS)
_SUMMARY = {
    **dict.fromkeys(("name", "title", "summary", "category", "status"), TEXT),
    "version": ANY,
    **dict.fromkeys(("requires", "provides"), _TEXTS),
    "conflicts": mapping(TEXT),
}
_WRITTEN = record(name=TEXT, written=_TEXTS)


def _run(more: Mapping[str, Schema] | None = None) -> Schema:
    return record(
        more,
        run_id=TEXT,
        environment=TEXT,
        exit_code=WHOLE,
        duration_s=NUMBER,
        stopped_by=WHOLE,
        counts=_COUNTS,
        units=array(UNIT),
        orphans=state_shapes.ORPHANS,
        authority=optional(bundle_shapes.AUTHORITY),
    )


_EVENTS = {
    "run_started": record(
        run_id=TEXT,
        verb=enumeration(Verb),
        **dict.fromkeys(("environment", "target", "account", "region", "commit", "terraform", "binary"), TEXT),
        providers=_TEXTS,
        units=array(_FACT),
    ),
    "change_authorised": record(authority=bundle_shapes.AUTHORITY),
    "unit_entered": record(unit=TEXT, phase=enumeration(Phase), total=WHOLE),
    "unit_progressed": record(
        unit=TEXT, done=WHOLE, total=WHOLE, address=TEXT, elapsed_s=NUMBER, step=enumeration(ResourceStep)
    ),
    "unit_diagnosed": record(unit=TEXT, diagnostic=DIAGNOSTIC),
    "unit_finished": record(result=UNIT),
    "note": record(text=TEXT),
    **host_shapes.EVENTS,
}
_INPUT = record(
    name=TEXT,
    type=TEXT,
    description=TEXT,
    has_default=FLAG,
    default=ANY,
    sensitive=FLAG,
    ephemeral=FLAG,
    nullable=FLAG,
    validations=_TEXTS,
    file=optional(TEXT),
    line=optional(WHOLE),
    column=optional(WHOLE),
)
_OUTPUT_OF_MODULE = record(
    name=TEXT,
    description=TEXT,
    sensitive=FLAG,
    ephemeral=FLAG,
    file=optional(TEXT),
    line=optional(WHOLE),
    column=optional(WHOLE),
)
_ENVIRONMENT = record(
    {
        **dict.fromkeys(("target", "account", "region", "domain", "error"), TEXT),
        "units": _TEXTS,
        "findings": _FINDINGS,
    },
    name=TEXT,
    protected=FLAG,
)
_OUTPUT = record(value=ANY, sensitive=FLAG, masked=FLAG)
_STATUS = record(
    **dict.fromkeys(("unit", "module", "changed_at", "problem", "status"), TEXT),
    wave=WHOLE,
    resources=WHOLE,
    serial=WHOLE,
    findings=_FINDINGS,
)
_POOL = record(
    {
        **dict.fromkeys(("folder", "built", "started"), TEXT),
        **dict.fromkeys(("pid", "memory_bytes"), WHOLE),
        "idle_s": NUMBER,
        "proxies": ANY,
        "is_ours": FLAG,
    },
    running=FLAG,
)
_SANDBOX = record(
    {**dict.fromkeys(("url", "engine", "started", "id"), TEXT), "pid": WHOLE, "port": WHOLE}, running=FLAG
)
_LOCKED = record(address=TEXT, version=TEXT, constraints=TEXT, hashes=_TEXTS)
_ANSWER = record(unit=TEXT, kind=TEXT, target=TEXT, is_ready=FLAG, says=TEXT, duration_s=NUMBER)
_CHECK = record(name=TEXT, ok=FLAG, says=TEXT, findings=_FINDINGS)

COMMANDS: Mapping[str, Schema] = {
    "init": record(name=TEXT, path=TEXT, written=_TEXTS),
    "module.list": record(modules=array(record(**_SUMMARY))),
    "module.show": record(**_SUMMARY, manifest=_FACTS, inputs=array(_INPUT), outputs=array(_OUTPUT_OF_MODULE)),
    "module.new": _WRITTEN,
    "module.add": record(
        name=TEXT,
        source=record(address=TEXT, checksum=TEXT, commit=TEXT),
        requires=_TEXTS,
        provides=_TEXTS,
        changes=optional(_TEXTS),
        written=_TEXTS,
        removed=_TEXTS,
    ),
    "module.check": record(modules=_TEXTS, findings=array(record(module=TEXT, rule=TEXT, **FINDING["properties"]))),
    "module.contracts": contract_shapes.document(_SINCE["since"], FINDING),
    "module.docs": record(modules=_TEXTS, written=FLAG, stale=_TEXTS),
    "env.new": record(environment=TEXT, written=_TEXTS, left_out=_TEXTS),
    "env.list": record(platform=TEXT, environments=array(_ENVIRONMENT), orphans=state_shapes.ORPHANS, removed=_TEXTS),
    "env.affected": record(**_SINCE),
    "env.diff": promotion_shapes.DIFF,
    "env.promote": promotion_shapes.PROMOTE,
    **ci_shapes.documents(findings=_FINDINGS),
    "configure": record(
        environment=TEXT,
        units=mapping(TEXT),
        added=_TEXTS,
        removed=_TEXTS,
        pulled_in=mapping(TEXT),
        wired=_TEXTS,
        changed=_TEXTS,
        written=FLAG,
    ),
    "render": record(
        {"diff": TEXT, **_SINCE, "removed": _AFFECTED},
        environments=_TEXTS,
        rendered_by=TEXT,
        written=FLAG,
        is_stale=FLAG,
        missing=_TEXTS,
        differing=_TEXTS,
        orphaned=_TEXTS,
        foreign=_TEXTS,
    ),
    "validate": record(_SINCE, environments=_TEXTS, terraform=FLAG, findings=_FINDINGS, warnings=_FINDINGS),
    "secret.scan": record(files=WHOLE, findings=_FINDINGS),
    "graph": record(
        _SINCE,
        environment=TEXT,
        units=array(_FACT),
        wires=array(record(unit=TEXT, input=TEXT, origin=TEXT)),
        orphans=state_shapes.ORPHANS,
    ),
    "plan": _run({**_SINCE, "bundle": bundle_shapes.MADE}),
    "apply": _run(),
    "explain": report_shapes.EXPLAINED,
    "policy.check": report_shapes.CHECKED,
    "destroy": _run({"bundle": bundle_shapes.MADE}),
    **bundle_shapes.documents(counts=_COUNTS, units=array(UNIT)),
    "output": record(environment=TEXT, units=mapping(mapping(_OUTPUT))),
    "status": record(environment=TEXT, units=array(_STATUS), orphans=state_shapes.ORPHANS),
    **dict.fromkeys(("locks", "unlock"), state_shapes.LOCKS),
    "orphans": record(environment=TEXT, orphans=state_shapes.ORPHANS, shared=_FINDINGS, unreached=mapping(TEXT)),
    "ready": record(environment=TEXT, exit_code=WHOLE, checks=array(_ANSWER)),
    **host_shapes.DOCUMENTS,
    **package_shapes.documents(_FINDINGS),
    "doctor": record(environment=TEXT, exit_code=WHOLE, checks=array(_CHECK)),
    "lock": record(changed=FLAG, providers=array(_LOCKED), findings=_FINDINGS),
    "state.bootstrap": record(bucket=TEXT, created=FLAG, set=_TEXTS),
    "state.list": record(environment=TEXT, states=array(record(**_STATE))),
    "state.show": record(environment=TEXT, **_STATE),
    "pool.start": _POOL,
    "pool.stop": record(stopped=FLAG, serves=WHOLE),
    "pool.status": _POOL,
    **dict.fromkeys(("sandbox.start", "sandbox.status", "sandbox.reset"), _SANDBOX),
    "sandbox.stop": record(stopped=FLAG),
    "version": record(
        version=TEXT,
        python=TEXT,
        system=TEXT,
        terraform=optional(record(flavour=TEXT, version=TEXT, path=TEXT)),
        rendered_by=TEXT,
    ),
    "sandbox.env": record(export=mapping(TEXT), unset=_TEXTS),
}
_REPORT = report_shapes.document(counts=_COUNTS, finding=FINDING, diagnostic=DIAGNOSTIC)
_ERROR = record(error=record(code=TEXT, exit_code=WHOLE, findings=_FINDINGS))


def published() -> dict[str, Schema]:
    """Return all schemas by name and version: ``ngp.plan/1``.

    `error` is the failure of any command, `event` a line of `--jsonl`, `report` the file of `--report FILE.json`,
    `host.dry-run` what `--dry-run` of two commands of `ngp host` shows.
    """
    every = {**COMMANDS, "error": _ERROR, "report": _REPORT, "host.dry-run": host_shapes.DRY_RUNS}
    found = {f"ngp.{name}/1": _titled(f"ngp.{name}/1", schema) for name, schema in every.items()}
    events = [
        record(schema={"const": "ngp.event/1"}, event={"const": name}, **schema["properties"])
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
