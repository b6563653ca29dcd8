"""Machines of modules boot for real: systemd, cloud-init and the boot script, from the module's user data.

The tests of a machine stand in the order in which they are to run.
"""

import base64
import json
import os
from pathlib import Path

import boto3
import pytest

from ngp.aws import access
from tests.conftest import CLOUD_INIT
from tests.integration import machine_roles
from tests.integration.boot_machines.machines import REGION, Lab, Machine
from tests.integration.switch import NETWORK, Switch, told

ROOT = Path(__file__).parents[3]
ACCOUNT, DOMAIN = "770000000002", "lab.example.test"
COMMON = {
    "project": "shop",
    "environment": "lab",
    "region": REGION,
    "domain_name": DOMAIN,
    "pre_tag": "shop-a",
    "post_tag": "lab",
    "vpc_cidr": f"{NETWORK}.0/24",
}
PROVIDER = {
    "region": REGION,
    "s3_use_path_style": True,
    "skip_metadata_api_check": True,
    "skip_region_validation": True,
    "skip_credentials_validation": True,
}
pytestmark = [
    pytest.mark.nspawn,
    pytest.mark.cloud_init,
    pytest.mark.terraform,
    pytest.mark.sandbox,
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


class Region:
    """The sandbox's, in which modules are applied as far as a machine needs it."""

    def __init__(self, path, sandbox, mirror):
        self.path, self.url, self.mirror = path, sandbox.url, mirror
        self.env = {**os.environ, **access.sandbox({}, sandbox.url, REGION, ACCOUNT), "TF_IN_AUTOMATION": "1"}
        self.ec2 = self.client("ec2")
        self.vpc = self.ec2.create_vpc(CidrBlock=f"{NETWORK}.0/24")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"{NETWORK}.0/24")["Subnet"]["SubnetId"]
        self.client("route53").create_hosted_zone(Name=DOMAIN, CallerReference="lab")

    def client(self, service):
        keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "sandbox"}
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, **keys)

    def apply(self, module, values, targets):
        """Apply these resources of a module; its instances by Name, with user data and the session of their role."""
        folder = self.path / module
        folder.mkdir()
        (folder / "modules").symlink_to(ROOT / "modules")
        called = {"source": f"./modules/{module}", **COMMON, **values}
        made = {"provider": {"aws": PROVIDER}, "module": {module: called}}
        (folder / "main.tf.json").write_text(json.dumps(made))
        told("terraform", "init", "-plugin-dir", self.mirror, cwd=folder, env=self.env, timeout=300)
        flags = [f"-target=module.{module}.{target}" for target in targets]
        told("terraform", "apply", "-auto-approve", *flags, cwd=folder, env=self.env, timeout=300)
        filters = [{"Name": "tag:ngp:unit", "Values": [module]}]
        found = self.ec2.describe_instances(Filters=filters)["Reservations"]
        return [self._bootable(each) for reservation in found for each in reservation["Instances"]]

    def _bootable(self, instance):
        asked = {"InstanceId": instance["InstanceId"], "Attribute": "userData"}
        told_data = self.ec2.describe_instance_attribute(**asked)["UserData"]["Value"]
        return instance, base64.b64decode(told_data), machine_roles.metadata(self.client, instance)


@pytest.fixture(scope="module")
def region(tmp_path_factory, sandbox, mirror_of_providers):
    return Region(tmp_path_factory.mktemp("region"), sandbox, mirror_of_providers)


@pytest.fixture(scope="module")
def lab(tmp_path_factory, region):
    made = Lab(tmp_path_factory.mktemp("machines"), Switch(region.url))
    yield made
    made.end()


# The system that machines boot from: this machine's own has the packages already; cloud-init is laid over it.
UNPACKED = Path(CLOUD_INIT or "").parent / "root"  # by .ci/cloud-init
HERE = ("/", str(UNPACKED) if UNPACKED.is_dir() else "")


def started(machine, *options):
    """The machine, booted: neither cloud-init nor a unit has failed, and its agents are those that may be installed."""
    complaints = machine.boot(*options)
    log = machine.told("sh", "-c", "tail -20 /var/log/ngp/*.log; journalctl -b -p warning --no-pager | tail -40")
    assert complaints == [], log
    assert machine.told("systemctl", "--failed", "--plain", "--no-legend") == "", log
    return machine


def is_active(machine, *units):
    return machine.run("systemctl", "is-active", *units).stdout.split() == ["active"] * len(units)


@pytest.fixture(scope="module")
def vpn(lab, region):
    """A VPN server that has booted."""
    values = {"vpc_id": region.vpc, "public_subnet_ids": [region.subnet], "admin_cidrs": [f"{NETWORK}.0/24"]}
    targets = ["aws_instance.this", "aws_iam_role_policy.session", "aws_iam_role_policy.report"]
    secret = {"admin_password": "correct-horse-battery"}
    [bootable] = region.apply("openvpn", values | secret, targets)
    machine = Machine(lab, HERE, *bootable)
    machine.tunnel = "--bind=/dev/net/tun"
    return started(machine, machine.tunnel)


@pytest.mark.proves("real", "openvpn")
def test_vpn_server_serves_and_makes_profiles(vpn):
    """cloud-init has taken both parts of the user data; the units have come up in their order."""
    assert "ready: vpn.lab.example.test" in vpn.told("tail", "-1", "/var/log/ngp/openvpn.log")
    assert is_active(vpn, "openvpn-server@ngp", "ngp-openvpn-nat", "ngp-openvpn-crl.timer")
    assert "172.27.224.1" in vpn.told("ip", "-brief", "address", "show", "dev", "tun0")
    assert "masquerade" in vpn.told("nft", "list", "table", "ip", "ngp_openvpn")
    assert vpn.told("cat", "/proc/sys/net/ipv4/ip_forward") == "1"
    assert "BEGIN CERTIFICATE" in vpn.told("ngp-vpn", "add", "alice")


@pytest.mark.proves("real", "openvpn")
def test_only_packages_that_are_signed_or_from_debian_are_installed(vpn):
    assert is_active(vpn, "amazon-ssm-agent")
    assert "REFUSED: the package of CloudWatch's agent" in vpn.told("cat", "/var/log/ngp/openvpn.log")
    assert vpn.run("dpkg", "-s", "amazon-cloudwatch-agent").returncode != 0


@pytest.mark.proves("real", "openvpn")
def test_vpn_server_is_the_same_after_a_restart(vpn):
    before = vpn.told("sha256sum", "/etc/openvpn/pki/ca.crt", "/etc/openvpn/server/ngp.conf")
    vpn.power_off()
    started(vpn, vpn.tunnel)
    log = vpn.told("cat", "/var/log/ngp/openvpn.log")
    assert log.count("ready: vpn.lab.example.test") == 2, "the script runs at every boot"
    assert log.count("making the certificate authority") == 1
    assert vpn.told("sha256sum", "/etc/openvpn/pki/ca.crt", "/etc/openvpn/server/ngp.conf") == before
    assert is_active(vpn, "openvpn-server@ngp", "ngp-openvpn-nat")
