"""The cluster's boot for real: Docker on every node, brought together by the module's own scripts and nothing else.

The tests stand in the order in which they are to run: each goes on with what the one before it left.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from tests.integration.boot_swarm import lab as labs

from ngp.aws import access

ROOT = Path(__file__).parents[3]
ACCOUNT, REGION = "770000000001", "eu-central-1"
IMAGES = f"{labs.GATEWAY}:5000"  # nobody answers there
PASSWORD = "correct-horse-battery"
ADDRESSES = [f"{labs.NETWORK}.{11 + number}" for number in range(3)]
PARAMETERS = "/ngp/shop/lab/swarm/swarm"
CLUSTER = ("swarm.aws_instance.manager", "swarm.aws_launch_template.worker", "swarm.aws_s3_object.router")
pytestmark = [pytest.mark.docker, pytest.mark.terraform, pytest.mark.sandbox, pytest.mark.slow]


class Region:
    """The sandbox's, with the module applied in it: instances that have user data, and do not run."""

    def __init__(self, path, sandbox, mirror):
        self.path, self.url = path, sandbox.url
        self.env = {**os.environ, **access.sandbox({}, sandbox.url, REGION, ACCOUNT), "TF_IN_AUTOMATION": "1"}
        (path / "main.tf").write_text((Path(__file__).parent / "platform/main.tf").read_text())
        (path / "modules").symlink_to(ROOT / "modules")
        self.ec2 = self.client("ec2")
        vpc = self.ec2.create_vpc(CidrBlock=f"{labs.NETWORK}.0/24")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"{labs.NETWORK}.0/24")["Subnet"]["SubnetId"]
        self.client("route53").create_hosted_zone(Name="lab.example.test", CallerReference="lab")
        values = {"vpc_id": vpc, "subnet_id": self.subnet, "addresses": ADDRESSES, "image_registry": IMAGES}
        (path / "lab.auto.tfvars.json").write_text(json.dumps({**values, "registry_password": PASSWORD}))
        self.terraform("init", "-plugin-dir", mirror)

    def client(self, service):
        keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "sandbox"}
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, **keys)

    def terraform(self, *argv):
        labs.told("terraform", *argv, cwd=self.path, env=self.env, timeout=300)

    def apply(self, *addresses):
        self.terraform("apply", "-auto-approve", *(f"-target=module.{address}" for address in addresses))

    def instance(self, **filters):
        """The running instance that has this, with its user data as the metadata service would give it."""
        wanted = [{"Name": name, "Values": [value]} for name, value in filters.items()]
        wanted.append({"Name": "instance-state-name", "Values": ["running"]})
        [reservation] = self.ec2.describe_instances(Filters=wanted)["Reservations"]
        return reservation["Instances"][0]

    def manager(self, slot):
        instance = self.instance(**{"private-ip-address": ADDRESSES[slot - 1]})
        asked = {"InstanceId": instance["InstanceId"], "Attribute": "userData"}
        return instance, self.ec2.describe_instance_attribute(**asked)["UserData"]["Value"]

    def worker(self):
        """What the pool's group makes of its template."""
        [template] = self.ec2.describe_launch_templates()["LaunchTemplates"]
        asked = {"LaunchTemplateId": template["LaunchTemplateId"]}
        [version] = self.ec2.describe_launch_template_versions(**asked)["LaunchTemplateVersions"]
        sizes = {"MinCount": 1, "MaxCount": 1, "SubnetId": self.subnet}
        [instance] = self.ec2.run_instances(LaunchTemplate=asked, **sizes)["Instances"]
        return instance, version["LaunchTemplateData"]["UserData"]

    def parameters(self):
        """By the end of their names; there is one life of the cluster."""
        asked = {"Path": PARAMETERS, "Recursive": True, "WithDecryption": True}
        pages = self.client("ssm").get_paginator("get_parameters_by_path").paginate(**asked)
        found = [each for page in pages for each in page["Parameters"]]
        return {each["Name"].removeprefix(PARAMETERS).split("/", 2)[2]: each["Value"] for each in found}


@pytest.fixture(scope="module")
def region(tmp_path_factory, sandbox, mirror_of_providers):
    made = Region(tmp_path_factory.mktemp("region"), sandbox, mirror_of_providers)
    made.apply(*CLUSTER)
    return made


@pytest.fixture(scope="module")
def lab(tmp_path_factory, region):
    made = labs.Lab(tmp_path_factory.mktemp("nodes"), region.url, ACCOUNT)
    try:
        for slot in (1, 2, 3):
            made.start(f"m{slot}", *region.manager(slot))
        made.start("w1", *region.worker())
        yield made
    finally:
        made.end()


def together(calls):
    with ThreadPoolExecutor() as pool:
        return [each.result() for each in [pool.submit(call) for call in calls]]


def members(node):
    """Name to role and state, and what it is for the managers, as `node` sees it."""
    rows = node.docker("node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.ManagerStatus}}").splitlines()
    return {row.split()[0]: " ".join(row.split()[1:]) for row in rows}


def leader(lab):
    [found] = [node for node in lab.nodes.values() if node.run("docker", "node", "inspect", "self", "--format", "{{.ManagerStatus.Leader}}").stdout.strip() == "true"]
    return found


def test_four_nodes_that_boot_at_once_become_one_cluster(lab, region):
    together([node.boot for node in lab.nodes.values()])
    seen = members(lab.nodes["m1"])
    assert sorted(seen) == ["m1", "m2", "m3", "w1"]
    assert sorted(seen.values()) == ["Ready", "Ready Leader", "Ready Reachable", "Ready Reachable"]
    parameters = region.parameters()
    assert {name: parameters[f"managers/{name}"] for name in "123"} == dict(zip("123", ADDRESSES, strict=True))
    for role in ("manager", "worker"):
        assert parameters[f"token-{role}"] == leader(lab).docker("swarm", "join-token", "-q", role)
    assert leader(lab).name == f"m{parameters['leader']}"
