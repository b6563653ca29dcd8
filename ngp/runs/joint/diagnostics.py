"""Assigns Terraform's diagnostics of a joint plan to units."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ngp.environments.resolving import Resolved
from ngp.runs import origins
from ngp.runs.context import RunContext
from ngp.runs.joint.composition import Joint
from ngp.terraform.driver import Terraform
from ngp.terraform.events import Diagnostic
from ngp.terraform.results import Result

_MAIN = "main.tf"
_CALL = re.compile(r'module "([^"]+)"')


def about(diagnostic: Diagnostic, joint: Joint) -> set[str]:
    """Return the units that a diagnostic may concern, by its address or else by its file."""
    owner = joint.partition.owner(diagnostic.address)
    if owner:
        return {owner}
    file, _, line = diagnostic.place.rpartition(":")
    if file == _MAIN and line.isdecimal():
        return {_called((joint.root.path / _MAIN).read_text(encoding="utf-8"), int(line))} & joint.units.keys()
    folder = (joint.root.path / diagnostic.place).resolve().parent
    return {
        name
        for name, unit in joint.units.items()
        if diagnostic.place
        and any(folder.is_relative_to(joint.tree.path(one).resolve()) for one in unit.sources.values())
    }


def _called(text: str, line: int) -> str:
    """Return the module block at a line of the joint root, "" if there is none."""
    above = reversed(text.splitlines()[:line])
    return next((found[1] for found in map(_CALL.match, above) if found), "")


def located(diagnostic: Diagnostic, joint: Joint, resolved: Resolved) -> Diagnostic:
    """Return a diagnostic with the operator's line or the platform's file instead of the copy's.

    The path is relative to the platform.
    """
    found = origins.locate(resolved, joint.root.path, diagnostic)
    if not diagnostic.place or found.place != diagnostic.place:
        return found
    path = Path(os.path.normpath(joint.root.path / diagnostic.place))
    inside = path.is_relative_to(joint.tree.folder)
    platform = joint.tree.path(resolved.platform.path)
    return replace(diagnostic, place=os.path.relpath(path, platform)) if inside else diagnostic


def by_unit(
    diagnostics: Sequence[Diagnostic], joint: Joint, context: RunContext
) -> tuple[dict[str, list[Diagnostic]], list[Diagnostic]]:
    """Return the diagnostics of each unit after a successful plan, and those of no unit."""
    failed = _failed_checks(diagnostics, joint, context.terraform)
    own: dict[str, list[Diagnostic]] = {name: [] for name in joint.units}
    rest = []
    for one in diagnostics:
        owners = about(one, joint)
        for name in (owners & failed.get(one.detail, owners)) or owners:
            own[name].append(located(one, joint, context.resolved))
        if not owners:
            rest.append(one)
    return own, rest


def failures(outcome: Result, joint: Joint) -> dict[str, str]:
    """Return why units are planned separately after a failed joint plan: the units of its errors, else all of them."""
    reasons: dict[str, str] = {}
    for error in outcome.errors:
        for name in about(error, joint):
            reasons.setdefault(name, f"the joint plan failed there: {error.summary}")
    first = next((one.summary for one in outcome.errors), f"exit code {outcome.exit_code}")
    return reasons or dict.fromkeys(joint.units, f"the joint plan failed: {first}")


def _failed_checks(diagnostics: Sequence[Diagnostic], joint: Joint, terraform: Terraform) -> dict[str, set[str]]:
    """Return the units of each failed check, by message, because a check's diagnostic names only a module's file.

    The plan is read only if that file may belong to several units.
    """
    if all(len(about(one, joint)) == 1 for one in diagnostics):
        return {}
    found: dict[str, set[str]] = {}
    for check in terraform.show_plan(joint.root, joint.plan).extra.get("checks") or ():
        name = joint.partition.owner(str(check.get("address", {}).get("to_display", "")))
        for instance in check.get("instances") or ():
            for problem in instance.get("problems") or ():
                found.setdefault(str(problem.get("message", "")), set()).add(name)
    return found
