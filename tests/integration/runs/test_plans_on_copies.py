"""Plans on copies: they show the paths of the committed root, and nothing but their own run can apply them."""

import json
import subprocess

import pytest

from ngp.environments.environment import StateMode
from ngp.runs import copies, planning
from ngp.runs.results import Outcome
from tests.integration.runs.acting import app_more, apply, is_joint, plan

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
PATHS = """
resource "terraform_data" "paths" {
  input = {
    module = path.module
    root   = path.root
    file   = "${path.module}/files/a"
    text   = file("${path.module}/files/a")
    shared = file("${path.module}/../../shared")
  }
}
"""
FOLDER = 'resource "terraform_data" "folder" {\n  input = path.cwd\n}\n'
NAME = 'resource "terraform_data" "name" {\n  input = basename(abspath(path.root))\n}\n'
OWN = 'resource "terraform_data" "own" {\n  input = file("${path.root}/files/deep/a")\n}\n'
PINNED = "catalogue: HEAD\n"
SINGLE = "state: single\n"


def git(region, *words):
    subprocess.run(["git", *words], cwd=region.path, check=True, capture_output=True)


@pytest.fixture
def traced(region):
    """A platform whose `app` says its paths."""
    app_more(region, PATHS)
    region.write("modules/app/files/a", "text")
    region.write("shared", "of all")
    region.write(".gitignore", ".ngp\n")
    git(region, "init", "--quiet")
    git(region, "add", ".")
    git(region, "commit", "--quiet", "--message", "The platform")
    return region


@pytest.mark.parametrize("more", ["", PINNED, SINGLE, PINNED + SINGLE], ids=["plain", "pinned", "single", "both"])
def test_a_plan_shows_the_paths_that_were_applied(traced, more):
    if PINNED in more:
        traced.write("environments/dev/shared", "of all")  # beside its modules, as beside the catalogue
    traced.choose(traced.ENVIRONMENT + more)
    apply(traced)
    results = plan(traced)
    assert {name: (one.outcome, one.changes) for name, one in results.items()} == dict.fromkeys(
        results, (Outcome.NO_CHANGES, ())
    )
    # the app reads a file outside of its module, which a copy only links to
    assert traced.resolve().environment.state is StateMode.SINGLE or not is_joint(results)


@pytest.mark.parametrize("text", [FOLDER, NAME], ids=["cwd", "abspath"])
def test_a_module_that_names_its_folder_is_planned_by_itself(region, text):
    app_more(region, text)
    apply(region)
    results = plan(region)
    assert not is_joint(results)
    assert {one.outcome for one in results.values()} == {Outcome.NO_CHANGES}


def test_an_operators_own_file_finds_those_in_folders_beside_it(region):
    region.write("environments/dev/units/base/own.tf", OWN)
    region.write("environments/dev/units/base/files/deep/a", "hello")
    apply(region, "base")
    assert plan(region, "base")["base"].outcome is Outcome.NO_CHANGES


@pytest.mark.parametrize("together", [True, False], ids=["joint", "single"])
def test_the_plan_of_a_killed_run_cannot_be_applied_and_is_removed(region, monkeypatch, together):
    with monkeypatch.context() as killed:
        killed.setattr(copies.ShadowTree, "remove", lambda _: None)
        killed.setattr(copies.ShadowTree, "remove_root", lambda *_: None)
        planned = plan(region, *(() if together else ("base",)))
    assert {one.outcome for one in planned.values()} == {Outcome.PLANNED}
    (left,) = (region.path / ".ngp/previews/dev").rglob("plan.bin")
    data = region.path / ".ngp/data/dev" / left.parent.name / "preview"
    environ = {"PATH": "/usr/local/bin:/usr/bin:/bin", "TF_DATA_DIR": str(data), "TF_INPUT": "0"}
    argv = ["terraform", "apply", "-no-color", left.name]
    done = subprocess.run(argv, cwd=left.parent, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 'The ephemeral input variable "ngp_run" was set' in done.stderr
    assert "creating" not in done.stdout.lower()
    assert json.loads((left.parent / "terraform.tfstate").read_text())["resources"] == []
    plan(region, "base")
    assert not left.exists()


def test_a_plans_guard_is_in_nothing_that_ngp_keeps(region, monkeypatch):
    tokens = []
    make = planning.RunContext.secrets
    monkeypatch.setattr(
        planning.RunContext, "secrets", lambda run, unit: tokens.append(run.guard.token) or make(run, unit)
    )
    plan(region)
    assert tokens
    kept = [path for path in region.path.rglob("*") if path.is_file()]
    assert not [path for path in kept if any(token.encode() in path.read_bytes() for token in tokens)]


def test_the_private_folder_may_be_a_link(region, tmp_path):
    (tmp_path / "disk").mkdir()
    (region.path / ".ngp").rename(tmp_path / "disk/deep")
    (region.path / ".ngp").symlink_to(tmp_path / "disk/deep")
    apply(region)
    results = plan(region)
    assert is_joint(results)
    assert {one.outcome for one in results.values()} == {Outcome.NO_CHANGES}
    assert plan(region, "base")["base"].outcome is Outcome.NO_CHANGES
    assert (tmp_path / "disk/deep/state/dev/app.tfstate").is_file()
