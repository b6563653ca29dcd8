"""What Terraform finds wrong with an input is told at the line that the operator wrote."""

import json

import pytest

pytestmark = pytest.mark.terraform
RULE = """variable "cidr" {
  validation {
    condition     = md5(var.cidr) == "x" # what only Terraform evaluates
    error_message = "another network, please."
  }
"""


@pytest.mark.parametrize("state", ["per-module", "single"])
def test_a_condition_that_plan_finds_points_at_the_operators_line(platform, ngp, state):
    path = platform / "modules" / "base" / "base-variables.tf"
    path.write_text(path.read_text().replace('variable "cidr" {\n', RULE))
    document = platform / "environments" / "dev" / "environment.yaml"
    document.write_text(f"{document.read_text()}state: {state}\n")
    assert ngp.run("render").exit_code == 0
    done = ngp.run("plan", "dev")
    assert done.exit_code == 1
    assert "where: environments/dev/terraform.tfvars:2" in done.stdout
    assert "Invalid value for variable: base.cidr" in done.stdout
    assert "another network, please." in done.stdout
    assert "main.tf" not in done.stdout + done.stderr
    told = json.loads(ngp.run("plan", "dev", "--json").stdout)
    places = [(each["file"], each["line"]) for unit in told["units"] for each in unit.get("diagnostics", ())]
    assert places == [("environments/dev/terraform.tfvars", 2)]


def test_a_condition_that_can_be_evaluated_is_told_without_terraform(platform, ngp, monkeypatch):
    path = platform / "modules" / "base" / "base-variables.tf"
    path.write_text(path.read_text().replace('variable "cidr" {\n', RULE.replace("md5(var.cidr)", "lower(var.cidr)")))
    monkeypatch.setenv("PATH", "/nowhere")
    done = ngp.run("validate", "dev", "--no-terraform")
    assert done.exit_code == 64
    assert 'base.cidr = "10.0.0.0/16": another network, please.' in done.stderr
    assert "environments/dev/terraform.tfvars:2" in done.stderr
