"""What `ngp init` makes: every line of its README, its hooks and its workflow are run as they stand there."""

import json
import os
import re
import subprocess
import sys

import pytest

from ngp import yaml

pytestmark = [pytest.mark.slow, pytest.mark.terraform, pytest.mark.sandbox]


@pytest.fixture(scope="module")
def made(tmp_path_factory, ngp_in):
    folder = tmp_path_factory.mktemp("new")
    done = ngp_in(folder).run("init", "acme")
    assert done.exit_code == 0, done.stderr
    yield folder / "acme"
    ngp_in(folder / "acme").run("sandbox", "stop")


@pytest.fixture(scope="module")
def shell(made, tmp_path_factory):
    """`shell(lines, **environ)` runs a script in the new platform, with ngp on PATH; it must succeed."""
    programs = tmp_path_factory.mktemp("bin")
    program = programs / "ngp"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ngp "$@"\n')
    program.chmod(0o755)

    def run(script, **environ):
        env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", **environ}
        argv = ["bash", "-euxo", "pipefail", "-c", script]
        done = subprocess.run(argv, cwd=made, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_every_line_of_the_readme_works(made, shell):
    blocks = re.findall(r"(?ms)^```console\n(.*?)^```", (made / "README.md").read_text())
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    assert len(lines) >= 8
    for line in lines:
        shell(line)
    assert (made / "environments/dev/units/network/main.tf").is_file()


def test_hooks_pass_in_a_new_platform(made, shell):
    shell("git init -q && git add .")
    (repository,) = yaml.load(made / ".pre-commit-config.yaml").data["repos"]
    for hook in repository["hooks"]:
        shell(hook["entry"])
        assert hook["language"] == "system"


def test_workflow_plans_what_a_branch_changes(made, shell, tmp_path):
    """The steps of both jobs but for installing, in a repository whose branch changes one value."""
    shell("git add . && git commit -qm one && git branch -M main && git switch -qc change")
    values = made / "environments/dev/terraform.tfvars"
    values.write_text(re.sub(r"(?m)^(post_tag *= ).*", r'\1"new"', values.read_text()))
    shell('ngp render && git commit -qam two && test -n "$(git diff main --name-only -- environments/dev/units)"')
    jobs = yaml.load(made / ".github/workflows/ngp-plan.yaml").data["jobs"]
    scripts = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert all(each[0].startswith("pip install") for each in scripts.values())
    told = tmp_path / "output"
    shell(scripts["matrix"][1], CI="true", GITHUB_OUTPUT=str(told), SINCE="main")
    (row,) = json.loads(told.read_text().removeprefix("jobs="))["include"]
    for script in scripts["plan"][1:]:
        shell(script, CI="true", ENVIRONMENTS=row["environments"])
    assert "network" in (made / ".ngp/ci/dev.md").read_text()
