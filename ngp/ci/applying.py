"""Applies the bundles of a pipeline, one after the other, until one fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ngp.ci import results
from ngp.ci.results import ApplyResult
from ngp.errors import NgpError
from ngp.reports import making
from ngp.runs.bundle.uses import UsedError

if TYPE_CHECKING:
    from ngp.ci.pipeline import Pipeline
    from ngp.reports.recording import ReportRequest
    from ngp.reports.report import Report
    from ngp.runs.bundle.opening import Bundle
    from ngp.runs.results import RunResult


def apply_each(found: Mapping[str, Bundle], act: Callable[[str, Bundle], ApplyResult]) -> Iterator[ApplyResult]:
    """Apply bundles by environment, and stop after the first failure: later ones may need what it did not make."""
    for name, bundle in found.items():
        done = replace(act(name, bundle), digest=bundle.digest)
        yield done
        if done.exit_code:
            return


def apply_one(pipeline: Pipeline, name: str, bundle: Bundle, act: Callable[[], Report]) -> ApplyResult:
    """Apply one bundle by `act`, which returns its report; an error is a result, too."""
    file = bundle.archive.path.name
    try:
        report = act()
    except UsedError as error:
        return results.of_used(pipeline, name, bundle, error)
    except NgpError as error:
        return ApplyResult(name, error.exit_code, file, error.findings)
    return ApplyResult(name, report.exit_code, file, report=report)


def report(reports: ReportRequest, result: RunResult, file: str) -> Report:
    """Return the report of an apply, without causes: the reviewed plan has them. `file` is the name of the bundle."""
    reports.show_bundle_as(file)
    known = replace(reports.facts or making.RunFacts(), bundle=reports.bundle)
    return making.of_run(result, known, exit_code=result.exit_code())
