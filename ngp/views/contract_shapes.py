"""The JSON Schema of `ngp module contracts`."""

from __future__ import annotations

from ngp.review.interfaces import ChangeKind, InterfaceKind
from ngp.views.shapes import TEXT, WHOLE, Schema, array, enumeration, optional, record

_DIFFERENCE = record(
    **dict.fromkeys(("module", "name", "text"), TEXT),
    kind=enumeration(InterfaceKind),
    change=enumeration(ChangeKind),
    **dict.fromkeys(("new_name", "before", "after", "file"), optional(TEXT)),
    line=optional(WHOLE),
)


def document(since: Schema, finding: Schema) -> Schema:
    """Return the schema of the document; `since` and `finding` are those of all documents."""
    unit = dict.fromkeys(("environment", "unit", "module"), TEXT)
    broken = record(**unit, difference=_DIFFERENCE, finding=finding)
    return record(since=since, differences=array(_DIFFERENCE), broken=array(broken))
