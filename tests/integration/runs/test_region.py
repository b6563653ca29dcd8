import json
import threading
import time
from dataclasses import replace

import pytest

from ngp.errors import LockHeldError, NgpError, RefusedError, UsageError
from ngp.runs import applying, destroying, outputs, planning
from ngp.runs.applying import ApplyConsent
from ngp.runs.events import UnitEntered
from ngp.runs.results import Counts, Outcome, Verb, exit_code
from ngp.terraform.plans import Action

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]

YES = ApplyConsent(lambda result, bucket: True, lambda result: False)
EVERY_YES = replace(YES, deferred=lambda result: True)


def plan(region, *units):
    with region.open(Verb.PLAN, units) as run:
        return {unit.unit: unit for unit in planning.plan(run).units}


def apply(region, *units, consent=YES, **options):
    with region.open(Verb.APPLY, units, **options) as run:
        return {unit.unit: unit for unit in applying.apply(run, consent).units}


def destroy(region, *units, agree=lambda result: True):
    with region.open(Verb.DESTROY, units) as run:
        return {
            unit.unit: unit for unit in destroying.destroy(run, destroying.DestroyConsent(agree, is_typed=True)).units
        }


def outcomes(results):
    return {name: result.outcome for name, result in results.items()}


def appear(region):
    """Let the app make one more resource as soon as a file appears in the world."""
    with (region.path / "modules/app/app.tf").open("a") as module:
        text = f'resource "terraform_data" "more" {{\n  count = fileexists("{region.path}/flag") ? 1 : 0\n}}\n'
        module.write(text)


def test_plan_shows_every_unit_of_an_empty_region(region):
    region.choose(region.WITH_LATE)
    seen = plan(region)
    assert outcomes(seen) == {"base": Outcome.PLANNED, "app": Outcome.PLANNED, "late": Outcome.DEFERRED}
    assert seen["base"].counts == Counts(create=3)
    assert not seen["base"].is_preview
    assert seen["app"].counts == Counts(create=3)  # two nodes: the length of subnet_ids is known
    assert not seen["app"].is_preview
    assert [(one.leaf, one.origin, one.wave) for one in seen["app"].unknowns] == [
        ("subnet_ids[0]", "base.subnet_ids", 1),
        ("subnet_ids[1]", "base.subnet_ids", 1),
        ("vpc_id", "base.vpc_id", 1),
    ]
    assert "for_each" in seen["late"].reason
    assert exit_code([unit.outcome for unit in seen.values()], detailed=True) == 2


def test_plan_leaves_nothing_behind(region):
    plan(region)
    assert list((region.path / ".ngp" / "previews").rglob("*.tf")) == []
    assert list(region.path.rglob("*.bin")) == []
    assert not region.state("base").exists()


def test_an_applied_region_has_no_changes_and_its_outputs_are_in_its_states(region):
    assert outcomes(apply(region)) == {"base": Outcome.APPLIED, "app": Outcome.APPLIED}
    assert outcomes(plan(region)) == {"base": Outcome.NO_CHANGES, "app": Outcome.NO_CHANGES}
    assert outcomes(apply(region)) == {"base": Outcome.NO_CHANGES, "app": Outcome.NO_CHANGES}
    found = {f"{one.unit}.{one.name}": one for one in outputs.collect(region.resolve(), None)}
    state = json.loads(region.state("base").read_text())
    assert found["base.vpc_id"].value == state["outputs"]["vpc_id"]["value"]
    assert found["app.app_password"].sensitive


def test_real_values_reach_the_next_wave(region):
    apply(region)
    wired = json.loads((region.path / "environments/dev/units/app/wired.auto.tfvars.json").read_text())
    state = json.loads(region.state("base").read_text())["outputs"]
    assert wired == {name: state[name]["value"] for name in ("vpc_id", "subnet_ids", "name")} | {"nothing": None}


def test_a_replaced_base_is_told_to_those_that_stand_on_it(region):
    apply(region)
    region.choose(values='base = {\n  cidr = "10.1.0.0/16"\n}\n')
    seen = plan(region)
    assert seen["base"].counts == Counts(update=2, replace=1)
    assert {change.address: change.action for change in seen["app"].changes} == {
        "module.app.terraform_data.home": Action.REPLACE,
        "module.app.terraform_data.node[0]": Action.UPDATE,
        "module.app.terraform_data.node[1]": Action.UPDATE,
    }
    assert [one.leaf for one in seen["app"].unknowns] == ["vpc_id"]  # the subnets stay, and their ids with them
    assert outcomes(apply(region)) == {"base": Outcome.APPLIED, "app": Outcome.APPLIED}
    assert outcomes(plan(region)) == {"base": Outcome.NO_CHANGES, "app": Outcome.NO_CHANGES}


def test_a_half_applied_region_is_planned_with_what_is_known(region):
    apply(region, "base")
    seen = plan(region)
    assert outcomes(seen) == {"base": Outcome.NO_CHANGES, "app": Outcome.PLANNED}
    assert not seen["app"].is_preview


def test_a_unit_whose_upstream_was_never_applied_says_so(region):
    results = apply(region, "app")
    assert results["app"].outcome is Outcome.FAILED
    (finding,) = results["app"].findings
    assert finding.what == "it needs base.name, base.nothing, base.subnet_ids, base.vpc_id, which do not exist yet"
    assert finding.todo == "apply `base` first, or add it to the command: ngp apply dev base app"


def test_a_deferred_unit_is_asked_about_again_and_not_covered_by_the_first_yes(region):
    region.choose(region.WITH_LATE)
    first = apply(region)
    assert outcomes(first) == {"base": Outcome.APPLIED, "app": Outcome.APPLIED, "late": Outcome.REFUSED}
    assert exit_code([unit.outcome for unit in first.values()]) == 3
    asked = []
    second = apply(region, consent=replace(YES, deferred=lambda unit: bool(asked.append(unit)) or True))
    assert second["late"].outcome is Outcome.APPLIED
    assert asked == []  # by then everything it needs is known, so it was part of the preview


def test_a_deferred_unit_is_applied_when_its_real_plan_is_agreed_to(region):
    region.choose(region.WITH_LATE)
    assert outcomes(apply(region, consent=EVERY_YES))["late"] is Outcome.APPLIED


def test_more_than_was_previewed_stops_the_run_and_names_the_difference(region):
    """Where units go one by one; in a joint plan nothing is planned again."""
    appear(region)
    sneak = replace(YES, preview=lambda result, bucket: (region.path / "flag").write_text("") == 0)
    results = apply(region, consent=sneak, is_apart=True)
    assert results["base"].outcome is Outcome.APPLIED
    assert results["app"].outcome is Outcome.REFUSED
    assert "module.app.terraform_data.more[0]: create was not previewed" in results["app"].reason
    assert not region.state("app").exists()


def test_what_appears_while_the_question_is_open_is_not_applied(region):
    appear(region)
    sneak = replace(YES, preview=lambda result, bucket: (region.path / "flag").write_text("") == 0)
    results = apply(region, consent=sneak)
    assert {one.outcome for one in results.values()} == {Outcome.APPLIED}
    assert "more" not in region.state("app").read_text()
    assert [change.address for change in plan(region)["app"].changes] == ["module.app.terraform_data.more[0]"]


def test_no_is_no(region):
    with pytest.raises(NgpError, match="nothing was applied"):
        apply(region, consent=replace(YES, preview=lambda result, bucket: False))
    assert not region.state("base").exists()


def test_what_fails_is_told_and_what_needs_it_is_skipped(region):
    region.write(
        "modules/base/base.tf",
        'resource "terraform_data" "vpc" {\n  provisioner "local-exec" {\n'
        '    command = "exit 7"\n  }\n}\nresource "terraform_data" "subnet" {\n  count = 2\n}\n',
    )
    results = apply(region)
    assert results["base"].outcome is Outcome.FAILED
    assert "exit status 7" in " ".join(one.detail for one in results["base"].diagnostics)
    assert results["app"].outcome is Outcome.PARTLY
    assert (
        "what it needs failed in `base` (2 of 3 done; missing: module.app.terraform_data.home)" in results["app"].reason
    )
    assert (region.path / results["base"].log).is_file()


def test_destroy_takes_dependants_first_and_leaves_nothing(region):
    apply(region)
    shown = []
    results = destroy(region, agree=lambda preview: bool(shown.append(preview)) or True)
    assert outcomes(results) == {"base": Outcome.DESTROYED, "app": Outcome.DESTROYED}
    assert sum(unit.counts.delete for unit in shown[0].units) == 6
    entered = [
        event.unit for event in region.events if isinstance(event, UnitEntered) and event.phase.value == "destroy"
    ]
    assert entered == ["app", "base"]
    assert json.loads(region.state("base").read_text())["resources"] == []
    assert outcomes(destroy(region)) == {"base": Outcome.NO_CHANGES, "app": Outcome.NO_CHANGES}


def test_what_others_stand_on_is_not_pulled_away(region):
    apply(region)
    with pytest.raises(RefusedError, match="`app` still uses"):
        destroy(region, "base")
    assert outcomes(destroy(region, "app")) == {"app": Outcome.DESTROYED}
    assert outcomes(destroy(region, "base")) == {"base": Outcome.DESTROYED}


def test_data_is_not_lost_by_a_general_yes(region):
    manifest = region.path / "modules/base/module.yaml"
    manifest.write_text(manifest.read_text() + "data: [terraform_data.vpc]\n")
    apply(region)
    with region.open(Verb.DESTROY) as run, pytest.raises(RefusedError, match=r"deleting .*\.vpc would lose"):
        destroying.destroy(run, destroying.DestroyConsent(lambda result: True, is_typed=False))
    region.choose(values='base = {\n  cidr = "10.1.0.0/16"\n}\n')
    with pytest.raises(RefusedError, match=r"replacing .*\.vpc would lose"):
        apply(region)
    with region.open(Verb.APPLY, may_lose_data=("base",)) as run:
        assert {unit.outcome for unit in applying.apply(run, YES).units} == {Outcome.APPLIED}
    with region.open(Verb.DESTROY, may_lose_data=("base",)) as run:
        results = destroying.destroy(run, destroying.DestroyConsent(lambda result: True, is_typed=False))
    assert {unit.outcome for unit in results.units} == {Outcome.DESTROYED}


def test_a_protected_environment_is_planned_and_not_applied(region):
    region.write("ngp.yaml", "name: little\nstate: local\nprotected: [dev]\n")
    region.render()
    assert plan(region)["base"].outcome is Outcome.PLANNED
    for verb in (apply, destroy):
        with pytest.raises(RefusedError, match="`dev` is protected"):
            verb(region)


def test_a_legacy_module_is_planned_and_destroyed_and_applied_only_with_consent(region):
    manifest = region.path / "modules/app/module.yaml"
    manifest.write_text(manifest.read_text() + "status: legacy\n")
    assert plan(region)["app"].outcome is Outcome.PLANNED
    with pytest.raises(RefusedError, match="`app` uses the legacy module `app`"):
        apply(region)
    assert outcomes(apply(region, "base")) == {"base": Outcome.APPLIED}
    with region.open(Verb.APPLY, accepts_legacy=True) as run:
        assert outcomes({unit.unit: unit for unit in applying.apply(run, YES).units})["app"] is Outcome.APPLIED
    assert outcomes(destroy(region)) == dict.fromkeys(("app", "base"), Outcome.DESTROYED)


def test_two_at_once_in_one_environment_the_second_is_told_who_the_first_is(region):
    with region.open(Verb.PLAN), pytest.raises(LockHeldError, match=r"`ngp plan dev` in process \d+"), region.open():
        pass


def test_stale_roots_are_not_planned(region):
    region.write("environments/dev/terraform.tfvars", 'base = {\n  cidr = "10.9.0.0/16"\n}\n')
    with pytest.raises(UsageError, match="stale"):
        plan(region)


def test_an_interrupt_ends_terraform_in_order_and_starts_nothing_more(region):
    region.choose(values='base = {\n  cidr = "10.0.0.0/16"\n}\napp = {\n  pause_s = 60\n}\n')

    def interrupt():
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not region.stop.is_set():
            if any(
                isinstance(one, UnitEntered) and (one.unit, one.phase.value) == ("app", "apply")
                for one in region.events
            ):
                time.sleep(2)
                region.stop.set()
            time.sleep(0.1)

    thread = threading.Thread(target=interrupt)
    thread.start()
    results = apply(region)
    thread.join()
    assert results["base"].outcome is Outcome.APPLIED
    assert results["app"].outcome is Outcome.STOPPED
    assert region.state("app").exists()  # what was made until then is known
    region.stop.clear()
    with region.open(Verb.PLAN) as run:  # and nothing is locked
        assert {unit.outcome for unit in planning.plan(run).units} == {Outcome.NO_CHANGES, Outcome.PLANNED}


def test_one_state_for_all_units_is_planned_as_one(region):
    region.choose("state: single\n" + region.ENVIRONMENT)
    assert outcomes(apply(region)) == {"root": Outcome.APPLIED}
    found = {f"{one.unit}.{one.name}" for one in outputs.collect(region.resolve(), None)}
    assert {"base.vpc_id", "app.app_ids"} <= found
    assert outcomes(plan(region, "app")) == {"root": Outcome.NO_CHANGES}
