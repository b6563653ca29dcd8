"""JSON and override files of a module count for ngp as they count for Terraform."""

import json

import pytest

pytestmark = pytest.mark.terraform
MORE = {
    "variable": {"extra": {"type": "string", "default": "e", "description": "More"}},
    "resource": {"terraform_data": {"j": {"input": '${var.extra}-${upper("a")}-${var.cidr}'}}},
    "output": {"extra_out": {"value": "${terraform_data.j.input}", "description": "More"}},
}


def test_json_and_override_files_of_a_module_are_planned(platform, ngp):
    module = platform / "modules" / "base"
    (module / "more.tf.json").write_text(json.dumps(MORE))
    (module / "base_override.tf").write_text('variable "cidr" {\n  default = "10.9.0.0/16"\n}\n')
    values = platform / "environments" / "dev" / "terraform.tfvars"
    values.write_text('base = {\n  extra = "x"\n}\n')
    assert ngp.run("render").exit_code == 0
    done = ngp.run("plan", "dev", "--json")
    assert done.exit_code == 0, done.stderr
    (base,) = [unit for unit in json.loads(done.stdout)["units"] if unit["unit"] == "base"]
    made = {change["address"]: change["after"]["input"] for change in base["changes"]}
    assert made == {"module.base.terraform_data.vpc": "10.9.0.0/16", "module.base.terraform_data.j": "x-A-10.9.0.0/16"}
    assert base["outputs"]["extra_out"]["after"] == "x-A-10.9.0.0/16"
