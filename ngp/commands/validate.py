"""`ngp validate`: what the operator wrote (64), then what Terraform says about the rendered roots (1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.commands import checking, narrowing, options, scope
from ngp.environments import platforms, resolving, validity
from ngp.environments.environment import Platform
from ngp.environments.resolving import Resolved
from ngp.errors import Finding, NgpError
from ngp.review import narrowing as review
from ngp.runs import selection
from ngp.views import digests, findings, terminal
from ngp.views import documents as views

if TYPE_CHECKING:
    from ngp.review.affected import Affected
    from ngp.runs.validating import RootCheck

WithTerraform = Annotated[bool, typer.Option("--terraform/--no-terraform", help="let Terraform check the roots too")]


def validate(
    ctx: typer.Context,
    environment: options.OptionalEnvironmentName = "",
    units: options.UnitNames = None,
    terraform: WithTerraform = True,
    parallelism: options.Parallelism = options.DEFAULT_PARALLELISM,
    affected: options.Affected = False,
    since: options.Since = "",
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
) -> int:
    """Check environments: ngp's own checks, then Terraform's."""
    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    names, words = scope.choose_any(platform, environment, units)
    resolved = resolving.resolve_each(platform, names)
    named = selection.expand_each(words, resolved)
    change = None
    if narrowing.is_asked(ctx, affected):
        found = review.collect(platform, resolved, since, whole=names != [environment])
        change = narrowing.tell(context, review.only(found, named))
    checks = _checks(resolved, named, change) if terraform else []
    wrong = validity.faults(resolved)
    if checks:
        wrong += _run(platform, checks, context, parallelism)
    doubts = validity.doubts(resolved)
    if as_json:
        shown = {"environments": names, "terraform": terraform, "findings": wrong, "warnings": doubts}
        views.write({"schema": "ngp.validate/1", **shown, **views.affected(change)})
    else:
        for each in doubts:
            terminal.say(context.settings, findings.block(each, word="warning"))
        roots = f", Terraform checked {terminal.amount(len(checks), 'root')}" if terraform else ""
        passed = f"valid: {', '.join(names) or 'no environment'}{roots}"
        findings.show_checks(wrong, context.settings, passed=passed, whole=show_all)
    return NgpError.exit_code if wrong else 0


def _checks(
    resolved: Sequence[Resolved], named: Mapping[str, tuple[str, ...]], change: Affected | None
) -> list[RootCheck]:
    """Return the roots of the units that were named (none: all), and of them what the change affects."""
    from ngp.runs import validating

    if named:
        resolved = [each for each in resolved if named[each.environment.name]]
    if change is not None:
        resolved = [each for each in resolved if change.names(each.environment.name)]
    chosen = {
        name: review.choice(each, change, named.get(name, ()))
        for name, each in ((each.environment.name, each) for each in resolved)
    }
    return validating.collect(resolved, chosen)


def _run(platform: Platform, checks: Sequence[RootCheck], context: options.Context, parallelism: int) -> list[Finding]:
    """Return what Terraform finds; of many roots only those that are not valid have a line."""
    from ngp.runs import validating

    is_big = digests.is_big(len(checks))

    def tell(check: RootCheck, is_valid: bool) -> None:  # noqa: FBT001  a fact, as the callback gives it
        if not (is_big and is_valid):
            terminal.say(context.settings, f"{check.name}: {'valid' if is_valid else 'not valid'}")

    return validating.validate(platform, checks, checking.open_terraform(platform, context), tell, parallelism)
