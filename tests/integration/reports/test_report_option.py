"""`--report FILE`: of a plan, of the bundle that it makes, and of the apply of that bundle."""

import json
from xml.etree import ElementTree

import pytest

from ngp import files
from tests.harness import check_published

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
CANARY = "canary-7f3a9"
LEAK = """
variable "password" {
  type        = string
  description = "What its users sign in with"
  sensitive   = true
}
resource "terraform_data" "leak" {
  input = nonsensitive(var.password)
}
"""
KINDS = ("html", "json", "md", "xml")


def reports(name):
    return [word for kind in KINDS for word in ("--report", f"{name}.{kind}")]


@pytest.fixture
def leaky(platform, ngp):
    with (platform / "modules" / "app" / "app.tf").open("a") as file:
        file.write(LEAK)
    with (platform / "modules" / "app" / "app.dummy").open("a") as file:
        file.write('password = "env:PASSWORD"\n')
    with (platform / "environments" / "dev" / "terraform.tfvars").open("a") as file:
        file.write('app = {\n  password = "env:PASSWORD"\n}\n')
    assert ngp.call("render", "dev").exit_code == 0
    return platform


def test_a_change_is_reported_from_its_plan_to_its_apply(leaky, ngp):
    env = {"PASSWORD": CANARY}
    planned = ngp.run("plan", "dev", "--out", "a.bundle", "--json", *reports("plan"), env=env)
    assert planned.exit_code == 0, planned.stderr
    found = check_published(json.loads((leaky / "plan.json").read_text()))
    assert found["bundle"]["digest"] == planned.document["bundle"]["digest"]
    assert [unit["unit"] for unit in found["units"]] == ["base", "app"]
    assert {(wire["unit"], wire["origin"]) for wire in found["wires"]} == {("app", "base.vpc_id")}
    assert found["commit"]
    for kind in KINDS:
        text = (leaky / f"plan.{kind}").read_text()
        assert "module.app.terraform_data.leak" in text
        assert "(secret)" in text
        assert CANARY not in text
    shown = ngp.call("bundle", "show", "a.bundle", *reports("bundle"), env=env)
    assert shown.exit_code == 0, shown.stderr
    assert all(CANARY not in (leaky / f"bundle.{kind}").read_text() for kind in KINDS)
    again = check_published(json.loads((leaky / "bundle.json").read_text()))
    assert (again["account"], again["counts"]) == (found["account"], found["counts"])
    assert again["commit"].startswith(found["commit"])
    told = ngp.call("explain", "a.bundle", "app:terraform_data.leak", "--json")
    assert told.exit_code == 0, told.stderr
    change = told.document["changes"][0]
    assert change["causes"][0]["place"].startswith("modules/app/app.tf:")
    shown = next(one for one in again["units"][1]["changes"] if one["address"] == change["address"])
    assert change["causes"] == shown["causes"]
    applied = ngp.run("apply", "a.bundle", *reports("apply"), env=env)
    assert applied.exit_code == 0, applied.stderr
    done = check_published(json.loads((leaky / "apply.json").read_text()))
    assert {unit["outcome"] for unit in done["units"]} == {"applied"}
    assert (done["verb"], done["bundle"]["digest"]) == ("apply", found["bundle"]["digest"])
    assert all(CANARY not in (leaky / f"apply.{kind}").read_text() for kind in KINDS)


def test_a_plan_is_made_to_explain_a_change(leaky, ngp):
    told = ngp.run("explain", "dev", "base", env={"PASSWORD": CANARY})
    assert told.exit_code == 0, told.stderr
    assert "cause: the unit `base` has not been applied yet (environments/dev/environment.yaml:6)" in told.stdout
    wrong = ngp.call("explain", "dev", "nowhere:a.b")
    assert (wrong.exit_code, wrong.stdout) == (64, "")
    assert "the unit `nowhere` does not exist" in wrong.stderr


def test_a_run_that_a_lock_ends_is_reported(platform, ngp):
    assert ngp.call("render", "dev").exit_code == 0
    with files.lock(platform / ".ngp" / "locks" / "dev.lock", purpose="a test"):
        done = ngp.call("plan", "dev", *reports("plan"))
    assert done.exit_code == 5, done.stderr
    found = check_published(json.loads((platform / "plan.json").read_text()))
    assert (found["exit_code"], found["units"], len(found["findings"])) == (5, [], 1)
    assert ElementTree.parse(platform / "plan.xml").getroot().get("errors") == "1"
    for kind in ("html", "md"):
        assert "The run was stopped" in (platform / f"plan.{kind}").read_text()


def test_a_report_of_no_kind_ends_before_anything_starts(platform, ngp):
    for line in (["plan", "dev"], ["apply", "dev", "--auto-approve"], ["destroy", "dev", "--auto-approve"]):
        done = ngp.call(*line, "--report", "plan.pdf")
        assert (done.exit_code, done.stdout) == (64, "")
        assert "`.pdf` is not a report format" in done.stderr
    assert not (platform / ".ngp" / "runs").exists()
