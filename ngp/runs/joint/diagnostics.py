"""Which units of a joint plan Terraform's diagnostics are about."""

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


def about(said: Diagnostic, joint: Joint) -> set[str]:
    """The units that a diagnostic may be about: by its address, else by the file that it names."""
    owner = joint.partition.owner(said.address)
    if owner:
        return {owner}
    file, _, line = said.place.rpartition(":")
    if file == _MAIN and line.isdecimal():
        return {_called((joint.root.path / _MAIN).read_text(encoding="utf-8"), int(line))} & joint.units.keys()
    folder = (joint.root.path / said.place).resolve().parent
    return {
        name
        for name, unit in joint.units.items()
        if said.place and any(folder.is_relative_to(joint.tree.path(one).resolve()) for one in unit.sources.values())
    }


def _called(text: str, line: int) -> str:
    """The module block that a line of the joint root stands in, "" for none."""
    above = reversed(text.splitlines()[:line])
    return next((found[1] for found in map(_CALL.match, above) if found), "")


def located(said: Diagnostic, joint: Joint, resolved: Resolved) -> Diagnostic:
    """Return a diagnostic that names the operator's line or the platform's file, not that of the copy.

    It is relative to the platform.
    """
    found = origins.locate(resolved, joint.root.path, said)
    if not said.place or found.place != said.place:
        return found
    path = Path(os.path.normpath(joint.root.path / said.place))
    inside = path.is_relative_to(joint.tree.folder)
    platform = joint.tree.path(resolved.platform.path)
    return replace(said, place=os.path.relpath(path, platform)) if inside else said


def by_unit(
    said: Sequence[Diagnostic], joint: Joint, context: RunContext
) -> tuple[dict[str, list[Diagnostic]], list[Diagnostic]]:
    """Return what was said of each unit after a plan that went well, and what was said of none."""
    failed = _failed_checks(said, joint, context.terraform)
    own: dict[str, list[Diagnostic]] = {name: [] for name in joint.units}
    rest = []
    for one in said:
        owners = about(one, joint)
        for name in (owners & failed.get(one.detail, owners)) or owners:
            own[name].append(located(one, joint, context.resolved))
        if not owners:
            rest.append(one)
    return own, rest


def failures(outcome: Result, joint: Joint) -> dict[str, str]:
    """Why units go by themselves after a joint plan that failed: those that the errors are about, else all of them."""
    reasons: dict[str, str] = {}
    for error in outcome.errors:
        for name in about(error, joint):
            reasons.setdefault(name, f"the joint plan failed there: {error.summary}")
    first = next((one.summary for one in outcome.errors), f"exit code {outcome.exit_code}")
    return reasons or dict.fromkeys(joint.units, f"the joint plan failed: {first}")


def _failed_checks(said: Sequence[Diagnostic], joint: Joint, terraform: Terraform) -> dict[str, set[str]]:
    """The units of which each failed check's message is: a diagnostic of one names only a module's file.

    The plan is asked only where that file may be of several units.
    """
    if all(len(about(one, joint)) == 1 for one in said):
        return {}
    found: dict[str, set[str]] = {}
    for check in terraform.show_plan(joint.root, joint.plan).extra.get("checks") or ():
        name = joint.partition.owner(str(check.get("address", {}).get("to_display", "")))
        for instance in check.get("instances") or ():
            for problem in instance.get("problems") or ():
                found.setdefault(str(problem.get("message", "")), set()).add(name)
    return found
