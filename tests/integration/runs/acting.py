"""What tests do with a `region.Region`: plan, apply and destroy its units, and edit what they are made of."""

import json

import pytest

from ngp.runs import applying, destroying, planning
from ngp.runs.applying import ApplyConsent
from ngp.runs.results import Verb

RANGE = 'base = {\n  cidr = "10.0.0.0/16"\n}\n'
YES = ApplyConsent(lambda result, bucket: True, lambda result: True)
UNASKED = ApplyConsent(lambda result, bucket: pytest.fail("nothing is to be asked"), lambda result: False)


def plan(region, *units, **options):
    with region.open(Verb.PLAN, units, **options) as run:
        return {unit.unit: unit for unit in planning.plan(run).units}


def apply(region, *units, consent=YES, **options):
    with region.open(Verb.APPLY, units, **options) as run:
        result = applying.apply(run, consent)
    assert result.verb is Verb.APPLY
    return {unit.unit: unit for unit in result.units}


def destroy(region, *units, **options):
    with region.open(Verb.DESTROY, units, **options) as run:
        return {
            unit.unit: unit
            for unit in destroying.destroy(run, destroying.DestroyConsent(lambda result: True, is_typed=True)).units
        }


def is_joint(results):
    return {result.log.rpartition("/")[2] for result in results.values()} == {"_all.log"}


def forget(region, *outputs):
    """Make the base as it is after an apply that failed half-way."""
    state = json.loads(region.state("base").read_text())
    for output in outputs:
        del state["outputs"][output]
    state["resources"] = [one for one in state["resources"] if one["name"] != "vpc"]
    region.state("base").write_text(json.dumps(state))


def app_more(region, text):
    with (region.path / "modules/app/app.tf").open("a") as module:
        module.write(text)


def base_more(region, text):
    with (region.path / "modules/base/base.tf").open("a") as module:
        module.write(text)


def edit(region, name, old, new):
    path = region.path / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def outcomes(results):
    return {one.outcome for one in results.values()}
