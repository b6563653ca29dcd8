"""Units that are planned in one Terraform process: every result is the one that they have one by one."""

import json
import shutil
from dataclasses import replace

import pytest

from ngp.rendering import templates
from ngp.runs.events import Note, UnitDiagnosed, UnitEntered, UnitFinished
from ngp.runs.joint import choosing
from ngp.runs.results import Action, Outcome
from ngp.sandbox import server
from ngp.terraform import driver
from ngp.terraform.results import Result
from tests.harness import ROOT
from tests.integration.runs.acting import RANGE, app_more, apply, destroy, forget, is_joint, plan
from tests.integration.runs.region import Region

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
CHECK = """
check "size" {
  assert {
    condition     = length(var.subnet_ids) > 9
    error_message = "so it is"
  }
}
"""
GUARDED = """
data "terraform_remote_state" "other" {
  backend = "local"
  config  = { path = "/nowhere/${var.name}" }
  lifecycle {
    postcondition {
      condition     = self.outputs == {}
      error_message = "It has some."
    }
  }
}
"""
TOKEN = """
variable "token" {
  type        = string
  description = "What it signs in with"
  ephemeral   = true
  validation {
    condition     = sha1(var.token) == "1e045888d64fcca7005ff7833b12c901368f4035"
    error_message = "It is another one."
  }
}
"""
NEW_RANGE = 'base = {\n  cidr = "10.1.0.0/16"\n}\n'


def both(region):
    """The results together and one by one, without what no two runs share."""
    together = plan(region)
    assert is_joint(together)
    single = plan(region, is_apart=True)
    assert not is_joint(single)
    return tuple({name: _level(one) for name, one in each.items()} for each in (together, single))


def _level(result):
    changes = sorted(result.changes, key=lambda one: one.address)
    return replace(result, duration_s=0.0, log="", changes=tuple(changes), is_preview=False)


def break_base(region):
    forget(region, "vpc_id", "subnet_ids")


def take_app_away(region):
    destroy(region, "app")


@pytest.mark.parametrize(
    ("applied", "values", "touch"),
    [
        ((), None, None),
        (("base",), None, None),
        (("base", "app"), None, None),
        (("base", "app"), NEW_RANGE, None),
        (("base",), None, break_base),
        (("base", "app"), None, take_app_away),
    ],
    ids=["empty", "half", "whole", "replaced", "broken", "taken-away"],
)
def test_together_is_as_one_by_one(region, monkeypatch, applied, values, touch):
    if applied:
        apply(region, *applied)
    if touch:
        touch(region)
    if values:
        region.choose(values=values)
    together, single = both(region)
    assert together == single
    assert set(together) == {"base", "app"}


@pytest.mark.slow
def test_the_catalogue_together_is_as_one_by_one(tmp_path, monkeypatch):
    region = Region(tmp_path / "platform", tmp_path / "home")
    for name in ("modules", "environments/dev"):
        shutil.copytree(ROOT / name, region.path / name)
    shutil.copy(ROOT / ".terraform.lock.hcl", region.path)
    region.write("ngp.yaml", "name: lab\n")
    region.render()
    try:
        for applied in ((), ("network", "ecr")):
            if applied:
                apply(region, *applied)
            together, single = both(region)
            assert together == single
        assert {one.outcome for one in together.values()} == {Outcome.NO_CHANGES, Outcome.PLANNED}
    finally:
        server.stop(region.path / ".ngp")


def test_what_is_not_known_yet_is_told_with_its_origin(region):
    app = plan(region)["app"]
    assert not app.is_preview
    assert {(one.leaf, one.origin) for one in app.unknowns} >= {("vpc_id", "base.vpc_id")}


def test_each_unit_is_entered_and_finished(region):
    plan(region)
    assert {event.unit for event in region.events if isinstance(event, UnitEntered)} == {"base", "app"}
    assert {event.result.unit for event in region.events if isinstance(event, UnitFinished)} == {"base", "app"}


def test_a_plan_together_leaves_nothing_behind(region):
    plan(region)
    assert [*(region.path / ".ngp" / "previews" / "dev").glob("*")] == []
    assert not [*region.path.glob(".ngp/state/**/*.tfstate")]


def test_a_warning_is_told_of_its_unit_only(region):
    app_more(region, CHECK)
    results = plan(region)
    assert is_joint(results)
    assert [one.detail for one in results["app"].diagnostics] == ["so it is"]
    assert results["base"].diagnostics == ()
    assert [event.unit for event in region.events if isinstance(event, UnitDiagnosed)] == ["app"]


def test_a_secret_reaches_its_unit_and_no_file(region, monkeypatch):
    monkeypatch.setenv("TOKEN", "hunter-two")
    with (region.path / "modules/app/app-variables.tf").open("a") as module:
        module.write(TOKEN)
    region.choose(values=f'{RANGE}app = {{\n  token = "env:TOKEN"\n}}\n')
    results = plan(region)
    assert is_joint(results)
    assert results["app"].outcome is Outcome.PLANNED
    kept = [path for path in region.path.rglob("*") if path.is_file()]
    assert not [path for path in kept if b"hunter-two" in path.read_bytes()]


def test_a_unit_that_cannot_be_joined_is_left_out_with_its_reason_and_the_rest_stays_joint(region):
    region.choose(region.WITH_LATE)
    results = plan(region)
    assert is_joint({name: results[name] for name in ("base", "app")})
    assert not is_joint({"late": results["late"]})
    told = [event.text for event in region.events if isinstance(event, Note)]
    assert any("`late`" in text and "Invalid for_each argument" in text for text in told), told
    assert {name: one.outcome for name, one in results.items()} == {
        "base": Outcome.PLANNED,
        "app": Outcome.PLANNED,
        "late": Outcome.DEFERRED,
    }


def test_an_error_is_told_once_and_by_its_unit(region):
    app_more(region, 'resource "terraform_data" "wrong" {\n  input = tonumber("x${var.name}")\n}\n')
    results = plan(region)
    assert (results["base"].outcome, results["app"].outcome) == (Outcome.PLANNED, Outcome.FAILED)
    said = [event for event in region.events if isinstance(event, UnitDiagnosed)]
    assert [event.unit for event in said] == ["app"]


def test_a_unit_takes_what_is_outside_of_the_run_as_constants(region):
    apply(region, "base")
    results = plan(region, "app")
    assert is_joint(results)
    assert results["app"].unknowns == ()


def test_what_is_outside_of_the_run_and_not_there_yet_is_previewed_apart(region):
    results = plan(region, "app")
    assert not is_joint(results)
    assert {one.origin for one in results["app"].unknowns} >= {"base.vpc_id"}


def test_what_else_stands_in_a_root_counts_as_it_does_for_terraform_alone(region):
    apply(region, "base", "app")
    region.write("environments/dev/units/base/z.auto.tfvars", 'cidr = "10.9.0.0/16"\n')
    results = plan(region)
    assert not is_joint(results)
    assert results["base"].outcome is Outcome.PLANNED


def test_an_output_that_a_module_has_no_more_is_a_change(region, monkeypatch):
    apply(region, "base", "app")
    outputs = region.path / "modules/app/app-output.tf"
    outputs.write_text(outputs.read_text().partition('output "app_password"')[0])
    region.render()
    together, single = both(region)
    assert together == single
    assert set(together["app"].outputs) == {"app_password"}


def test_no_digit_of_a_state_is_lost(region, monkeypatch):
    app_more(region, 'resource "terraform_data" "pi" {\n  input = 3.14159265358979323846264338327950288\n}\n')
    apply(region, "base", "app")
    together, single = both(region)
    assert together == single
    assert together["app"].outcome is Outcome.NO_CHANGES


def test_a_data_source_with_a_condition_is_planned_by_itself(region):
    app_more(region, GUARDED)
    assert not is_joint(plan(region))


def test_a_template_that_hangs_on_its_one_unit_is_planned_by_itself(region):
    template = region.path / "templates/root/versions.tf.j2"
    template.write_text(template.read_text() + "\nlocals {\n  unit = {{ root.calls[0].unit | hcl }}\n}\n")
    templates._environment.cache_clear()
    region.render()
    assert not is_joint(plan(region))


def test_a_warning_that_may_be_of_either_is_told_of_the_right_one(region):
    with (region.path / "modules/base/base.tf").open("a") as module:
        module.write(CHECK.replace("length(var.subnet_ids) > 9", 'var.cidr == "10.0.0.0/16"'))
    two = region.ENVIRONMENT.replace("  app: {}\n", "  app: {}\n  base-two: {module: base}\n")
    region.choose(two, f'{RANGE}base-two = {{\n  cidr = "10.1.0.0/16"\n}}\n')
    said = {name: len(one.diagnostics) for name, one in plan(region).items()}
    assert said == {"base": 0, "base-two": 1, "app": 0}


@pytest.mark.parametrize("text", ["\n", '{"version": 4, "resources": []}'], ids=["blank", "no-version"])
def test_a_state_that_is_none_is_told_by_its_unit(region, monkeypatch, text):
    apply(region, "base", "app")
    region.state("app").write_text(text)
    results = plan(region)
    assert not is_joint(results)
    assert results["base"].outcome is Outcome.NO_CHANGES


def test_an_applied_unit_names_the_log_of_its_apply(region):
    result = apply(region, "base", "app")["base"]
    assert "apply_complete" in (region.path / result.log).read_text()


def test_a_state_with_something_outside_of_its_module_is_planned_by_itself(region):
    apply(region, "base")
    state = json.loads(region.state("base").read_text())
    for resource in state["resources"]:
        if resource["name"] == "vpc":
            del resource["module"]
    region.state("base").write_text(json.dumps(state))
    results = plan(region)
    assert not is_joint(results)
    assert Action.DELETE in {change.action for change in results["base"].changes}


def test_an_interrupt_stops_all_that_are_planned_together(region, monkeypatch):
    monkeypatch.setattr(driver.Terraform, "plan", lambda *_, **__: Result(130, stopped=True))
    results = plan(region)
    assert {one.outcome for one in results.values()} == {Outcome.STOPPED}
    assert is_joint(results)


def test_after_an_interrupt_nothing_is_begun(region):
    region.stop.set()
    assert {one.outcome for one in plan(region).values()} == {Outcome.SKIPPED}


@pytest.mark.parametrize("most", [1, 2])
def test_more_units_than_one_process_takes_are_cut_along_the_graph(region, monkeypatch, most):
    region.choose(region.WITH_LATE)
    monkeypatch.setattr(choosing, "MOST", most)
    results = apply(region)
    assert {one.outcome for one in results.values()} == {Outcome.APPLIED}
    joint = {name for name, one in results.items() if one.log.endswith("_all.log")}
    assert joint == set(["base", "app"][:most])
    (said,) = [one.text for one in region.events if isinstance(one, Note) and "at most" in one.text]
    later = ", ".join(f"`{name}`" for name in ["app", "late"][most - 1 :])
    assert said.startswith(f"ngp plans {later} separately: one process plans at most {most} units, and the run has 3")
