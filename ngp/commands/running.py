"""Shared by plan, apply and destroy: opens a run from the command line, and shows its progress."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import typer

from ngp.commands import reporting
from ngp.commands.options import Context
from ngp.environments import platforms, resolving
from ngp.environments.resolving import Resolved
from ngp.errors import NgpError
from ngp.reports.recording import ReportRequest
from ngp.runs import opening, outputs, prestart, run_options
from ngp.runs.context import RunContext
from ngp.runs.request import Caller
from ngp.runs.results import OutputValue, RunResult, Verb
from ngp.runs.run_options import RunOptions as RunOptions
from ngp.settings import Level
from ngp.terraform.serving import Opener
from ngp.views import documents, pager, progress, silent_progress, terminal
from ngp.views import runs as views


@dataclass(frozen=True)
class PreparedRun:
    """A loaded environment, and what opens the proxy of its run."""

    resolved: Resolved
    opener: Opener


@dataclass(frozen=True)
class OpenRun:
    """An open run and its display."""

    run: RunContext
    follow: progress.Progress | documents.EventLines | silent_progress.SilentProgress


@contextmanager
def begin(context: Context, environment: str) -> Iterator[PreparedRun]:
    """Load an environment while the proxy of its run starts."""
    platform = platforms.load(platforms.find(context.cwd))
    with prestart.begin(platform, context.settings) as opener:
        yield PreparedRun(resolving.resolve(platform, environment), opener)


@contextmanager
def open_run(
    context: Context,
    verb: Verb,
    begun: PreparedRun,
    units: Sequence[str] | None,
    given: RunOptions,
    *,
    jsonl: bool = False,
) -> Iterator[OpenRun]:
    """Open a run of an environment and show its events."""
    resolved = begun.resolved
    request = run_options.request(verb, resolved, units, given, context.terraform_args)
    request = replace(request, authority=run_options.declare(request, resolved, given, context.settings))
    is_quiet = context.settings.level is Level.ERROR and not jsonl
    shown = silent_progress.SilentProgress() if is_quiet else progress.follow(context.settings, jsonl=jsonl)
    with context.taking_signals() as stop, shown as follow:
        caller = Caller(context.settings, follow.on_event, stop, lambda: context.stopped_by, begun.opener)
        with opening.open_run(request, resolved, caller) as run:
            yield OpenRun(run, follow)


def mark_approval(result: RunResult, resolved: Resolved) -> RunResult:
    """Return the result of a plan, with whether the bundle that it made needs approvals."""
    from ngp.runs.bundle import rules

    needs = bool(result.bundle) and rules.is_protected_here(resolved.platform, result.environment)
    return replace(result, needs_approval=needs)


@dataclass(frozen=True)
class ResultOptions:
    """Options for printing the result of a run. `more` is added to the JSON document."""

    as_json: bool
    as_json_lines: bool
    whole: bool
    is_paged: bool = False
    is_detailed: bool = False  # exit 2 where there are changes
    since: str | None = None  # the commit to compare with, "" for the default one, None to leave nothing out
    more: Mapping[str, Any] = field(default_factory=dict)
    headlines: Sequence[OutputValue] = ()
    reports: ReportRequest = field(default_factory=ReportRequest)


def end(context: Context, result: RunResult, output: ResultOptions) -> NoReturn:
    """Print the result of a run, if there is one, and exit with its code."""
    code = reporting.judge(context, output.reports, result, result.exit_code(detailed=output.is_detailed))
    if output.as_json:
        documents.write({**documents.run(result, exit_code=code), **output.more})
    elif not output.as_json_lines and result.run_id:
        with pager.paged(context.settings) if output.is_paged else nullcontext():
            views.show_result(
                result, context.settings, output.headlines, whole=output.whole, is_denied=output.reports.is_denied
            )
    raise typer.Exit(reporting.show(context, output.reports.write(result, code), code))


def headlines(context: Context, now: OpenRun, result: RunResult) -> list[OutputValue]:
    """Return the outputs to show after an apply; states that cannot be read now are reported, but fail nothing."""
    try:
        return outputs.headlines(now.run.resolved, now.run.access.session, result)
    except NgpError as error:
        terminal.say(context.settings, f"cannot show the outputs: {error}")
        return []
