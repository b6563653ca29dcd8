"""JSON Schemas of the parts of documents about bundles."""

from __future__ import annotations

from collections.abc import Mapping

from ngp.views.shapes import FLAG, TEXT, WHOLE, Schema, array, mapping, optional, record

_TEXTS = ("file", "digest", "verb", "environment", "account", "region", "maker", "run_id", "ngp", "commit")
FACTS: Mapping[str, Schema] = {
    **dict.fromkeys((*_TEXTS, "created", "expires"), TEXT),
    "signatures": WHOLE,
    "apart": mapping(TEXT),
}
_PLACE = record(file=TEXT, kept=TEXT)
_KEPT = record(environment=TEXT, bundles=array(record(digest=TEXT, applied=FLAG)))
MADE = optional(record(file=TEXT, digest=TEXT, expires=TEXT))
_COMPARED = record(
    first=record(**FACTS),
    second=record(**FACTS),
    differences=array(record(unit=TEXT, address=TEXT, first=TEXT, second=TEXT, attributes=array(TEXT))),
)
AUTHORITY = record(
    **dict.fromkeys(("kind", "rules_commit", "reason", "text", "signature", "bundle", "maker"), TEXT), by=array(TEXT)
)  # `text` and `signature` are those of an emergency; `bundle` (a digest) and `maker` those of what was approved
_STANDING = record(
    approved=FLAG,
    needed=WHOLE,
    by=array(TEXT),
    missing=array(TEXT),
    votes=array(record(key=TEXT, identity=TEXT, why=TEXT)),
    unknown=TEXT,  # why there may be other authors, so that no approval suffices
    rules=record(commit=TEXT, source=TEXT),
)
_APPROVED = record(
    **dict.fromkeys(("file", "digest", "environment", "verb", "key"), TEXT),
    added=FLAG,
    standing=optional(_STANDING),  # null where the rules could not be read
)


def documents(counts: Schema, units: Schema) -> dict[str, Schema]:
    """The schema of each command about bundles; `counts` and `units` are those of a plan."""
    return {
        "bundle.show": record(counts=counts, units=units, **FACTS),
        "bundle.verify": record(**FACTS),
        "bundle.push": _PLACE,
        "bundle.fetch": _PLACE,
        "bundle.list": _KEPT,
        "bundle.diff": _COMPARED,
        "bundle.approve": _APPROVED,
    }
