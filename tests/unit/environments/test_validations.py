"""The modules' own conditions are evaluated before Terraform starts, and refused at the operator's line."""

import pytest

from ngp.catalogue import conversion, evaluating
from ngp.environments import validations
from ngp.errors import UsageError
from tests import compositions

RULED = """
variable "mode" {
  description = "Mode"
  type        = string
  default     = "one"
  validation {
    condition     = contains(["none", "one"], var.mode)
    error_message = "mode must be none or one."
  }
}

variable "size" {
  description = "Size"
  type        = number
  default     = 3
  nullable    = false
  validation {
    condition     = var.size >= 1
    error_message = "size must be positive, not ${var.size}."
  }
  validation {
    condition     = var.mode == "one" || var.size > 5
    error_message = "a small one needs mode one."
  }
}

variable "pre_tag" {
  description = "Beginning"
  type        = string
  validation {
    condition     = length(var.pre_tag) < 8
    error_message = "pre_tag is too long."
  }
}

variable "region" {
  description = "Region"
  type        = string
  validation {
    condition     = startswith(var.region, "eu-")
    error_message = "only Europe."
  }
}

variable "pin" {
  description = "Pin"
  type        = string
  default     = "12345"
  sensitive   = true
  validation {
    condition     = length(var.pin) == 5
    error_message = "pin ${var.pin} must have five digits."
  }
}

variable "zones" {
  description = "Zones"
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for zone in var.zones : can(regex("^[a-z]$", zone))])
    error_message = "zones are letters."
  }
}

variable "odd" {
  description = "Known to Terraform alone"
  type        = string
  default     = ""
  validation {
    condition     = var.odd == "" || md5(var.odd) == "x"
    error_message = "odd is wrong."
  }
}

variable "vpc_id" {
  description = "VPC"
  type        = string
  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "no VPC."
  }
}
"""
UNITS = """\
target: sandbox
account: "123456789012"
region: eu-central-1
domain: dev.example.com
units:
  network: {}
  one: {module: ruled}
  two: {module: ruled}
wiring:
  one: {vpc_id: network.vpc_id}
  two: {vpc_id: network.vpc_id}
"""


@pytest.fixture
def ruled(house):
    """`ruled(values, text)`: what is wrong with two units of the module above."""
    house.module("ruled", "title: R\nsummary: S\ncategory: base\n", RULED)

    def check(values, text=UNITS):
        house.environment(text, 'pre_tag = "demo"\npost_tag = "dev"\n' + values)
        try:
            house.resolve()
        except UsageError as error:
            return [str(each).replace(f"{house.path}/", "") for each in error.findings]
        return []

    return check


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('mode = "two"\n  size = 6', 'one.mode = "two": mode must be none or one.'),
        ("size = -1.5", "one.size = -1.5: size must be positive, not -1.5."),
        ('size = "0"', 'one.size = "0": size must be positive, not 0.'),
        ('zones = ["a", "bb"]', "one.zones: zones are letters."),
        ('pin = "1234"', "one.pin: pin ${var.pin} must have five digits."),
        ('vpc_id = "net-1"', 'one.vpc_id = "net-1": no VPC.'),
    ],
)
def test_a_condition_that_is_not_met_is_told_at_the_operators_line(ruled, value, message):
    (found,) = ruled(f"one = {{\n  {value}\n}}\n")
    assert found.startswith(f"environments/dev/terraform.tfvars:4: {message}; the rule is in modules/ruled/ruled-")


@pytest.mark.parametrize(
    "value", ['mode = "none"\n  size = 6', "size = null", 'zones = ["b", "b"]', 'odd = "Terraform knows"', 'size = "2"']
)
def test_what_is_met_or_only_terraform_knows_is_not_told(ruled, value):
    assert ruled(f"one = {{\n  {value}\n}}\n") == []


def test_a_default_that_another_value_makes_wrong_is_told_at_that_value(ruled):
    (found,) = ruled('one = {\n  mode = "none"\n}\n')
    assert found.startswith("environments/dev/terraform.tfvars:4: one.size = 3: a small one needs mode one.")


def test_a_shared_value_and_a_fact_are_refused_once(ruled):
    (found,) = ruled("", UNITS.replace("eu-central-1", "us-east-1"))
    assert found.startswith('environments/dev/environment.yaml:3: region = "us-east-1": only Europe.')
    found = ruled('one = { pre_tag = "demo-long" }\n')
    assert [each.partition("; ")[0] for each in found] == [
        'environments/dev/terraform.tfvars:3: one.pre_tag = "demo-long": pre_tag is too long.'
    ]


def test_answers_are_kept_and_a_changed_rule_is_asked_again(ruled, house, monkeypatch):
    assert len(ruled("one = { size = 0 }\n")) == 1
    monkeypatch.setattr(validations, "_broken", lambda _: pytest.fail("it was evaluated again"))
    assert len(ruled("one = { size = 0 }\n")) == 1
    monkeypatch.undo()
    house.module("ruled", "title: R\nsummary: S\ncategory: base\n", RULED.replace("var.size >= 1", "var.size >= 0"))
    assert ruled("one = { size = 0 }\n") == []


def test_every_input_has_a_place(ruled, house):
    ruled("one = { size = 2 }\n")
    environment, values = house.resolve().environment, house.resolve().values

    def place(name):
        return validations.place(environment, values, "one", name).replace(f"{house.path}/", "")

    assert place("size") == "environments/dev/terraform.tfvars:3"
    assert place("pre_tag") == "environments/dev/terraform.tfvars:1"
    assert place("vpc_id") == "environments/dev/environment.yaml:10"
    assert place("region") == "environments/dev/environment.yaml:3"
    assert place("unit") == "environments/dev/environment.yaml:7"
    assert place("project") == "ngp.yaml"
    assert place("mode") == ""


def test_the_dummies_of_the_shipped_modules_meet_the_conditions_that_can_be_evaluated():
    for module in compositions.catalogue().modules.values():
        scope = {"alarm_topic_arn": ""} | {  # as terraform.tfvars.dummy has it for all modules
            name: conversion.convert(module.dummies[name].value if name in module.dummies else each.default, each.type)
            for name, each in module.variables.items()
            if name in module.dummies or each.has_default
        }
        for variable in module.variables.values():
            for rule in variable.validations:
                if variable.name in scope:
                    assert evaluating.evaluate_text(rule.condition, {"var": scope}) is True, (module.name, rule)
