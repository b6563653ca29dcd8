"""What was applied with another unit's outputs is destroyed before it, though the wiring has changed since."""

import json
import shutil

import pytest

from ngp.errors import RefusedError
from ngp.runs.events import Note
from ngp.runs.results import Outcome
from ngp.terraform.commands import PlanOptions
from tests.harness import Ngp
from tests.integration.runs.acting import app_more, apply, destroy, edit, outcomes

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
LEAVES = '  provisioner "local-exec" {{\n    when    = destroy\n    command = "{} >> {}/order"\n  }}\n'
UNWIRED = """
target: sandbox
account: "123456789012"
region: eu-central-1
domain: example.test
units:
  base: {}
  app: {}
"""
BASE = 'base = {\n  cidr = "10.0.0.0/16"\n}\n'
CONSTANTS = BASE + 'app = {\n  vpc_id     = "v"\n  subnet_ids = ["s"]\n  name       = "n"\n  nothing    = ""\n}\n'


@pytest.fixture
def ordered(region):
    """`base` and `app` are applied, and write down when they are destroyed; the wiring between them is gone."""
    edit(region, "modules/base/base.tf", '"vpc" {\n', '"vpc" {\n' + LEAVES.format("echo base", region.path))
    app_more(region, 'resource "terraform_data" "last" {\n' + LEAVES.format("sleep 1; echo app", region.path) + "}\n")
    apply(region)
    region.choose(UNWIRED, CONSTANTS)
    return region


def order(region):
    return (region.path / "order").read_text().split()


def stored(region):
    return json.loads((region.path / ".ngp/state/dev/graph.json").read_text())["needs"]


@pytest.mark.parametrize("is_apart", [False, True], ids=["joint", "apart"])
def test_units_whose_wire_is_gone_are_destroyed_in_the_order_in_which_they_were_made(ordered, is_apart):
    assert stored(ordered) == {"app": ["base"], "base": []}
    done = destroy(ordered, options=PlanOptions(refresh=False), is_apart=is_apart)
    assert outcomes(done) == {Outcome.DESTROYED}
    assert order(ordered) == ["app", "base"]
    assert stored(ordered) == {}


def test_two_removed_units_are_destroyed_together_in_that_order(ordered):
    """Both went out of the environment, and are put back to destroy them, without their wiring."""
    ordered.choose(
        UNWIRED.replace("  base: {}\n  app: {}\n", "  other: {module: base}\n"), BASE.replace("base", "other")
    )
    apply(ordered)
    ordered.choose(UNWIRED, CONSTANTS)
    destroy(ordered, "base", "app", options=PlanOptions(refresh=False))
    assert order(ordered) == ["app", "base"]


def test_what_still_stands_on_a_unit_keeps_it_until_it_is_applied_without(ordered):
    with pytest.raises(RefusedError, match="`app` still uses what would be destroyed"):
        destroy(ordered, "base")
    assert apply(ordered)["app"].outcome is Outcome.APPLIED
    assert stored(ordered)["app"] == []
    assert destroy(ordered, "base")["base"].outcome is Outcome.DESTROYED


def test_a_unit_that_is_half_applied_needs_both(ordered):
    app_more(
        ordered,
        'resource "terraform_data" "bad" {\n  depends_on = [terraform_data.node]\n'
        '  provisioner "local-exec" {\n    command = "exit 7"\n  }\n}\n',
    )
    assert apply(ordered)["app"].outcome is Outcome.FAILED
    assert stored(ordered)["app"] == ["base"]


def test_an_apply_of_some_addresses_keeps_the_edges_of_the_others(ordered):
    apply(ordered, options=PlanOptions(targets=("module.app.terraform_data.node",)))
    assert stored(ordered)["app"] == ["base"]


def test_edges_that_cannot_be_kept_are_told_and_fail_no_apply(region):
    (region.path / ".ngp/state/dev/graph.json").mkdir(parents=True)
    region.state("base").parent.chmod(0o700)
    (region.path / ".ngp/state/dev/graph.json").rmdir()
    (region.path / ".ngp/state/dev/graph.json").symlink_to("elsewhere")
    assert outcomes(apply(region)) == {Outcome.APPLIED}
    assert any(
        "cannot save the dependencies of this apply" in one.text for one in region.events if isinstance(one, Note)
    )


def test_another_machine_destroys_in_that_order(lent, tmp_path):
    """Its checkout has the states in S3, and nothing of the workspace of the first one."""
    for name, resource, command in (("base", "vpc", "echo base"), ("app", "home", "sleep 1; echo app")):
        module = lent.path / f"modules/{name}/{name}.tf"
        text = module.read_text()
        head = f'resource "terraform_data" "{resource}" {{\n'
        assert head in text
        module.write_text(text.replace(head, head + LEAVES.format(command, tmp_path)))
    lent.render()
    done = lent.ngp.call("apply", "dev", "--auto-approve")
    assert done.exit_code == 0, done.stderr
    other = tmp_path / "other"
    shutil.copytree(lent.path, other)
    for left in (other / ".ngp").iterdir():
        if left.name != "sandbox":
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    for path in other.rglob("wired.auto.tfvars.json"):
        path.unlink()
    document = other / "environments/dev/environment.yaml"
    document.write_text(document.read_text().partition("wiring:")[0])
    values = other / "environments/dev/terraform.tfvars"
    values.write_text(values.read_text() + 'app = {\n  vpc_id = "v"\n}\n')
    there = Ngp(other)
    assert there.call("render").exit_code == 0
    refused = there.call("destroy", "dev", "base", "--auto-approve")
    assert refused.exit_code == 3, refused.stderr
    done = there.call("destroy", "dev", "--auto-approve", "-refresh=false")
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "order").read_text().split() == ["app", "base"]
    assert json.loads(lent.session.object(lent.bucket, "environments/dev/graph.json"))["needs"] == {}
    shutil.rmtree(other / ".ngp/sandbox")
