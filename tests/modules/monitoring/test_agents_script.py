"""The agents' script beside commands that only take notes. No image of an agent can be had here: its files are read."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.proves("scripts", "monitoring")
FILES = Path(__file__).parents[3] / "modules/monitoring/files"
DIGEST = f"@sha256:{'0' * 64}"
SYSDIG = {
    "SYSDIG_IMAGE": f"quay.io/sysdig/agent-slim{DIGEST}",
    "SYSDIG_COLLECTOR": "collector.sysdigcloud.com",
    "SYSDIG_KEY_SECRET_ARN": "arn:sysdig",
    "SYSDIG_SETTINGS": "app_checks: [{name: redis, enabled: false}]",
}
FLUENT_BIT = {
    "LOG_SHIPPER": "fluent-bit",
    "LOG_SHIPPER_IMAGE": f"cr.fluentbit.io/fluent/fluent-bit{DIGEST}",
    "ELK_DOMAIN_ENDPOINT": "logs.example.com",
    "ELK_INDEX_PREFIX": "logs",
}
FILEBEAT = {
    "LOG_SHIPPER": "filebeat",
    "LOG_SHIPPER_IMAGE": f"docker.elastic.co/beats/filebeat-oss{DIGEST}",
    "LOGSTASH_URI": "logs.example.com:5044",
    "ELK_LOGSTASH_TLS": "true",
}


class Node:
    def __init__(self, path):
        self.path, self.calls, self.etc, self.units = path, path / "calls", path / "etc", path / "units"
        for folder in ("bin", "units", "metrics"):
            (path / folder).mkdir()
        self.calls.touch()
        for name in ("systemctl", "apt-get"):
            self.command(name, "")
        self.command("dpkg-query", "echo install ok installed")
        self.command("docker", "echo ' Swarm: active'; echo '  Is Manager: false'")
        self.command("aws", "echo ops:it\\'s:S3cret")
        text = "\n".join((FILES / name).read_text() for name in ("boot.sh", "agents.sh"))
        (path / "agents.sh").write_text(f"#!/bin/bash\n{text}")
        self.env = {
            **os.environ,
            "PATH": f"{path / 'bin'}:{os.environ['PATH']}",
            "CALLS": str(self.calls),
            "LOG": str(path / "log/agents.log"),
            "ETC": str(self.etc),
            "STATE": str(path / "state"),
            "UNITS": str(self.units),
            "METRICS": str(path / "metrics"),
            "REGION": "eu-central-1",
            "PROJECT": "shop",
            "ENVIRONMENT": "stage",
            "NODE_EXPORTER": "false",
        }

    def command(self, name, answer):
        (self.path / "bin" / name).write_text(f'#!/bin/bash\necho "{name} $*" >>"$CALLS"\n{answer}\n')
        (self.path / "bin" / name).chmod(0o755)

    def run(self, **more):
        self.calls.write_text("")
        argv = ["bash", self.path / "agents.sh"]
        return subprocess.run(argv, env={**self.env, **more}, capture_output=True, text=True, timeout=60, check=False)

    def restarted(self):
        return [
            line.split()[-1] for line in self.calls.read_text().splitlines() if line.startswith("systemctl restart")
        ]

    def settings(self, name):
        place = self.etc / f"{name}.yaml"
        assert place.stat().st_mode & 0o777 == 0o600
        return yaml.safe_load(place.read_text())


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


def test_nothing_that_was_not_asked_for(node):
    done = node.run()
    assert done.returncode == 0, done.stderr
    assert list(node.units.iterdir()) == []
    assert "prometheus-node-exporter" not in node.calls.read_text()
    assert node.run(NODE_EXPORTER="true").returncode == 0
    assert "prometheus-node-exporter" in node.calls.read_text()


def test_sysdig_has_its_key_in_a_file_for_root_only(node):
    done = node.run(**SYSDIG)
    assert done.returncode == 0, done.stderr
    assert node.settings("sysdig") == {
        "customerid": "ops:it's:S3cret",
        "collector": "collector.sysdigcloud.com",
        "collector_port": 6443,
        "ssl": True,
        "tags": "NodeType:swarm_worker,Project:shop,Environment:stage",
        "app_checks": [{"name": "redis", "enabled": False}],
    }
    unit = (node.units / "ngp-sysdig.service").read_text()
    assert "--privileged --net host --pid host" in unit
    assert unit.count(SYSDIG["SYSDIG_IMAGE"]) == 1
    assert "S3cret" not in unit + done.stdout + done.stderr + (node.path / "log/agents.log").read_text()


def test_agent_starts_anew_only_when_something_is_another(node):
    node.run(**SYSDIG)
    assert node.restarted() == ["ngp-sysdig.service"]
    node.run(**SYSDIG)
    assert node.restarted() == []
    node.run(**SYSDIG | {"SYSDIG_COLLECTOR": "eu1.app.sysdig.com"})
    assert node.restarted() == ["ngp-sysdig.service"]


def test_key_that_cannot_be_read_leaves_the_agent_as_it_is(node):
    node.run(**SYSDIG)
    before = node.settings("sysdig")
    node.command("aws", "exit 1")
    script = (node.path / "agents.sh").read_text()
    (node.path / "agents.sh").write_text(script.replace("retry 120", "retry 1"))
    assert node.run(**SYSDIG).returncode != 0
    assert node.settings("sysdig") == before


def test_fluent_bit_signs_with_the_role_or_logs_in(node):
    assert node.run(**FLUENT_BIT).returncode == 0
    said = node.settings("fluent-bit")["pipeline"]
    [output] = said["outputs"]
    assert (output["host"], output["aws_auth"], output["aws_region"]) == ("logs.example.com", True, "eu-central-1")
    assert {"name": "modify", "match": "*", "add": "node_type swarm_worker"} in said["filters"]
    assert [each["name"] for each in said["inputs"]] == ["systemd", "tail"]
    unit = (node.units / "ngp-fluent-bit.service").read_text()
    assert f"{FLUENT_BIT['LOG_SHIPPER_IMAGE']} /fluent-bit/bin/fluent-bit -c /fluent-bit/etc/ngp.yaml\n" in unit
    assert node.run(**FLUENT_BIT, LOGS_SECRET_ARN="arn:logs").returncode == 0
    [output] = node.settings("fluent-bit")["pipeline"]["outputs"]
    assert (output["http_user"], output["http_passwd"]) == ("ops", "it's:S3cret")
    assert "aws_auth" not in output


def test_filebeat_says_what_the_node_is(node):
    node.command("docker", "echo ' Swarm: active'; echo '  Is Manager: true'")
    assert node.run(**FILEBEAT).returncode == 0
    said = node.settings("filebeat")
    assert said["fields"] == {"NODE_TYPE": "swarm_manager", "environment": "stage"}
    assert said["output.logstash"] == {"hosts": ["logs.example.com:5044"], "ssl.enabled": True}
    node.command("docker", "exit 1")
    node.run(**FILEBEAT)
    assert node.settings("filebeat")["fields"]["NODE_TYPE"] == "vm"


def test_agent_that_is_not_wanted_any_more_goes(node):
    node.run(**SYSDIG, **FLUENT_BIT)
    assert {path.name for path in node.units.iterdir()} == {"ngp-sysdig.service", "ngp-fluent-bit.service"}
    node.run(**FILEBEAT)
    assert {path.name for path in node.units.iterdir()} == {"ngp-filebeat.service"}
    assert {path.name for path in node.etc.iterdir()} == {"filebeat.yaml"}
    assert "systemctl disable --now ngp-sysdig.service" in node.calls.read_text()


@pytest.mark.parametrize(
    ("shipper", "driver", "shipped"),
    [
        (FLUENT_BIT, "journald", 1),
        (FLUENT_BIT, "json-file", 1),
        (FLUENT_BIT, "awslogs", 0),
        (FILEBEAT, "json-file", 1),
        (FILEBEAT, "journald", 0),
    ],
)
def test_logs_that_the_shipper_cannot_read_are_told(node, shipper, driver, shipped):
    node.command("docker", f"echo ' Logging Driver: {driver}'")
    done = node.run(**shipper)
    assert done.returncode == 0, done.stderr
    metric = (node.path / "metrics/agents.prom").read_text()
    name = shipper["LOG_SHIPPER"]
    assert metric == f'ngp_agents_container_logs_shipped{{driver="{driver}",shipper="{name}"}} {shipped}\n'
    assert ("container_log_driver" in (node.path / "log/agents.log").read_text()) == (not shipped)
    assert node.run().returncode == 0
    assert not (node.path / "metrics/agents.prom").exists()
