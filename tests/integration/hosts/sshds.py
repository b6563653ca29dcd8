"""Real sshds, their keys and ports, and servers that are none."""

import contextlib
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

SSHD = "/usr/sbin/sshd"


def key(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _listens(address, port):
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def sshd(folder, addresses, port, host_key, authorized, *, more=(), around=()):
    """Run a sshd as this user, with `more` lines of configuration; `around` is a command that starts it."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    name = f"sshd-{addresses[0]}-{port}"
    config = folder / f"{name}.conf"
    lines = [f"ListenAddress {address}:{port}" for address in addresses]
    lines += [f"HostKey {host_key}", f"AuthorizedKeysFile {authorized}", f"PidFile {folder}/{name}.pid"]
    lines += ["StrictModes no", "UsePAM no", "PasswordAuthentication no", "KbdInteractiveAuthentication no"]
    lines += ["PermitRootLogin yes", "Subsystem sftp internal-sftp", "MaxStartups 100", "UseDNS no"]
    config.write_text("\n".join([*more, *lines, "LogLevel ERROR"]) + "\n")
    process = subprocess.Popen([*around, SSHD, "-D", "-e", "-f", config], stderr=(folder / f"{name}.log").open("w"))
    try:
        deadline = time.monotonic() + 20
        while not _listens(addresses[-1], port):
            assert process.poll() is None, (folder / f"{name}.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def listener(answer):
    """A server on a port of its own that does `answer` with each connection; gives the port."""
    server = socket.create_server(("127.0.7.200", 0))
    kept = []

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            kept.append(connection)
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()
        for connection in kept:
            connection.close()
