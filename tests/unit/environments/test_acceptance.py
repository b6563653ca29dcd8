"""What AWS would refuse of an operator's values is told at his own line, before Terraform starts."""

import pytest

from ngp.environments import acceptance, validity
from tests.unit.environments.house import TAGS

ROLE = """
variable "name" {
  description = "Name of the role"
  type        = string
  default     = "shop"
}

variable "secret" {
  description = "Secret"
  type        = string
  default     = "fine"
  sensitive   = true
}
"""


def make(house, text, values, manifest=""):
    house.module("role", f"title: R\nsummary: S\ncategory: c\n{manifest}", TAGS + ROLE)
    (house.path / "modules/role/role.tf").write_text(text)
    house.environment(
        "target: sandbox\naccount: '123456789012'\nregion: eu-central-1\ndomain: a.example.com\nunits:\n  role: {}\n",
        values,
    )
    return acceptance.check(house.resolve())


def test_value_of_an_operator_is_refused_at_his_line(house):
    text = 'resource "aws_iam_role" "x" {\n  name = "${var.pre_tag}-${var.name}"\n}\n'
    values = 'pre_tag = "demo"\npost_tag = "dev"\nrole = {\n  name = "with a space"\n}\n'
    [found] = make(house, text, values)
    assert found.what == 'role: aws_iam_role.x name = "demo-with a space": AWS would refuse it'
    assert found.where.endswith("environments/dev/terraform.tfvars:4")
    assert "iam CreateRole, RoleName" in found.why
    assert validity.faults([house.resolve()]) == [found]
    assert make(house, text, values.replace("with a space", "without")) == []


def test_what_the_module_says_itself_is_refused_at_its_line(house):
    text = 'resource "aws_iam_role" "x" {\n  name = "a b"\n}\n'
    [found] = make(house, text, 'pre_tag = "demo"\npost_tag = "dev"\n')
    assert found.where.endswith("modules/role/role.tf:2")


def test_secret_is_not_held_against_anything(house):
    text = 'resource "aws_iam_role" "x" {\n  name = var.secret\n}\n'
    assert make(house, text, 'pre_tag = "demo"\npost_tag = "dev"\nrole = {\n  secret = "a b"\n}\n') == []


def test_what_the_module_accepts_with_a_reason_is_left_alone(house):
    text = 'resource "aws_iam_role" "x" {\n  name = "a b"\n}\nresource "aws_iam_role" "y" {\n  name = "c d"\n}\n'
    manifest = "exceptions:\n  aws-accepts aws_iam_role.x: AWS takes it in this partition.\n"
    values = 'pre_tag = "demo"\npost_tag = "dev"\n'
    [found] = make(house, text, values, manifest)
    assert "aws_iam_role.y" in found.what
    assert len(make(house, text, values)) == 2


@pytest.mark.parametrize(("size", "refusals", "warnings"), [(2048, 0, 0), (2049, 0, 1), (8192, 0, 1), (8193, 1, 0)])
def test_trust_policy_that_needs_a_raised_quota_is_a_warning(house, size, refusals, warnings):
    text = 'resource "aws_iam_role" "x" {\n  assume_role_policy = var.name\n}\n'
    values = f'pre_tag = "demo"\npost_tag = "dev"\nrole = {{\n  name = "{"x" * size}"\n}}\n'
    assert len(make(house, text, values)) == refusals
    found = validity.warnings([house.resolve()])
    assert len(found) == warnings
    for each in found:
        assert each.what.endswith('xxx…": only an account with a raised quota accepts it')
        assert each.where.endswith("environments/dev/terraform.tfvars:4")
        assert f"in an account whose quota was not raised; it has {size}" in each.why
