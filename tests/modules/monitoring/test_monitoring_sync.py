"""What brings the configuration to a monitoring server, beside a bucket that is a folder; the tools are real."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "modules/monitoring/files/sync.sh"
pytestmark = [pytest.mark.proves("scripts", "monitoring"), pytest.mark.integration, pytest.mark.prometheus]
GOOD = {
    "recent/prometheus.yml": """
rule_files: [rules/*.yml]
scrape_configs:
  - {job_name: web, file_sd_configs: [{files: [checks/*.json]}]}
""",
    "recent/rules/platform.yml": "groups: [{name: one, rules: [{alert: Down, expr: up == 0}]}]",
    "recent/alertmanager.yml": """
route: {receiver: operators}
receivers:
  - name: operators
    webhook_configs:
      - {url: "http://hooks.example.com/", http_config: {authorization: {credentials_file: webhook-token}}}
""",
    "checks/platform.json": '[{"targets": ["shop.example.com:80"]}]',
}
AWS = """#!/bin/bash
echo "$*" >>"$CALLS"
[ ! -e "$STORE/down" ] || exit 1
case "$*" in
*get-secret-value*) cat "$STORE/token"; exit ;;
esac
from=$STORE/${@: -2:1} to=${@: -1}
from=${from/s3:\\/\\/files\\//}
case "$*" in
*--exclude*) find "$to" -type f ! -path '*/checks/*' ! -name webhook-token -delete ;;
*) find "$to" -type f -delete ;;
esac
cp -r "$from." "$to"
"""
SYSTEMCTL = """#!/bin/bash
echo "$*" >>"$CALLS"
"""


class Server:
    def __init__(self, path):
        self.path, self.store, self.live, self.calls = path, path / "store", path / "live", path / "calls"
        for folder in ("bin", "metrics"):
            (path / folder).mkdir()
        for name, text in {"aws": AWS, "systemctl": SYSTEMCTL}.items():
            (path / "bin" / name).write_text(text)
            (path / "bin" / name).chmod(0o755)
        self.put(GOOD)
        self.settings()
        self.env = {
            **os.environ,
            "PATH": f"{path / 'bin'}:{os.environ['PATH']}",
            "NGP_SETTINGS": str(path / "settings"),
            "LIVE": str(self.live),
            "METRICS": str(path / "metrics"),
            "GROUP": str(os.getgid()),
            "CALLS": str(self.calls),
            "STORE": str(self.store),
        }

    def settings(self, token=""):
        text = f"REGION=eu-central-1\nBUCKET=files\nROLE=recent\nTOKEN_SECRET_ARN='{token}'\n"
        (self.path / "settings").write_text(text)

    def put(self, files):
        for name, text in files.items():
            (self.store / name).parent.mkdir(parents=True, exist_ok=True)
            (self.store / name).write_text(text)

    def sync(self):
        self.calls.write_text("")
        return subprocess.run(["bash", SCRIPT], env=self.env, capture_output=True, text=True, timeout=60, check=False)

    def reloaded(self):
        return [line for line in self.calls.read_text().splitlines() if line.startswith("reload")]

    def good(self):
        return (self.path / "metrics/monitoring.prom").read_text().splitlines()[0].split()[1]


@pytest.fixture
def server(tmp_path):
    return Server(tmp_path)


def test_new_configuration_is_read_once(server):
    first = server.sync()
    assert (first.returncode, server.good()) == (0, "1"), first.stderr
    assert server.reloaded() == ["reload prometheus.service", "reload prometheus-alertmanager.service"]
    assert (server.live / "checks/platform.json").read_text() == GOOD["checks/platform.json"]
    assert server.sync().returncode == 0
    assert server.reloaded() == []


def test_files_that_left_the_bucket_leave_the_server(server):
    server.put({"checks/other.json": '[{"targets": ["other.example.com:80"]}]'})
    server.sync()
    assert (server.live / "checks/other.json").exists()
    (server.store / "checks/other.json").unlink()
    assert server.sync().returncode == 0
    assert not (server.live / "checks/other.json").exists()
    assert len(server.reloaded()) == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("recent/prometheus.yml", "scrape_configs: [{job_name: a}, {job_name: a}]"),
        ("recent/rules/platform.yml", "groups: [{name: one, rules: [{alert: Down, expr: up ==}]}]"),
        ("recent/alertmanager.yml", "route: {receiver: nobody}"),
        ("checks/other.json", "not json"),
    ],
)
def test_configuration_that_the_tools_refuse_changes_nothing(server, name, text):
    server.sync()
    before = {path: path.read_text() for path in server.live.rglob("*") if path.is_file()}
    server.put({name: text})
    refused = server.sync()
    assert (refused.returncode, server.good()) == (1, "0")
    assert "REFUSED" in refused.stderr
    assert server.reloaded() == []
    assert {path: path.read_text() for path in server.live.rglob("*") if path.is_file()} == before
    server.put(GOOD)
    (server.store / "checks/other.json").unlink(missing_ok=True)
    assert (server.sync().returncode, server.good()) == (0, "1")


def test_bucket_that_does_not_answer_changes_nothing(server):
    server.sync()
    (server.store / "down").touch()
    failed = server.sync()
    assert failed.returncode == 1
    assert "does not answer" in failed.stderr
    assert (server.live / "prometheus.yml").read_text() == GOOD["recent/prometheus.yml"]


def test_token_is_read_seldom_and_by_the_service_only(server):
    server.settings(token="arn:aws:secretsmanager:eu-central-1:123456789012:secret:token")
    server.put({"token": "S3cret"})
    said = server.sync()
    token = server.live / "webhook-token"
    assert (token.read_text(), token.stat().st_mode & 0o777) == ("S3cret", 0o640)
    assert "S3cret" not in said.stdout + said.stderr
    server.put({"token": "an0ther"})
    server.sync()
    assert token.read_text() == "S3cret"
    os.utime(server.path / "live.next/webhook-token", (0, 0))
    server.sync()
    assert token.read_text() == "an0ther"
    server.settings()
    server.sync()
    assert not token.exists()
