"""A change goes from dev to stage to a protected prod by pull requests, with an approval that a push voids."""

import subprocess

import pytest

from tests.harness import Ngp
from tests.integration.ci.life import normal

pytestmark = pytest.mark.terraform
STAGE, PROD = "environments/stage/terraform.tfvars", "environments/prod/terraform.tfvars"
RULES = """name: small
state: local
protected: [prod]
signers:
  anna@example.com: ["{key}"]
approvals:
  prod: {{by: [anna@example.com], count: 1}}
"""


@pytest.fixture
def key(tmp_path, monkeypatch):
    """Anna's key; Git signs with no other."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    path = tmp_path / "anna"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "anna", "-f", path], check=True)
    return path


@pytest.fixture
def stages(life, key):
    """The platform with three environments; what dev has nobody else has yet."""
    for name in ("stage", "prod"):
        home = life.path / "environments" / name
        home.mkdir(exist_ok=True)
        for file in ("environment.yaml", "terraform.tfvars"):
            (home / file).write_text((life.path / "environments/dev" / file).read_text())
    (life.path / "ngp.yaml").write_text(RULES.format(key=key.with_suffix(".pub").read_text().strip()))
    life.git("checkout", "--quiet", "main")
    life.commit("Three stages", tfvars=("10.0.0.0", "10.5.0.0"))
    life.git("push", "--quiet", "origin", "main")
    return life


def promote(life, source, target, *more):
    """Edit the target's files on a branch of their own; return what `ngp env promote` tells."""
    life.branch(f"promote-{target}")
    done = Ngp(life.path).call("env", "promote", source, target, *more)
    assert done.exit_code == 0, done.stderr
    if not more:  # a plan says how long it took
        life.told.append(f"# Promote {source} to {target}\n\n```text\n{done.stdout}{done.stderr}```")
    life.commit(f"Promote {source} to {target}")
    return done


def approve(life, key):
    done = Ngp(life.path).call("bundle", "approve", ".ngp/ci/prod.bundle", "--key", str(key), "--auto-approve")
    assert done.exit_code == 0, done.stderr


def test_a_change_is_promoted_to_a_protected_environment(stages, key, golden):
    life = stages
    to_stage(life)
    to_prod(life, key)
    assert Ngp(life.path).call("env", "diff", "stage", "prod").exit_code == 2  # prod has one change of its own
    golden("ci/promotion.md", normal(life.told))


def to_stage(life):
    """The plan that `--plan` shows is of the files that it wrote, and changes nothing."""
    done = promote(life, "dev", "stage", "--plan")
    assert "module.base.terraform_data.vpc" in done.stdout
    assert "10.5.0.0" in done.stdout
    assert life.run("Plan the promotion to stage", "plan", event=life.pull()).exit_code == 0
    assert not life.forge.comment("environment=prod")
    assert life.run("Apply it to stage", "apply", event=life.merge(), name="push").exit_code == 0
    assert life.forge.status("ngp/apply/stage") == "success"


def to_prod(life, key):
    """A push makes another bundle, so the approval of the first one is void, and has to be given again."""
    promote(life, "stage", "prod")
    assert life.run("Plan the promotion to prod", "plan", event=life.pull(number=13)).exit_code == 0
    approve(life, key)
    life.commit("Another network", **{PROD: ("10.5.0.0", "10.6.0.0")})
    assert life.run("A push after the approval", "plan", event=life.pull(number=13)).exit_code == 0
    pushed = life.merge(13)
    done = life.run("Apply what nobody approved", "apply", event=pushed, name="push")
    assert done.exit_code == 4
    assert "it needs 1 approval, but it has none" in done.stderr
    assert not list(life.path.glob(".ngp/state/prod/*.tfstate"))
    approve(life, key)
    assert life.run("Apply what is approved", "apply", event=pushed, name="push").exit_code == 0
    assert life.forge.status("ngp/apply") == life.forge.status("ngp/apply/prod") == "success"


def test_a_base_that_moves_makes_a_conflict_or_a_stale_bundle(life, golden):
    life.branch("topic")
    life.commit("Another network", tfvars=("10.0.0.0", "10.1.0.0"))
    assert life.run("Planned", "plan", event=life.pull()).exit_code == 0
    life.git("checkout", "--quiet", "main")
    life.commit("Others take another", tfvars=("10.0.0.0", "10.9.0.0"), app=("What its making runs", "What it runs"))
    life.git("push", "--quiet", "origin", "main")
    life.git("checkout", "--quiet", "topic")
    assert life.run("The base has a conflict", "plan", event=life.pull()).exit_code == 0
    with pytest.raises(subprocess.CalledProcessError):
        life.git("merge", "--quiet", "--no-edit", "main")
    life.git("commit", "--quiet", "--all", "--message", "Merged, with its marks")
    assert life.run("The marks of the conflict", "plan", event=life.pull()).exit_code == 64
    life.git("reset", "--quiet", "--hard", "HEAD~1")
    assert life.run("Back", "plan", event=life.pull()).exit_code == 0
    life.git("merge", "--quiet", "--no-edit", "-X", "ours", "main")
    life.commit("Solved")
    done = life.run("Merged without another plan", "apply", event=life.merge(), name="push")
    assert done.exit_code == 4
    assert "modules/app/app-variables.tf: this file changed" in done.stderr
    assert life.forge.status("ngp/apply") == "failure"
    golden("ci/conflict.md", normal(life.told))
