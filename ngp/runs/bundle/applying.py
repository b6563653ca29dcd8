"""Applies a bundle: its options and its authority, then exactly its plan, or a new one that does the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from ngp.environments import documents
from ngp.environments.environment import Platform
from ngp.errors import Finding, StaleError
from ngp.runs import applying, destroying, protection
from ngp.runs.bundle import approvals, comparing, opening, rules
from ngp.runs.bundle.comparing import PlanDifference
from ngp.runs.bundle.opening import Bundle
from ngp.runs.bundle.statement import Statement
from ngp.runs.context import RunContext
from ngp.runs.results import RunResult, UnitResult, Verb, exit_code
from ngp.runs.run_options import RunOptions

if TYPE_CHECKING:
    from ngp.settings import Settings


@dataclass(frozen=True)
class BundleConsent:
    """The questions of an apply: `agree` gets the result of a new plan, `continue_deferred` the real plan of a unit."""

    agree: Callable[[RunResult], bool]
    continue_deferred: Callable[[UnitResult], bool]


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
    if not exit_code([unit.outcome for unit in result.units], stopped_by=result.stopped_by):
        opening.complete(bundle, run)


def differences(bundle: Bundle, result: RunResult) -> list[PlanDifference]:
    """Return what a new plan does otherwise than the bundle shows."""
    return list(comparing.compare(opening.results(bundle), result.units))


def unreviewed(found: list[PlanDifference], environment: str) -> StaleError:
    """Return the error for a new plan that does otherwise, where nobody may agree to it."""
    why, todo = "nobody has reviewed it", f"review a new bundle: ngp plan {environment} --out FILE"
    return StaleError([Finding(f"the new plan differs: {one}", why=why, todo=todo) for one in found])


def _addresses(stated: Statement, flag: str) -> list[str]:
    return [word.removeprefix(flag) for word in stated.options if word.startswith(flag)]
