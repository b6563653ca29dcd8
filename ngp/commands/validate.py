"""`ngp validate`: what the operator wrote (64), then what Terraform says about the rendered roots (1)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ngp import files
from ngp.commands import checking, narrowing, options, scope
from ngp.environments import acceptance, platforms, quorums, resolving, wiring
from ngp.environments.environment import Platform
from ngp.environments.resolving import Resolved
from ngp.errors import Finding, NgpError
from ngp.runs import selection
from ngp.views import digests, findings, terminal
from ngp.views import documents as views

if TYPE_CHECKING:
    from ngp.review.affected import Affected
    from ngp.runs import copies
    from ngp.runs.units import Unit
    from ngp.terraform.driver import Terraform
    from ngp.terraform.events import Diagnostic

WithTerraform = Annotated[bool, typer.Option("--terraform/--no-terraform", help="let Terraform check the roots too")]


@dataclass(frozen=True)
class _Check:
    """One rendered root: whose it is, the tree for OpenTofu's copy of it and the folder for what its init makes."""

    environment: str
    unit: Unit
    tree: copies.Tree
    data: Path

    @property
    def name(self) -> str:
        return f"{self.environment} {self.unit.name}" if self.unit.module else self.environment  # one root for all


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
        found = narrowing.collect(platform, resolved, since, whole=names != [environment])
        change = narrowing.tell(context, narrowing.only(found, named))
    checks = _collect(resolved, named, change) if terraform else []
    wrong = [each for one in resolved for each in wiring.check_counts(one.environment, one.catalogue)]
    wrong += [each for one in resolved for each in acceptance.check(one)]
    wrong += _run(platform, checks, context, parallelism) if checks else []
    doubts = [each for one in resolved for each in quorums.check(one)]
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


def _collect(
    resolved: Sequence[Resolved], named: Mapping[str, tuple[str, ...]], change: Affected | None
) -> list[_Check]:
    """The roots to check: of the units that were named (none: all), and of them what the change affects."""
    if named:
        resolved = [each for each in resolved if named[each.environment.name]]
    if change is not None:
        resolved = [each for each in resolved if change.names(each.environment.name)]
    return [
        check
        for each in resolved
        for check in _checks(each, narrowing.choice(each, change, named.get(each.environment.name, ())))
    ]


def _checks(resolved: Resolved, units: Sequence[str]) -> list[_Check]:
    from ngp.runs.copies import Tree
    from ngp.runs.units import collect

    platform, environment = resolved.platform, resolved.environment
    tree = Tree(platform.workspace.validated(environment.name), platform.path)
    return [
        _Check(environment.name, unit, tree, platform.workspace.data(environment.name, name, "validate"))
        for name, unit in collect(resolved).items()
        if unit.sources and (not unit.module or not units or name in units)
    ]


def _run(platform: Platform, checks: Sequence[_Check], context: options.Context, parallelism: int) -> list[Finding]:
    """What Terraform finds in the rendered roots, in their order."""
    missing = [
        Finding(
            f"the root of {check.name} is not rendered", str(check.unit.root), "", f"ngp render {check.environment}"
        )
        for check in checks
        if not (check.unit.root / "main.tf").is_file()
    ]
    if missing:
        return missing
    with (
        files.lock(platform.workspace.validation_lock, purpose="ngp validate", wait=True),
        checking.open_terraform(platform, context) as driver,
        ThreadPoolExecutor(parallelism) as pool,
    ):
        is_big = digests.is_big(len(checks))  # then only what is not valid has a line
        done = pool.map(lambda check: _validate(driver, check, context, is_quiet=is_big), checks)
        return [finding for found in done for finding in found]


def _validate(terraform: Terraform, check: _Check, context: options.Context, *, is_quiet: bool) -> list[Finding]:
    from ngp.runs import copies

    root = copies.working_root(check.unit, check.tree, check.data, terraform.binary)
    check.data.mkdir(parents=True, exist_ok=True)
    result = terraform.init(root, backend=False)
    if result.is_ok:
        result = terraform.validate(root)
    if result.stopped:
        return []  # the caller reports the interruption
    if not (is_quiet and result.is_ok):
        terminal.say(context.settings, f"{check.name}: {'valid' if result.is_ok else 'not valid'}")
    return [_finding(check, each) for each in result.errors]


def _finding(check: _Check, diagnostic: Diagnostic) -> Finding:
    where = os.path.normpath(check.unit.root / diagnostic.place)
    return Finding(f"{check.name}: {diagnostic.summary}", where, diagnostic.detail)
