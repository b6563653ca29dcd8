"""The plans in a bundle as JSON, with sensitive values masked: what people review, readable without Terraform."""

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
    """One unit as it was reviewed. `plan` is None for a unit that could not be planned yet (deferred)."""

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
    """Whether two plans do the same, as far as they can be shown."""
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


def _read_unit(name: str, said: Mapping[str, Any]) -> ReviewedUnit:
    outcome = Outcome(said["outcome"])
    unknowns = tuple(UnknownInput(**one) for one in said["unknowns"])
    blank = UnitResult(
        name, said["module"], said["wave"], outcome, reason=said["reason"], is_preview=said["is_preview"]
    )
    blank = replace(blank, unknowns=unknowns)
    if said["plan"] is None:
        return ReviewedUnit(blank, None)
    plan = _read_plan(said["plan"])
    return ReviewedUnit(replace(describing.describe(blank, plan), outcome=outcome), plan)


def _read_plan(said: Mapping[str, Any]) -> Plan:
    return Plan(
        tuple(_read_change(one) for one in said["changes"]),
        {name: OutputChange(**{**one, "action": Action(one["action"])}) for name, one in said["outputs"].items()},
        tuple(_read_change(one) for one in said["drift"]),
        said["terraform_version"],
        invocations=tuple(Invocation(**one) for one in said["invocations"]),
    )


def _read_change(said: Mapping[str, Any]) -> Change:
    paths = {name: tuple(tuple(path) for path in said[name]) for name in ("replace_paths", "sensitive_changes")}
    return Change(**{**said, **paths, "action": Action(said["action"]), "actions": tuple(said["actions"])})
