"""How a bundle is applied: by the approvals that it has, or after a new plan that does the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ngp.commands import bundles, options, reporting
from ngp.commands.options import Context
from ngp.errors import Finding, NgpError, StaleError
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.commands.running import OpenRun, RunOptions
    from ngp.runs.bundle.opening import Bundle
    from ngp.runs.bundle.statement import Statement
    from ngp.runs.context import RunContext
    from ngp.runs.results import OutputValue, RunResult, UnitResult


@dataclass(frozen=True)
class BundleApply:
    """How a bundle is applied: `replan` plans again where it is stale; `opened` gets the run before it acts."""

    given: RunOptions
    may_bootstrap: bool = True
    replan: bool = False
    jsonl: bool = False
    has_headlines: bool = True
    identities: Sequence[str] | None = None
    reports: reporting.ReportRequest = field(default_factory=lambda: reporting.ReportRequest(()))
    opened: Callable[[RunContext], None] = lambda _: None


def apply(context: Context, path: Path, asked: BundleApply) -> tuple[RunResult, list[OutputValue]]:
    """Apply a bundle: lock, verify, then exactly its plan; return what became of it and the outputs to show.

    Raises StaleError (4) for anything that moved.
    """
    from ngp.commands import running
    from ngp.environments import documents, platforms
    from ngp.runs import protection
    from ngp.runs.bundle import approvals, opening, rules
    from ngp.runs.results import Verb

    bundle = bundles.read(context, path, asked.identities)
    stated = bundle.statement
    opening.require_known(bundle, context.cwd)
    platform = platforms.load(platforms.find(context.cwd))
    is_protected = protection.is_protected(platform, documents.load(platform, stated.environment))
    targets, replacements = (_addresses(stated, flag) for flag in ("-target=", "-replace="))
    given = replace(
        asked.given,
        targets=targets,
        replacements=replacements,
        refresh=options.Switch.OFF if "-refresh=false" in stated.options else options.Switch.ON,
        may_lose_data=[*(asked.given.may_lose_data or ()), *stated.may_lose_data],
        authority=approvals.require(bundle.archive, stated, rules.read(platform), context.settings)
        if is_protected
        else None,
        is_cleared=not is_protected,
    )
    verb = Verb(stated.verb)
    with (
        asked.reports.covering(context, verb, stated.environment),
        running.begin(context, stated.environment) as begun,
        running.open_run(context, verb, begun, stated.chosen, given, jsonl=asked.jsonl) as now,
    ):
        asked.opened(now.run)
        result = _carry_out(context, bundle, now, asked)
        _complete(context, bundle, now, result)
        asked.reports.observe(now.run)
        asked.reports.name_bundle(path, bundle.digest, stated)
        is_shown = asked.has_headlines and verb is Verb.APPLY
        return result, running.headlines(context, now, result) if is_shown else []


def _carry_out(context: Context, bundle: Bundle, now: OpenRun, asked: BundleApply) -> RunResult:
    from ngp.runs import applying, destroying
    from ngp.runs.bundle import opening
    from ngp.runs.results import Verb

    def agree(result: RunResult, *_: object) -> bool:
        return not asked.replan or _is_agreed(context, bundle, now, result)

    open_in = partial(opening.open_in, bundle)
    if bundle.statement.verb == Verb.DESTROY.value:
        if not asked.replan:
            opening.require_applicable(bundle, now.run)  # a run ends early where nothing is left to destroy
        propose = partial(opening.plan_again, bundle, destroying.plan_now) if asked.replan else open_in
        return destroying.destroy(now.run, destroying.DestroyConsent(agree), propose=propose)
    propose = partial(opening.plan_again, bundle, applying.plan_now) if asked.replan else open_in
    consent = applying.ApplyConsent(agree, partial(ask_deferred, context, now))
    return applying.apply(now.run, consent, propose=propose, may_bootstrap=asked.may_bootstrap)


def _complete(context: Context, bundle: Bundle, now: OpenRun, result: RunResult) -> None:
    """Note that all of a bundle is applied; what is applied is so without the note."""
    from ngp.runs.bundle import opening
    from ngp.runs.results import exit_code

    if exit_code([unit.outcome for unit in result.units], stopped_by=result.stopped_by):
        return
    try:
        opening.complete(bundle, now.run)
    except NgpError as error:
        terminal.say(
            context.settings,
            f"warning: everything was applied, but ngp cannot mark the bundle as done: {error}",
            always=True,
        )


def _is_agreed(context: Context, bundle: Bundle, now: OpenRun, result: RunResult) -> bool:
    """Whether a new plan may be applied in the place of the bundle's: it does the same, or a person says yes."""
    from ngp.runs.bundle import comparing, opening

    found = comparing.compare(opening.results(bundle), result.units)
    if not found:
        terminal.say(context.settings, "the new plan does the same as the bundle", always=True)
        return True
    environment = now.run.resolved.environment
    if not context.settings.is_interactive or now.run.request.authority is not None:
        why = "nobody has reviewed it"
        todo = f"review a new bundle: ngp plan {environment.name} --out FILE"
        raise StaleError([Finding(f"the new plan differs: {one}", why=why, todo=todo) for one in found])
    with now.follow.pause():
        for one in found:
            terminal.say(context.settings, f"differs from the bundle: {one}", always=True)
        return options.confirm(context, f"Apply the new plan to {options.place(environment)}?")


def ask_deferred(context: Context, now: OpenRun, result: UnitResult) -> bool:
    """A second question, on a terminal only: a general yes was given before anyone could see this plan."""
    from ngp.views import runs

    if not context.settings.is_interactive or now.run.request.authority is not None:
        return False  # what changes a protected environment is approved, not answered by whoever applies it
    with now.follow.pause():
        runs.show_unit(result, context.settings)
        question = f"`{result.unit}` could not be previewed; this is its real plan. Apply it?"
        return options.confirm(context, question)


def _addresses(stated: Statement, flag: str) -> list[str]:
    return [word.removeprefix(flag) for word in stated.options if word.startswith(flag)]
