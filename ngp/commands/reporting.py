"""Shared by commands with reports: the option, and what the terminal shows of policies and report files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.commands.options import Context
from ngp.errors import Failure
from ngp.reports.recording import ReportRequest, WrittenReports
from ngp.views import report_files, verdicts

if TYPE_CHECKING:
    from ngp.reports.report import Report
    from ngp.runs.results import RunResult, Verb

Reports = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="write a report; the extension selects the format: .html for people, .md, .json, .xml (JUnit); repeatable",
    ),
]


def require(context: Context, names: Sequence[str] | None) -> ReportRequest:
    """Return the reports that are asked for. Raises UsageError (64) for a file that cannot be written."""
    if not names:
        return ReportRequest()
    from ngp.reports import files

    return ReportRequest(files.require_writable(names, context.cwd))


@contextmanager
def covering(context: Context, reports: ReportRequest, verb: Verb, environment: str) -> Iterator[None]:
    """Write the reports of a run that an error ends."""
    try:
        yield
    except Failure as error:
        show(context, reports.write_failure(verb, environment, error), error.exit_code)
        raise


def judge(context: Context, reports: ReportRequest, result: RunResult, exit_code: int) -> int:
    """Check a plan against the policies and print what they find; return the exit code."""
    verdict = reports.judge(result)
    verdicts.print_violations(verdict, context.settings)
    return verdict.exit_code(exit_code)


def record(context: Context, reports: ReportRequest, made: Report) -> Report:
    """Print the verdict on a judged plan and write its report; return it as its readers get it.

    Its places are located, and it has the final exit code.
    """
    if reports.policy is not None:
        verdicts.print_violations(reports.policy, context.settings)
    return replace(reports.locate(made), exit_code=show(context, reports.put(made), made.exit_code))


def show(context: Context, written: WrittenReports, exit_code: int = 0) -> int:
    """Print which report files were written, or why they were not; return the exit code."""
    report_files.print_written(written.paths, written.error, context.settings)
    return written.exit_code(exit_code)
