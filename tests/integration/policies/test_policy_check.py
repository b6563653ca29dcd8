"""`ngp policy check` and `ngp plan --report`: a denial ends with 3, and a policy that does not work is no pass."""

import json
from xml.etree import ElementTree

import pytest

from ngp.environments import platforms, resolving
from ngp.policies import checking
from ngp.runs.results import Outcome, RunResult, UnitResult, Verb
from ngp.terraform.plans import Action, Change
from tests.harness import check_published

NO_CREATION = """package platform

import rego.v1

deny contains {"msg": "nothing new", "address": one.address, "unit": one.unit, "todo": "wait"} if {
  some one in input.resource_changes
  one.unit == "base"
  "create" in one.change.actions
}

warn contains sprintf("look at %s", [input.ngp.environment]) if true
"""


@pytest.fixture
def held(platform, ngp):
    pytest.importorskip("regopy", reason="MISSING: regopy (pip install -e '.[policy]')")
    (platform / "policies").mkdir()
    (platform / "policies" / "platform.rego").write_text(NO_CREATION)
    assert ngp.call("render", "dev").exit_code == 0
    return platform


@pytest.mark.terraform
@pytest.mark.sandbox
def test_a_denial_ends_with_3_and_is_in_every_report(held, ngp):
    checked = ngp.run("policy", "check", "dev", "--json")
    assert checked.exit_code == 3, checked.stderr
    found = {one["severity"]: one for one in checked.document["violations"]}
    assert (found["deny"]["address"], found["deny"]["unit"]) == ("module.base.terraform_data.vpc", "base")
    assert found["warn"]["message"] == "look at dev"
    assert "platform.deny" in checked.document["rules"]
    assert ngp.run("plan", "dev", "--out", "a.bundle").exit_code == 0
    files = [word for kind in ("html", "json", "md", "xml") for word in ("--report", f"plan.{kind}")]
    planned = ngp.run("plan", "dev", "--json", *files)
    assert (planned.exit_code, planned.document["exit_code"]) == (3, 3)
    assert "deny: platform.deny: nothing new" in planned.stderr
    for kind in ("html", "json", "md"):
        assert "nothing new" in (held / f"plan.{kind}").read_text()
    assert check_published(json.loads((held / "plan.json").read_text()))["exit_code"] == 3
    assert ElementTree.parse(held / "plan.xml").getroot().get("failures") == "1"
    of_bundle = ngp.call("policy", "check", "a.bundle")
    assert of_bundle.exit_code == 3
    assert "7 rules evaluated: 1 denial" in of_bundle.stdout


def test_a_policy_that_does_not_compile_ends_before_the_plan(held, ngp):
    (held / "policies" / "platform.rego").write_text(NO_CREATION + "deny contains x if {")
    for line in (["policy", "check", "dev"], ["plan", "dev", "--report", "plan.md"]):
        done = ngp.call(*line)
        assert (done.exit_code, done.stdout) == (64, "")
        assert "a policy does not compile or fails" in done.stderr
        assert "policies/platform.rego" in done.stderr
    assert not (held / ".ngp" / "runs").exists()


def test_a_module_accepts_a_rule_of_ngp_with_a_reason(platform):
    change = Change(
        "module.base.aws_s3_bucket_acl.site[0]", "aws_s3_bucket_acl", Action.CREATE, after={"acl": "public-read"}
    )
    unit = UnitResult("base", "base", 1, Outcome.PLANNED, changes=(change,))
    result = RunResult("", Verb.PLAN, "dev", (unit,))
    assert [one.rule for one in _check(platform, result).denials] == ["public-bucket"]
    with (platform / "modules" / "base" / "module.yaml").open("a") as file:
        file.write('policy_exceptions:\n  public-bucket aws_s3_bucket_acl.site: "It is a web site."\n')
    verdict = _check(platform, result)
    assert verdict.violations == ()
    assert [reason for _, reason in verdict.accepted] == ["It is a web site."]


def _check(platform, result):
    resolved = resolving.resolve(platforms.load(platform), "dev")
    return checking.check(resolved, result, checking.prepare(resolved))
