"""The stack's own code beside a real Swarm of one node, in a network namespace of its own; its bucket is the sandbox's.

Needs root and Debian's docker.io. No task runs here: what is tried is what a cluster holds, not what it starts.
"""

import base64
import itertools
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from ngp.aws import access
from ngp.aws.session import Session
from tests.prerequisites import missing

MODULE = Path(__file__).parents[3] / "modules/snapshot"
CODE = ("files/engine.py", "files/state.py", "files/swarm.py", "functions/snapshot/store.py")
NEEDED = [name for name in ("dockerd", "docker", "unshare", "nsenter", "ip") if shutil.which(name) is None]
if os.geteuid() != 0:
    NEEDED.append("root")
pytestmark = [
    pytest.mark.proves("real", "snapshot"),
    pytest.mark.integration,
    pytest.mark.sandbox,
    pytest.mark.slow,
]
IMAGE = "127.0.0.1:5000/lab/app:1"
REGION = "eu-central-1"
BUCKETS = (f"snapshots-{number}" for number in itertools.count())
REGISTRY = """
import http.server
class Empty(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = b"{}" if self.path == "/v2/" else b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "no"}]}'
        self.send_response(200 if self.path == "/v2/" else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    do_HEAD = do_GET
http.server.ThreadingHTTPServer(("127.0.0.1", 5000), Empty).serve_forever()
"""


class Swarm:
    """A dockerd and a registry that has nothing, both on a loopback of their own."""

    def __init__(self, path):
        self.path, self.socket = path, path / "docker.sock"
        folders = [f"--{name}={path / name}" for name in ("data-root", "exec-root", "pidfile")]
        plain = ["--bridge=none", "--iptables=false", "--ip-masq=false", "--storage-driver=vfs"]
        daemon = " ".join(["exec dockerd", f"--host=unix://{self.socket}", *folders, *plain])
        argv = ["unshare", "--net", "sh", "-c", f"ip link set lo up; {daemon}"]
        self.log = (path / "log").open("wb")
        self.processes = [subprocess.Popen(argv, stdout=self.log, stderr=self.log, start_new_session=True)]
        self.wait()
        enter = ["nsenter", f"--net=/proc/{self.processes[0].pid}/ns/net", sys.executable, "-c", REGISTRY]
        self.processes.append(subprocess.Popen(enter, stdout=self.log, stderr=self.log))
        self.init()
        with tarfile.open(path / "nothing.tar", "w"):
            pass
        self.docker("import", str(path / "nothing.tar"), IMAGE)

    @property
    def env(self):
        return {"PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{self.socket}", "HOME": str(self.path)}

    def wait(self):
        for _ in range(300):
            if subprocess.run(["docker", "version"], env=self.env, capture_output=True, check=False).returncode == 0:
                return
            assert self.processes[0].poll() is None, (self.path / "log").read_text()[-2000:]
            time.sleep(0.1)
        pytest.fail((self.path / "log").read_text()[-2000:])

    def init(self):
        """A new cluster; the one that was there is gone with all that it held."""
        subprocess.run(["docker", "swarm", "leave", "--force"], env=self.env, capture_output=True, check=False)
        self.docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377")

    def docker(self, *argv, stdin=None):
        done = subprocess.run(
            ["docker", *argv], env=self.env, input=stdin, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, (argv, done.stderr)
        return done.stdout.strip()

    def service(self, name, *options, image=IMAGE):
        words = ("--detach", "--replicas=0", "--no-resolve-image", "--endpoint-mode=dnsrr")
        self.docker("service", "create", *words, "--name", name, *options, image, "/bin/sleep", "9")

    def names(self, kind):
        return set(self.docker(kind, "ls", "--format", "{{.Name}}").split())

    def spec(self, name):
        return json.loads(self.docker("service", "inspect", name))[0]["Spec"]

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(timeout=60)
        self.log.close()
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted((each for each in mounts if each.startswith(str(self.path))), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)


@pytest.fixture(scope="module")
def swarm(tmp_path_factory):
    if NEEDED:
        missing(f"{', '.join(NEEDED)} for a real Swarm (Debian's docker.io and iproute2)")
    made = Swarm(tmp_path_factory.mktemp("swarm"))
    yield made
    made.stop()


@pytest.fixture
def cluster(swarm):
    """The Swarm, new and empty."""
    swarm.init()
    return swarm


@dataclass
class Keeper:
    """The stack's code in a folder, as in its container, with a bucket of its own."""

    path: Path
    env: dict
    session: Session

    def __call__(self, *argv, exit_code=0):
        """The lines that it writes, parsed where they are JSON."""
        done = subprocess.run(
            [sys.executable, "swarm.py", *argv],
            cwd=self.path,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == exit_code, done.stdout + done.stderr
        return [json.loads(line) if line.startswith("{") else line for line in done.stdout.splitlines()]

    def text(self, key):
        return self.session.object(self.env["BUCKET"], key).decode()


@pytest.fixture
def keeper(swarm, sandbox, tmp_path):
    for source in CODE:
        shutil.copy(MODULE / source, tmp_path)
    keys, bucket = access.sandbox({}, sandbox.url, REGION, "731000000000"), next(BUCKETS)
    made = Keeper(
        tmp_path, {**keys, **swarm.env, "BUCKET": bucket, "PREFIX": "lab/", "INTERVAL_S": "3600"}, Session(keys)
    )
    made.session.call("s3", "create_bucket", Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    return made


def changes(report):
    return {(each["kind"], each["name"]): (each["action"], each.get("outcome")) for each in report["changes"]}


def fill(cluster):
    """A network, a config, a secret, and three services: with all of these, plain, and on the host's network."""
    cluster.docker("network", "create", "--driver=overlay", "--attachable", "--label=a=b", "back")
    cluster.docker("config", "create", "--label=c=d", "settings", "-", stdin="port = 1\n")
    cluster.docker("secret", "create", "password", "-", stdin="correct-horse")
    cluster.service(
        "web",
        *("--network=back", "--config=source=settings,target=/etc/web.conf", "--secret=password", "--env=SIZE=1"),
        *("--label=traefik.enable=true", "--limit-memory=64m", "--constraint=node.role==manager"),
    )
    cluster.service("plain", "--mount=type=volume,source=v,target=/v", "--update-parallelism=2")
    cluster.service("host", "--network=host")


def test_a_snapshot_holds_everything_but_the_secrets_values(cluster, keeper):
    fill(cluster)
    [saved] = keeper("save")
    counts = {kind: saved[kind] for kind in ("networks", "configs", "secrets", "services")}
    assert (saved["event"], saved["runtime"], counts) == (
        "saved",
        "swarm",
        {"networks": 1, "configs": 1, "secrets": 1, "services": 3},
    )
    assert keeper("list") == [saved["key"]]
    text = keeper.text(saved["key"])
    assert "password" in text
    assert "correct-horse" not in text
    assert keeper("restore")[0]["changes"] == [], "what runs is what was saved"


def test_merge_puts_back_what_is_gone_or_differs_and_leaves_the_rest(cluster, keeper):
    fill(cluster)
    before = {name: cluster.spec(name) for name in ("web", "plain", "host")}
    keeper("save")
    cluster.docker("service", "rm", "web")
    cluster.docker("config", "rm", "settings")
    cluster.docker("network", "rm", "back")
    cluster.docker("service", "update", "--detach", "--env-add=NEW=1", "--label-add=x=y", "plain")
    cluster.service("new")
    wanted = {("networks", "back"): "create", ("configs", "settings"): "create", ("services", "web"): "create"}
    wanted[("services", "plain")] = "update"
    [shown] = keeper("restore", "--dry-run")
    assert changes(shown) == {name: (action, None) for name, action in wanted.items()}
    assert cluster.names("service") == {"plain", "host", "new"}
    [done] = keeper("restore")
    assert changes(done) == {name: (action, "done") for name, action in wanted.items()}
    assert cluster.names("service") == {"web", "plain", "host", "new"}
    assert cluster.spec("plain") == before["plain"]
    container = cluster.spec("web")["TaskTemplate"]["ContainerSpec"]
    assert container["Configs"][0]["File"]["Name"] == "/etc/web.conf"
    assert container["Secrets"] == before["web"]["TaskTemplate"]["ContainerSpec"]["Secrets"]
    assert cluster.docker("config", "inspect", '--format={{index .Spec.Labels "c"}}', "settings") == "d"
    assert keeper("restore")[0]["changes"] == []


def test_replace_removes_what_the_snapshot_has_not(cluster, keeper):
    fill(cluster)
    keeper("save")
    cluster.docker("network", "create", "--driver=overlay", "other")
    cluster.docker("config", "create", "others", "-", stdin="x")
    cluster.service("new", "--network=other", "--config=others")
    [done] = keeper("restore", "--replace")
    assert changes(done) == {
        ("services", "new"): ("remove", "done"),
        ("configs", "others"): ("remove", "done"),
        ("networks", "other"): ("remove", "done"),
    }
    assert cluster.names("service") == {"web", "plain", "host"}
    assert "ingress" in cluster.names("network")


def test_a_new_cluster_gets_all_but_what_needs_a_secret_and_then_that(cluster, keeper):
    fill(cluster)
    [saved] = keeper("save")
    cluster.init()
    [first] = keeper("restore", saved["key"], exit_code=1)
    assert cluster.names("service") == {"plain", "host"}
    assert first["missing_secrets"] == ["password"]
    [refused] = [each for each in first["changes"] if each.get("outcome") == "failed"]
    assert (refused["name"], "no secret password" in refused["reason"]) == ("web", True)
    cluster.docker("secret", "create", "password", "-", stdin="correct-horse")
    assert changes(keeper("restore")[0]) == {("services", "web"): ("create", "done")}
    assert keeper("restore")[0]["changes"] == []


def test_what_the_bucket_of_the_cluster_deploys_is_left_to_it(cluster, keeper):
    stack = "--label=com.docker.stack.namespace=router"
    cluster.docker("config", "create", "--label=ngp.stack=router", "ngp.stack.router", "-", stdin="services: {}")
    cluster.service("router_traefik", stack)
    keeper("save")
    cluster.docker("service", "update", "--detach", "--env-add=NEW=1", "router_traefik")
    cluster.service("router_more", stack)
    [report] = keeper("restore", "--replace")
    assert changes(report) == {("services", "router_traefik"): ("keep", None)}
    assert cluster.names("service") == {"router_traefik", "router_more"}


def test_a_service_whose_image_is_nowhere_is_not_touched(cluster, keeper):
    cluster.service("gone", image="127.0.0.1:5000/lab/gone:1")
    cluster.service("there")
    keeper("save")
    cluster.docker("service", "rm", "gone", "there")
    [report] = keeper("restore", exit_code=1)
    assert changes(report) == {("services", "gone"): ("create", "failed"), ("services", "there"): ("create", "done")}
    assert [each["reason"] for each in report["changes"] if each["name"] == "gone"] == [
        "no image 127.0.0.1:5000/lab/gone:1"
    ]


def test_a_network_that_differs_is_told_and_kept(cluster, keeper):
    cluster.docker("network", "create", "--driver=overlay", "back")
    keeper("save")
    cluster.docker("network", "rm", "back")
    cluster.docker("network", "create", "--driver=overlay", "--internal", "back")
    assert changes(keeper("restore")[0]) == {("networks", "back"): ("keep", None)}


def test_the_stack_file_is_one_that_docker_deploys(cluster, keeper, tmp_path):
    folder = tmp_path / "stack"
    folder.mkdir()
    code = {Path(source).stem: "0123456789ab" for source in CODE}
    for source in CODE:
        shutil.copy(MODULE / source, folder / f"{Path(source).stem}-0123456789ab.py")
    values = {"stack": "snapshot", "image": IMAGE, "code": code, "region": "eu-central-1", "bucket": "b"}
    values |= {"prefix": "lab/", "log_group": "/shop/lab/snapshot", "interval_s": 3600}
    asked = f'templatefile("{MODULE}/files/snapshot.yml.tftpl", {json.dumps(values)})'
    said = subprocess.run(["terraform", "console"], cwd=folder, input=asked, capture_output=True, text=True, check=True)
    text = "\n".join(said.stdout.splitlines()[1:-1])
    (folder / "stack.yml").write_text(text)
    cluster.docker("stack", "deploy", "--resolve-image=never", "-c", str(folder / "stack.yml"), "snapshot")
    container = cluster.spec("snapshot_keeper")["TaskTemplate"]["ContainerSpec"]
    assert {each["File"]["Name"] for each in container["Configs"]} == {f"/ngp/{name}.py" for name in code}
    assert container["Command"] == ["python3", "/ngp/swarm.py", "run"]
    stored = cluster.docker("config", "inspect", "--format={{json .Spec.Data}}", "snapshot_swarm_0123456789ab")
    assert base64.b64decode(json.loads(stored)).decode() == (MODULE / "files/swarm.py").read_text()
    keeper("save")
    assert keeper("restore")[0]["changes"] == []


def test_the_leader_saves_at_once_and_ends_at_once(cluster, keeper):
    argv = [sys.executable, "-u", "swarm.py", "run"]
    process = subprocess.Popen(argv, cwd=keeper.path, env=keeper.env, stdout=subprocess.PIPE, text=True)
    assert json.loads(process.stdout.readline())["event"] == "saved"
    process.terminate()
    assert process.wait(timeout=30) == 0
