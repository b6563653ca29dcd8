"""Members of a quorum that would share a zone are told of at the operator's line, before Terraform starts."""

import pytest

from ngp.environments import quorums
from tests.unit.environments.house import TAGS

NETWORK = """
variable "az_count" {
  description = "Zones"
  type        = number
  default     = 2
}

variable "existing_vpc_id" {
  description = "VPC that is there"
  type        = string
  default     = ""
}

variable "existing_subnet_ids" {
  description = "Subnets that are there"
  type        = list(string)
  default     = []
}
"""
CLUSTER = """
variable "manager_count" {
  description = "Managers"
  type        = number
  default     = 3
}

variable "subnet_ids" {
  description = "Subnets"
  type        = list(string)
}
"""
SLOTS = """
locals {
  slots = toset([for slot in range(1, var.manager_count + 1) : tostring(slot)])
}

resource "aws_instance" "manager" {
  for_each  = local.slots
  subnet_id = element(var.subnet_ids, tonumber(each.key) - 1)
}
"""
COUNT = """
resource "aws_instance" "manager" {
  count     = var.manager_count
  subnet_id = var.subnet_ids[count.index % length(var.subnet_ids)]
}
"""
GROUP = """
resource "aws_autoscaling_group" "manager" {
  vpc_zone_identifier = var.subnet_ids
  min_size            = 1
  max_size            = var.manager_count
  desired_capacity    = var.manager_count
}
"""
GROUPS = "locals {\n  many = { a = 1, b = 2 }\n}\n" + GROUP.replace('" {\n', '" {\n  for_each = local.many\n')
ENVIRONMENT = """\
target: sandbox
account: "123456789012"
region: eu-central-1
domain: dev.example.com
units:
  network: {}
  cluster: {}
wiring:
  cluster: {subnet_ids: network.subnet_ids}
"""
VALUES = 'pre_tag = "demo"\npost_tag = "dev"\n'


@pytest.fixture
def check(house):
    """Checks an environment of a network and a cluster whose module has this text."""

    def check(values="", text=SLOTS, environment=ENVIRONMENT, quorum="aws_instance.manager"):
        network = "title: N\nsummary: S\ncategory: base\nprovides: [subnet_ids]\n"
        house.module("network", network, TAGS + NETWORK, ("subnet_ids",))
        house.module("cluster", f"title: C\nsummary: S\ncategory: c\nquorum: [{quorum}]\n", TAGS + CLUSTER)
        (house.path / "modules/cluster/cluster.tf").write_text(text)
        house.environment(environment, VALUES + values)
        return quorums.check(house.resolve())

    return check


@pytest.mark.parametrize("text", [SLOTS, COUNT])
def test_three_members_in_two_zones_are_told_of_at_the_line_of_az_count(check, text):
    [found] = check("network = {\n  az_count = 2\n}\n", text)
    assert found.what == "cluster: the 3 members of a quorum (aws_instance.manager) are in 2 zones"
    assert found.where.endswith("environments/dev/terraform.tfvars:4")
    assert found.why.startswith("2 of them are in one zone")
    assert found.todo == "set az_count = 3 for `network`, or use fewer members"


def test_the_members_line_is_told_where_az_count_is_a_default_and_else_the_units(check):
    [found] = check("cluster = {\n  manager_count = 5\n}\n")
    assert found.where.endswith("environments/dev/terraform.tfvars:4")
    assert "5 members" in found.what
    [found] = check()
    assert found.where.endswith("environments/dev/environment.yaml:7")


@pytest.mark.parametrize(
    ("members", "zones"),
    [(1, 1), (1, 2), (3, 3), (3, 4), (5, 3), (5, 4)],
)
def test_a_quorum_that_survives_the_loss_of_a_zone_is_not_told_of(check, members, zones):
    assert check(f"network = {{\n  az_count = {zones}\n}}\ncluster = {{\n  manager_count = {members}\n}}\n") == []


@pytest.mark.parametrize(
    ("members", "zones", "needed"),
    [(3, 1, 3), (3, 2, 3), (5, 1, 3), (5, 2, 3), (7, 2, 3), (2, 1, 2)],
)
def test_a_quorum_that_goes_with_a_zone_is_told_of(check, members, zones, needed):
    values = f"network = {{\n  az_count = {zones}\n}}\ncluster = {{\n  manager_count = {members}\n}}\n"
    [found] = check(values)
    assert (f"in {zones} zones" if zones > 1 else "in one zone") in found.what
    assert f"az_count = {needed} " in found.todo


def test_an_autoscaling_group_of_members_counts_by_its_size(check):
    quorum = "aws_autoscaling_group.manager"
    [found] = check(text=GROUP, quorum=quorum)
    assert "the 3 members of a quorum (aws_autoscaling_group.manager)" in found.what
    assert check("cluster = {\n  manager_count = 1\n}\n", GROUP, quorum=quorum) == []
    assert check(text=GROUPS, quorum=quorum) == [], "of many groups ngp does not know which are the members"


def test_machines_that_are_no_quorum_are_not_told_of(check):
    assert check(text=SLOTS.replace("manager", "worker").replace("worker_count", "manager_count"), quorum="") == []


def test_subnets_that_the_operator_lists_count_as_so_many_zones_at_most(check):
    plain = ENVIRONMENT.partition("wiring:")[0]
    [found] = check('cluster = {\n  subnet_ids = ["subnet-1", "subnet-2"]\n}\n', environment=plain)
    assert found.where.endswith("environments/dev/terraform.tfvars:4")
    assert found.todo.startswith("list subnets of 3 zones in subnet_ids of `cluster`")
    assert check('cluster = {\n  subnet_ids = ["subnet-1", "subnet-2", "subnet-3"]\n}\n', environment=plain) == []


def test_subnets_of_a_network_that_exists_count_instead_of_az_count(check):
    given = 'network = {\n  existing_vpc_id = "vpc-1"\n  existing_subnet_ids = [%s]\n}\n'
    [found] = check(given % '"subnet-1", "subnet-2"')
    assert found.where.endswith("environments/dev/terraform.tfvars:5")
    assert check(given % '"subnet-1", "subnet-2", "subnet-3"') == []


def test_subnets_of_a_network_that_exists_are_not_known_from_its_number_of_zones(check):
    assert check('network = {\n  existing_vpc_id = "vpc-1"\n  az_count = 2\n}\n') == []
    assert check("network = {\n  az_count = null\n}\n") == []
