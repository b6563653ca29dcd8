"""Translates the options of a command line into the request of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ngp.environments.resolving import Resolved
from ngp.errors import UsageError
from ngp.runs import addresses, selection
from ngp.runs.authority import Authority
from ngp.runs.request import RunRequest
from ngp.runs.results import Verb
from ngp.terraform.commands import PlanOptions

if TYPE_CHECKING:
    from ngp.settings import Settings


@dataclass(frozen=True)
class RunOptions:
    """The options by which Terraform's own behaviour is changed, as they were typed."""

    targets: Sequence[str] | None = None
    replacements: Sequence[str] | None = None
    refresh: bool = True
    lock_timeout: str = ""
    parallelism: int = 0
    may_lose_data: Sequence[str] | None = None
    accepts_legacy: bool = False
    is_apart: bool = False
    accepts_lost: Sequence[str] | None = None
    is_dry_run: bool = False
    emergency: str = ""  # why a protected environment is changed without a bundle
    key: str = ""  # that signs for it
    authority: Authority | None = None
    is_cleared: bool = False  # the environment is known to need none


def request(
    verb: Verb, resolved: Resolved, units: Sequence[str] | None, given: RunOptions, extra: tuple[str, ...] = ()
) -> RunRequest:
    """Return the request for the units that words select; without words those of the targets, else all.

    `extra` are options for Terraform itself. Raises UsageError (64) for what names no unit or no address.
    """
    chosen = selection.expand(units, resolved)
    targets = addresses.parse(given.targets or (), "-target", chosen, resolved)
    if targets and not chosen:
        chosen = tuple(dict.fromkeys(one.unit for one in targets if one.unit))
    replacements = addresses.parse(given.replacements or (), "-replace", chosen, resolved)
    options = PlanOptions(
        refresh=given.refresh,
        lock_timeout=given.lock_timeout,
        extra=extra,
        targets=tuple(one.address for one in targets),
        replace=tuple(one.address for one in replacements),
    )
    return RunRequest(
        verb,
        chosen,
        given.parallelism,
        options,
        tuple(given.may_lose_data or ()),
        given.accepts_legacy,
        given.is_apart,
        tuple(given.accepts_lost or ()),
        given.is_dry_run,
        given.authority,
        given.is_cleared,
    )


def is_plan_only(emergency: str, *, has_bundle: bool, dry_run: bool) -> bool:
    """Return whether a destroy only plans. Raises UsageError (64) for an emergency then, which would sign nothing."""
    is_plan = dry_run or has_bundle
    if emergency and is_plan:
        todo = "omit it; to approve the bundle: ngp bundle approve FILE" if has_bundle else "omit it"
        raise UsageError("`--emergency` has no effect: this command changes nothing", todo=todo)
    return is_plan


def declare(asked: RunRequest, resolved: Resolved, given: RunOptions, settings: Settings) -> Authority | None:
    """Return the authority that a run has, or that of an emergency if one is declared.

    The person may be asked for a passphrase.
    """
    if asked.authority or not given.emergency or given.is_dry_run:
        return asked.authority
    from ngp.runs import emergency

    return emergency.declare(resolved, asked.verb, given.emergency, settings, given.key, asked.units)
