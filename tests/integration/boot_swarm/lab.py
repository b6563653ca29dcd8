"""Machines for a Swarm: each node a set of namespaces with a disk, an address and instance metadata of its own.

A node boots from the user data that the module rendered. All of it is the real thing but for `doubles/`, each of which
says what it stands for. Nothing has a name on this machine: a node goes with its first process, and that one with us.
"""

import base64
import contextlib
import ctypes
import gzip
import http.server
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import yaml

HERE = Path(__file__).parent
NETWORK, GATEWAY, SANDBOX_PORT = "10.77.0", "10.77.0.1", 4566
METADATA = "169.254.169.254"
_CLONE_NEWNET = 0x40000000


def told(*argv, **options):
    """The output of a command that must succeed."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, **{"timeout": 120, **options})
    assert done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def wait_until(holds, limit_s=60):
    """The first true answer of `holds`; what it raises last is the failure."""
    end = time.monotonic() + limit_s
    while True:
        try:
            if answer := holds():
                return answer
            reason = AssertionError(f"not within {limit_s} s")
        except (AssertionError, OSError) as error:
            reason = error
        if time.monotonic() > end:
            raise reason
        time.sleep(0.2)


class Namespace:
    """Namespaces that hold a first process, `argv`; its parent's end is its own."""

    def __init__(self, kinds, *argv):
        words = ["setpriv", "--pdeathsig", "KILL", "unshare", *kinds, "--fork", "--kill-child", *map(str, argv)]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        self.pid = int(wait_until(lambda: children.read_text().split())[0])

    def ip(self, *argv):
        return told("nsenter", f"--net=/proc/{self.pid}/ns/net", "ip", *argv)

    def listen(self, address, port):
        """A socket that listens there; whoever accepts from it stays in the namespace of the tests."""
        made = []

        def bind():
            with open(f"/proc/{self.pid}/ns/net") as handle:  # noqa: PTH123
                assert ctypes.CDLL(None).setns(handle.fileno(), _CLONE_NEWNET) == 0
            made.append(socket.create_server((address, port), backlog=64))

        thread = threading.Thread(target=bind)
        thread.start()
        thread.join()
        return made[0]

    def end(self):
        """When this returns, no process of it is left."""
        os.kill(self.pid, signal.SIGKILL)
        self.process.wait(30)


class Metadata(http.server.BaseHTTPRequestHandler):
    """The instance metadata service, version 2: it knows a node by its address, and refuses who has no token."""

    def do_PUT(self):
        lifetime = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
        self._answer("TOKEN" if self.path == "/latest/api/token" and lifetime else None)

    def do_GET(self):
        if self.headers.get("X-aws-ec2-metadata-token") != "TOKEN":
            return self._answer(None, 401)
        return self._answer(
            self.server.facts[self.client_address[0]].get(self.path.removeprefix("/latest/").rstrip("/"))
        )

    def _answer(self, text, refusal=404):
        body = (text or "").encode()
        self.send_response(refusal if text is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def metadata_of(instance, session):
    """By path: who the node is, and the session of its role."""
    return {
        "meta-data/instance-id": instance["InstanceId"],
        "meta-data/local-ipv4": instance["PrivateIpAddress"],
        "meta-data/placement/region": "eu-central-1",
        **session,
    }


class Node(Namespace):
    """An instance of the sandbox's EC2 that really runs."""

    def __init__(self, lab, name, instance, user_data, session):
        self.lab, self.name, self.address = lab, name, instance["PrivateIpAddress"]
        disk = lab.path / instance["InstanceId"]
        disk.mkdir()
        kinds = ("--net", "--mount", "--pid", "--uts", "--ipc")
        super().__init__(kinds, "sh", HERE / "node.sh", disk, name)
        lab.nodes[name] = self
        self.cloud_config = yaml.safe_load(gzip.decompress(base64.b64decode(user_data)))
        self._plug_in()
        lab.metadata.facts[self.address] = metadata_of(instance, session)
        wait_until(lambda: self.run("test", "-f", "/run/ready").returncode == 0)
        for file in self.cloud_config["write_files"]:
            self.write(file["path"], file["content"], file["permissions"])

    def _plug_in(self):
        """A cable to the switch."""
        cable = f"v{self.pid}"
        self.lab.switch.ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", self.pid)
        self.lab.switch.ip("link", "set", cable, "master", "br0", "up")
        self.ip("link", "set", "lo", "up")
        self.ip("addr", "add", f"{self.address}/24", "dev", "eth0")
        self.ip("link", "set", "eth0", "up")
        self.ip("route", "add", "default", "via", GATEWAY)

    def run(self, *argv, text=None):
        """A command on the node, with the environment that a unit has there."""
        kinds = [f"--{kind}=/proc/{self.pid}/ns/{name}" for kind, name in (("net", "net"), ("mount", "mnt"))]
        kinds += [f"--{kind}=/proc/{self.pid}/ns/{kind}" for kind in ("uts", "ipc", "pid")]
        environment = {
            "PATH": f"{HERE / 'doubles'}:/usr/sbin:/usr/bin:/sbin:/bin",
            "SANDBOX_URL": f"http://{GATEWAY}:{SANDBOX_PORT}",
            "LAB_CGROUP": self.lab.cgroup,
            "PAUSE_S": "3",
            "HOME": "/root",
            "LC_ALL": "C.UTF-8",
        }
        words = ["nsenter", *kinds, "--wdns=/", *map(str, argv)]
        return subprocess.run(words, env=environment, input=text, capture_output=True, text=True, timeout=240)

    def told(self, *argv, text=None):
        done = self.run(*argv, text=text)
        assert done.returncode == 0, f"{self.name}: {argv}\n{done.stdout}\n{done.stderr}\n{self.log()}"
        return done.stdout.strip()

    def write(self, path, content, permissions="0644"):
        self.told("install", "-D", "-m", permissions, "/dev/stdin", path, text=content)

    def boot(self):
        """What cloud-init does with the user data; at a reboot the unit comes up again with the same commands."""
        for command in self.cloud_config["runcmd"]:
            self.told(*command)

    def sync(self):
        """A minute passes."""
        self.told("systemctl", "start", "ngp-swarm-sync.service")

    def docker(self, *argv, text=None):
        return self.told("docker", *argv, text=text)

    def log(self):
        return self.run("cat", "/var/log/ngp/swarm.log").stdout


class Lab:
    """A switch that nodes are plugged into; behind it are the metadata service and the sandbox."""

    def __init__(self, path, sandbox_url):
        self.path, self.nodes = path, {}
        self.cgroup = f"/ngp-lab-{os.getpid()}"
        self.switch = Namespace(("--net",), "sleep", "infinity")
        self.switch.ip("link", "add", "br0", "type", "bridge")
        self.switch.ip("addr", "add", f"{GATEWAY}/24", "dev", "br0")
        self.switch.ip("link", "set", "br0", "up")
        self.switch.ip("link", "set", "lo", "up")
        self.switch.ip("addr", "add", f"{METADATA}/32", "dev", "lo")
        self.metadata = http.server.ThreadingHTTPServer((METADATA, 80), Metadata, bind_and_activate=False)
        self.metadata.socket.close()
        self.metadata.socket, self.metadata.facts = self.switch.listen(METADATA, 80), {}
        threading.Thread(target=self.metadata.serve_forever, daemon=True).start()
        self.door = self.switch.listen(GATEWAY, SANDBOX_PORT)
        threading.Thread(target=self._let_in, args=[urlsplit(sandbox_url)], daemon=True).start()

    def managers(self):
        return [node for name, node in self.nodes.items() if name.startswith("m")]

    def start(self, name, instance, user_data, session):
        return Node(self, name, instance, user_data, session)

    def lose(self, name):
        self.nodes.pop(name).end()

    def end(self):
        for namespace in (*self.nodes.values(), self.switch):
            namespace.end()
        self.metadata.shutdown()
        self.metadata.server_close()
        self.door.close()
        for folder in sorted(Path("/sys/fs/cgroup").glob(f"**{self.cgroup}/**/"), reverse=True):
            folder.rmdir()

    def _let_in(self, target):
        with contextlib.suppress(OSError):  # the door is closed
            while True:
                caller, _ = self.door.accept()
                server = socket.create_connection((target.hostname, target.port))
                for source, sink in ((caller, server), (server, caller)):
                    threading.Thread(target=_pour, args=[source, sink], daemon=True).start()


def _pour(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
