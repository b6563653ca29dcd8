"""A joint apply leaves each unit the state that the unit's own apply writes: tried from the same states, both ways."""

import difflib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ngp.runs import destroying
from ngp.runs.events import Note
from ngp.runs.results import Action, Counts, Outcome, Verb
from ngp.terraform.commands import PlanOptions
from tests.integration.runs.test_truthful_runs import YES, app_more, apply

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]

RANGE = 'base = {\n  cidr = "10.0.0.0/16"\n}\n'
TWO = """
target: sandbox
account: "123456789012"
region: eu-central-1
domain: example.test
units:
  base: {}
  base-two: {module: base}
  app: {}
  facts: {}
wiring:
  app: {vpc_id: base.vpc_id, subnet_ids: base.subnet_ids, name: base.name, nothing: base.nothing}
  facts: {vpc_id: base-two.vpc_id}
"""
VALUES = 'base = {\n  cidr = "10.0.0.0/16"\n}\nbase-two = {\n  cidr = "10.2.0.0/16"\n  subnets = 1\n}\n'
RICH = """
module "inner" {
  source = "./inner"
  each   = toset([for index in range(var.subnets) : "key \\"${index}\\""])
}
resource "terraform_data" "secret" {
  input = sensitive("s3cret-${var.cidr}")
}
resource "terraform_data" "first" {
  triggers_replace = [var.cidr]
  input            = terraform_data.below.id
  lifecycle {
    create_before_destroy = true
    postcondition {
      condition     = self.id != ""
      error_message = "It has no id."
    }
  }
}
resource "terraform_data" "below" {
  input = "stands below"
}
data "terraform_remote_state" "given" {
  backend = "local"
  config  = { path = "${path.module}/given.json" }
}
check "size" {
  assert {
    condition     = var.subnets > 1
    error_message = "It is small."
  }
}
output "keys" {
  value       = module.inner.keys
  description = "What is inside"
  precondition {
    condition     = length(module.inner.keys) > 0
    error_message = "There are none."
  }
}
"""
INNER = """
variable "each" {
  type = set(string)
  validation {
    condition     = length(var.each) < 9
    error_message = "These are too many."
  }
}
resource "terraform_data" "each" {
  for_each = var.each
  input    = each.key
}
output "keys" {
  value = [for key, one in terraform_data.each : one.output]
}
"""
FACTS = {
    "module.yaml": "title: Facts\nsummary: Outputs only\ncategory: network\nrequires: [vpc_id]\nprovides: [fact]\n",
    "facts.tf": "",
    "facts-variables.tf": 'variable "vpc_id" {\n  type = string\n  description = "Of what"\n}\n',
    "facts-output.tf": 'output "fact" {\n  value = "about ${var.vpc_id}"\n  description = "A fact"\n}\n',
    "facts.dummy": "",
}
GIVEN = '{"version": 4, "terraform_version": "1.9.8", "serial": 1, "lineage": "x", "outputs": {}, "resources": []}'
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def rich(region):
    """The small platform with all that a state may hold, two units of one module and one of outputs alone."""
    base_more(region, RICH)
    region.write("modules/base/inner/inner.tf", INNER)
    region.write("modules/base/given.json", GIVEN)
    for name, text in FACTS.items():
        region.write(f"modules/facts/{name}", text)
    region.choose(TWO, VALUES)
    return region


def base_more(region, text):
    with (region.path / "modules/base/base.tf").open("a") as module:
        module.write(text)


def edit(region, name, old, new):
    path = region.path / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def destroy(region, *units, **options):
    with region.open(Verb.DESTROY, units, **options) as run:
        return {
            unit.unit: unit
            for unit in destroying.destroy(run, destroying.Consent(lambda result: True, is_typed=True)).units
        }


def texts(region):
    """The bytes of each unit's state."""
    return {path.stem: path.read_bytes() for path in (region.path / ".ngp/state/dev").glob("*.tfstate")}


def restore(region, before):
    for path in (region.path / ".ngp/state/dev").glob("*"):
        path.unlink()
    for name, data in before.items():
        region.state(name).write_bytes(data)


def normal(states):
    """States without their lineage and serial, in one order, each id that Terraform made up in order of appearance."""
    documents = {name: json.loads(data) for name, data in sorted(states.items())}
    for document in documents.values():
        del document["lineage"], document["serial"]
        document["resources"] = [_resource(one) for one in sorted(document["resources"], key=_key)]
        document["check_results"] = sorted(
            map(_check, document["check_results"] or ()), key=lambda one: one["config_addr"]
        )
    text = json.dumps(documents, indent=1, sort_keys=True)
    numbers: dict[str, str] = {}
    return UUID.sub(lambda found: numbers.setdefault(found[0], f"id-{len(numbers)}"), text).splitlines()


def _key(resource):
    return tuple(resource.get(name, "") for name in ("module", "mode", "type", "name"))


def _resource(resource):
    instances = [
        {**one, "dependencies": sorted(one.get("dependencies") or ()), "deposed": "deposed" in one}
        for one in resource["instances"]
    ]
    return {**resource, "instances": sorted(instances, key=lambda one: (str(one.get("index_key")), one["deposed"]))}


def _check(result):
    return {**result, "objects": sorted(result.get("objects") or (), key=lambda one: one["object_addr"])}


def both(region, act):
    """Do something jointly, and from the same states apart; the states that each leaves must be equal.

    Returns the results of both. The states of the joint way stay.
    """
    before = texts(region)
    apart = act(is_apart=True)
    assert {one.log.rpartition("/")[2] for one in apart.values() if one.log} <= {f"{name}.log" for name in apart}
    single = texts(region)
    restore(region, before)
    together = act()
    told = [event.text for event in region.events if isinstance(event, Note)]
    assert "_all.log" in {one.log.rpartition("/")[2] for one in together.values()}, told
    joint = texts(region)
    assert "\n".join(difflib.unified_diff(normal(single), normal(joint), "apart", "joint")) == ""
    return together, apart


def plain(region) -> Iterator[tuple[str, int]]:
    """The exit code of plain `terraform plan` in each root."""
    for root in sorted((region.path / "environments/dev/units").iterdir()):
        env = os.environ | {"TF_DATA_DIR": str(region.path / ".plain" / root.name), "TF_IN_AUTOMATION": "1"}
        argv = ["terraform", f"-chdir={root}"]
        subprocess.run([*argv, "init", "-input=false"], env=env, check=True, capture_output=True)
        plan = [*argv, "plan", "-input=false", "-detailed-exitcode", "-lock=false"]
        yield root.name, subprocess.run(plan, env=env, capture_output=True, check=False).returncode


def outcomes(results):
    return {one.outcome for one in results.values()}


@pytest.mark.slow
def test_states_are_equal_whether_units_are_made_changed_or_destroyed_together_or_apart(rich):
    together, apart = both(rich, lambda **way: apply(rich, **way))
    assert outcomes(together) == outcomes(apart) == {Outcome.APPLIED}
    assert outcomes(apply(rich, is_apart=True)) == outcomes(apply(rich)) == {Outcome.NO_CHANGES}
    assert set(plain(rich)) == {(name, 0) for name in ("app", "base", "base-two", "facts")}
    rich.choose(TWO, VALUES.replace("10.0.", "10.1.").replace("subnets = 1", "subnets = 3"))
    both(rich, lambda **way: apply(rich, **way))
    assert outcomes(apply(rich, is_apart=True)) == {Outcome.NO_CHANGES}
    assert {code for _, code in plain(rich)} == {0}
    both(rich, lambda **way: destroy(rich, "app", **way))
    both(rich, lambda **way: destroy(rich, **way))


def test_what_was_made_apart_is_left_alone_together(rich):
    apply(rich, is_apart=True)
    before = texts(rich)
    assert outcomes(apply(rich)) == {Outcome.NO_CHANGES}
    assert texts(rich) == before
    assert {code for _, code in plain(rich)} == {0}


def test_an_apply_that_fails_before_it_writes_anything_leaves_every_state_as_it_was(rich):
    apply(rich)
    before = texts(rich)
    assert json.loads(before["base"])["check_results"]
    rich.choose(TWO, VALUES.replace("10.0.", "10.1."))

    def damage(result, bucket):
        for plan in rich.path.glob(".ngp/runs/*/tree/environments/dev/units/_all/plan.bin"):
            plan.write_bytes(b"no plan")
        return True

    results = apply(rich, consent=replace(YES, preview=damage))
    assert outcomes(results) == {Outcome.FAILED, Outcome.NO_CHANGES}
    assert texts(rich) == before
    assert outcomes(apply(rich)) == {Outcome.APPLIED, Outcome.NO_CHANGES}


def test_a_tainted_object_stays_tainted(region):
    app_more(
        region,
        'resource "terraform_data" "part" {\n  input = var.name\n  provisioner "local-exec" {\n'
        f'    command = "test -e {region.path}/flag"\n  }}\n}}\n'
        'resource "terraform_data" "after" {\n  input = terraform_data.part.id\n}\n',
    )
    together, apart = both(region, lambda **way: apply(region, **way))
    assert together["app"].outcome is apart["app"].outcome is Outcome.FAILED
    assert b'"status": "tainted"' in texts(region)["app"]
    (region.path / "flag").write_text("")
    both(region, lambda **way: apply(region, **way))
    assert b"tainted" not in texts(region)["app"]
    assert set(plain(region)) == {("app", 0), ("base", 0)}


def test_a_deposed_object_is_kept_until_it_can_be_destroyed(region):
    app_more(
        region,
        'resource "terraform_data" "old" {\n  triggers_replace = [var.pause_s]\n  input = var.name\n'
        "  lifecycle {\n    create_before_destroy = true\n  }\n"
        '  provisioner "local-exec" {\n'
        f'    command = "test ${{var.pause_s}} = 0 || test -e {region.path}/flag"\n  }}\n}}\n',
    )
    apply(region)
    region.choose(values=f"{RANGE}app = {{\n  pause_s = 1\n}}\n")
    together, apart = both(region, lambda **way: apply(region, **way))
    assert together["app"].outcome is apart["app"].outcome is Outcome.FAILED
    assert b'"deposed"' in texts(region)["app"]
    (region.path / "flag").write_text("")
    together, _ = both(region, lambda **way: apply(region, **way))
    assert together["app"].outcome is Outcome.APPLIED, together["app"].reason
    assert b'"deposed"' not in texts(region)["app"]
    assert {code for _, code in plain(region)} == {0}


def test_a_consumer_that_would_close_a_cycle_goes_apart_and_its_upstream_stays_joint(region):
    app_more(
        region,
        'resource "terraform_data" "first" {\n  triggers_replace = [var.name]\n'
        "  lifecycle {\n    create_before_destroy = true\n  }\n}\n",
    )
    apply(region)
    region.choose(values=RANGE.replace("10.0.", "10.1."))
    together, _ = both(region, lambda **way: apply(region, **way))
    assert {name: one.log.rpartition("/")[2] for name, one in together.items()} == {
        "base": "_all.log",
        "app": "app.log",
    }


def test_create_before_destroy_of_a_consumer_is_no_business_of_its_upstream(region):
    app_more(
        region,
        'resource "terraform_data" "first" {\n  triggers_replace = [var.vpc_id]\n'
        "  lifecycle {\n    create_before_destroy = true\n  }\n}\n",
    )
    both(region, lambda **way: apply(region, **way))
    assert b"create_before_destroy" not in texts(region)["base"]
    assert b"create_before_destroy" in texts(region)["app"]
    region.choose(values=RANGE.replace("10.0.", "10.1."))
    together, _ = both(region, lambda **way: apply(region, **way))
    assert together["app"].log.endswith("/app.log")
    assert together["base"].log.endswith("/_all.log")
    assert set(plain(region)) == {("app", 0), ("base", 0)}


def test_moves_removals_and_imports_are_planned_counted_and_written(region):
    apply(region)
    edit(region, "modules/app/app.tf", '"node"', '"peer"')
    edit(region, "modules/app/app-output.tf", "terraform_data.node", "terraform_data.peer")
    app_more(region, "moved {\n  from = terraform_data.node\n  to   = terraform_data.peer\n}\n")
    base_more(region, 'resource "terraform_data" "gone" {}\n')
    region.render()
    together, _ = both(region, lambda **way: apply(region, **way))
    assert [one.previous_address for one in together["app"].changes] == [
        "module.app.terraform_data.node[0]",
        "module.app.terraform_data.node[1]",
    ]
    text = "removed {\n  from = terraform_data.gone\n  lifecycle {\n    destroy = false\n  }\n}\n"
    edit(region, "modules/base/base.tf", 'resource "terraform_data" "gone" {}\n', text)
    together, _ = both(region, lambda **way: apply(region, **way))
    assert together["base"].counts == Counts(forget=1)
    assert b"gone" not in texts(region)["base"]
    assert set(plain(region)) == {("app", 0), ("base", 0)}


def test_targets_and_replacements_of_several_units_go_jointly(region):
    apply(region)
    replaced = PlanOptions(
        targets=("module.base.terraform_data.subnet", "module.app.terraform_data.node"),
        replace=("module.base.terraform_data.subnet[0]", "module.app.terraform_data.node[1]"),
    )
    together, _ = both(region, lambda **way: apply(region, options=replaced, **way))
    assert {one.address for each in together.values() for one in each.changes if one.action is Action.REPLACE} == {
        "module.base.terraform_data.subnet[0]",
        "module.app.terraform_data.node[1]",
    }


def test_the_consumer_is_destroyed_before_its_upstream_without_a_refresh_too(region):
    """No state knows the dependency: it is added again where the states are joined."""
    note = '  provisioner "local-exec" {{\n    when    = destroy\n    command = "{} >> {}/order"\n  }}\n'
    edit(region, "modules/base/base.tf", '"vpc" {\n', '"vpc" {\n' + note.format("echo base", region.path))
    app_more(region, 'resource "terraform_data" "last" {\n' + note.format("sleep 1; echo app", region.path) + "}\n")
    apply(region)
    assert b"module.base" not in texts(region)["app"]
    assert outcomes(destroy(region, options=PlanOptions(refresh=False))) == {Outcome.DESTROYED}
    assert (region.path / "order").read_text().split() == ["app", "base"]
    assert [json.loads(data)["resources"] for data in texts(region).values()] == [[], []]


def test_what_two_units_have_no_more_is_destroyed_in_the_order_of_the_units(region):
    extra = 'resource "terraform_data" "extra" {\n  count = 6\n}\n'
    base_more(region, extra)
    app_more(region, extra)
    apply(region)
    edit(region, "modules/base/base.tf", extra, "")
    edit(region, "modules/app/app.tf", extra, "")
    together, _ = both(region, lambda **way: apply(region, **way))
    assert [one.counts for one in together.values()] == [Counts(delete=6), Counts(delete=6)]
    lines = (region.path / together["app"].log).read_text().splitlines()
    events = [json.loads(line) for line in lines if '"apply_complete"' in line]
    gone = [one["hook"]["resource"]["module"] for one in events]
    assert gone == ["module.app"] * 6 + ["module.base"] * 6


def test_an_import_is_counted_and_written(region):
    """A unit's own import block stands in its root, and such a root goes apart: its module has none to say."""
    apply(region)
    region.write(
        "environments/dev/units/base/imports.tf",
        'import {\n  to = module.base.terraform_data.found\n  id = "known"\n}\n',
    )
    base_more(region, 'resource "terraform_data" "found" {}\n')
    results = apply(region)
    assert results["base"].log.endswith("/base.log")
    assert [one.import_id for one in results["base"].changes] == ["known"]
    assert b'"id": "known"' in texts(region)["base"]
    assert outcomes(apply(region)) == {Outcome.NO_CHANGES}


@pytest.mark.tofu
def test_opentofu_leaves_equal_states_and_an_encrypted_one_is_refused(region, tofu):
    region.write("ngp.yaml", f'name: little\nstate: local\nterraform: "{tofu}"\n')
    region.choose()
    both(region, lambda **way: apply(region, **way))
    assert outcomes(apply(region, is_apart=True)) == {Outcome.NO_CHANGES}
    encrypted = '{"serial": 1, "lineage": "x", "meta": {}, "encrypted_data": "eA==", "encryption_version": "v0"}'
    region.state("base").write_text(encrypted)
    results = apply(region)
    assert results["base"].outcome is Outcome.FAILED
    assert "encrypted" in results["base"].reason
    assert region.state("base").read_text() == encrypted
