"""The whole region of environments/dev, brought up once on the sandbox with the real provider, and taken down again.

The tests stand in the order in which they are to run: each looks at the same region, the last destroys it.
"""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from ngp.terraform import binary as finding
from ngp.terraform import lockfile, mirror

ROOT = Path(__file__).parents[2]
FOLDERS = ("modules", "templates", "environments")
FILES = ("ngp.yaml", ".terraform.lock.hcl", ".gitignore", "terraform.tfvars.dummy")
pytestmark = [
    pytest.mark.proves("applied", "network", "openvpn", "swarm", "docker-registry", "ecr"),
    pytest.mark.terraform,
    pytest.mark.sandbox,
    pytest.mark.slow,
    pytest.mark.timeout(1500),
]
YES = ("--auto-approve",)


class PlatformCopy:
    """A copy of this platform, its sandbox, and what `ngp apply dev` said."""

    def __init__(self, ngp) -> None:
        self.ngp, self.path = ngp, ngp.cwd

    def document(self, *argv, exit_code=0):
        outcome = self.ngp.run(*argv, "--json", timeout=1200)
        assert outcome.exit_code == exit_code, outcome.stdout[-3000:] + outcome.stderr[-3000:]
        return json.loads(outcome.stdout)

    def surroundings(self):
        """The environment of a shell after `eval "$(ngp sandbox env)"`."""
        words = self.ngp.run("sandbox", "env").stdout
        argv = ["bash", "-c", f"{words}\nenv -0"]
        shown = subprocess.run(argv, env=os.environ, capture_output=True, check=True, text=True)
        return dict(line.split("=", 1) for line in shown.stdout.split("\0") if "=" in line)

    def client(self, service):
        import boto3

        env = self.surroundings()
        return boto3.client(
            service,
            endpoint_url=env["AWS_ENDPOINT_URL"],
            region_name="eu-central-1",
            aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        )

    def states(self):
        s3 = self.client("s3")
        for bucket in s3.list_buckets()["Buckets"]:
            if "tfstate" in bucket["Name"]:
                for each in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
                    yield each["Key"], s3.get_object(Bucket=bucket["Name"], Key=each["Key"])["Body"].read().decode()


@pytest.fixture(scope="module")
def region(tmp_path_factory, ngp_in):
    path = tmp_path_factory.mktemp("region") / "platform"
    path.mkdir()
    for name in FOLDERS:
        shutil.copytree(ROOT / name, path / name, ignore=shutil.ignore_patterns(".terraform", "wired.*"))
    for name in FILES:
        shutil.copy2(ROOT / name, path / name)
    for argv in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "The platform"]):
        subprocess.run(["git", *argv], cwd=path, check=True, capture_output=True)
    made = PlatformCopy(ngp_in(path))
    yield made
    made.ngp.run("sandbox", "stop")


def providers_at_hand(platform):
    """The words by which plain `terraform init` takes the mirror that ngp finds; none where Terraform finds its own."""
    home = Path.home()
    terraform = finding.find("", ">= 1.11.0", os.environ, cwd=platform, cache=home)
    places = mirror.Places(os.environ, home, home / ".cache" / "ngp")
    found = mirror.find(lockfile.load(platform / lockfile.NAME), terraform.platform, places)
    return [f"-plugin-dir={found.folder}"] if found and found.folder else []


def outputs(document):
    """Every output by its name; a name that several units put out is that of the last."""
    return {name: one["value"] for unit in document["units"].values() for name, one in unit.items()}


def units(document):
    return {unit["unit"]: unit for unit in document["units"]}


@pytest.fixture(scope="module")
def applied(region, record_testsuite_property):
    start = time.monotonic()
    document = region.document("apply", "dev", "--auto-approve")
    record_testsuite_property("whole_region_applied_s", round(time.monotonic() - start))
    return document


def test_preview_shows_every_unit_of_an_empty_region_and_no_invented_value(region):
    document = region.document("plan", "dev", "--detailed-exitcode", exit_code=2)
    found = units(document)
    assert {unit["outcome"] for unit in found.values()} == {"changes"}
    assert not found["openvpn"]["is_preview"]  # it is part of the one plan that an apply takes
    assert {"leaf": "vpc_id", "origin": "network.vpc_id", "wave": 1} in found["openvpn"]["unknowns"]
    assert "mock" not in json.dumps(document).lower()


def test_apply_brings_up_every_unit(applied):
    assert {name: unit["outcome"] for name, unit in units(applied).items()} == dict.fromkeys(units(applied), "applied")
    assert {"network", "openvpn", "swarm", "docker-registry", "ecr"} <= units(applied).keys()


def test_second_plan_differs_only_by_the_known_noise_of_the_emulator(region, applied):
    known = yaml.safe_load((ROOT / "tests" / "noise.yaml").read_text()) or []
    document = region.document("plan", "dev", "--detailed-exitcode", exit_code=2 if known else 0)
    seen = {(change["type"], change["action"]) for unit in document["units"] for change in unit["changes"]}
    assert {kind for kind, _ in seen} == {entry["type"] for entry in known}


def test_outputs_are_those_of_the_old_platform(region, applied):
    found = outputs(region.document("output", "dev"))
    assert found["openvpn_connect_url"].startswith("https://")
    assert found["openvpn_admin_user"]
    assert found["registry_url"].startswith("https://registry.")
    assert len(found["swarm_manager_ips"]) in (1, 3, 5)


def test_generated_secret_is_revealed_on_demand_and_stands_nowhere_else(region, applied):
    masked = region.document("output", "dev", "openvpn")
    revealed = region.document("output", "dev", "openvpn", "--reveal")
    secret = outputs(revealed)["openvpn_admin_password"]
    assert len(secret) >= 16
    assert secret not in json.dumps(masked)
    for key, text in region.states():
        assert secret not in text, key
    for path in region.path.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            assert secret.encode() not in path.read_bytes(), path


def test_plain_terraform_finds_nothing_to_do(region, applied):
    written = region.ngp.run("output", "dev", "--for", "openvpn")
    assert written.exit_code == 0, written.stderr
    root = region.path / "environments" / "dev" / "units" / "openvpn"
    env = region.surroundings()
    plugins = providers_at_hand(region.path)
    for argv, code in ((["init", "-input=false", *plugins], 0), (["plan", "-input=false", "-detailed-exitcode"], 0)):
        done = subprocess.run(["terraform", *argv], cwd=root, env=env, capture_output=True, text=True)
        assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
    shutil.rmtree(root / ".terraform")


def test_every_instance_wants_tokens_and_encrypts_its_disks_and_lets_nobody_in_by_ssh(region, applied):
    ec2 = region.client("ec2")
    instances = [one for each in ec2.describe_instances()["Reservations"] for one in each["Instances"]]
    assert instances
    made_by_groups = [one for one in instances if any(tag["Key"].startswith("aws:autoscaling") for tag in one["Tags"])]
    assert made_by_groups  # the emulator does not hand them their template's options: the template is looked at
    for instance in (one for one in instances if one not in made_by_groups):
        assert instance["MetadataOptions"]["HttpTokens"] == "required", instance["InstanceId"]
    for template in ec2.describe_launch_templates()["LaunchTemplates"]:
        versions = ec2.describe_launch_template_versions(LaunchTemplateId=template["LaunchTemplateId"])
        for version in versions["LaunchTemplateVersions"]:
            data = version["LaunchTemplateData"]
            assert data["MetadataOptions"]["HttpTokens"] == "required", template["LaunchTemplateName"]
            assert all(disk["Ebs"]["Encrypted"] for disk in data["BlockDeviceMappings"])
    for volume in ec2.describe_volumes()["Volumes"]:
        owners = {each["InstanceId"] for each in volume["Attachments"]}
        assert volume["Encrypted"] or owners <= {one["InstanceId"] for one in made_by_groups}, volume["VolumeId"]
    for group in ec2.describe_security_groups()["SecurityGroups"]:
        for rule in group["IpPermissions"]:
            if rule.get("FromPort", 0) <= 22 <= rule.get("ToPort", 65535) and rule["IpProtocol"] in ("tcp", "-1"):
                assert all(one["CidrIp"] != "0.0.0.0/0" for one in rule["IpRanges"]), group["GroupName"]


def test_replaced_network_is_told_to_all_that_stand_on_it(region, applied):
    values = region.path / "environments" / "dev" / "terraform.tfvars"
    before = values.read_text()
    try:
        done = region.ngp.run("configure", "dev", "--set", "network.vpc_cidr=10.77.0.0/16", "--no-input")
        assert done.exit_code == 0, done.stderr
        assert region.ngp.run("render", "dev").exit_code == 0
        found = units(region.document("plan", "dev"))
        vpc = next(one for one in found["network"]["changes"] if one["address"] == "module.network.aws_vpc.this[0]")
        assert vpc["action"] == "replace"
        assert "vpc_id" in [one["leaf"] for one in found["openvpn"]["unknowns"]]
        group = next(one for one in found["openvpn"]["changes"] if one["type"] == "aws_security_group")
        assert group["action"] == "replace"
    finally:
        values.write_text(before)
        region.ngp.run("render", "dev")


def test_module_made_by_scaffold_alone_is_listed_checked_chosen_planned_and_applied(region, applied):
    run = region.ngp.run
    for argv in (
        ("module", "new", "probe", "--title", "Probe", "--summary", "A try", "--category", "compute", "--no-input"),
        ("module", "check", "probe"),
        (
            "configure",
            "dev",
            "--no-input",
            *(word for name in (*units(applied), "probe") for word in ("--module", name)),
        ),
        ("render", "dev"),
    ):
        outcome = run(*argv)
        assert outcome.exit_code == 0, (argv, outcome.stdout, outcome.stderr)
    assert "probe" in run("module", "list").stdout
    assert units(region.document("plan", "dev", "probe"))["probe"]["counts"]["create"] >= 1
    assert units(region.document("apply", "dev", "probe", "--auto-approve"))["probe"]["outcome"] == "applied"
    assert units(region.document("destroy", "dev", "probe", "--auto-approve"))["probe"]["outcome"] == "destroyed"


def test_module_occurs_twice_with_the_other_engine_and_comes_and_goes_alone(region, applied):
    chosen = [word for name in (*units(applied), "gate=openvpn") for word in ("--module", name)]
    values = {
        "engine": "community",
        "hostname": "gate",
        "admin_cidrs": '["198.51.100.0/24"]',
        "vpn_cidr": "172.28.0.0/20",
    }
    wanted = [word for name, value in values.items() for word in ("--set", f"gate.{name}={value}")]
    configured = region.ngp.run("configure", "dev", "--no-input", *chosen, *wanted)
    assert configured.exit_code == 0, configured.stderr
    assert region.ngp.run("render", "dev").exit_code == 0
    assert units(region.document("apply", "dev", "gate", "--auto-approve"))["gate"]["outcome"] == "applied"
    region.document("plan", "dev", "gate", "--detailed-exitcode")
    found = outputs(region.document("output", "dev", "gate"))
    assert found.get("openvpn_connect_url") is None
    assert "ngp-vpn add" in found["openvpn_profile_command"]
    assert (
        units(region.document("destroy", "dev", "gate", *YES, "--accept-data-loss", "gate"))["gate"]["outcome"]
        == "destroyed"
    )


def test_a_held_state_lock_is_told_with_its_holder(region, applied):
    s3 = region.client("s3")
    bucket = next(each["Name"] for each in s3.list_buckets()["Buckets"] if "tfstate" in each["Name"])
    key = "environments/dev/openvpn.tfstate.tflock"
    info = {"ID": "11111111-2222", "Operation": "OperationTypeApply", "Who": "somebody@elsewhere"}
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(info | {"Created": "2026-11-21T10:00:00Z"}).encode())
    try:
        document = region.document("destroy", "dev", "openvpn", *YES, exit_code=5)
        (finding,) = document["error"]["findings"]
        assert "the state of `openvpn` is locked by somebody@elsewhere" in finding["what"]
    finally:
        s3.delete_object(Bucket=bucket, Key=key)


def test_destroy_leaves_nothing_of_the_region(region, applied):
    refused = region.document("destroy", "dev", *YES, exit_code=3)  # a general yes covers no data
    assert "would lose its data" in json.dumps(refused)
    accepted = [word for name in units(applied) for word in ("--accept-data-loss", name)]
    document = region.document("destroy", "dev", *YES, *accepted)
    assert {unit["outcome"] for unit in document["units"]} <= {"destroyed", "no_changes"}
    ec2 = region.client("ec2")
    assert [vpc for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]] == []
    states = [one["State"]["Name"] for each in ec2.describe_instances()["Reservations"] for one in each["Instances"]]
    assert set(states) <= {"terminated"}
    for key, text in region.states():
        assert json.loads(text).get("resources", []) == [], key  # beside the states lies what ngp keeps of an apply
    assert region.client("s3").list_buckets()["Buckets"] != []  # the state bucket stays
