"""What configure writes, rendered and held against real Terraform."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]

VARIABLES = """
variable "value" {
  description = "Anything"
  type        = string
}
"""


@pytest.fixture
def platform_path(tmp_path):
    """A platform with one module that needs no provider, and an empty environment."""
    path = tmp_path / "platform"
    module = path / "modules" / "echo"
    module.mkdir(parents=True)
    (path / "ngp.yaml").write_text("name: demo\n")
    shutil.copy(REPOSITORY / ".terraform.lock.hcl", path)
    (module / "module.yaml").write_text("title: Echo\nsummary: Says it again\ncategory: base\n")
    (module / "echo-variables.tf").write_text(VARIABLES)
    (module / "echo.tf").write_text("")
    (module / "echo-output.tf").write_text('output "value" {\n  description = "It"\n  value = var.value\n}\n')
    (module / "echo.dummy").write_text("")
    folder = path / "environments" / "dev"
    folder.mkdir(parents=True)
    (folder / "environment.yaml").write_text(
        'target: sandbox\naccount: "123456789012"\nregion: eu-central-1\ndomain: dev.example.com\n'
    )
    return path


@pytest.mark.terraform
@pytest.mark.slow
def test_what_configure_writes_is_valid_terraform(platform_path, ngp_in):
    ngp = ngp_in(platform_path)
    value = json.dumps('"${x}" %{ if } <<EOT \\ é\n\u2028 $${y}')
    assert ngp.call("configure", "dev", "--module", "echo", "--set", f"echo.value={value}").exit_code == 0
    assert ngp.call("render", "dev").exit_code == 0
    found = ngp.call("validate", "dev", "--json")
    assert (found.exit_code, json.loads(found.stdout)["findings"]) == (0, [])
    root = platform_path / "environments" / "dev" / "units" / "echo"
    assert json.loads(value) in json.loads((root / "values.auto.tfvars.json").read_text()).values()


@pytest.mark.terraform
@pytest.mark.slow
def test_what_terraform_finds_is_exit_1_with_its_place(platform_path, ngp_in):
    ngp = ngp_in(platform_path)
    (platform_path / "modules" / "echo" / "echo.tf").write_text("locals {\n  x = var.nowhere\n}\n")
    assert ngp.call("configure", "dev", "--module", "echo", "--set", "echo.value=x").exit_code == 0
    assert ngp.call("render", "dev").exit_code == 0
    found = ngp.call("validate", "dev")
    assert found.exit_code == 1
    assert "dev echo: Reference to undeclared input variable" in found.stdout
    assert "echo.tf:2" in found.stdout
