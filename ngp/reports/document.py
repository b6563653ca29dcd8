"""A report as JSON: ``ngp.report/1``, with a published schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ngp.reports.report import ChangeReport, Report, UnitReport
from ngp.views import documents, places

SCHEMA = "ngp.report/1"


def render(report: Report) -> str:
    """Return the text of the document, which is ASCII: any value can be written."""
    return json.dumps(document(report), indent=2) + "\n"


def document(report: Report) -> dict[str, Any]:
    """Return the document."""
    found = documents.data(replace(report, units=(), orphans=()))
    return {
        "schema": SCHEMA,
        **found,
        "counts": _counts(found["counts"]),
        "units": [_unit(unit) for unit in report.units],
        "orphans": [documents.left(orphan) for orphan in report.orphans],
    }


def _unit(unit: UnitReport) -> Mapping[str, Any]:
    found = documents.data(replace(unit, changes=(), diagnostics=()))
    return {
        **found,
        "counts": _counts(found["counts"]),
        "duration_s": round(unit.duration_s, 3),
        "changes": [_change(change) for change in unit.changes],
        "diagnostics": [places.diagnostic(one) for one in unit.diagnostics],
    }


def _change(change: ChangeReport) -> Mapping[str, Any]:
    marks = {"is_data_bearing": change.is_data_bearing, "is_dangerous": change.is_dangerous}
    return {**documents.data(change), **marks}


def _counts(counts: Mapping[str, int]) -> Mapping[str, int]:
    return {**counts, "total": sum(counts.values())}
