"""What changes while the question is open, or later, is not applied, where units go by themselves."""

import json

import pytest

from ngp.errors import RefusedError, StaleError
from ngp.runs.applying import ApplyConsent
from ngp.runs.results import Outcome, exit_code
from ngp.terraform import driver
from tests.integration.runs.acting import apply

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
WIDER = 'resource "terraform_data" "wider" {\n  input = "all"\n}\n'


def meanwhile(edit):
    """A yes that takes its time."""

    def answer(_result, _bucket):
        edit()
        return True

    return ApplyConsent(answer, lambda _: pytest.fail("nothing is deferred"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("modules/base/base.tf", WIDER),
        ("environments/dev/units/base/values.auto.tfvars.json", '{"cidr": "10.9.0.0/16"}'),
        ("environments/dev/units/base/more.auto.tfvars", 'cidr = "10.9.0.0/16"\n'),
    ],
    ids=["module", "values", "new-file"],
)
def test_a_file_that_changes_while_the_question_is_open_is_refused(region, name, text):
    with pytest.raises(StaleError, match="changed after the preview") as caught:
        apply(region, "base", is_apart=True, consent=meanwhile(lambda: region.write(name, text)))
    assert [finding.where for finding in caught.value.findings] == [str(region.path / name)]
    assert not region.state("base").exists()


def test_a_module_that_changes_after_the_yes_is_refused_before_its_unit_is_applied(region, monkeypatch):
    from ngp.terraform.driver import Terraform

    real = Terraform.apply

    def slow(self, root, *args, **more):
        done = real(self, root, *args, **more)
        region.write("modules/app/more.tf", WIDER)
        return done

    monkeypatch.setattr(Terraform, "apply", slow)
    results = apply(region, is_apart=True)
    assert {name: one.outcome for name, one in results.items()} == {"base": Outcome.APPLIED, "app": Outcome.STALE}
    assert "modules/app/more.tf changed after the preview" in results["app"].reason
    assert exit_code([one.outcome for one in results.values()]) == 4
    assert not region.state("app").exists()


def test_an_upstream_that_others_apply_meanwhile_is_refused(region):
    apply(region, "base")

    def another_checkout():
        state = json.loads(region.state("base").read_text())
        state["outputs"]["name"]["value"] = "another"
        region.state("base").write_text(json.dumps(state))

    result = apply(region, "app", is_apart=True, consent=meanwhile(another_checkout))["app"]
    assert result.outcome is Outcome.STALE
    assert "base.name" in result.reason
    assert not region.state("app").exists()


def test_a_kind_of_change_that_ngp_does_not_know_is_refused_together_and_apart(region, monkeypatch):
    read = driver.Terraform._json

    def of_tomorrow(terraform, root, argv, watch):
        document = read(terraform, root, argv, watch)
        strange = [{"address": "module.base.thing.x"}]
        return document | ({"of_tomorrow": strange} if "resource_changes" in document else {})

    monkeypatch.setattr(driver.Terraform, "_json", of_tomorrow)
    with pytest.raises(RefusedError, match=r"module.base.thing.x: the plan has it in `of_tomorrow`"):
        apply(region)
    assert apply(region, is_apart=True)["base"].outcome is Outcome.REFUSED
    assert not region.state("base").exists()
