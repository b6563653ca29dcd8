"""Machines that boot as on EC2: systemd and cloud-init of a Debian, in a container, with metadata of their own.

cloud-init's EC2 source fetches the user data that the module rendered, takes its parts and runs them in their order.
What lies outside of a machine is played: the metadata (token only), the sandbox as AWS, and servers of packages that
are not Debian's.
"""

import contextlib
import datetime
import json
import os
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.modules.switch import GATEWAY, SANDBOX_PORT, Namespace, told, wait_until

HERE = Path(__file__).parent
REGION = "eu-central-1"
AGENTS = f"s3.{REGION}.amazonaws.com"
METRICS = f"amazoncloudwatch-agent-{REGION}.s3.{REGION}.amazonaws.com"
KEYS = "amazoncloudwatch-agent.s3.amazonaws.com"
TERRAFORM = "releases.hashicorp.com"
NAMES = (AGENTS, METRICS, KEYS, TERRAFORM)
APT_PROXY = 3142
BOOT_LIMIT_S = 600
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
DISK_BYTES = 1 << 30
SOURCE = """datasource_list: [Ec2]
datasource: {Ec2: {strict_id: false, max_wait: 20, timeout: 5, apply_full_imds_network_config: false}}
network: {config: disabled}
locale: C.UTF-8
"""
UNIT = """[Unit]
Description={0}
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
"""


def agent(folder, name):
    """A package that starts nothing of its own, as the agent that AWS publishes under that name."""
    root = folder / name
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: lab <lab@example.test>\nDescription: a double\n"
    )
    unit = root / f"lib/systemd/system/{name}.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(UNIT.format(name))
    told("dpkg-deb", "--build", "--root-owner-group", root, folder / f"{name}.deb")
    return (folder / f"{name}.deb").read_bytes()


def authority(folder):
    """A certificate of its own authority for NAMES; the path of the file with both key and certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab")])
    start = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) - datetime.timedelta(days=1)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), start)
    made = made.not_valid_after(start + datetime.timedelta(days=30))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in NAMES]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    certificate = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    shape = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "both.pem").write_bytes(key.private_bytes(*shape) + certificate)
    (folder / "authority.pem").write_bytes(certificate)
    return folder / "both.pem"


def internet(files):
    """A server of these files by host and path."""

    class Internet(BaseHTTPRequestHandler):
        def do_GET(self):
            body = files.get(f"{self.headers['Host']}{self.path}")
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            pass

    return Internet


class AptProxy(BaseHTTPRequestHandler):
    """Fetches from Debian's archive for machines, which have no other way there."""

    def do_GET(self):
        try:
            with urllib.request.urlopen(self.path, timeout=120) as answer:
                body, status = answer.read(), answer.status
        except urllib.error.HTTPError as error:
            body, status = b"", error.code
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Lab:
    """What all machines share: the switch, and what is served behind it."""

    def __init__(self, folder, switch, files=()):
        self.folder, self.switch, self.machines, self.disks = folder, switch, [], []
        self.settings = folder / "settings"
        for name, text in {
            "cloud/cloud.cfg.d/99-lab.cfg": SOURCE,
            "cloud/ds-identify.cfg": "policy: enabled\n",
            "hosts": f"127.0.0.1 localhost\n{GATEWAY} {' '.join(NAMES)}\n",
            "resolv.conf": "nameserver 127.0.0.1\n",  # nobody is there, and says so at once
            "systemd/system.conf.d/lab.conf": f"[Manager]\nDefaultEnvironment=AWS_ENDPOINT_URL={self.aws}\n",
            "apt/apt.conf.d/01lab": f'Acquire::http::Proxy "http://{GATEWAY}:{APT_PROXY}";\n',
        }.items():
            file = self.settings / "etc" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        both = authority(self.settings)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        both.unlink()
        session_manager = f"{AGENTS}/amazon-ssm-{REGION}/latest/debian_amd64/amazon-ssm-agent.deb"
        metrics = f"{METRICS}/debian/amd64/latest/amazon-cloudwatch-agent.deb"
        served = {
            session_manager: agent(folder, "amazon-ssm-agent"),
            metrics: agent(folder, "amazon-cloudwatch-agent"),
            f"{metrics}.sig": b"by nobody",
            f"{KEYS}/assets/amazon-cloudwatch-agent.gpg": b"no key",
            **dict(files),
        }
        switch.serve(GATEWAY, APT_PROXY, AptProxy)
        switch.serve(GATEWAY, 443, internet(served), lambda each: context.wrap_socket(each, server_side=True))

    @property
    def aws(self):
        return f"http://{GATEWAY}:{SANDBOX_PORT}"

    def disk(self, name):
        """A new empty disk, as a block device."""
        (self.folder / name).touch()
        os.truncate(self.folder / name, DISK_BYTES)
        self.disks.append(told("losetup", "--find", "--show", self.folder / name))
        return self.disks[-1]

    def end(self):
        """Whatever of it fails, the rest ends too. A disk that something still holds is a failure."""
        with contextlib.ExitStack() as ends:
            ends.callback(self.switch.end)
            for disk in self.disks:
                ends.callback(_detach, disk)
            for machine in self.machines:
                ends.callback(machine.end)


def _detach(disk):
    """Detaching a disk that is mounted somewhere succeeds, and only its last user ends it."""
    told("losetup", "--detach", disk)
    wait_until(lambda: disk not in told("losetup", "--list", "--noheadings", "--output", "NAME").split(), 10)


class Machine(Namespace):
    """An instance of the sandbox's EC2 that really boots, from a system's files."""

    def __init__(self, lab, system, instance, user_data, session):
        self.lab, self.instance, self.init, self.nspawn = lab, instance, None, None
        self.address = instance["NetworkInterfaces"][0]["PrivateIpAddress"]
        self.disk = lab.folder / f"{len(lab.machines)}-{instance['InstanceId']}"
        self.disk.mkdir()
        super().__init__(("--net", "--mount"), "sh", HERE / "machine.sh", *system, self.disk, lab.settings)
        lab.machines.append(self)
        lab.switch.plug_in(self, self.address)
        lab.switch.facts[self.address] = {
            "user-data": user_data,
            "meta-data/instance-id": instance["InstanceId"],
            "meta-data/instance-type": instance["InstanceType"],
            "meta-data/ami-id": instance["ImageId"],
            "meta-data/local-hostname": "machine",
            "meta-data/local-ipv4": self.address,
            "meta-data/public-ipv4": "192.0.2.10",
            "meta-data/placement/availability-zone": f"{REGION}a",
            "meta-data/placement/region": REGION,
            **session,
        }
        wait_until(lambda: Path(f"/proc/{self.pid}/root{self.disk}/ready").exists())

    def start(self, *options):
        """Power on. It ends with the thread that calls this: one of a pool that ends would take nspawn with it."""
        words = ["setpriv", "--pdeathsig", "KILL", "nsenter", f"--mount=/proc/{self.pid}/ns/mnt"]
        words += [
            "systemd-nspawn",
            "--quiet",
            f"--directory={self.disk}/root",
            "--boot",
            "--register=no",
            "--keep-unit",
        ]
        words += [
            "--console=pipe",
            "--resolv-conf=off",
            "--capability=all",
            f"--network-namespace-path=/proc/{self.pid}/ns/net",
        ]
        console = (self.lab.folder / f"{self.disk.name}.console").open("ab")
        environ = {
            "PATH": PATH,
            "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
            "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",  # a router sets its sysctls
        }
        streams = {"stdin": subprocess.DEVNULL, "stdout": console, "stderr": console}
        self.init = None
        self.nspawn = subprocess.Popen([*words, *options], env=environ, **streams)

    def booted(self):
        """Wait until cloud-init has ended; returns the errors that it tells."""
        self.init = wait_until(self._find_init)
        result = Path(f"/proc/{self.init}/root/run/cloud-init/result.json")
        wait_until(result.exists, BOOT_LIMIT_S)
        return json.loads(result.read_text())["v1"]["errors"]

    def _find_init(self):
        """The process id of the machine's systemd; nspawn has another child before it."""
        children = Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split()
        return next((int(pid) for pid in children if Path(f"/proc/{pid}/comm").read_text() == "systemd\n"), None)

    def power_off(self):
        self.run("systemctl", "poweroff")
        self.nspawn.wait(60)
        self.init = None

    def run(self, *argv):
        """A command on the machine."""
        kinds = [f"--{kind}" for kind in ("mount", "pid", "net", "uts", "ipc", "cgroup")]
        words = ["nsenter", f"--target={self.init}", *kinds, "--wdns=/", *map(str, argv)]
        environ = {
            "PATH": f"/usr/local/sbin:/usr/local/bin:{PATH}",
            "LC_ALL": "C.UTF-8",
            "AWS_ENDPOINT_URL": self.lab.aws,
        }
        return subprocess.run(words, env=environ, capture_output=True, text=True, timeout=120)

    def told(self, *argv):
        done = self.run(*argv)
        assert done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def end(self):
        """End the machine's systemd, and with it all that runs there: it outlives nspawn."""
        if self.nspawn is not None:
            with contextlib.suppress(FileNotFoundError):  # nspawn has ended
                self.init = self.init or self._find_init()
            if self.init is not None:
                with contextlib.suppress(ProcessLookupError):  # it was powered off
                    os.kill(self.init, signal.SIGKILL)
                wait_until(lambda: not Path(f"/proc/{self.init}").exists(), 30)
            self.nspawn.kill()
            self.nspawn.wait(30)
        super().end()
