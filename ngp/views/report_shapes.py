"""The shape of the JSON report (``ngp.report/1``), for its JSON Schema."""

from __future__ import annotations

from ngp.runs.outcomes import Outcome
from ngp.runs.results import Verb
from ngp.terraform.plans import Action
from ngp.views import state_shapes
from ngp.views.shapes import FLAG, NUMBER, TEXT, WHOLE, Schema, array, enumeration, optional, record

_TEXTS = array(TEXT)
_LINES = array(record(mark=TEXT, depth=WHOLE, text=TEXT))
CAUSE = record(attribute=TEXT, text=TEXT, place=TEXT)
EXPLAINED = record(
    environment=TEXT,
    address=TEXT,
    exit_code=WHOLE,
    changes=array(
        record(
            **dict.fromkeys(("unit", "address", "type", "reason"), TEXT),
            action=enumeration(Action),
            causes=array(CAUSE),
            unknowns=_TEXTS,
        )
    ),
)
VIOLATION = record(
    **dict.fromkeys(("rule", "message", "unit", "address", "attribute", "todo", "source"), TEXT),
    severity={"enum": ["deny", "warn"]},
)
_ACCEPTED: Schema = {"type": "array", "items": {"type": "array"}}
POLICY = {"rules": _TEXTS, "violations": array(VIOLATION), "accepted": _ACCEPTED}
CHECKED = record(environment=TEXT, exit_code=WHOLE, **POLICY)
_CHANGE = record(
    **dict.fromkeys(("address", "type", "symbol", "reason", "holds", "previous_address", "import_id"), TEXT),
    **dict.fromkeys(("is_imported", "is_data_bearing", "is_dangerous"), FLAG),
    action=enumeration(Action),
    replace_paths=_TEXTS,
    lines=_LINES,
    causes=array(CAUSE),
)


def document(*, counts: Schema, finding: Schema, diagnostic: Schema) -> Schema:
    """Return the schema of a report."""
    unit = record(
        **dict.fromkeys(("unit", "module", "reason", "log"), TEXT),
        **dict.fromkeys(("why", "unknowns", "invocations"), _TEXTS),
        wave=WHOLE,
        outcome=enumeration(Outcome),
        counts=counts,
        is_preview=FLAG,
        changes=array(_CHANGE),
        outputs=_LINES,
        findings=array(finding),
        diagnostics=array(diagnostic),
        duration_s=NUMBER,
        started_s=optional(NUMBER),
    )
    return record(
        **dict.fromkeys(("environment", "project", "target", "account", "region", "commit", "run_id"), TEXT),
        **dict.fromkeys(("ngp", "terraform", "binary"), TEXT),
        verb=enumeration(Verb),
        is_dirty=FLAG,
        bundle=optional(record(file=TEXT, digest=TEXT, expires=TEXT)),
        exit_code=WHOLE,
        stopped_by=WHOLE,
        duration_s=NUMBER,
        counts=counts,
        units=array(unit),
        wires=array(record(unit=TEXT, input=TEXT, origin=TEXT)),
        orphans=state_shapes.ORPHANS,
        findings=array(finding),
        flags=array(finding),
        policy=optional(record(**POLICY)),
    )
