"""Machines for a Swarm: each node a set of namespaces with a disk, an address and instance metadata of its own.

A node boots from the user data that the module rendered. All of it is the real thing but for `doubles/`, each of which
says what it stands for. Nothing has a name on this machine: a node goes with its first process, and that one with us.
"""

import base64
import gzip
import os
import subprocess
from pathlib import Path

import yaml

from tests.modules.switch import GATEWAY, SANDBOX_PORT, Namespace, Switch, wait_until

HERE = Path(__file__).parent


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
        lab.switch.plug_in(self, self.address)
        lab.switch.facts[self.address] = metadata_of(instance, session)
        wait_until(lambda: self.run("test", "-f", "/run/ready").returncode == 0)
        for file in self.cloud_config["write_files"]:
            self.write(file["path"], file["content"], file["permissions"])

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
        self.switch = Switch(sandbox_url)

    def managers(self):
        return [node for name, node in self.nodes.items() if name.startswith("m")]

    def start(self, name, instance, user_data, session):
        return Node(self, name, instance, user_data, session)

    def lose(self, name):
        self.nodes.pop(name).end()

    def end(self):
        for namespace in (*self.nodes.values(), self.switch):
            namespace.end()
        for folder in sorted(Path("/sys/fs/cgroup").glob(f"**{self.cgroup}/**/"), reverse=True):
            folder.rmdir()
