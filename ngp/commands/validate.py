"""`ngp validate`: what the operator wrote (64), then what Terraform says about the rendered roots (1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ngp import files
from ngp.commands import narrowing, options
from ngp.environments import documents, platforms, resolving, wiring
from ngp.environments.environment import Platform, StateMode
from ngp.environments.resolving import Resolved
from ngp.errors import Finding, NgpError, UsageError, nearest
from ngp.views import digests, findings, terminal
from ngp.views import documents as views

if TYPE_CHECKING:
    from ngp.review.affected import Affected
    from ngp.terraform.driver import Terraform
    from ngp.terraform.events import Diagnostic

WithTerraform = Annotated[bool, typer.Option("--terraform/--no-terraform", help="let Terraform check the roots too")]


@dataclass(frozen=True)
class _Check:
    """One rendered root: whose it is, its folder, and the folder for what its init makes."""

    environment: str
    unit: str  # "" for the one root of all units
    root: Path
    data: Path

    @property
    def name(self) -> str:
        return f"{self.environment} {self.unit}".strip()


def validate(
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
    names = [environment] if environment else documents.names(platform)
    resolved = _resolve(platform, names, units or [])
    change = None
    if narrowing.is_asked(affected=affected):
        found = narrowing.collect(platform, resolved, since, whole=not environment)
        change = narrowing.tell(context, narrowing.only(found, units))
    checks = _collect(resolved, units or [], change) if terraform else []
    wrong = [each for one in resolved for each in wiring.check_counts(one.environment, one.catalogue)]
    wrong += _run(platform, checks, context, parallelism) if checks else []
    if as_json:
        shown = {"schema": "ngp.validate/1", "environments": names, "terraform": terraform, "findings": wrong}
        views.write({**shown, **views.affected(change)})
    else:
        roots = f", Terraform checked {terminal.amount(len(checks), 'root')}" if terraform else ""
        passed = f"valid: {', '.join(names) or 'no environment'}{roots}"
        findings.show_checks(wrong, context.settings, passed=passed, whole=show_all)
    return NgpError.exit_code if wrong else 0


def _resolve(platform: Platform, names: Sequence[str], units: Sequence[str]) -> list[Resolved]:
    """All environments, or one UsageError with the findings of all."""
    resolved, wrong = resolving.collect(platform, names)
    known = {name for each in resolved for name in each.environment.units}
    for unit in units:
        if resolved and unit not in known:
            wrong.append(Finding(f"there is no unit `{unit}`", str(resolved[0].environment.path), nearest(unit, known)))
    if wrong:
        raise UsageError(list(dict.fromkeys(wrong)))
    return resolved


def _collect(resolved: Sequence[Resolved], units: Sequence[str], change: Affected | None) -> list[_Check]:
    """The roots to check: of the units that were named (none: all), and of them what the change affects."""
    if change is not None:
        resolved = [each for each in resolved if change.names(each.environment.name)]
    return [check for each in resolved for check in _checks(each, narrowing.choice(each, change, units))]


def _checks(resolved: Resolved, units: Sequence[str]) -> list[_Check]:
    environment = resolved.environment
    data = resolved.platform.workspace / "data" / environment.name
    if environment.state is StateMode.SINGLE:
        chosen = [""] if environment.units else []
    else:
        chosen = [unit for unit in environment.units if not units or unit in units]
    return [
        _Check(environment.name, unit, environment.root(unit), data / (unit or "root") / "validate") for unit in chosen
    ]


def _run(platform: Platform, checks: Sequence[_Check], context: options.Context, parallelism: int) -> list[Finding]:
    """What Terraform finds in the rendered roots, in their order."""
    missing = [
        Finding(f"the root of {check.name} is not rendered", str(check.root), "", f"ngp render {check.environment}")
        for check in checks
        if not (check.root / "main.tf").is_file()
    ]
    if missing:
        return missing
    lock = platform.workspace / "locks" / "validate.lock"
    with (
        files.lock(lock, purpose="ngp validate", wait=True),
        _terraform(platform, context) as driver,
        ThreadPoolExecutor(parallelism) as pool,
    ):
        is_big = digests.is_big(len(checks))  # then only what is not valid has a line
        done = pool.map(lambda check: _validate(driver, check, context, is_quiet=is_big), checks)
        return [finding for found in done for finding in found]


@contextmanager
def _terraform(platform: Platform, context: options.Context) -> Iterator[Terraform]:
    from ngp.pool import door
    from ngp.proxy.session import open_session
    from ngp.terraform import binary, driver, lockfile, mirror, serving, surroundings

    settings = context.settings
    found = binary.find(
        platform.terraform, platform.terraform_version, settings.environ, cwd=platform.path, cache=settings.cache
    )
    environ = surroundings.child(settings.environ, {})
    places = mirror.Places(settings.environ, settings.home, settings.cache)
    lock = lockfile.load(platform.path / lockfile.NAME)
    providers = mirror.provide(lock, found, places, context.stop)
    packages = serving.find_packages(lock, found.platform, providers.folder)

    def note(text: str) -> None:
        terminal.say(settings, text)

    warm = door.find(platform.workspace, settings.environ, "validate", note)
    opener = warm.open_session if warm else open_session
    with serving.open_serving(packages, environ, settings.environ, settings.cache, note, opener) as served:
        yield driver.Terraform(found, environ, providers.folder, served)


def _validate(terraform: Terraform, check: _Check, context: options.Context, *, is_quiet: bool) -> list[Finding]:
    from ngp.terraform.driver import Root, Watch

    root, watch = Root(check.root, check.data), Watch(stop=context.stop)
    check.data.mkdir(parents=True, exist_ok=True)
    result = terraform.init(root, backend=False, watch=watch)
    if result.is_ok:
        result = terraform.validate(root, watch=watch)
    if not (is_quiet and result.is_ok):
        terminal.say(context.settings, f"{check.name}: {'valid' if result.is_ok else 'not valid'}")
    return [_finding(check, each) for each in result.errors]


def _finding(check: _Check, diagnostic: Diagnostic) -> Finding:
    where = f"{check.root}/{diagnostic.place}" if diagnostic.place else str(check.root)
    return Finding(f"{check.name}: {diagnostic.summary}", where, diagnostic.detail)
