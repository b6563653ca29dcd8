"""`monitoring` on the sandbox, and for real: Prometheus and Alertmanager with the files that are applied there.

The tests stand in the order in which they are to run; the last destroys what the first made.
"""

import base64
import email
import gzip
import json
import shutil
import subprocess

import pytest

from tests.modules.lab import ACCOUNT, REGION, Lab, lay_platform, open_lab
from tests.modules.monitoring.pair import Pair, until

NAMES = {name: f"lab-one-monitoring-{name}-lab" for name in ("recent", "longterm")}
VALUES = {
    "pre_tag": "lab-one",
    "post_tag": "lab",
    "vpc_cidr": "192.0.2.0/24",  # nothing on any network answers there
    "key_pair_name": "",
    "webhook_url": "http://hooks.lab.example.test/alerts",
    "web_checks": '{"shop": "http://shop.lab.example.test/"}',
    "log_shipper": "filebeat",
    "log_shipper_image": f"docker.elastic.co/beats/filebeat-oss@sha256:{'0' * 64}",
    "logstash_uri": "logs.lab.example.test:5044",
    "scrape_interval_s": "5",
    "federation_interval_s": "5",
    "down_for_s": "0",
    "group_wait_s": "0",
}
pytestmark = [
    pytest.mark.proves("applied", "monitoring"),
    pytest.mark.proves("real", "monitoring"),
    pytest.mark.integration,
    pytest.mark.terraform,
    pytest.mark.sandbox,
    pytest.mark.prometheus,
    pytest.mark.slow,
]


class MonitoringLab(Lab):
    def prepare(self):
        """A VPC that somebody else made, with two subnets, and a topic with a queue that hears it."""
        ec2, sns, sqs = (self.client(name) for name in ("ec2", "sns", "sqs"))
        vpc = ec2.create_vpc(CidrBlock=VALUES["vpc_cidr"])["Vpc"]["VpcId"]
        places = {"192.0.2.0/25": "a", "192.0.2.128/25": "b"}
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
            for cidr, zone in places.items()
        ]
        topic = sns.create_topic(Name="alarms")["TopicArn"]
        self.queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:heard")
        return {"vpc_id": vpc, "private_subnet_ids": json.dumps(subnets), "alarm_topic_arn": topic}

    def bucket(self):
        return next(
            each["Name"] for each in self.client("s3").list_buckets()["Buckets"] if "monitoring" in each["Name"]
        )

    def files(self):
        s3, bucket = self.client("s3"), self.bucket()
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys}

    def instances(self):
        """Those that run, by server."""
        running = [{"Name": "instance-state-name", "Values": ["running"]}]
        found = self.client("ec2").describe_instances(Filters=running)["Reservations"]
        named = {tag["Value"]: one for each in found for one in each["Instances"] for tag in one["Tags"]}
        return {name: named[tag] for name, tag in NAMES.items() if tag in named}

    def script(self, instance):
        """The boot script in an instance's user data."""
        asked = {"InstanceId": instance["InstanceId"], "Attribute": "userData"}
        said = self.client("ec2").describe_instance_attribute(**asked)["UserData"]["Value"]
        return email.message_from_bytes(gzip.decompress(base64.b64decode(said))).get_payload()[1].get_payload()


@pytest.fixture(scope="module")
def lab(tmp_path_factory, ngp_in):
    path = tmp_path_factory.mktemp("lab")
    lay_platform(path, "monitoring")
    with open_lab(MonitoringLab(ngp_in(path))) as made:
        values = VALUES | made.prepare()
        own = {name if name.endswith("_tag") else f"monitoring.{name}": value for name, value in values.items()}
        made.configure("monitoring", values=own)
        yield made


@pytest.fixture(scope="module")
def applying(lab):
    """An apply that has made files and machines and still waits for the disks: what is real needs no more."""
    process = lab.ngp.start("apply", "lab", "--auto-approve")
    assert until(lambda: len(lab.instances()) == 2 or process.poll() is not None)
    yield process
    process.terminate()
    process.communicate(timeout=60)


@pytest.fixture(scope="module")
def pair(lab, applying, tmp_path_factory):
    instances = lab.instances()
    scripts = {name: lab.script(instance) for name, instance in instances.items()}
    addresses = {name: instance["PrivateIpAddress"] for name, instance in instances.items()}
    made = Pair(tmp_path_factory.mktemp("pair"), lab.files(), scripts, addresses, lab.url)
    with made.start(ACCOUNT):
        yield made


def test_node_that_is_down_is_told_to_the_webhook(pair):
    """Both servers are found among the sandbox's instances, and nobody answers at their addresses."""

    def heard():
        return next((each for each in pair.listener.alerts if each["labels"]["job"] == "node"), None)

    def known():
        firing = pair.ask("recent", 9093, "/api/v2/alerts")
        return {each["labels"]["name"] for each in firing if each["labels"]["job"] == "node"} == set(NAMES.values())

    alert = until(heard)
    assert alert is not None, pair.logs()
    assert (alert["status"], alert["labels"]["alertname"]) == ("firing", "TargetDown")
    assert alert["labels"].items() >= {"severity": "critical", "environment": "lab", "cluster": "monitoring"}.items()
    assert alert["labels"]["name"] in NAMES.values()
    assert alert["annotations"]["summary"] == f"node of {alert['labels']['name']} does not answer"
    # the other's may be told with the group's next message, minutes later
    assert until(known), pair.logs()


def test_alert_is_told_to_the_topic(pair, lab):
    def heard():
        return lab.client("sqs").receive_message(QueueUrl=lab.queue).get("Messages")

    [message] = until(heard) or [None]
    assert message is not None, pair.logs()
    assert json.loads(message["Body"])["Subject"] == "FIRING: TargetDown (lab)"


def test_only_what_is_marked_is_kept_for_long(pair):
    """By the label of a rule, and by that which a scraped metric gets."""
    kept = until(lambda: pair.series("longterm", 'instance:up:avg5m{job="node"}'))
    assert kept is not None, pair.logs()
    assert {each["longterm"] for each in kept} == {"true"}
    [page] = until(lambda: pair.series("longterm", "probe_success == 1")) or [None]
    assert page is not None, pair.logs()
    assert page.items() >= {"longterm": "true", "check": "shop", "job": "web"}.items()
    assert pair.series("recent", 'probe_http_status_code{job="web"}') != []
    assert pair.series("longterm", '{job=~"node|web", longterm=""}') == []


def test_alertmanagers_are_one_cluster(pair):
    for name in ("recent", "longterm"):
        assert until(lambda name=name: len(pair.ask(name, 9093, "/api/v2/status")["cluster"]["peers"]) == 2), (
            pair.logs()
        )


def test_what_was_rendered_passes_the_tools(lab, applying, tmp_path):
    for key, text in lab.files().items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_text(text)
    shutil.copytree(tmp_path / "checks", tmp_path / "recent" / "checks")
    for server in NAMES:
        for argv in (
            ["promtool", "check", "config", tmp_path / server / "prometheus.yml"],
            ["promtool", "check", "rules", "--lint-fatal", tmp_path / server / "rules" / "platform.yml"],
            ["amtool", "check-config", tmp_path / server / "alertmanager.yml"],
        ):
            done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stdout + done.stderr


def test_apply_ends_and_a_second_plan_is_empty(lab, applying):
    out, err = applying.communicate(timeout=600)
    assert applying.returncode == 0, out[-3000:] + err[-3000:]
    assert lab.ngp.run("plan", "lab", "--detailed-exitcode").exit_code == 0


def test_destroy_leaves_nothing(lab):
    consent = [word for unit in ("monitoring", "network") for word in ("--accept-data-loss", unit)]
    lab.told("destroy", "lab", "--auto-approve", *consent)
    ec2 = lab.client("ec2")
    assert (lab.instances(), ec2.describe_volumes()["Volumes"]) == ({}, [])
    cards = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert [each for each in cards if each["Description"].startswith("Monitoring server")] == []
    assert [each for each in lab.client("s3").list_buckets()["Buckets"] if "monitoring" in each["Name"]] == []
