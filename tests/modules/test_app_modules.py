"""Gateway, Jenkins and DC/OS on the sandbox: brought up side by side, looked at again, taken down.

The tests stand in the order in which they are to run; the last destroys what the first made. DC/OS, whose load
balancers take a minute, stands in the region's own network and begins at once; Jenkins waits for the module's.
"""

import base64
import gzip
import json

import pytest
import yaml

from tests.modules.lab import Lab, lay_platform, open_lab

MODULES = ("network", "dcos", "api-gateway", "jenkins")
# What the two applications need of a cluster, in seconds: a real one would take minutes.
CLUSTER = {
    "module.yaml": """
        title: Cluster
        summary: Stands for the Swarm cluster.
        category: runtime
        """,
    "cluster.tf": """
        terraform {
          required_providers {
            aws = {
              source  = "hashicorp/aws"
              version = ">= 5.100, < 6"
            }
          }
        }
        data "aws_vpc" "default" {
          default = true
        }
        data "aws_subnets" "default" {
          filter {
            name   = "vpc-id"
            values = [data.aws_vpc.default.id]
          }
        }
        resource "aws_s3_bucket" "files" {
          bucket_prefix = "cluster-"
          force_destroy = true
        }
        resource "aws_security_group" "node" {
          name_prefix = "cluster-"
          vpc_id      = data.aws_vpc.default.id
        }
        resource "aws_kms_key" "cluster" {}
        resource "aws_iam_role" "node" {
          for_each           = toset(["manager", "worker"])
          name               = each.key
          assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [
            { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }
          ] })
        }
        """,
    "cluster-variables.tf": "",
    "cluster-output.tf": "".join(
        f'output "{name}" {{\n  description = "{name}"\n  value = {value}\n}}\n'
        for name, value in {
            "default_vpc_id": "data.aws_vpc.default.id",
            "default_vpc_cidr": "data.aws_vpc.default.cidr_block",
            "default_subnet_ids": "sort(data.aws_subnets.default.ids)",
            "swarm_domain": '"lab.example.test"',
            "swarm_lb_dns_name": '"lb.example.test"',
            "swarm_lb_zone_id": '"Z215JYRZR1TBD5"',
            "swarm_stack_bucket": "aws_s3_bucket.files.id",
            "swarm_stack_prefix": '"stacks/"',
            "swarm_image_cache": '""',
            "swarm_network_name": '"proxy"',
            "swarm_manager_role_name": 'aws_iam_role.node["manager"].name',
            "swarm_worker_role_name": 'aws_iam_role.node["worker"].name',
            "swarm_security_group_id": "aws_security_group.node.id",
            "swarm_kms_key_arn": "aws_kms_key.cluster.arn",
        }.items()
    ),
    "cluster.dummy": "",
}
WIRES = {
    "dcos.vpc_id": "cluster.default_vpc_id",
    "dcos.vpc_cidr": "cluster.default_vpc_cidr",
    "dcos.private_subnet_ids": "cluster.default_subnet_ids",
    "dcos.public_subnet_ids": "cluster.default_subnet_ids",
    "dcos.management_security_group_id": "cluster.swarm_security_group_id",
}
VALUES = {
    "pre_tag": "lab-one",
    "post_tag": "lab",
    "network.nat_mode": "none",
    "network.flow_logs": "false",
    "api-gateway.elasticache_endpoint": "cache.example.test",
    "api-gateway.elasticache_port": "6379",
    "api-gateway.elasticache_users": "{}",
    "api-gateway.secret_recovery_days": "0",
    "api-gateway.apis": '{ shop = "{\\"name\\": \\"Shop\\"}" }',
    "jenkins.client_cidrs": '["192.0.2.0/24"]',
    "jenkins.restore_jenkins": "1",
    "jenkins.restore_bucket": "archives",
    "jenkins.hostname": "ci",
    "dcos.ami_id": "ami-0deb1200000000001",
    "dcos.installer_url": "https://files.example.test/dcos_generate_config.sh",
    "dcos.installer_sha256": "0" * 64,
    "dcos.master_count": "1",
    "dcos.availability_zones": "[]",
    "dcos.nat_public_ips": "[]",
    "dcos.key_pair_name": "",
    "dcos.alarm_topic_arn": "",
}
HOLDING = ("network", "cluster", "dcos", "api-gateway", "jenkins")
CONSENT = [word for unit in HOLDING for word in ("--accept-data-loss", unit)]
pytestmark = [
    pytest.mark.proves("applied", "network", "dcos", "api-gateway", "jenkins"),
    pytest.mark.integration,
    pytest.mark.terraform,
    pytest.mark.sandbox,
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory, ngp_in):
    path = tmp_path_factory.mktemp("lab")
    lay_platform(path, *MODULES)
    (path / "modules/cluster").mkdir()
    for name, text in CLUSTER.items():
        (path / "modules/cluster" / name).write_text(text)
    with open_lab(Lab(ngp_in(path))) as made:
        made.configure(*MODULES, "cluster", values=VALUES, wires=WIRES)
        yield made


@pytest.fixture(scope="module")
def applied(lab):
    return lab.document("apply", "lab", "--auto-approve", "--accept-legacy")


def test_all_come_up_and_a_second_plan_is_empty(lab, applied):
    assert {unit["unit"]: unit["outcome"] for unit in applied["units"]} == dict.fromkeys(
        (*MODULES, "cluster"), "applied"
    )
    assert lab.ngp.run("plan", "lab", "--detailed-exitcode").exit_code == 0


def test_a_legacy_unit_is_not_applied_without_consent(lab, applied):
    outcome = lab.ngp.run("apply", "lab", "dcos", "--auto-approve")
    assert outcome.exit_code == 3
    assert "--accept-legacy" in outcome.stderr


def test_stacks_lie_where_the_clusters_leader_looks(lab, applied):
    bucket = lab.outputs("cluster")["swarm_stack_bucket"]
    s3 = lab.client("s3")
    keys = {each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert keys == {
        f"stacks/{name}"
        for name in ("api-gateway/stack.yml", "api-gateway/secrets.json", "api-gateway/policies.json")
        + ("api-gateway/apis/shop.json", "jenkins/stack.yml", "jenkins/start.sh", "jenkins/fetch.sh")
    }
    for stack in ("api-gateway", "jenkins"):
        files = yaml.safe_load(s3.get_object(Bucket=bucket, Key=f"stacks/{stack}/stack.yml")["Body"].read())["configs"]
        assert {f"stacks/{stack}/{each['file'].removeprefix('./')}" for each in files.values()} <= keys


def test_gateways_secret_is_its_configuration_file(lab, applied):
    secrets = lab.client("secretsmanager")
    text = secrets.get_secret_value(SecretId=lab.outputs("api-gateway")["gateway_secret_arn"])["SecretString"]
    assert len(json.loads(text)["gateway"]["secret"]) == 32


def test_nodes_of_dcos_find_the_bootstrap_node_by_what_they_boot_with(lab, applied):
    shown, ec2 = lab.outputs("dcos"), lab.client("ec2")
    [group] = lab.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[shown["master_asg_name"]])[
        "AutoScalingGroups"
    ]
    assert len(group["Instances"]) == 1
    template = {"LaunchTemplateId": group["LaunchTemplate"]["LaunchTemplateId"], "Versions": ["$Latest"]}
    [version] = ec2.describe_launch_template_versions(**template)["LaunchTemplateVersions"]
    text = gzip.decompress(base64.b64decode(version["LaunchTemplateData"]["UserData"])).decode()
    assert f"BOOTSTRAP='{shown['bootstrap_ip']}'\n" in text
    assert f"LOGSTASH_URI='{shown['logstash_endpoint']}'\n" in text
    assert version["LaunchTemplateData"]["MetadataOptions"]["HttpTokens"] == "required"


def test_destroy_leaves_nothing(lab, applied):
    document = lab.document("destroy", "lab", "--auto-approve", *CONSENT)
    assert {unit["outcome"] for unit in document["units"]} == {"destroyed"}
    assert lab.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert lab.client("efs").describe_file_systems()["FileSystems"] == []
    assert lab.client("secretsmanager").list_secrets()["SecretList"] == []
    assert lab.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []
