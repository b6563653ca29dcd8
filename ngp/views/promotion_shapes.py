"""The JSON Schemas of `ngp env diff` and `ngp env promote`."""

from __future__ import annotations

from ngp.environments.comparing import DifferenceStatus, Topic
from ngp.views.shapes import FLAG, TEXT, WHOLE, Schema, array, enumeration, optional, record

_FIELDS: dict[str, Schema] = {
    "topic": enumeration(Topic),
    "key": TEXT,
    **dict.fromkeys(("unit", "source", "target", "owner", "until", "file"), optional(TEXT)),
    "sensitive": FLAG,
    "standing": enumeration(DifferenceStatus),
    "line": optional(WHOLE),
}
DIFF = record(source=TEXT, target=TEXT, differences=array(record(**_FIELDS)), unused=array(TEXT))
PROMOTE = record(
    source=TEXT,
    target=TEXT,
    promoted=array(record(**_FIELDS)),
    left=array(record(**_FIELDS, why=TEXT)),
    changed=array(TEXT),
    written=FLAG,
)
