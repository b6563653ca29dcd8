"""The JSON Schemas of the documents of `ngp ci`."""

from __future__ import annotations

from ngp.rendering.pipelines import PipelineSystem
from ngp.views.shapes import ANY, FLAG, TEXT, WHOLE, Schema, array, enumeration, optional, record


def documents(findings: Schema) -> dict[str, Schema]:
    """Return the schema of each document, by the command's words."""
    made = {"environment": TEXT, "exit_code": WHOLE, "findings": findings}
    planned = record(**made, is_planned=FLAG, has_changes=FLAG, has_deletions=FLAG, bundle=optional(TEXT))
    about = {"event": TEXT, "number": WHOLE, "tier": TEXT, "exit_code": WHOLE}
    return {
        "ci.plan": record(**about, flags=findings, environments=array(planned)),
        "ci.apply": record(number=WHOLE, exit_code=WHOLE, environments=array(record(**made, bundle=TEXT))),
        "ci.init": record(system=enumeration(PipelineSystem), files=array(TEXT), stale=array(TEXT), written=FLAG),
        "ci.matrix": record(jobs=array(record(environments=array(TEXT), units=WHOLE)), matrix=ANY),
    }
