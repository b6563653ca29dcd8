"""The hooks that this repository offers to platforms, run by pre-commit itself with the ngp of this checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def commit(platform, tmp_path):
    """`commit()` runs the hooks on everything in the index; a path says where ngp comes from: the interpreter's."""
    hooks, programs = tmp_path / "hooks", tmp_path / "bin"
    for folder in (hooks, programs):
        folder.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    (programs / "ngp").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ngp "$@"\n')
    (programs / "ngp").chmod(0o755)
    env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "PRE_COMMIT_HOME": str(tmp_path / "store")}

    def run(folder, *argv, check=True):
        return subprocess.run(argv, cwd=folder, env=env, check=check, capture_output=True, text=True)

    run(hooks, "git", "init", "-qb", "main")
    run(hooks, "git", "add", "-A")
    run(hooks, "git", "commit", "-qm", "hooks")
    ref = run(hooks, "git", "rev-parse", "HEAD").stdout.strip()
    # `language: system` takes the ngp of PATH instead of installing one, which takes a minute
    names = ", ".join(f"{{id: {name}, language: system}}" for name in ("ngp-render", "ngp-validate", "ngp-secrets"))
    config = f"repos:\n  - repo: {hooks}\n    rev: {ref}\n    hooks: [{names}]\n"
    (platform / ".pre-commit-config.yaml").write_text(config)

    def commit():
        run(platform, "git", "add", "-A")
        return run(platform, sys.executable, "-m", "pre_commit", "run", "--all-files", "--verbose", check=False)

    return commit


def test_hooks_pass_a_clean_platform_and_find_what_is_stale_wrong_and_secret(platform, commit, ngp):
    assert ngp.call("render").exit_code == 0
    done = commit()
    assert (done.returncode, done.stdout.count("Passed")) == (0, 3), done.stdout + done.stderr
    values = platform / "environments/dev/terraform.tfvars"
    values.write_text(values.read_text() + "nothing = 1\n")
    (platform / "notes.md").write_text("ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3hJ6" + "\n")
    done = commit()
    assert (done.returncode, done.stdout.count("Failed")) == (1, 3)
    assert "`nothing` is neither a common input nor a unit" in done.stdout
    assert "notes.md contains a GitHub token" in done.stdout
