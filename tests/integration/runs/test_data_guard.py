"""No general yes loses data: at the root of a state, in a deferred unit, or by a `removed` block."""

import pytest

from ngp.errors import RefusedError
from ngp.runs import applying, destroying
from ngp.runs.applying import ApplyConsent
from ngp.runs.results import Outcome, Verb

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
YES = ApplyConsent(lambda result, bucket: True, lambda result: True)
MYSQL = 'resource "terraform_data" "mysql" {\n  input = 1\n}\n'
FORGET = "removed {\n  from = terraform_data.mysql\n  lifecycle {\n    destroy = false\n  }\n}\n"


def apply(region, *units, accepted=()):
    with region.open(Verb.APPLY, units, may_lose_data=accepted) as run:
        return {unit.unit: unit for unit in applying.apply(run, YES).units}


def destroy(region, *units, accepted=()):
    with region.open(Verb.DESTROY, units, may_lose_data=accepted) as run:
        return {
            unit.unit: unit
            for unit in destroying.destroy(run, destroying.DestroyConsent(lambda _: True, is_typed=False)).units
        }


def hold(region, module, address):
    """Let the manifest of a module call a resource data-bearing."""
    path = region.path / "modules" / module / "module.yaml"
    path.write_text(f"{path.read_text()}data: [{address}]\n")


@pytest.fixture
def mysql(region):
    """A database that lies at the root of the state of `base`, as in a state that was copied from elsewhere."""
    hold(region, "base", "terraform_data.mysql")
    region.write("environments/dev/units/base/mysql.tf", MYSQL)
    apply(region, "base")
    return region


@pytest.mark.parametrize("left", ["", FORGET])
def test_a_database_at_the_root_is_neither_deleted_nor_forgotten(mysql, left):
    mysql.write("environments/dev/units/base/mysql.tf", left)
    with pytest.raises(RefusedError) as caught:
        apply(mysql, "base")
    (finding,) = caught.value.findings
    assert "terraform_data.mysql" in finding.what
    assert '"terraform_data"' in mysql.state("base").read_text()
    assert "mysql" in mysql.state("base").read_text()
    assert apply(mysql, "base", accepted=("terraform_data.mysql",))["base"].outcome is Outcome.APPLIED
    assert "mysql" not in mysql.state("base").read_text()


def test_it_is_not_destroyed_by_a_general_yes(mysql):
    with pytest.raises(RefusedError, match=r"deleting terraform_data\.mysql"):
        destroy(mysql, "base")
    assert destroy(mysql, "base", accepted=("base",))["base"].outcome is Outcome.DESTROYED


def test_a_deferred_unit_loses_no_data_by_the_yes_to_its_plan(region):
    region.choose(region.WITH_LATE)
    apply(region)
    hold(region, "late", "terraform_data.each")
    app = region.path / "modules/app/app.tf"
    app.write_text(app.read_text().replace("  count =", "  triggers_replace = [1]\n  count =", 1))
    region.render()
    late = apply(region)["late"]
    assert late.outcome is Outcome.REFUSED, late
    assert {finding.todo.partition(",")[0] for finding in late.findings} == {
        "to agree to that: --accept-data-loss late"
    }
