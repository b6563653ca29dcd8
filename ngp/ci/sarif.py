"""Findings as SARIF 2.1.0 (OASIS), for code scanning on GitHub and other viewers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import ngp
from ngp.errors import Finding
from ngp.reports import markdown
from ngp.reports.report import Report
from ngp.views import places

CHECK, LOOK = "ngp/check", "ngp/look-at-this"
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_MOST = 5000  # results of a run that GitHub keeps


def render(checks: Iterable[Finding], flags: Iterable[Finding], reports: Iterable[Report]) -> str:
    """Return one document with failed checks, flagged changes and policy violations.

    Code scanning wants all places relative to the top of the repository.
    """
    results = [_result(CHECK, "error", one) for one in checks]
    results += [_result(LOOK, "warning", one) for one in flags]
    for report in reports:
        for one in report.policy.violations if report.policy else ():
            level = "error" if one.severity.value == "deny" else "warning"
            results.append(_result(one.rule, level, one.finding))
    rules = [{"id": name} for name in sorted({one["ruleId"] for one in results})]
    driver = {"name": "ngp", "semanticVersion": ngp.__version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results[:_MOST]}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _result(rule: str, level: str, found: Finding) -> dict[str, Any]:
    text = markdown.plain(". ".join(part for part in (found.what, found.why, found.todo) if part))
    place = places.at(found.where)
    location: dict[str, Any] = {}
    if place["file"]:
        location["physicalLocation"] = {"artifactLocation": {"uri": quote(os.fsencode(place["file"]))}}
        if place["line"]:
            location["physicalLocation"]["region"] = {"startLine": place["line"]}
    elif found.where:
        location["logicalLocations"] = [{"fullyQualifiedName": found.where}]
    return {"ruleId": rule, "level": level, "message": {"text": text}, "locations": [location] if location else []}
