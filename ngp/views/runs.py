"""Shows a run: the facts before acting, the changes, and the result of every unit."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ngp.runs.events import RunStarted
from ngp.runs.outcomes import Outcome, ordered
from ngp.runs.results import OutputValue, RunResult, UnitResult, Verb
from ngp.settings import Settings
from ngp.terraform.events import Diagnostic
from ngp.views import approvals, changes, excerpts, findings, orphans, outputs, plans, results, terminal

if TYPE_CHECKING:
    from rich.console import Console

_RUNNING = frozenset(verb.value for verb in Verb)
_INVALID_TARGET = "Invalid target"  # the summary of Terraform's diagnostic


def show_start(event: RunStarted, console: Console) -> None:
    """Print the facts before acting: where, as whom, from which commit, with what, and the units by wave."""
    where = f"{event.verb.value} {event.environment}: target {event.target}, account {event.account}, {event.region}"
    made_of = [f"commit {event.commit}" if event.commit else "no commit"]
    made_of += [f"{event.binary} {event.terraform}"] if event.terraform else []
    made_of += event.providers
    console.print(terminal.line(where, style="bold"), soft_wrap=True)
    console.print(terminal.line(f"  {', '.join(made_of)} (run {event.run_id})"), soft_wrap=True)
    for line in _waves(event):
        console.print(terminal.line(f"  {line}"), soft_wrap=True)


def show_changes(result: RunResult, settings: Settings, *, talk: bool = False, whole: bool = False) -> None:
    """The change list of every unit, on stdout (or, as part of a question, on stderr: `talk`, with the totals last).

    Big runs are cut, unless `whole`: units that delete or replace come first and are all named, the rest is counted.
    """
    console = terminal.err(settings) if talk else terminal.out(settings)
    busy = [unit for unit in result.units if plans.is_worth(unit)]
    digest = excerpts.pick(busy, _danger, whole=whole)
    room = None if whole else plans.DetailLimits.shared(len(digest.shown))
    for unit in digest.shown:
        plans.show(unit, console, room)
    if digest.rest:
        _show_rest(_named(busy, digest.shown), console)
    _show_rest(digest.more("units with changes"), console)
    if talk:
        _show_orphans(result, console, whole=whole)
        console.print(terminal.line(totals(result), style="bold"), soft_wrap=True)


def show_result(
    result: RunResult,
    settings: Settings,
    headlines: Sequence[OutputValue] = (),
    *,
    whole: bool = False,
    is_denied: bool = False,
) -> None:
    """What became of a run, on stdout: a plan's changes, problems, one table, totals, the outputs that a person
    needs (`headlines`), and the next command to type.

    Of many units those that went wrong or change something are shown, unless `whole`. `is_denied` says that a policy
    denies the plan.
    """
    console = terminal.out(settings)
    if result.verb is Verb.PLAN or _is_dry(result):
        show_changes(result, settings, whole=whole)
    troubled = [unit for unit in result.units if unit.diagnostics or unit.findings or _is_logged(unit)]
    problems = excerpts.pick(troubled, _weight_of_problems, whole=whole)
    for unit in problems.shown:
        _show_problems(unit, console)
    _show_rest(problems.more("units with errors or warnings"), console)
    rows = excerpts.pick(result.units, _weight, whole=whole)
    if rows.shown:
        results.show(rows.shown, console)
        _show_rest(rows.more("units"), console)
    _show_orphans(result, console, whole=whole)
    console.print(terminal.line(totals(result), style="bold"), soft_wrap=True)
    if result.authority is not None:
        console.print(terminal.line(approvals.authority(result.authority)), soft_wrap=True)
    if headlines:
        outputs.show(headlines, settings, environment=result.environment, whole=whole)
    command = next_command(result, is_denied=is_denied)
    if command:
        console.print(terminal.line(f"next: {command}"), soft_wrap=True)


def show_unit(unit: UnitResult, settings: Settings) -> None:
    """The change list of one unit as part of a question, on stderr; its totals stand below it, too."""
    console = terminal.err(settings)
    plans.show(unit, console, plans.DetailLimits.shared(1))
    console.print(terminal.line(f"{unit.unit}: {plans.amount(unit)}", style="bold"), soft_wrap=True)


def totals(result: RunResult) -> str:
    """``3 units: 2 applied, 1 failed; +12 ~1 in 1m 05s``."""
    counted = Counter(unit.outcome for unit in result.units)
    words = ", ".join(f"{counted[outcome]:,} {outcome.traits.counted}" for outcome in ordered(counted))
    amount, number = changes.summary(result.counts), terminal.amount(len(result.units), "unit")
    took = terminal.duration(result.duration_s)
    if result.units and all(unit.outcome is Outcome.NO_CHANGES for unit in result.units):
        if left_over := [each for each in result.orphans if each.unit]:
            left = terminal.amount(len(left_over), "state")
            return f"No changes to the units of {result.environment}, but {left} without a unit ({number}, {took})"
        if result.verb is Verb.DESTROY:
            return f"Nothing to destroy in {result.environment} ({number}, {took})"
        return f"No changes: {result.environment} matches its files ({number}, {took})"
    head = f"{number}: {words}" if result.units else "no units"
    return f"{head}; {amount} in {took}" if amount else f"{head}; {took}"


def next_command(result: RunResult, *, is_denied: bool = False) -> str:
    """Return the next command to type. Nobody is led to apply a plan that a policy denies."""
    seen = {unit.outcome for unit in result.units}
    again = _command(result, result.verb.value)
    if result.stopped_by or Outcome.STOPPED in seen:
        return f"{again}, to continue"
    if not result.units:
        return f"ngp configure {result.environment}"
    if Outcome.FAILED in seen:
        return _fix(result)
    if Outcome.LOCKED in seen:
        return f"{again}, when the lock is free (ngp locks {result.environment} shows who holds it)"
    if Outcome.STALE in seen:
        return f"{again}, to plan again"
    if Outcome.REFUSED in seen:
        plan = _command(result, "plan")
        return f"fix what was refused, then {plan}" if result.verb is Verb.PLAN else f"{plan}, to see what was refused"
    if is_denied:
        return f"fix what the policies deny, then {again}"
    return _step_after_success(result)


def _step_after_success(result: RunResult) -> str:
    """Return the next command after a run that neither failed nor was refused."""
    seen = {unit.outcome for unit in result.units}
    if result.bundle:
        words = ["bundle", "approve"] if result.needs_approval else ["apply"]
        return shlex.join(["ngp", *words, result.bundle])
    if _is_dry(result):
        return _command(result, result.verb.value)
    if result.verb is Verb.PLAN:
        return _command(result, "apply" if seen & {Outcome.PLANNED, Outcome.DEFERRED} else "output")
    return _command(result, "output" if result.verb is Verb.APPLY else "status")


def _is_dry(result: RunResult) -> bool:
    """Whether a destruction was planned only."""
    return result.verb is Verb.DESTROY and any(unit.outcome is Outcome.PLANNED for unit in result.units)


def _fix(result: RunResult) -> str:
    """Return what to do after a failure; a target that Terraform refused is not repeated."""
    if not any(unit.reason.startswith(_INVALID_TARGET) for unit in result.units):
        return f"fix the cause, then {_command(result, result.verb.value)}"
    options = (*(word for word in result.options if not word.startswith("-target=")), "-target=ADDRESS")
    return f"run it again with a valid address: {_command(replace(result, options=options), result.verb.value)}"


def _command(result: RunResult, verb: str) -> str:
    """A command about the same units, in the words of a shell; one that runs Terraform has the same options."""
    options = result.options if verb in _RUNNING else ()
    return shlex.join(["ngp", verb, result.environment, *result.chosen, *options])


def _show_orphans(result: RunResult, console: Console, *, whole: bool) -> None:
    leaves = result.verb is Verb.DESTROY and not result.chosen
    orphans.show(result.orphans, console, leaves=leaves, whole=whole)


def _waves(event: RunStarted) -> Iterator[str]:
    waves: dict[int, list[str]] = {}
    for fact in event.units:
        waves.setdefault(fact.wave, []).append(fact.unit)
    is_big = excerpts.is_big(len(event.units))
    digest = excerpts.pick(sorted(waves.items()))
    for wave, names in digest.shown:
        yield f"wave {wave}: {terminal.amount(len(names), 'unit') if is_big else ', '.join(names)}"
    if digest.rest:
        yield f"… and {terminal.amount(digest.rest, 'more wave')}"


def _danger(unit: UnitResult) -> int:
    """What a reader of many plans must see first."""
    if _loses(unit):
        return 1
    return 2 if unit.outcome is Outcome.DEFERRED or unit.counts.update else 3


def _loses(unit: UnitResult) -> bool:
    return bool(unit.counts.delete or unit.counts.replace)


def _named(units: Sequence[UnitResult], shown: Sequence[UnitResult]) -> str:
    """``these delete or replace, too: u040 -30, u041 ±1``: however many they are, none is only counted."""
    known = {unit.unit for unit in shown}
    names = ", ".join(f"{unit.unit} {plans.amount(unit)}" for unit in units if _loses(unit) and unit.unit not in known)
    return f"units that also delete or replace: {names}" if names else ""


def _weight(unit: UnitResult) -> int | None:
    """Of many units those that go as they should, or never began, are only counted."""
    if unit.outcome in (Outcome.NO_CHANGES, Outcome.SKIPPED):
        return None
    is_fine = unit.outcome.is_good and unit.outcome is not Outcome.DEFERRED
    return _danger(unit) if is_fine else excerpts.URGENT


def _weight_of_problems(unit: UnitResult) -> int:
    return 1 if _is_logged(unit) else 2


def _is_logged(unit: UnitResult) -> bool:
    return bool(unit.log) and unit.outcome in (Outcome.FAILED, Outcome.STOPPED)


def _show_rest(text: str, console: Console) -> None:
    if text:
        console.print(terminal.line(text, style="dim"), soft_wrap=True)


def _show_problems(unit: UnitResult, console: Console) -> None:
    for diagnostic in unit.diagnostics:
        console.print(terminal.line(_problem(unit, diagnostic), style=_tone(diagnostic)), soft_wrap=True)
    for finding in unit.findings:
        text = findings.block(finding, word=f"error: {unit.unit}")
        console.print(terminal.line(text, style="red"), soft_wrap=True)
    if _is_logged(unit):
        console.print(terminal.line(f"  log of {unit.unit}: {unit.log}"), soft_wrap=True)


def _problem(unit: UnitResult, diagnostic: Diagnostic) -> str:
    lines = [f"{diagnostic.severity}: {unit.unit}: {diagnostic.summary}"]
    place = ", ".join(part for part in (diagnostic.address, diagnostic.place) if part)
    lines += [f"  where: {place}"] if place else []
    lines += [f"  {line}" for line in diagnostic.detail.strip().splitlines()]
    return "\n".join(lines)


def _tone(diagnostic: Diagnostic) -> str:
    return "red" if diagnostic.severity == "error" else "yellow"
