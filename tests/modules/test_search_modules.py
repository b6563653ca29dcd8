"""Kubernetes on the sandbox, brought up, looked at again and taken down; beside it elk, planned.

elk is applied by hand: Terraform's provider waits ten minutes before it looks at a new OpenSearch domain at all.
The tests stand in the order in which they are to run; the last destroys what the first made.
"""

import json
import re

import pytest

from tests.modules.lab import ACCOUNT, Lab, lay_platform, open_lab

MODULES = ("network", "elk", "kubernetes")
OPERATORS = f"arn:aws:iam::{ACCOUNT}:role/operators"
VALUES = {
    "pre_tag": "lab-one",
    "post_tag": "lab",
    "kubernetes.admin_principal_arns": json.dumps([OPERATORS]),
    "elk.collector_archive_sha512": "0" * 128,
}
pytestmark = [
    pytest.mark.proves("applied", "kubernetes"),
    pytest.mark.integration,
    pytest.mark.terraform,
    pytest.mark.sandbox,
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory, ngp_in):
    path = tmp_path_factory.mktemp("lab")
    lay_platform(path, *MODULES)
    with open_lab(Lab(ngp_in(path))) as made:
        made.configure(*MODULES, values=VALUES)
        yield made


@pytest.fixture(scope="module")
def applied(lab):
    return lab.units("apply", "lab", "network", "kubernetes", "--auto-approve")


def test_cluster_comes_up_and_a_second_plan_is_empty(lab, applied):
    assert {name: unit["outcome"] for name, unit in applied.items()} == dict.fromkeys(applied, "applied")
    assert lab.ngp.run("plan", "lab", "network", "kubernetes", "--detailed-exitcode").exit_code == 0


def test_api_is_private_and_known_to_operators_alone(lab, applied):
    eks = lab.client("eks")
    [name] = eks.list_clusters()["clusters"]
    cluster = eks.describe_cluster(name=name)["cluster"]
    assert cluster["resourcesVpcConfig"]["endpointPublicAccess"] is False
    assert cluster["accessConfig"]["authenticationMode"] == "API"
    policies = eks.list_associated_access_policies(clusterName=name, principalArn=OPERATORS)
    assert [each["policyArn"].rpartition("/")[2] for each in policies["associatedAccessPolicies"]] == [
        "AmazonEKSClusterAdminPolicy"
    ]


def test_sizes_that_eks_refuses_are_refused_with_a_command_that_it_takes(lab, applied):
    """Two nodes run, at most six may: a minimum of eight needs all three sizes at once."""
    eks = lab.client("eks")
    [name] = eks.list_clusters()["clusters"]
    sizes = {"min_size": 8, "max_size": 12, "desired_size": 8}
    lab.configure(values={"kubernetes.node_groups": json.dumps({"default": sizes})})
    refused = lab.ngp.run("plan", "lab", "kubernetes", "--json")
    assert refused.exit_code == 1
    told = refused.stdout  # nothing is wrapped in it
    found = re.search(
        r"aws eks update-nodegroup-config --cluster-name (\S+) --nodegroup-name (\S+) --scaling-config ([\w=,]+)", told
    )
    assert found, told
    assert found[1] == name
    asked = {key: int(value) for key, value in (each.split("=") for each in found[3].split(","))}
    eks.update_nodegroup_config(clusterName=name, nodegroupName=found[2], scalingConfig=asked)
    assert lab.ngp.run("plan", "lab", "kubernetes", "--detailed-exitcode").exit_code == 0


def test_logs_are_planned_beside_it(lab, applied):
    planned = lab.units("plan", "lab", "elk")["elk"]
    assert planned["outcome"] == "changes"
    addresses = {each["address"] for each in planned["changes"]}
    assert {
        "module.elk.aws_opensearch_domain.this",
        "module.elk.aws_autoscaling_group.collector[0]",
        'module.elk.aws_vpc_security_group_ingress_rule.vpc["collectors"]',
    } <= addresses


def test_destroy_leaves_nothing(lab, applied):
    gone = lab.units("destroy", "lab", "kubernetes", "--auto-approve", "--accept-data-loss", "kubernetes")
    assert {unit["outcome"] for unit in gone.values()} == {"destroyed"}
    assert lab.client("eks").list_clusters()["clusters"] == []
    assert lab.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
