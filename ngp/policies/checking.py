"""Checks the planned changes of a run against all policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ngp.environments import revisions
from ngp.environments.resolving import Resolved
from ngp.policies import builtin, rego
from ngp.policies.rego import Policies
from ngp.policies.verdict import Verdict, Violation
from ngp.runs import addresses
from ngp.runs.results import RunResult
from ngp.terraform.plans import Change


def prepare(resolved: Resolved) -> Policies | None:
    """Return the platform's policies, compiled once. Raises UsageError (64) or MissingError (69)."""
    found = rego.load(resolved.platform.path)
    if found is not None:
        rego.check(found)
    return found


def prepare_at(resolved: Resolved, commit: str) -> Policies | None:
    """Return the policies that the platform had at a commit: a change does not write the rules that it is held to.

    Raises as `prepare`.
    """
    with TemporaryDirectory() as folder:
        revisions.extract(resolved.platform, commit, rego.FOLDER, Path(folder))
        return prepare(replace(resolved, platform=replace(resolved.platform, path=Path(folder))))


def check(resolved: Resolved, result: RunResult, policies: Policies | None) -> Verdict:
    """Return the verdict of all policies on the changes of a run."""
    found = [one for unit in result.units for change in unit.changes for one in _builtin(unit.unit, change)]
    verdict = Verdict(tuple(rule.id for rule in builtin.RULES), tuple(found))
    if policies is not None:
        verdict += rego.evaluate(policies, document(resolved, result))
    return _without_accepted(resolved, verdict)


def document(resolved: Resolved, result: RunResult) -> dict[str, Any]:
    """Return what policies get: Terraform's plan JSON (`resource_changes`), each with its unit, and `ngp` for the rest.

    Sensitive values are masked in it.
    """
    environment = resolved.environment
    return {
        "format_version": "1.2",
        "resource_changes": [_change(unit.unit, one) for unit in result.units for one in unit.changes],
        "ngp": {
            "platform": resolved.platform.name,
            "environment": environment.name,
            "account": environment.account,
            "region": environment.region,
            "target": environment.target.value,
            "verb": result.verb.value,
        },
    }


def _change(unit: str, change: Change) -> Mapping[str, Any]:
    return {
        "address": change.address,
        "mode": change.mode,
        "type": change.type,
        "unit": unit,
        "change": {
            "actions": list(change.actions),
            "before": change.before,
            "after": change.after,
            "after_unknown": change.after_unknown,
            "replace_paths": [list(path) for path in change.replace_paths],
        },
    }


def _builtin(unit: str, change: Change) -> Iterator[Violation]:
    for rule, attribute, message in builtin.check(change):
        yield Violation(rule.id, rule.severity, message, unit, change.address, attribute, rule.todo)


def _without_accepted(resolved: Resolved, verdict: Verdict) -> Verdict:
    """Take out what the manifests of modules accept of ngp's own rules, with their reasons."""
    kept, accepted = [], list(verdict.accepted)
    for one in verdict.violations:
        reason = "" if one.source else _reason(resolved, one)
        if reason:
            accepted.append((one, reason))
        else:
            kept.append(one)
    return Verdict(verdict.rules, tuple(kept), tuple(accepted))


def _reason(resolved: Resolved, found: Violation) -> str:
    owner = addresses.owner(found.address) or found.unit
    choice = resolved.environment.units.get(owner)
    module = resolved.catalogue.modules.get(choice.module) if choice else None
    inside = addresses.without_keys(found.address.removeprefix(f"module.{owner}."))
    return module.manifest.policy_exceptions.get(f"{found.rule} {inside}", "") if module else ""
