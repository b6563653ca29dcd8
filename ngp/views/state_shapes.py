"""JSON Schemas of the parts of documents about states."""

from __future__ import annotations

from collections.abc import Mapping

from ngp.views.shapes import FLAG, TEXT, WHOLE, Schema, array, optional, record

_TEXTS = array(TEXT)
_LOCK_TEXTS = ("unit", "state", "id", "who", "operation", "created", "holder", "because", "release")
_ORPHAN_TEXTS = ("unit", "environment", "place", "problem", "commit", "date", "subject", "hint", "keep", "heir")
ORPHANS = array(record(**dict.fromkeys(_ORPHAN_TEXTS, TEXT), resources=WHOLE, states=WHOLE, move=_TEXTS))
LOCKS = record(environment=TEXT, locks=array(record(**dict.fromkeys(_LOCK_TEXTS, TEXT))))


def state(findings: Schema) -> Mapping[str, Schema]:
    """Return the keys of one state."""
    return {
        "unit": TEXT,
        "declared": FLAG,
        "problem": TEXT,
        "findings": findings,
        "place": TEXT,
        "exists": FLAG,
        "lineage": optional(TEXT),
        "serial": optional(WHOLE),
        "resources": _TEXTS,
        "locked_by": optional(record(id=TEXT, who=TEXT, since=TEXT, place=TEXT)),
    }
