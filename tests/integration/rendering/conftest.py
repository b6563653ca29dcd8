"""A platform on disk, and real Terraform run by hand in it: no ngp between."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from ngp import files
from ngp.environments import platforms, resolving
from ngp.rendering import roots

NGP = "name: acme\nstate: local\n"
ENVIRONMENT = """\
target: sandbox
account: "123456789012"
region: eu-central-1
domain: dev.example.com
"""


class PlatformOnDisk:
    """Builds a platform with modules of a test's own and one environment, `dev`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write({"ngp.yaml": NGP, ".terraform.lock.hcl": "", "environments/dev/terraform.tfvars": ""})

    def write(self, texts: Mapping[str, str]) -> None:
        for name, text in texts.items():
            files.write(self.path / name, text)

    def module(
        self, name: str, variables: str, outputs: str = "", *, main: str = "", dummy: str = "", manifest: str = ""
    ) -> None:
        home = f"modules/{name}/"
        self.write(
            {
                f"{home}{name}.tf": main,
                f"{home}{name}-variables.tf": variables,
                f"{home}{name}-output.tf": outputs,
                f"{home}{name}.dummy": dummy,
                f"{home}module.yaml": f"title: {name}\nsummary: A test.\ncategory: base\n{manifest}",
            }
        )

    def environment(self, units: str, more: str = "") -> None:
        self.write({"environments/dev/environment.yaml": f"{ENVIRONMENT}units: {units}\n{more}"})

    def without_providers(self) -> None:
        """Roots without any provider: for what Terraform itself does, quickly."""
        self.write({"templates/root/versions.tf.j2": "{{ header }}\n"})

    def resolve(self) -> resolving.Resolved:
        return resolving.resolve(platforms.load(self.path), "dev")

    def render(self) -> dict[Path, str]:
        texts = dict(roots.render(self.resolve()))
        files.write_all({self.path / path: text for path, text in texts.items()})
        return texts

    def root(self, unit: str) -> Path:
        return self.path / "environments/dev/units" / unit


def terraform(*words: str, cwd: Path, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    dropped = ("TF_CLI_CONFIG_FILE", "AWS_PROFILE")
    env = {name: value for name, value in os.environ.items() if name not in dropped}
    return subprocess.run(
        [shutil.which("terraform") or "terraform", *words],
        cwd=cwd,
        input=stdin,
        env={**env, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"},
        check=check,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def platform(tmp_path: Path) -> PlatformOnDisk:
    return PlatformOnDisk(tmp_path)


@pytest.fixture(name="terraform")
def _terraform():
    return terraform
