"""The life of a pull request: from a fork, from a member, authorised, merged, applied, failed, and planned at night.

A scratch platform with a bare remote, real Terraform, and a fake of GitHub's endpoints. What people read at each step
is in tests/golden/ci/life.md.
"""

import json
import subprocess

import pytest

from tests.doubles.forge import TOKEN
from tests.harness import lend_sandbox, stop_sandbox
from tests.integration.ci.life import CANARY, TFVARS, Life, normal

pytestmark = pytest.mark.terraform
POLICY = """package ranges

import rego.v1

deny contains msg if {
  some change in input.resource_changes
  change.change.after.input == "10.1.0.0/16"
  msg := "no such range"
}
"""


def test_the_life_of_a_pull_request(life, golden):
    life.branch("topic")
    first = life.commit("Another network", tfvars=("10.0.0.0", "10.1.0.0"))
    from_a_fork(life, first)
    from_a_member(life)
    after_the_merge(life)
    assert [line for line in "".join(life.talk).splitlines() if line.startswith("warning: cannot")] == []
    golden("ci/life.md", normal(life.told))
    assert CANARY.encode() not in life.written()
    assert TOKEN.encode() not in life.written()


def from_a_fork(life, first):
    """A stranger's change is checked, and nothing is started for it until a member orders it; a push voids that."""
    left = life.path / ".ngp/ci/dev.bundle"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"of an earlier pipeline")
    assert life.run("From a fork", "plan", event=life.pull(is_fork=True)).exit_code == 0
    assert not left.exists()
    life.run("A stranger orders a plan", "plan", event=life.order(first, "mallory"), name="issue_comment")
    assert life.runs == 0
    done = life.run("A member orders a plan", "plan", event=life.order(first, "anna"), name="issue_comment")
    assert (done.exit_code, life.runs) == (0, 1)
    life.forge.pulls[12]["head"] = life.commit("A third network", tfvars=("10.1.0.0", "10.2.0.0"))
    life.run("A push voids the order", "plan", event=life.order(first, "anna"), name="issue_comment")
    assert life.runs == 1
    done = life.run("An order applies nothing", "apply", event=life.order(first, "anna"), name="issue_comment")
    assert done.exit_code == 3


def from_a_member(life):
    """A member's change is planned; a push replaces the comment; ngp applies nothing before the merge."""
    assert life.run("From a member", "plan", event=life.pull()).exit_code == 0
    life.commit("A second push", tfvars=("10.2.0.0", "10.3.0.0"))
    assert life.run("A second push", "plan", event=life.pull()).exit_code == 0
    assert len(life.forge.comments) == 1
    assert life.run("An apply before the merge", "apply", event=life.pull()).exit_code == 3
    life.git("checkout", "--quiet", "main")
    life.commit("Others", app=("What its making runs", "What it runs when it is made"))
    life.git("push", "--quiet", "origin", "main")
    life.git("checkout", "--quiet", "topic")
    life.git("merge", "--quiet", "--no-edit", "main")
    assert life.run("A moved base", "plan", event=life.pull()).exit_code == 0
    group = {"merge_group": {"head_sha": life.head, "base_sha": life.git("rev-parse", "origin/main")}}
    reviewed = (life.path / ".ngp/ci/dev.bundle").read_bytes()
    assert life.run("In the merge queue", "plan", event=group, name="merge_group").exit_code == 0
    assert (life.path / ".ngp/ci/dev.bundle").read_bytes() != reviewed


def after_the_merge(life):
    """The bundle is applied once; a nightly plan finds nothing, then that somebody removed a state."""
    pushed = life.merge(how="--ff-only")  # a queue's own commit becomes the default branch
    assert life.run("After the merge", "apply", event=pushed, name="push").exit_code == 0
    assert life.forge.status("ngp/apply") == "success"
    [body] = life.forge.comment("environment=dev")
    done = life.run("The same again", "apply", event=pushed, name="push")
    assert done.exit_code == 0
    assert "the bundle was applied already, by run" in done.stderr
    assert life.forge.status("ngp/apply") == life.forge.status("ngp/apply/dev") == "success"
    assert life.forge.comment("environment=dev") == [body]
    assert life.run("A quiet night", "plan", "--detailed-exitcode", name="schedule").exit_code == 0
    states = [path for path in life.path.rglob("*.tfstate") if "app" in path.parts or path.stem == "app"]
    for state in states:
        state.unlink()
    assert states
    assert life.run("Drift at night", "plan", "--detailed-exitcode", name="schedule").exit_code == 2


def test_what_breaks_is_told_and_nothing_is_planned(life, golden):
    life.branch("broken")
    life.commit("Rename an output", base=('output "vpc_id"', 'output "network_id"'))
    assert life.run("A conflict with what other units take", "plan", event=life.pull()).exit_code != 0
    assert life.forge.status("ngp/plan") == "failure"
    life.branch("marks")
    (life.path / TFVARS).write_text("<<<<<<< HEAD\n")
    life.git("commit", "--quiet", "--all", "--message", "A conflict")
    assert life.run("Conflict markers", "plan", event=life.pull()).exit_code == 64
    assert life.forge.status("ngp/plan") == "failure"
    assert life.runs == 0
    golden("ci/broken.md", normal(life.told))


def test_a_change_is_held_to_the_policies_of_its_base(life):
    policy = life.path / "policies" / "ranges.rego"
    policy.parent.mkdir()
    policy.write_text(POLICY)
    life.branch("policy")
    life.commit("A policy")
    life.pull()
    life.merge()
    life.branch("escape")
    policy.unlink()
    life.commit("No policy", tfvars=("10.0.0.0", "10.1.0.0"))
    done = life.run("Held to the base", "plan", event=life.pull())
    assert done.exit_code == 3
    assert "review this: policies/ranges.rego: a policy changed" in done.stderr
    assert not (life.path / ".ngp/ci/dev.bundle").exists()
    assert life.forge.status("ngp/plan") == "failure"
    assert "no such range" in life.forge.comment("environment=dev")[0]
    assert "no such range" in (life.path / ".ngp/ci/findings.sarif").read_text()


def test_an_old_branch_is_held_to_the_newest_policies(life):
    old = life.head
    policy = life.path / "policies" / "ranges.rego"
    policy.parent.mkdir()
    policy.write_text(POLICY)
    life.git("checkout", "--quiet", "main")
    life.commit("A policy")
    life.git("push", "--quiet", "origin", "main")
    life.git("checkout", "--quiet", "-B", "old", old)
    life.commit("Before the policy", tfvars=("10.0.0.0", "10.1.0.0"))
    done = life.run("Held to the tip", "plan", event=life.pull())
    assert done.exit_code == 3
    assert "no such range" in done.stderr


def test_a_failed_apply_and_the_next_one(life):
    life.branch("fails")
    life.commit("Fail", tfvars=("base = {", 'app = {\n  command = "false"\n}\nbase = {'))
    done = life.run("Plan", "plan", event=life.pull())
    assert "planning again with base: these units need it, and it was never applied" in done.stderr
    pushed = life.merge()
    assert life.run("Apply", "apply", event=pushed, name="push").exit_code == 1
    assert life.forge.status("ngp/apply/dev") == "failure"
    assert life.forge.status("ngp/apply") == "failure"
    [body] = life.forge.comment("environment=dev")
    assert "✗ `app`" in body
    assert life.run("Apply the same again", "apply", event=pushed, name="push").exit_code == 4
    assert life.forge.status("ngp/apply") == "failure"
    assert life.forge.comment("environment=dev") == [body]
    life.branch("works")
    life.commit("Work", tfvars=('"false"', '"true"'))
    assert life.run("Plan again", "plan", event=life.pull(number=13)).exit_code == 0
    assert life.run("Apply again", "apply", event=life.merge(13), name="push").exit_code == 0
    assert life.forge.status("ngp/apply") == "success"


def test_without_rights_or_a_token_the_plan_is_made_all_the_same(life):
    life.branch("quiet")
    life.commit("Another network", tfvars=("10.0.0.0", "10.1.0.0"))
    life.forge.is_read_only = True
    done = life.run("Read only", "plan", event=life.pull())
    assert done.exit_code == 0
    assert "warning: cannot write a comment" in done.stderr
    assert (life.path / ".ngp/ci/dev.bundle").is_file()
    done = life.run("No token", "plan", event=life.pull(), env={"GITHUB_TOKEN": ""})
    assert done.exit_code == 0
    assert (life.path / ".ngp/ci/comment-1.md").is_file()


def test_a_shallow_clone_gets_its_base(life, tmp_path, sandbox):
    life.branch("topic")
    life.commit("Another network", tfvars=("10.0.0.0", "10.1.0.0"))
    life.git("push", "--quiet", "origin", "topic")
    event = life.pull()
    remote = f"file://{tmp_path / 'remote.git'}"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", "--branch=topic", remote, tmp_path / "shallow"], check=True)
    there = Life(lend_sandbox(sandbox, tmp_path / "shallow"), life.forge)
    there.git("checkout", "--quiet", "--detach")
    done = there.run("Shallow", "plan", "--json", event=event)
    stop_sandbox(there.path)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["environments"][0]["is_planned"]
