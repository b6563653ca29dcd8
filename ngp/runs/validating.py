"""Validates rendered roots with Terraform, without a backend, an account or a state."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from ngp import files
from ngp.environments.environment import Platform
from ngp.environments.resolving import Resolved
from ngp.errors import Finding
from ngp.runs import copies, units
from ngp.runs.units import Unit
from ngp.terraform.driver import Terraform
from ngp.terraform.events import Diagnostic


@dataclass(frozen=True)
class RootCheck:
    """A rendered root to validate: its unit, the tree for OpenTofu's copy, and the folder for its init."""

    environment: str
    unit: Unit
    tree: copies.ShadowTree
    data: Path

    @property
    def name(self) -> str:
        return f"{self.environment} {self.unit.name}" if self.unit.module else self.environment  # one root for all


@dataclass(frozen=True)
class ValidationResult:
    """What is wrong and what is worth a look. `roots` says how many Terraform checked, None if it was not asked."""

    wrong: Sequence[Finding]
    warnings: Sequence[Finding]
    roots: int | None = None


Emit = Callable[[RootCheck, bool], None]  # whether the root is valid


def collect(resolved: Iterable[Resolved], chosen: Mapping[str, Sequence[str]]) -> list[RootCheck]:
    """Return the roots of environments; for those in `chosen` only of the given units (none: all)."""
    return [check for each in resolved for check in _collect(each, chosen.get(each.environment.name, ()))]


def validate(
    platform: Platform,
    checks: Sequence[RootCheck],
    terraform: AbstractContextManager[Terraform],
    emit: Emit,
    parallelism: int,
) -> list[Finding]:
    """Return Terraform's findings in the roots, in order. Roots that are not rendered are reported first.

    `emit` is called once per root, from several threads. Terraform is opened for rendered roots only.
    """
    missing = [_not_rendered(check) for check in checks if not (check.unit.root / "main.tf").is_file()]
    if missing or not checks:
        return missing
    with (
        files.lock(platform.workspace.validation_lock, purpose="ngp validate", wait=True),
        terraform as driver,
        ThreadPoolExecutor(parallelism) as pool,
    ):
        done = pool.map(lambda check: _validate(driver, check, emit), checks)
        return [finding for found in done for finding in found]


def _collect(resolved: Resolved, chosen: Sequence[str]) -> list[RootCheck]:
    platform, name = resolved.platform, resolved.environment.name
    workspace = platform.workspace
    tree = copies.ShadowTree(workspace.validated(name), platform.path)
    return [
        RootCheck(name, unit, tree, workspace.data(name, unit.name, "validate"))
        for unit in units.collect(resolved).values()
        if unit.sources and (not unit.module or not chosen or unit.name in chosen)
    ]


def _validate(terraform: Terraform, check: RootCheck, emit: Emit) -> list[Finding]:
    root = copies.working_root(check.unit, check.tree, check.data, terraform.binary)
    check.data.mkdir(parents=True, exist_ok=True)
    result = terraform.init(root, backend=False)
    if result.is_ok:
        result = terraform.validate(root)
    if result.stopped:
        return []  # the caller reports the interruption
    emit(check, result.is_ok)
    return [_finding(check, each) for each in result.errors]


def _not_rendered(check: RootCheck) -> Finding:
    what = f"the root of {check.name} is not rendered"
    return Finding(what, str(check.unit.root), "", f"ngp render {check.environment}")


def _finding(check: RootCheck, diagnostic: Diagnostic) -> Finding:
    where = os.path.normpath(check.unit.root / diagnostic.place)
    return Finding(f"{check.name}: {diagnostic.summary}", where, diagnostic.detail)
