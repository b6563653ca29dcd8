"""The plans in a bundle as JSON for reviews, readable without Terraform, with sensitive values masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ngp.rendering import exact
from ngp.runs import describing
from ngp.runs.outcomes import Outcome
from ngp.runs.results import UnitResult, UnknownInput
from ngp.terraform import documents
from ngp.terraform.plans import Action, Change, Invocation, OutputChange, Plan

_FORMAT = 1


@dataclass(frozen=True)
class ReviewedUnit:
    """A unit as it was reviewed. `plan` is None for a deferred unit, which could not be planned."""

    result: UnitResult
    plan: Plan | None


def dump(units: Mapping[str, ReviewedUnit]) -> bytes:
    """Return the text of all units' plans."""
    return exact.dump({"format": _FORMAT, "units": {name: _unit(one) for name, one in units.items()}}).encode()


def load(text: bytes) -> dict[str, ReviewedUnit]:
    """Read what `dump` wrote. Raises ValueError or KeyError for anything else."""
    document = documents.parse(text.decode())
    if document["format"] != _FORMAT:
        raise ValueError(f"ngp does not know format {document['format']} of plans")
    return {name: _read_unit(name, one) for name, one in document["units"].items()}


def is_same(one: Plan, other: Plan) -> bool:
    """Whether two plans are equal in everything that can be shown."""
    return exact.dump(_plan(one)) == exact.dump(_plan(other))


def _unit(reviewed: ReviewedUnit) -> dict[str, Any]:
    result = reviewed.result
    return {
        "module": result.module,
        "wave": result.wave,
        "outcome": result.outcome.value,
        "reason": result.reason,
        "is_preview": result.is_preview,
        "unknowns": [asdict(one) for one in result.unknowns],
        "plan": None if reviewed.plan is None else _plan(reviewed.plan),
    }


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "changes": [_change(one) for one in plan.changes],
        "drift": [_change(one) for one in plan.drift],
        "outputs": {name: {**asdict(one), "action": one.action.value} for name, one in plan.outputs.items()},
        "invocations": [asdict(one) for one in plan.invocations],
        "terraform_version": plan.terraform_version,
    }


def _change(change: Change) -> dict[str, Any]:
    return {**asdict(change), "action": change.action.value}


def _read_unit(name: str, data: Mapping[str, Any]) -> ReviewedUnit:
    outcome = Outcome(data["outcome"])
    unknowns = tuple(UnknownInput(**one) for one in data["unknowns"])
    blank = UnitResult(
        name, data["module"], data["wave"], outcome, reason=data["reason"], is_preview=data["is_preview"]
    )
    blank = replace(blank, unknowns=unknowns)
    if data["plan"] is None:
        return ReviewedUnit(blank, None)
    plan = _read_plan(data["plan"])
    return ReviewedUnit(replace(describing.describe(blank, plan), outcome=outcome), plan)


def _read_plan(data: Mapping[str, Any]) -> Plan:
    return Plan(
        tuple(_read_change(one) for one in data["changes"]),
        {name: OutputChange(**{**one, "action": Action(one["action"])}) for name, one in data["outputs"].items()},
        tuple(_read_change(one) for one in data["drift"]),
        data["terraform_version"],
        invocations=tuple(Invocation(**one) for one in data["invocations"]),
    )


def _read_change(data: Mapping[str, Any]) -> Change:
    paths = {name: tuple(tuple(path) for path in data[name]) for name in ("replace_paths", "sensitive_changes")}
    return Change(**{**data, **paths, "action": Action(data["action"]), "actions": tuple(data["actions"])})
