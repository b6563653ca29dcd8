"""Runs the nodes' real scripts beside fakes of AWS and Docker, and a real metadata service that wants tokens."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.modules.swarm.fakes import aws, docker
from tests.modules.swarm.fakes.calls import Server
from tests.prerequisites import missing

CALL = Path(__file__).parent / "fakes" / "call"
SCRIPTS = Path(__file__).parents[3] / "modules" / "swarm" / "files"
PREFIX = "/ngp/shop/dev/swarm/swarm/life-1"
WHOSE = {"Project": "shop", "Environment": "dev", "Cluster": "swarm"}


@dataclass
class Node:
    """One machine: `run` runs a script as its systemd unit would."""

    path: Path
    region: FakeCloud
    name: str
    settings: dict[str, str]
    metadata_url: str
    extra: dict[str, str] = field(default_factory=dict)

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        process = self.start(script, **variables)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def start(self, script: str, **variables: str) -> subprocess.Popen[str]:
        etc = self.path / "etc"
        etc.mkdir(parents=True, exist_ok=True)
        (etc / "swarm.env").write_text("".join(f"{name}='{value}'\n" for name, value in self.settings.items()))
        environment = {
            "PATH": f"{self.path}/bin:{self.region.commands}:{os.environ['PATH']}",
            "TMPDIR": str(self.path),
            "FAKE_AWS": str(self.region.path),
            "FAKE_CLUSTER": str(self.region.path / "cluster.json"),
            "FAKE_NODE": self.name,
            "FAKE_PORT": str(self.region.fakes_port),
            "NGP_ETC": str(etc),
            "NGP_LIB": str(SCRIPTS),
            "NGP_IMDS": self.metadata_url,
            "NGP_STATE": str(self.path / "state"),
            "NGP_ROLES": str(self.path / "roles"),
            "DOCKER_ETC": str(self.path / "docker"),
            "ROOT_HOME": str(self.path / "root"),
            "FSTAB": str(self.path / "fstab"),
            "SHARED_MOUNT": str(self.path / "shared"),
            "JOIN_LIMIT_S": "3",
            "PAUSE_S": "0.2",
            **self.extra,
            **variables,
        }
        return subprocess.Popen(
            ["bash", str(SCRIPTS / script)],
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def command(self, name: str, text: str) -> None:
        """Puts a command of its own on this machine's path."""
        file = self.path / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/bash\n{text}\n")
        file.chmod(0o755)


@dataclass
class FakeCloud:
    path: Path
    metadata_url: str
    commands: Path  # a folder with the fakes and a Python
    fakes_port: int

    def node(self, name: str, role: str, slot: str = "", **settings: str) -> Node:
        path = self.path / name
        path.mkdir()
        common = {
            "AWS_DEFAULT_REGION": "eu-central-1",
            "CLUSTER": "swarm",
            "PARAMETER_PREFIX": PREFIX,
            "KMS_KEY": "arn:aws:kms:eu-central-1:123456789012:key/k",
            "OVERLAY_CIDR": "10.244.0.0/16",
            "OVERLAY_ENCRYPTED": "true",
            "STACK_BUCKET": "files",
            "STACK_PREFIX": "stacks/",
            "LOG_DRIVER": "awslogs",
            "LOG_GROUP": "/shop/dev/swarm",
            "METRIC_NAMESPACE": "ngp/swarm",
            "METRIC": "shop-a-swarm-dev-kept",
            "GROUP_FILTERS": " ".join(f"Name=tag:{name},Values={value}" for name, value in WHOSE.items()),
            "DRAIN_HOOK": "drain",
            "ECR_HOST": "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
            "EFS_HOST": "",
            "DOCKER_PACKAGES": "docker.io iptables",
            "ROLE": role,
            "SLOT": slot,
            "POOL": "web" if role == "worker" else "manager",
        }
        return Node(path, self, name, {**common, **settings}, f"{self.metadata_url}/{name}")

    def cluster(self) -> dict:
        return json.loads((self.path / "cluster.json").read_text())

    def seat(self, name: str, leads: bool) -> None:
        """Makes `name` a manager of the cluster whose tokens are in store."""
        fresh = {"nodes": {}, "networks": [], "configs": {}, "secrets": {}, "stacks": {}, "inits": 1, "calls": []}
        cluster = self.cluster() if (self.path / "cluster.json").exists() else {"leader": name, **fresh}
        node = {"state": "active", "role": "manager", "address": f"10.0.0.{name[1:]}"}
        cluster |= {"nodes": {**cluster["nodes"], name: node}, "leader": name if leads else cluster["leader"]}
        self.write("cluster.json", json.dumps(cluster))
        for role in ("worker", "manager"):
            self.write(f"parameters/{PREFIX.strip('/').replace('/', '%')}%token-{role}", f"TOKEN-{role}#0")

    def edit_cluster(self, **changes: object) -> None:
        (self.path / "cluster.json").write_text(json.dumps({**self.cluster(), **changes}))

    def parameters(self) -> dict[str, str]:
        start = PREFIX.strip("/").replace("/", "%") + "%"
        files = (self.path / "parameters").glob(f"{start}*")
        return {file.name.removeprefix(start).replace("%", "/"): file.read_text() for file in files}

    def write(self, name: str, text: str) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


class _Metadata(http.server.BaseHTTPRequestHandler):
    """``http://…/NODE/latest/…``: a node's address is 10.0.0. and the digits of its name."""

    def do_PUT(self) -> None:
        lifetime = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
        self._answer(200 if self.path.endswith("/latest/api/token") and lifetime else 404, "TOKEN")

    def do_GET(self) -> None:
        if self.headers.get("X-aws-ec2-metadata-token") != "TOKEN":
            return self._answer(401, "")
        node = self.path.split("/")[1]
        digits = "".join(character for character in node if character.isdigit())
        values = {"local-ipv4": f"10.0.0.{digits}", "instance-id": f"i-{node}"}
        value = values.get(self.path.rpartition("/")[2])
        return self._answer(404 if value is None else 200, value or "")

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def metadata_url():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Metadata)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="session")
def fakes_port():
    server = Server({"aws": aws, "docker": docker})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@pytest.fixture(scope="session")
def commands(tmp_path_factory):
    """The fakes, and this very interpreter: a version manager's python3 takes a tenth of a second to find one."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    for name in ("aws", "docker"):
        (folder / name).symlink_to(CALL)
    return folder


@pytest.fixture
def region(tmp_path, metadata_url, commands, fakes_port):
    """The nodes' scripts call the real curl and jq, as on a node."""
    if lacks := [name for name in ("curl", "jq") if shutil.which(name) is None]:
        missing(f"{', '.join(lacks)} (as root, .ci/run installs what Debian has)")
    return FakeCloud(tmp_path, metadata_url, commands, fakes_port)
