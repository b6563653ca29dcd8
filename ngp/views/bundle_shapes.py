"""The shapes of what documents say of bundles, for their JSON Schemas."""

from __future__ import annotations

from collections.abc import Mapping

from ngp.views.shapes import TEXT, WHOLE, Schema, array, mapping, optional, record

_TEXTS = ("file", "digest", "verb", "environment", "account", "region", "maker", "run_id", "ngp", "commit")
FACTS: Mapping[str, Schema] = {
    **dict.fromkeys((*_TEXTS, "created", "expires"), TEXT),
    "signatures": WHOLE,
    "apart": mapping(TEXT),
}
MADE = optional(record(file=TEXT, digest=TEXT, expires=TEXT))
COMPARED = record(
    first=record(**FACTS),
    second=record(**FACTS),
    differences=array(record(unit=TEXT, address=TEXT, first=TEXT, second=TEXT, attributes=array(TEXT))),
)
