"""Kubernetes on the sandbox, brought up, looked at again and taken down; beside it elk, planned.

elk is applied by hand: Terraform's provider waits ten minutes before it looks at a new OpenSearch domain at all.
The tests stand in the order in which they are to run; the last destroys what the first made.
"""

import json
import shutil
from pathlib import Path

import pytest

from ngp.aws import access
from ngp.aws.session import Session

ROOT = Path(__file__).parents[3]
ACCOUNT, REGION = "123456789012", "eu-central-1"
OPERATORS = f"arn:aws:iam::{ACCOUNT}:role/operators"
VALUES = {
    "pre_tag": "lab-one",
    "post_tag": "lab",
    "kubernetes.admin_principal_arns": json.dumps([OPERATORS]),
    "elk.collector_archive_sha512": "0" * 128,
}
pytestmark = [
    pytest.mark.proves("applied", "kubernetes"),
    pytest.mark.terraform,
    pytest.mark.sandbox,
    pytest.mark.slow,
]


class Lab:
    def __init__(self, ngp):
        self.ngp = ngp

    def told(self, *argv):
        outcome = self.ngp.run(*argv, timeout=800)
        assert outcome.exit_code == 0, (argv, outcome.stdout[-3000:], outcome.stderr[-3000:])
        return outcome.stdout

    def units(self, *argv):
        return {unit["unit"]: unit for unit in json.loads(self.told(*argv, "--json"))["units"]}

    def call(self, service, action, **parameters):
        url = json.loads(self.told("sandbox", "status", "--json"))["url"]
        return Session(access.sandbox({}, url, REGION, ACCOUNT)).call(service, action, **parameters)


@pytest.fixture(scope="module")
def lab(tmp_path_factory, ngp_in):
    path = tmp_path_factory.mktemp("lab")
    for name in ("network", "elk", "kubernetes"):
        shutil.copytree(ROOT / "modules" / name, path / "modules" / name)
    shutil.copy2(ROOT / ".terraform.lock.hcl", path / ".terraform.lock.hcl")
    (path / "ngp.yaml").write_text("name: lab\n")
    made = Lab(ngp_in(path))
    made.told("env", "new", "lab", "--sandbox", "--region", REGION, "--domain", "lab.example.test")
    values = [word for name, value in VALUES.items() for word in ("--set", f"{name}={value}")]
    made.told(
        "configure", "lab", "--no-input", "--module", "network", "--module", "elk", "--module", "kubernetes", *values
    )
    made.told("render", "lab")
    yield made
    made.ngp.run("sandbox", "stop")


@pytest.fixture(scope="module")
def applied(lab):
    return lab.units("apply", "lab", "network", "kubernetes", "--auto-approve")


def test_cluster_comes_up_and_a_second_plan_is_empty(lab, applied):
    assert {name: unit["outcome"] for name, unit in applied.items()} == dict.fromkeys(applied, "applied")
    assert lab.ngp.run("plan", "lab", "network", "kubernetes", "--detailed-exitcode").exit_code == 0


def test_api_is_private_and_known_to_operators_alone(lab, applied):
    [name] = lab.call("eks", "list_clusters")["clusters"]
    cluster = lab.call("eks", "describe_cluster", name=name)["cluster"]
    assert cluster["resourcesVpcConfig"]["endpointPublicAccess"] is False
    assert cluster["accessConfig"]["authenticationMode"] == "API"
    policies = lab.call("eks", "list_associated_access_policies", clusterName=name, principalArn=OPERATORS)
    assert [each["policyArn"].rpartition("/")[2] for each in policies["associatedAccessPolicies"]] == [
        "AmazonEKSClusterAdminPolicy"
    ]


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
    assert lab.call("eks", "list_clusters")["clusters"] == []
    assert lab.call("iam", "list_open_id_connect_providers")["OpenIDConnectProviderList"] == []
