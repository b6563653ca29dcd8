"""A state that lies at another unit's place is refused until the operator says what it is."""

import json
import shutil

import pytest

from ngp.errors import RefusedError
from ngp.runs import applying, destroying, outputs, planning
from ngp.runs.applying import ApplyConsent
from ngp.runs.results import Outcome, Verb
from ngp.terraform.plans import Action
from tests.harness import stop_sandbox

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
YES = ApplyConsent(lambda result, bucket: True, lambda result: True)


def plan(region, *units):
    with region.open(Verb.PLAN, units) as run:
        return {unit.unit: unit for unit in planning.plan(run).units}


def apply(region, *units):
    with region.open(Verb.APPLY, units) as run:
        return {unit.unit: unit for unit in applying.apply(run, YES).units}


@pytest.fixture
def misplaced(region):
    """Both units are applied, and the state of `app` is a copy of that of `base`."""
    apply(region)
    shutil.copy(region.state("base"), region.state("app"))
    return region


def test_a_state_of_another_unit_is_planned_and_applied_by_nobody(misplaced):
    before = misplaced.state("app").read_bytes()
    for run in (plan, apply):
        results = run(misplaced)
        assert {name: one.outcome for name, one in results.items()} == {
            "base": Outcome.NO_CHANGES,
            "app": Outcome.REFUSED,
        }
        (finding,) = results["app"].findings
        assert "the state of `app` holds resources of `base`: module.base.terraform_data." in finding.what
        assert finding.where == str(misplaced.state("app"))
        assert "from = module.base, to = module.app" in finding.todo
    assert misplaced.state("app").read_bytes() == before


def test_it_is_not_destroyed_either(misplaced):
    with misplaced.open(Verb.DESTROY, ("app",)) as run, pytest.raises(RefusedError, match="resources of `base`"):
        destroying.destroy(run, destroying.DestroyConsent(lambda _: True, is_typed=True))
    assert json.loads(misplaced.state("app").read_text())["resources"]


def test_nothing_is_read_from_it_and_status_names_it(misplaced):
    with pytest.raises(RefusedError, match="holds resources of `base`"):
        outputs.collect(misplaced.resolve(), None, ("app",))
    (base, app) = outputs.statuses(misplaced.resolve(), None)
    assert (base.word, app.word) == ("applied", "misplaced")
    assert app.findings


def test_the_state_commands_name_it_too(misplaced, ngp_in):
    ngp = ngp_in(misplaced.path)
    what = "the state of `app` holds resources of `base`: module.base."
    assert f"resources, misplaced: {what}" in ngp.call("state", "list", "dev").stdout
    done = ngp.call("state", "show", "dev", "app")
    assert done.exit_code == 0
    assert f"error: {what}" in done.stderr
    assert "from = module.base, to = module.app" in done.stderr
    assert "module.base.terraform_data.vpc" in done.stdout
    (finding,) = ngp.call("state", "show", "dev", "app", "--json").document["findings"]
    assert finding["what"].startswith(what)
    assert [bool(one["findings"]) for one in ngp.call("state", "list", "dev", "--json").document["states"]] == [
        False,
        True,
    ]


def test_states_on_the_disk_are_listed_while_no_sandbox_runs(region, ngp_in):
    apply(region)
    stop_sandbox(region.path)
    done = ngp_in(region.path).call("state", "list", "dev")
    assert done.exit_code == 0, done.stderr
    assert "base: serial " in done.stdout


def test_a_removed_block_says_that_they_shall_go(misplaced):
    misplaced.write(
        "environments/dev/units/app/removed.tf",
        "removed {\n  from = module.base\n  lifecycle {\n    destroy = true\n  }\n}\n",
    )
    app = plan(misplaced, "app")["app"]
    assert app.outcome is Outcome.PLANNED
    assert {one.address for one in app.changes if one.action is Action.DELETE} == {
        "module.base.terraform_data.vpc",
        "module.base.terraform_data.subnet[0]",
        "module.base.terraform_data.subnet[1]",
    }


def test_a_moved_block_says_that_the_unit_was_renamed(region):
    apply(region)
    region.choose(region.ENVIRONMENT.replace("  app: {}", "  web: {module: app}").replace("  app: {v", "  web: {v"))
    shutil.move(region.state("app"), region.state("web"))
    assert plan(region)["web"].outcome is Outcome.REFUSED
    text = "# from = module.none\nmoved {\n  from = module.app\n  to   = module.web\n}\n"
    region.write("environments/dev/units/web/moved.tf", text)
    web = plan(region)["web"]
    assert {one.action for one in web.changes} == {Action.NO_OP}
    assert {one.previous_address.split(".")[1] for one in web.changes} == {"app"}
    assert apply(region)["web"].outcome is Outcome.APPLIED


def test_what_an_operator_declares_in_the_root_is_the_units_own(region):
    region.write("environments/dev/units/base/more.tf", 'resource "terraform_data" "mine" {\n  input = 1\n}\n')
    assert apply(region, "base")["base"].outcome is Outcome.APPLIED
    assert plan(region, "base")["base"].outcome is Outcome.NO_CHANGES
    (region.path / "environments/dev/units/base/more.tf").unlink()
    base = plan(region, "base")["base"]  # the state is the unit's, so the file was taken away
    assert [(one.address, one.action) for one in base.changes] == [("terraform_data.mine", Action.DELETE)]


def test_a_state_of_resources_at_the_root_alone_is_refused(region):
    apply(region, "base")
    state = json.loads(region.state("base").read_text())
    for resource in state["resources"]:
        del resource["module"]
    region.state("base").write_text(json.dumps(state))
    (finding,) = plan(region, "base")["base"].findings
    assert "resources of no unit: terraform_data." in finding.what


def test_one_state_for_all_gives_back_what_a_removed_unit_had(region):
    region.choose(f"{region.ENVIRONMENT}state: single\n")
    apply(region)
    alone = region.ENVIRONMENT.replace("  app: {}\n", "").split("wiring")[0] + "state: single\n"
    region.choose(alone)
    assert plan(region)["root"].counts.delete == 3
    state = region.state("root")
    state.write_text(state.read_text().replace('"module": "module.base"', '"module": "module.other"'))
    assert plan(region)["root"].outcome is Outcome.REFUSED
