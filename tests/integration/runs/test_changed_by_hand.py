"""What somebody changes by hand between the preview and the yes is refused (4), or cannot reach what is applied."""

import json
import shutil

import pytest

from tests.harness import ROOT

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
APP, BASE = "environments/dev/app.tfstate", "environments/dev/base.tfstate"
PARAMETER = """
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

resource "aws_ssm_parameter" "one" {
  name  = "/by-hand"
  type  = "String"
  value = var.cidr
}
"""


@pytest.fixture
def apply(lent, mocker):
    """`apply(*units, meanwhile=edit)` says yes after it has made an edit."""

    def run(*units, meanwhile=lambda: None):
        def confirm(*_, **__):
            meanwhile()
            return True

        mocker.patch("ngp.commands.options.confirm", confirm)
        mocker.patch("ngp.commands.options.require_person")
        return lent.ngp.call("apply", "dev", *units)

    lent.render()
    return run


def state(lent, key):
    return json.loads(lent.session.object(lent.bucket, key))


def put(lent, key, document):
    lent.session.put_object(lent.bucket, key, json.dumps(document).encode())


def locks(lent):
    return [key for key in lent.session.keys(lent.bucket, "") if key.endswith(".tflock")]


def by_hand(lent, key):
    """Change an output of a state as somebody with an editor would."""
    found = state(lent, key)
    found["outputs"]["vpc_id"]["value"] = "by-hand"
    put(lent, key, found)


def test_values_that_are_edited_after_the_preview_do_not_reach_what_is_applied(lent, apply):
    edit = lambda: lent.edit("environments/dev/terraform.tfvars", "10.0.0.0/16", "10.9.0.0/16")  # noqa: E731
    done = apply(meanwhile=edit)
    assert done.exit_code == 0, done.stderr
    (vpc,) = state(lent, BASE)["resources"]
    assert vpc["instances"][0]["attributes"]["input"]["value"] == "10.0.0.0/16"
    planned = lent.ngp.call("render")
    assert planned.exit_code == 0
    assert lent.ngp.call("plan", "dev", "-detailed-exitcode").exit_code == 2, "the edit is the next plan's"


def test_an_output_of_a_unit_outside_of_the_run_that_changes_is_refused(lent, apply):
    assert apply("base").exit_code == 0
    done = apply("app", meanwhile=lambda: by_hand(lent, BASE))
    assert done.exit_code == 4, done.stderr
    assert "base (its outputs are used)" in done.stderr
    assert lent.session.object(lent.bucket, APP) is None
    assert locks(lent) == []


def test_a_state_of_the_run_that_changes_is_refused_and_kept(lent, apply):
    assert apply("base").exit_code == 0
    lent.edit("environments/dev/terraform.tfvars", "10.0.0.0/16", "10.9.0.0/16")
    lent.render()
    done = apply("base", meanwhile=lambda: by_hand(lent, BASE))
    assert done.exit_code == 4, done.stderr
    assert "states changed after the plan: base" in done.stderr
    assert state(lent, BASE)["outputs"]["vpc_id"]["value"] == "by-hand"
    assert locks(lent) == []


def test_a_state_that_appears_while_the_question_is_open_is_refused(lent, apply):
    assert apply("base").exit_code == 0
    other = {**state(lent, BASE), "resources": [], "outputs": {}, "lineage": "another"}
    done = apply("app", meanwhile=lambda: put(lent, APP, other))
    assert done.exit_code == 4, done.stderr
    assert state(lent, APP) == other


def test_what_is_changed_in_the_world_gets_what_was_reviewed(lent, apply):
    (lent.path / "modules/base/parameter.tf").write_text(PARAMETER)
    shutil.copy2(ROOT / ".terraform.lock.hcl", lent.path)
    lent.render()
    assert apply("base").exit_code == 0
    lent.edit("environments/dev/terraform.tfvars", "10.0.0.0/16", "10.9.0.0/16")
    lent.render()

    def edit():
        lent.session.call("ssm", "put_parameter", Name="/by-hand", Value="mine", Type="String", Overwrite=True)

    done = apply("base", meanwhile=edit)
    assert done.exit_code == 0, done.stderr
    found = lent.session.call("ssm", "get_parameter", Name="/by-hand")
    assert found["Parameter"]["Value"] == "10.9.0.0/16"
