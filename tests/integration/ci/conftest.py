"""A repository whose pull requests a pipeline plans and applies: a bare remote, real Terraform, a fake of GitHub."""

import subprocess
from functools import partial

import pytest

from ngp.forges import github
from ngp.forges.rest import Patience
from tests.doubles.forge import serve
from tests.harness import lay_platform, lend_sandbox, stop_sandbox
from tests.integration.ci.life import CANARY, Life


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A busy machine may stall longer than ngp waits for an answer; then a comment or a status would be missing."""
    monkeypatch.setattr(github, "Patience", partial(Patience, total_s=600, request_s=300))


@pytest.fixture
def life(tmp_path, sandbox):
    path = lend_sandbox(sandbox, lay_platform(tmp_path / "platform"))
    (path / "environments" / "prod" / "environment.yaml").unlink()
    (path / "environments" / "prod" / "terraform.tfvars").unlink()
    (path / "ngp.yaml").write_text("name: small\nstate: local\n")
    module = path / "modules" / "base" / "base-output.tf"
    module.write_text(module.read_text().replace('"hunter2"', f'"{CANARY}"'))
    with serve() as forge:
        made = Life(path, forge)
        forge.writers = {"anna"}
        made.commit("A platform")
        subprocess.run(
            ["git", "init", "--quiet", "--bare", "--initial-branch=main", tmp_path / "remote.git"], check=True
        )
        made.git("remote", "add", "origin", str(tmp_path / "remote.git"))
        made.git("branch", "--move", "main")
        made.git("push", "--quiet", "origin", "main")
        made.git("remote", "set-head", "origin", "main")
        yield made
    stop_sandbox(path)
