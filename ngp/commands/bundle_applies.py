"""Applies a bundle: with its approvals, or after a new equal plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ngp.commands import bundles, options, reporting
from ngp.commands.options import Context
from ngp.errors import NgpError
from ngp.reports.recording import ReportRequest
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.commands.running import OpenRun, RunOptions
    from ngp.runs.bundle.opening import Bundle
    from ngp.runs.context import RunContext
    from ngp.runs.results import OutputValue, RunResult, UnitResult


@dataclass(frozen=True)
class BundleApply:
    """Options for applying a bundle: `replan` plans again if it is stale; `opened` gets the run before it acts."""

    given: RunOptions
    may_bootstrap: bool = True
    replan: bool = False
    jsonl: bool = False
    has_headlines: bool = True
    identities: Sequence[str] | None = None
    reports: ReportRequest = field(default_factory=ReportRequest)
    opened: Callable[[RunContext], None] = lambda _: None


def apply(context: Context, path: Path, asked: BundleApply) -> tuple[RunResult, list[OutputValue]]:
    """Apply a bundle: lock, verify, then apply exactly its plan; return the result and the outputs to show.

    Raises StaleError (4) if anything changed.
    """
    from ngp.commands import running
    from ngp.environments import platforms
    from ngp.runs.bundle import applying, opening
    from ngp.runs.results import Verb

    applying.require_plain(asked.given)
    bundle = bundles.read(context, path, asked.identities)
    stated, verb = bundle.statement, Verb(bundle.statement.verb)
    opening.require_known(bundle, context.cwd)
    given = applying.options(bundle, asked.given, platforms.load(platforms.find(context.cwd)), context.settings)
    with (
        reporting.covering(context, asked.reports, verb, stated.environment),
        running.begin(context, stated.environment) as begun,
        running.open_run(context, verb, begun, stated.chosen, given, jsonl=asked.jsonl) as now,
    ):
        asked.opened(now.run)
        agree, ask = partial(_is_agreed, context, bundle, now), partial(ask_deferred, context, now)
        consent = applying.BundleConsent(agree, ask)
        result = applying.apply(bundle, now.run, consent, replan=asked.replan, may_bootstrap=asked.may_bootstrap)
        _complete(context, bundle, now, result)
        asked.reports.observe(now.run)
        asked.reports.name_bundle(path, bundle.digest, stated)
        is_shown = asked.has_headlines and verb is Verb.APPLY
        return result, running.headlines(context, now, result) if is_shown else []


def _complete(context: Context, bundle: Bundle, now: OpenRun, result: RunResult) -> None:
    """Note that all of a bundle is applied; what is applied is so without the note."""
    from ngp.runs.bundle import applying

    try:
        applying.complete(bundle, now.run, result)
    except NgpError as error:
        text = f"warning: everything was applied, but ngp cannot mark the bundle as done: {error}"
        terminal.say(context.settings, text, always=True)


def _is_agreed(context: Context, bundle: Bundle, now: OpenRun, result: RunResult) -> bool:
    """Whether a new plan may be applied in the place of the bundle's: it does the same, or a person says yes."""
    from ngp.runs.bundle import applying
    from ngp.views import bundles as views

    found = applying.differences(bundle, now.run, result, can_ask=context.settings.is_interactive)
    with now.follow.pause():
        views.print_replanned(found, context.settings)
        question = f"Apply the new plan to {options.place(now.run.resolved.environment)}?"
        return not found or options.confirm(context, question)


def ask_deferred(context: Context, now: OpenRun, result: UnitResult) -> bool:
    """A second question, on a terminal only: a general yes was given before anyone could see this plan."""
    from ngp.views import runs

    if not (context.settings.is_interactive and now.run.request.accepts_answers):
        return False
    with now.follow.pause():
        runs.show_unit(result, context.settings)
        question = f"`{result.unit}` could not be previewed; this is its real plan. Apply it?"
        return options.confirm(context, question)
