"""Applies a bundle: its options and its authority, then exactly its plan, or a new one that does the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from ngp.environments import documents
from ngp.environments.environment import Platform
from ngp.errors import Finding, StaleError, UsageError
from ngp.runs import applying, destroying, protection
from ngp.runs.bundle import approvals, comparing, opening, rules
from ngp.runs.bundle.comparing import PlanDifference
from ngp.runs.bundle.opening import Bundle
from ngp.runs.bundle.statement import Statement
from ngp.runs.context import RunContext
from ngp.runs.results import RunResult, UnitResult, Verb
from ngp.runs.run_options import RunOptions

if TYPE_CHECKING:
    from ngp.settings import Settings


@dataclass(frozen=True)
class BundleConsent:
    """The questions of an apply: `agree` gets the result of a new plan, `continue_deferred` the real plan of a unit."""

    agree: Callable[[RunResult], bool]
    continue_deferred: Callable[[UnitResult], bool]


def require_plain(given: RunOptions) -> None:
    """Raise UsageError (64) for options that change a plan, or that replace approvals: a bundle has both."""
    if given.emergency:
        raise UsageError("a bundle needs approvals, not an emergency", todo="omit --emergency, or pass an environment")
    shaping = {"-target": given.targets, "-replace": given.replacements, "--apart": given.is_apart}
    for flag, value in {**shaping, "-refresh=false": not given.refresh}.items():
        if value:
            todo = "omit it, or make a new bundle with it"
            raise UsageError(f"`{flag}` does not work with a bundle", why="its plan is fixed", todo=todo)


def options(bundle: Bundle, given: RunOptions, platform: Platform, settings: Settings) -> RunOptions:
    """Return the options by which a bundle was planned, with the authority that its approvals give.

    Raises StaleError (4) if these do not suffice in a protected environment.
    """
    stated = bundle.statement
    is_protected = protection.is_protected(platform, documents.load(platform, stated.environment))
    authority = approvals.require(bundle.archive, stated, rules.read(platform), settings) if is_protected else None
    return replace(
        given,
        targets=_addresses(stated, "-target="),
        replacements=_addresses(stated, "-replace="),
        refresh="-refresh=false" not in stated.options,
        may_lose_data=[*(given.may_lose_data or ()), *stated.may_lose_data],
        authority=authority,
        is_cleared=not is_protected,
    )


def apply(
    bundle: Bundle, run: RunContext, consent: BundleConsent, *, replan: bool = False, may_bootstrap: bool = True
) -> RunResult:
    """Carry out a bundle in its run; with `replan` a stale one is planned again, and `consent` is asked.

    Raises StaleError (4) for anything that moved.
    """

    def agree(result: RunResult, *_: object) -> bool:
        return not replan or consent.agree(result)

    open_in = partial(opening.open_in, bundle)
    if bundle.statement.verb == Verb.DESTROY.value:
        if not replan:
            opening.require_applicable(bundle, run)  # a run ends early where nothing is left to destroy
        propose = partial(opening.plan_again, bundle, destroying.plan_now) if replan else open_in
        return destroying.destroy(run, destroying.DestroyConsent(agree), propose=propose)
    propose = partial(opening.plan_again, bundle, applying.plan_now) if replan else open_in
    asked = applying.ApplyConsent(agree, consent.continue_deferred)
    return applying.apply(run, asked, propose=propose, may_bootstrap=may_bootstrap)


def complete(bundle: Bundle, run: RunContext, result: RunResult) -> None:
    """Record that the whole bundle is applied, if it is. Raises NgpError if that fails."""
    if not result.exit_code():
        opening.complete(bundle, run)


def differences(bundle: Bundle, run: RunContext, result: RunResult, *, can_ask: bool) -> list[PlanDifference]:
    """Return how a new plan differs from the bundle's, for a person to accept.

    Raises StaleError (4) where it differs and no person can accept it: there is none, or the change needs approvals.
    """
    found = list(comparing.compare(opening.results(bundle), result.units))
    if found and not (can_ask and run.request.accepts_answers):
        why, todo = "nobody has reviewed it", f"review a new bundle: ngp plan {run.name} --out FILE"
        raise StaleError([Finding(f"the new plan differs: {one}", why=why, todo=todo) for one in found])
    return found


def _addresses(stated: Statement, flag: str) -> list[str]:
    return [word.removeprefix(flag) for word in stated.options if word.startswith(flag)]
