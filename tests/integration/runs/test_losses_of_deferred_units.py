"""A unit that could not be previewed: what its real plan would delete is guarded as in any other."""

import pytest

from ngp.runs import applying
from ngp.runs.applying import ApplyConsent
from ngp.runs.results import Outcome, Verb

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]


def _apply(region, consent):
    with region.open(Verb.APPLY) as run:
        return {unit.unit: unit for unit in applying.apply(run, consent).units}


def test_data_of_a_deferred_unit_is_not_lost_by_any_yes(region):
    with (region.path / "modules/late/module.yaml").open("a") as manifest:
        manifest.write("data: [terraform_data.each]\n")
    app = region.path / "modules/app/app.tf"
    node = "count = length(var.subnet_ids)\n"
    app.write_text(app.read_text().replace(node, f"{node}  triggers_replace = [var.name]\n"))
    region.choose(region.WITH_LATE)
    asked = []
    every_yes = ApplyConsent(lambda result, bucket: True, lambda result: bool(asked.append(result.unit)) or True)
    assert _apply(region, every_yes)["late"].outcome is Outcome.APPLIED
    before = region.state("late").read_bytes()
    region.choose(region.WITH_LATE, 'base = {\n  cidr = "10.1.0.0/16"\n}\n')  # other nodes, so another `for_each`

    refused = _apply(region, every_yes)["late"]
    assert refused.outcome is Outcome.REFUSED
    assert "deleting module.late.terraform_data.each" in refused.reason
    assert region.state("late").read_bytes() == before
    assert asked == ["late"]  # of the first apply: what is refused is not asked
