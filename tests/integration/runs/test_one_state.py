"""`state: single`: its one root's saved plan is applied, and leaves the state that plain Terraform leaves."""

import difflib
import os
import signal
import subprocess
import time
from dataclasses import replace

import pytest

from ngp.errors import NgpError, StaleError
from ngp.runs.events import Note, UnitDiagnosed
from ngp.runs.results import Action, Outcome
from ngp.terraform.commands import PlanOptions
from tests.integration.runs.acting import UNASKED, YES, app_more, apply, base_more, destroy, edit, outcomes
from tests.integration.runs.equal_states import TWO, VALUES, both, normal, restore, texts
from tests.integration.runs.gated import Gated

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
SINGLE = "state: single\n"
ROOT = "environments/dev/root"
STATE = "environments/dev/root.tfstate"
LOOSE = 'resource "terraform_data" "loose" {\n  input = module.base.vpc_id\n}\n'


@pytest.fixture
def one(region):
    region.choose(region.ENVIRONMENT + SINGLE)
    return region


def by_hand(region, *argv):
    """Plain Terraform in the one root; its exit code."""
    env = os.environ | {"TF_DATA_DIR": str(region.path / ".plain"), "TF_IN_AUTOMATION": "1"}
    terraform = ["terraform", f"-chdir={region.path / ROOT}"]
    subprocess.run([*terraform, "init", "-input=false"], env=env, check=True, capture_output=True)
    return subprocess.run([*terraform, *argv, "-input=false"], env=env, check=False, capture_output=True).returncode


def as_plain_terraform(region, act, *argv):
    """Do something by ngp and, from the same state, by plain Terraform; both states must be equal."""
    before = texts(region)
    assert by_hand(region, *argv) == 0
    plain = texts(region)
    restore(region, before)
    act()
    assert "_all.log" in {path.name for path in region.path.glob(".ngp/runs/*/*.log")}, notes(region)
    mine = texts(region)
    assert "\n".join(difflib.unified_diff(normal(plain), normal(mine), "plain", "ngp")) == ""


def notes(region):
    return [event.text for event in region.events if isinstance(event, Note)]


@pytest.mark.slow
def test_one_state_is_what_plain_terraform_leaves_of_it(rich):  # noqa: F811
    rich.choose(TWO + SINGLE, VALUES)
    rich.write(f"{ROOT}/loose.tf", LOOSE)
    as_plain_terraform(rich, lambda: apply(rich), "apply", "-auto-approve")
    assert not any("separately" in text for text in notes(rich))
    assert by_hand(rich, "plan", "-detailed-exitcode") == 0
    rich.choose(TWO + SINGLE, VALUES.replace("10.0.", "10.1.").replace("subnets = 1", "subnets = 3"))
    as_plain_terraform(rich, lambda: apply(rich), "apply", "-auto-approve")
    chosen = [f"-target=module.{name}" for name in ("app", "facts")]
    as_plain_terraform(rich, lambda: destroy(rich, "app", "facts"), "destroy", "-auto-approve", *chosen)
    as_plain_terraform(rich, lambda: apply(rich, "facts"), "apply", "-auto-approve", "-target=module.facts")
    together, apart = both(rich, lambda **way: destroy(rich, **way))
    assert outcomes(together) == outcomes(apart) == {Outcome.DESTROYED}


def test_what_is_edited_after_the_question_is_not_applied(one):
    def sneak(result, bucket):
        app_more(one, 'resource "terraform_data" "sneaked" {}\n')
        edit(one, "modules/base/base.tf", "input            = var.cidr", 'input = "sneaked"')
        edit(one, f"{ROOT}/values.auto.tfvars.json", "10.0.0.0", "10.9.0.0")
        return True

    assert outcomes(apply(one, consent=replace(YES, preview=sneak))) == {Outcome.APPLIED}
    assert "sneaked" not in one.state("root").read_text()
    assert "10.9." not in one.state("root").read_text()


def test_a_state_that_moves_while_the_question_is_open_ends_the_apply(one):
    apply(one, "base")
    path = one.state("root")

    def move(result, bucket):
        path.write_text(path.read_text().replace("10.0.0.0", "10.0.0.1"))
        return True

    with pytest.raises(StaleError, match="root"):
        apply(one, consent=replace(YES, preview=move))
    assert "module.app" not in path.read_text()


def test_a_replacement_of_one_address_is_applied_as_shown(one):
    apply(one)
    options = PlanOptions(replace=("module.base.terraform_data.subnet[1]",))
    (result,) = apply(one, options=options).values()
    assert {change.address: change.action for change in result.changes if change.action is Action.REPLACE} == {
        "module.base.terraform_data.subnet[1]": Action.REPLACE
    }
    assert result.outcome is Outcome.APPLIED


def test_a_plan_that_fails_is_made_once_and_says_where(one):
    base_more(one, 'resource "terraform_data" "bad" {\n  input = [1][var.subnets]\n}\n')
    (result,) = apply(one, consent=UNASKED).values()
    assert result.outcome is Outcome.FAILED
    assert "modules/base/base.tf" in result.reason
    assert result.log.endswith("_all.log")
    assert len([event for event in one.events if isinstance(event, UnitDiagnosed)]) == 1
    assert {path.name for path in one.path.glob(".ngp/runs/*/*.log")} == {"_all.log"}


def test_a_root_whose_state_lies_elsewhere_goes_apart(one):
    one.write(f"{ROOT}/else_override.tf", 'terraform {\n  backend "local" {\n    path = "else.tfstate"\n  }\n}\n')
    with pytest.raises(NgpError, match="nothing was applied"):
        apply(one, consent=replace(YES, preview=lambda result, bucket: False))
    assert any("configures the backend" in text for text in notes(one))


@pytest.fixture
def gated(lent, tmp_path):
    document = lent.path / "environments/dev/environment.yaml"
    document.write_text(document.read_text() + SINGLE)
    made = Gated(lent, tmp_path)
    yield made
    made.gate.touch()
    if made.process is not None and made.process.poll() is None:
        made.process.kill()


@pytest.mark.parametrize("victim", ["ngp", "terraform", "both"])
def test_what_a_kill_leaves_of_one_state_is_saved_or_named(gated, victim):
    gated.start()
    gated.await_home()
    gated.await_(lambda: gated.resources(STATE) >= {"vpc", "early"}, within_s=20)
    assert len(gated.locks()) == 1
    if victim != "terraform":
        gated.process.kill()
    for pid in gated.terraforms() if victim != "ngp" else ():
        os.kill(pid, signal.SIGKILL)
    gated.end()
    while gated.terraforms():
        time.sleep(0.1)
    again = ["apply", "dev", "--auto-approve"]
    if victim != "ngp":
        refused = gated.lent.ngp.run(*again)
        assert refused.exit_code == 3, refused.stderr
        assert "module.app.terraform_data.home may exist, but no state contains it" in refused.stderr
        assert "in the root of `root`" in refused.stderr
        again += ["--accept-lost", "module.app.terraform_data.home"]
    assert gated.lent.ngp.run("plan", "dev").exit_code == 5
    done = gated.lent.ngp.run(*again)
    assert done.exit_code == 0, done.stdout + done.stderr
    assert gated.resources(STATE) == {"vpc", "early", "home"}
    assert gated.state(STATE)["outputs"]
    assert gated.left() == []
    assert gated.lent.ngp.run("plan", "dev", "-detailed-exitcode").exit_code == 0
