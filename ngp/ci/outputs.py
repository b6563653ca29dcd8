"""Outputs of a pipeline's step: ``name=value`` lines for GitHub's GITHUB_OUTPUT and GitLab's dotenv reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ngp.reports.report import Report
from ngp.runs.results import Counts

_ORDER = (130, 143, 1, 5, 4, 3, 2)  # of exit codes, the one that wins first


@dataclass(frozen=True)
class Totals:
    """The totals of several environments. `bundles` are files."""

    exit_code: int = 0
    counts: Counts = Counts()
    has_changes: bool = False
    units: int = 0
    bundles: tuple[str, ...] = ()

    def code(self, *, detailed: bool) -> int:
        """Return the exit code of the pipeline; with `detailed` it is 2 for changes."""
        return self.exit_code or (2 if detailed and self.has_changes else 0)


def worst(codes: Iterable[int]) -> int:
    """Return the combined exit code of several runs: 130/143, then 1, 5, 4, 3, 2, 0."""
    found = set(codes)
    known = next((code for code in _ORDER if code in found), 0)
    return known or max(found, default=0)


def total(reports: Iterable[Report], more: Iterable[int] = ()) -> Totals:
    """Return the totals of reports; `more` are the exit codes of runs without a report."""
    found = list(reports)
    return Totals(
        worst([*(one.exit_code for one in found), *more]),
        sum((one.counts for one in found), Counts()),
        any(one.has_changes for one in found),
        sum(len(one.units) for one in found),
        tuple(one.bundle.file for one in found if one.bundle),
    )


def render(totals: Totals) -> str:
    """Return the outputs as lines; each value is on one line."""
    counts = totals.counts
    rows = {
        "has_changes": totals.has_changes,
        "has_deletions": bool(counts.delete or counts.replace),
        "exit_code": totals.exit_code,
        "units": totals.units,
        "create": counts.create,
        "update": counts.update,
        "replace": counts.replace,
        "delete": counts.delete,
        "forget": counts.forget,
        "bundle": " ".join(totals.bundles),
    }
    return "".join(f"{name}={_value(value)}\n" for name, value in rows.items())


def _value(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return "".join(one if one.isprintable() else " " for one in text)
