"""The community engine for real: its certificate authority, its clients, a tunnel between two network namespaces.

Needs root and Debian's openvpn, easy-rsa and iproute2; nothing of it touches the machine's own network.
"""

import base64
import fcntl
import os
import pty
import shutil
import subprocess
import tempfile
import termios
import time
from contextlib import suppress
from pathlib import Path

import pytest

FILES = Path(__file__).parents[3] / "modules/openvpn/files"
NEEDED = [name for name in ("openvpn", "ip", "nsenter") if shutil.which(name) is None]
if not Path("/usr/share/easy-rsa/easyrsa").exists():
    NEEDED.append("easy-rsa")
if os.geteuid() != 0:
    NEEDED.append("root")
pytestmark = [
    pytest.mark.proves("real", "openvpn"),
    pytest.mark.integration,
    pytest.mark.skipif(bool(NEEDED), reason=f"MISSING: {', '.join(NEEDED)}"),
]


class Server:
    """A server's disk in a folder, made by the boot script's own functions."""

    def __init__(self, path):
        self.path, self.tool, self.pki, self.crl = path, path / "ngp-vpn", path / "pki", path / "server/crl.pem"
        (path / "server").mkdir()
        (path / "boot.sh").write_text(f"{(FILES / 'boot.sh').read_text()}\n{(FILES / 'community.sh').read_text()}")
        self.env = {
            **os.environ,
            "LOG": str(path / "log"),
            "LOG_GROUP": "/shop/dev/openvpn",
            "NAMESPACE": "ngp/openvpn",
            "DAEMON_LOG": str(path / "server.log"),
            "PKI": str(self.pki),
            "SERVER": str(path / "server"),
            "TOOL": str(self.tool),
            "FQDN": "10.78.0.1",
            "VPN_NETWORK": "10.79.0.0",
            "VPN_NETMASK": "255.255.255.0",
            "VPN_CIDR": "10.79.0.0/24",
            "PUSHED_ROUTES": 'push "route 10.80.0.0 255.255.0.0"',
            "RESOLVER": "10.80.0.2",
            "REROUTE_GATEWAY": "false",
            "REROUTE_DNS": "false",
            "CERTIFICATE_DAYS": "30",
            "CLIENT_TOOL": base64.b64encode((FILES / "ngp-vpn.sh").read_bytes()).decode(),
            "NGP_VPN_CONFIGURATION": str(path / "ngp-vpn.conf"),
        }
        self.boot("make_authority")
        shutil.copy(FILES / "ngp-vpn.sh", self.tool)
        (path / "ngp-vpn.conf").write_text(f"FQDN=10.78.0.1\nPKI={self.pki}\nCRL={self.crl}\nCERTIFICATE_DAYS=30\n")
        self.clients("renew")

    def boot(self, lines):
        argv = ["bash", "-c", f". {self.path}/boot.sh\n{lines}"]
        return subprocess.run(argv, env=self.env, capture_output=True, text=True, check=True, timeout=120).stdout

    def clients(self, *argv, exit_code=0):
        told = subprocess.run(
            ["bash", self.tool, *argv], env=self.env, capture_output=True, text=True, check=False, timeout=60
        )
        assert told.returncode == exit_code, told.stderr
        return told.stdout

    def trusts(self, name):
        """Whether the authority and the published revocations still let a client in."""
        (self.path / "trust.pem").write_text((self.pki / "ca.crt").read_text() + self.crl.read_text())
        argv = ["openssl", "verify", "-crl_check", "-CAfile", self.path / "trust.pem", self.path / f"{name}.crt"]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0

    def keep(self, name):
        """The revocation moves a client's files away: what the client itself has stays."""
        shutil.copy(self.pki / f"issued/{name}.crt", self.path / f"{name}.crt")


@pytest.fixture
def server():
    """Its server reads the revocations as nobody: every folder above them lets it through, as /etc does.

    Those of pytest do not: each new run of it on the machine closes them again.
    """
    with tempfile.TemporaryDirectory(prefix="ngp-openvpn-", dir="/tmp") as folder:  # noqa: S108
        Path(folder).chmod(0o755)
        yield Server(Path(folder))


def test_authority_is_made_once_and_whole(server):
    before = (server.pki / "ca.crt").read_text()
    server.boot("make_authority")
    assert (server.pki / "ca.crt").read_text() == before
    assert server.pki.stat().st_mode & 0o777 == 0o700
    assert server.crl.stat().st_mode & 0o777 == 0o644


def test_half_an_authority_is_made_anew(server):
    shutil.rmtree(server.pki)
    (server.path / "pki.new").mkdir()
    (server.path / "pki.new/ca.crt").write_text("half")
    server.boot("make_authority")
    assert "BEGIN CERTIFICATE" in (server.pki / "ca.crt").read_text()
    assert not (server.path / "pki.new").exists()


def test_client_is_added_once_shown_again_and_revoked(server):
    profile = server.clients("add", "bob@example.com")
    assert server.clients("add", "bob@example.com") == server.clients("profile", "bob@example.com") == profile
    assert "remote 10.78.0.1 1194" in profile
    assert "BEGIN PRIVATE KEY" in profile
    server.keep("bob@example.com")
    assert server.trusts("bob@example.com")
    server.clients("revoke", "bob@example.com")
    assert not server.trusts("bob@example.com")
    assert [line.split()[::2] for line in server.clients("list").splitlines()] == [["R", "bob@example.com"]]
    assert server.clients("profile", "bob@example.com", exit_code=1) == ""
    assert not (server.pki / "private/bob@example.com.key").exists()
    assert server.clients("add", "bob@example.com") != profile


def test_sealed_profile_shows_no_key_and_opens_by_its_passphrase(server):
    passphrase = "correct horse battery staple"
    plain = server.clients("add", "bob")
    leader, follower = pty.openpty()

    def adopt():
        os.setsid()
        fcntl.ioctl(follower, termios.TIOCSCTTY, 0)

    argv = ["bash", server.tool, "profile", "bob", "--sealed"]
    pipes = {"stdin": follower, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    running = subprocess.Popen(argv, env=server.env, preexec_fn=adopt, **pipes)  # noqa: PLW1509
    said = b""
    for prompt in (b"for the profile of bob: ", b"once more: "):
        while not said.endswith(prompt):
            said += os.read(running.stderr.fileno(), 4096)
        time.sleep(0.3)  # the terminal's echo goes off with the prompt
        os.write(leader, f"{passphrase}\n".encode())
    sealed, rest = running.communicate(timeout=60)
    said += rest
    assert running.returncode == 0, said
    assert b"PRIVATE KEY" not in sealed + said
    echoed = b""
    os.set_blocking(leader, False)
    with suppress(BlockingIOError):
        echoed = os.read(leader, 4096)
    assert passphrase.encode() not in sealed + said + echoed
    opened = subprocess.run(
        ["openssl", "enc", "-d", "-aes-256-cbc", "-pbkdf2", "-iter", "600000", "-a", "-pass", f"pass:{passphrase}"],
        input=sealed,
        capture_output=True,
        check=True,
    )
    assert opened.stdout.decode() == plain


def test_client_whose_certificate_ran_out_gets_another(server):
    old = server.clients("add", "bob")
    server.keep("bob")
    clock = server.path / "bin/openssl"
    clock.parent.mkdir()
    clock.write_text('#!/bin/sh\ncase "$*" in *-checkend*) exit 1 ;; esac\nexec /usr/bin/openssl "$@"\n')
    clock.chmod(0o755)
    server.env["PATH"] = f"{clock.parent}:{os.environ['PATH']}"
    new = server.clients("add", "bob")
    assert "BEGIN CERTIFICATE" in new
    assert new != old
    assert not server.trusts("bob")
    server.keep("bob")
    assert server.trusts("bob")


def test_wrong_calls_are_refused_and_change_nothing(server):
    before = (server.pki / "index.txt").read_text()
    for argv in (["add"], ["add", "../x"], ["add", "a b"], ["revoke", "server"], ["profile", "ca"], ["format"], []):
        assert server.clients(*argv, exit_code=64) == ""
    assert (server.pki / "index.txt").read_text() == before


@pytest.fixture
def namespaces():
    """Two network namespaces, a server's and a client's, with a cable between them."""
    if not Path("/dev/net/tun").exists():
        pytest.skip("MISSING: /dev/net/tun")
    name = f"ngp{os.getpid()}"
    ends = {f"{name}s": ("s0", "10.78.0.1/24"), f"{name}c": ("c0", "10.78.0.2/24")}
    try:
        for namespace in ends:
            made = subprocess.run(["ip", "netns", "add", namespace], capture_output=True, text=True, check=False)
            if made.returncode != 0:
                pytest.skip(f"MISSING: network namespaces ({made.stderr.strip()})")
        pair = ["type", "veth", "peer", "name", "c0", "netns", f"{name}c"]
        subprocess.run(["ip", "link", "add", "s0", "netns", f"{name}s", *pair], check=True)
        for namespace, (device, address) in ends.items():
            subprocess.run(["ip", "-n", namespace, "addr", "add", address, "dev", device], check=True)
            subprocess.run(["ip", "-n", namespace, "link", "set", device, "up"], check=True)
        yield tuple(ends)
    finally:
        for namespace in ends:
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


def start(namespace, log, *argv):
    command = ["nsenter", f"--net=/run/netns/{namespace}", "openvpn", "--disable-dco", *argv]
    with log.open("w") as out:
        return subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)


def stop(process):
    process.terminate()
    process.wait(10)


def says(log, words, limit_s=20):
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if words in log.read_text():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
def test_client_gets_through_until_it_is_revoked(server, namespaces):
    inside, outside = namespaces
    (server.path / "server/ngp.conf").write_text(server.boot("server_configuration"))
    (server.path / "bob.ovpn").write_text(server.clients("add", "bob"))
    logs = [server.path / name for name in ("server.log", "first.log", "second.log")]
    listening = start(inside, logs[0], "--cd", server.path / "server", "--config", "ngp.conf")
    try:
        client = start(outside, logs[1], "--config", server.path / "bob.ovpn")
        try:
            assert says(logs[1], "Initialization Sequence Completed"), logs[1].read_text()
            routes = subprocess.run(["ip", "-n", outside, "route"], capture_output=True, text=True, check=True).stdout
            assert "10.80.0.0/16 via 10.79.0.1 dev tun" in routes
        finally:
            stop(client)
        server.clients("revoke", "bob")
        client = start(outside, logs[2], "--config", server.path / "bob.ovpn")
        try:
            assert says(logs[0], "certificate revoked"), logs[0].read_text()
            assert "Initialization Sequence Completed" not in logs[2].read_text()
        finally:
            stop(client)
    finally:
        stop(listening)


@pytest.mark.skipif(shutil.which("nft") is None, reason="MISSING: nft (Debian's nftables)")
def test_masquerade_can_be_applied_again(server, namespaces):
    text = (FILES / "community.sh").read_text()
    rules = text.split("<<NFT\n", 1)[1].split("\nNFT\n", 1)[0].replace("$VPN_CIDR", "10.79.0.0/24")
    (server.path / "ngp.nft").write_text(rules + "\n")
    enter = ["nsenter", f"--net=/run/netns/{namespaces[0]}", "nft"]
    for _ in range(2):
        subprocess.run([*enter, "-f", server.path / "ngp.nft"], check=True, capture_output=True)
    listed = subprocess.run([*enter, "list", "ruleset"], check=True, capture_output=True, text=True).stdout
    assert listed.count("ip saddr 10.79.0.0/24") == 1
    assert "masquerade" in listed
