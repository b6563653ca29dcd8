"""Variables that name a path count from the folder of the shell, wherever ngp and Terraform then work."""

import os
import shutil

import pytest

pytestmark = pytest.mark.terraform
NAMED = ("TF_CLI_CONFIG_FILE", "AWS_CA_BUNDLE")


@pytest.fixture
def shell(tmp_path):
    """A folder beside the platform with a `terraform` that notes what it is told, a configuration and a bundle."""
    folder = tmp_path / "shell"
    (folder / "bin").mkdir(parents=True)
    wrapper = folder / "bin" / "terraform"
    notes = "".join(f'echo "{name} ${name}" >> "{folder}/notes"\n' for name in NAMED)
    real = shutil.which("terraform")
    if real is None:
        pytest.skip("only where terraform is on PATH")
    wrapper.write_text(f'#!/bin/sh\n{notes}exec "{real}" "$@"\n')
    wrapper.chmod(0o755)
    (folder / "ci.tfrc").write_text("disable_checkpoint = true\n")
    (folder / "ca.pem").write_text("")
    return folder


@pytest.mark.parametrize("is_inside", [True, False], ids=["here", "chdir"])
def test_relative_paths_reach_terraform(platform, shell, ngp_in, is_inside):
    """Here: the shell stands in a folder of the platform. Chdir: it stands elsewhere and says -C."""
    if is_inside:
        shell = shell.rename(platform / "shell")
        text = (shell / "bin/terraform").read_text()
        (shell / "bin/terraform").write_text(text.replace(str(platform.parent / "shell"), str(shell)))
    chdir = [] if is_inside else ["-C", str(platform)]
    env = {"PATH": f"bin:{os.environ['PATH']}", "TF_CLI_CONFIG_FILE": "./ci.tfrc", "AWS_CA_BUNDLE": "ca.pem"}
    for argv in (["render"], ["validate", "dev"]):
        done = ngp_in(shell).run(*chdir, *argv, env=env)
        assert done.exit_code == 0, done.stderr
    said = dict(line.split(" ", 1) for line in (shell / "notes").read_text().splitlines())
    assert said == {"TF_CLI_CONFIG_FILE": str(shell / "ci.tfrc"), "AWS_CA_BUNDLE": str(shell / "ca.pem")}


def test_relative_mirror_is_the_one_that_is_used(platform, shell, ngp_in):
    """An empty mirror is refused by the path that it has from the shell."""
    (shell / "mirror").mkdir()
    lock = platform / ".terraform.lock.hcl"
    lock.write_text(
        'provider "registry.terraform.io/hashicorp/null" {\n  version = "3.2.1"\n  constraints = "3.2.1"\n'
        '  hashes = ["h1:x"]\n}\n'
    )
    ngp_in(platform).run("render")
    done = ngp_in(shell).run("-C", str(platform), "plan", "dev", env={"NGP_PROVIDER_MIRROR": "mirror"})
    assert done.exit_code == 69
    assert f"the provider mirror {shell / 'mirror'} does not hold" in done.stderr
