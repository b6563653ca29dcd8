"""Machines of modules boot for real: systemd, cloud-init and the boot script, from the module's user data.

The tests of a machine stand in the order in which they are to run.
"""

import base64
import hashlib
import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.modules.machines import REGION, TERRAFORM, Lab, Machine
from tests.modules.sandbox_account import DOMAIN, SandboxAccount
from tests.modules.switch import NETWORK, Switch
from tests.prerequisites import CLOUD_INIT, DEBIAN

ROOT = Path(__file__).parents[2]
ACCOUNT = "770000000002"
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
    pytest.mark.integration,
    pytest.mark.nspawn,
    pytest.mark.terraform,
    pytest.mark.sandbox,
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


class AppliedModules:
    """Modules that are applied in an account of the sandbox, as far as a machine needs it."""

    def __init__(self, path, sandbox, mirror):
        self.path, self.mirror = path, mirror
        self.account = SandboxAccount(ACCOUNT, sandbox.url)
        self.url, self.client = self.account.url, self.account.client
        self.ec2, self.vpc, self.subnet = self.account.ec2, self.account.vpc, self.account.subnet

    def apply(self, module, values, targets):
        """Apply these resources of a module; its instances with user data and the session of their role."""
        folder = self.path / module
        if not folder.exists():
            folder.mkdir()
            (folder / "modules").symlink_to(ROOT / "modules")
        called = {"source": f"./modules/{module}", **COMMON, **values}
        made = {"provider": {"aws": PROVIDER}, "module": {module: called}}
        (folder / "main.tf.json").write_text(json.dumps(made))
        self.account.terraform(folder, "init", "-plugin-dir", self.mirror)
        self.account.apply(folder, *(f"{module}.{target}" for target in targets))
        return [self._bootable(each) for each in self.account.instances({"tag:ngp:unit": module})]

    def volumes(self, instance):
        """The ids of the instance's disks but the first."""
        filters = [{"Name": "attachment.instance-id", "Values": [instance["InstanceId"]]}]
        found = self.ec2.describe_volumes(Filters=filters)["Volumes"]
        return [each["VolumeId"] for each in found if each["Attachments"][0]["Device"] != instance["RootDeviceName"]]

    def _bootable(self, instance):
        found, user_data, metadata = self.account.bootable(instance)
        return found, base64.b64decode(user_data), metadata


@pytest.fixture(scope="module")
def region(tmp_path_factory, sandbox, mirror_of_providers):
    return AppliedModules(tmp_path_factory.mktemp("region"), sandbox, mirror_of_providers)


@pytest.fixture(scope="module")
def terraform():
    """What stands for Terraform's archive, and its checksum."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("terraform", "#!/bin/sh\necho Terraform v1.15.1\n")
    return held.getvalue(), hashlib.sha256(held.getvalue()).hexdigest()


@pytest.fixture(scope="module")
def lab(tmp_path_factory, region, terraform):
    released = {f"{TERRAFORM}/terraform/1.15.1/terraform_1.15.1_linux_amd64.zip": terraform[0]}
    made = Lab(tmp_path_factory.mktemp("machines"), Switch(region.url), released)
    try:
        yield made
    finally:
        made.end()


# Systems that machines boot from. This machine's own has the packages already; cloud-init is laid over it.
UNPACKED = Path(CLOUD_INIT or "").parent / "root"  # by .ci/cloud-init
HERE = ("/", str(UNPACKED) if UNPACKED.is_dir() else "")
DEBIAN_13 = (DEBIAN, "")  # has none of them: they come from Debian's archive
SYSTEMS = [
    pytest.param(HERE, marks=pytest.mark.cloud_init, id="here"),
    pytest.param(DEBIAN_13, marks=[pytest.mark.whole, pytest.mark.debian], id="debian-13"),
]


def started(machine, *options):
    machine.start(*options)
    return booted(machine)


def booted(machine):
    """The machine, booted: neither cloud-init nor a unit has failed, and its agents are those that may be installed."""
    complaints = machine.booted()
    log = machine.told("sh", "-c", "tail -20 /var/log/ngp/*.log; journalctl -b -p warning --no-pager | tail -40")
    assert complaints == [], log
    assert machine.told("systemctl", "--failed", "--plain", "--no-legend") == "", log
    return machine


def is_active(machine, *units):
    return machine.run("systemctl", "is-active", *units).stdout.split() == ["active"] * len(units)


@pytest.fixture(scope="module", params=SYSTEMS)
def vpn(lab, region, request):
    """A VPN server that has booted."""
    values = {"vpc_id": region.vpc, "public_subnet_ids": [region.subnet], "admin_cidrs": [f"{NETWORK}.0/24"]}
    targets = ["aws_instance.this", "aws_iam_role_policy.session", "aws_iam_role_policy.report"]
    secret = {"admin_password": "correct-horse-battery"}
    [bootable] = region.apply("openvpn", values | secret, targets)
    machine = Machine(lab, request.param, *bootable)
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


@pytest.mark.whole
@pytest.mark.debian
@pytest.mark.proves("real", "network")
def test_manager_comes_up_with_terraform_and_the_names(lab, region, terraform):
    values = {
        "create_manager": True,
        "subnet_newbits": 4,
        "terraform_version": "1.15.1",
        "terraform_sha256": terraform[1],
    }
    targets = ["aws_instance.manager", "aws_iam_role_policy.manager", "aws_iam_role_policy.manager_session"]
    [bootable] = region.apply("network", values, targets)
    manager = started(Machine(lab, DEBIAN_13, *bootable))
    assert manager.told("terraform", "version") == "Terraform v1.15.1"
    assert "vpc_id" in manager.told("cat", "/etc/ngp/terraform.out")
    assert manager.told("aws", "--region", REGION, "sts", "get-caller-identity", "--query", "Account") == f'"{ACCOUNT}"'
    manager.power_off()
    started(manager)
    assert manager.told("cat", "/var/log/ngp/manager.log").count("installing ") == 1


@pytest.fixture(scope="module")
def servers(lab, region):
    """Both servers of monitoring, each with a disk of its own; what is theirs in the sandbox is applied."""
    zones = {"recent": region.subnet, "longterm": region.subnet}
    values = {"vpc_id": region.vpc, "private_subnet_ids": list(zones.values()), "key_pair_name": ""}
    secret = {"grafana_password": "correct-horse-battery"}
    bootable = region.apply("monitoring", values | secret, [])
    made = {}
    for instance, *more in bootable:
        machine = Machine(lab, DEBIAN_13, instance, *more)
        [volume] = region.volumes(instance)
        machine.disk_option = (
            f"--bind={lab.disk(volume)}:/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume.replace('-', '')}"
        )
        made[instance["InstanceId"]] = machine
    for machine in made.values():
        machine.start(machine.disk_option)
    with ThreadPoolExecutor() as pool:
        list(pool.map(booted, made.values()))
    return list(made.values())


@pytest.mark.whole
@pytest.mark.debian
@pytest.mark.proves("real", "monitoring")
def test_monitoring_servers_come_up_on_their_disks(servers):
    services = ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter", "prometheus-blackbox-exporter")
    for server in servers:
        assert is_active(server, *services)
        assert server.told("findmnt", "-n", "-o", "FSTYPE", "/var/lib/prometheus") == "ext4"
        assert "ready: " in server.told("tail", "-1", "/var/log/ngp/monitoring.log")
        assert server.told("curl", "-sf", f"http://{server.address}:9090/-/ready")


MOUNT = """[Unit]
Before=local-fs.target
[Mount]
What={}
Where=/var/lib/prometheus
Type=ext4
"""


@pytest.mark.whole
@pytest.mark.debian
@pytest.mark.proves("real", "monitoring")
def test_monitoring_server_is_the_same_after_a_restart(servers):
    """In a container, systemd takes no disk from fstab: the unit that it makes of the line elsewhere is laid here."""
    server = servers[0]
    device = server.disk_option.rpartition(":")[2]
    assert "LABEL=ngp-monitoring /var/lib/prometheus ext4" in server.told("cat", "/etc/fstab")
    server.told("touch", "/var/lib/prometheus/metrics2/kept")
    before = server.told("blkid", "-p", "-s", "UUID", "-o", "value", device)
    server.power_off()
    wants = Path(f"/proc/{server.pid}/root{server.disk}/root/etc/systemd/system/local-fs.target.wants")
    wants.mkdir(exist_ok=True)
    (wants.parent / "var-lib-prometheus.mount").write_text(MOUNT.format(device))
    (wants / "var-lib-prometheus.mount").symlink_to("/etc/systemd/system/var-lib-prometheus.mount")
    started(server, server.disk_option)
    assert is_active(server, "prometheus", "prometheus-alertmanager", "var-lib-prometheus.mount")
    assert server.told("findmnt", "-n", "-o", "FSTYPE", "/var/lib/prometheus") == "ext4"
    assert server.told("ls", "/var/lib/prometheus/metrics2/kept")
    assert server.told("blkid", "-p", "-s", "UUID", "-o", "value", device) == before, "it was not formatted again"
    log = server.told("cat", "/var/log/ngp/monitoring.log")
    assert log.count("ready: ") == 2, "the script runs at every boot"
    assert log.count("installing ") == 2, "and installs nothing again"
