"""A switch that machines are plugged into; behind it are the instance metadata service and the sandbox.

Nothing of it has a name on this machine: a namespace goes with its first process, and that one with us.
"""

import contextlib
import ctypes
import http.server
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

NETWORK, GATEWAY, SANDBOX_PORT = "10.77.0", "10.77.0.1", 4566
METADATA = "169.254.169.254"
_CLOUD_INIT = ("Cloud-Init/", "python-requests/")
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
    """The instance metadata service, version 2: it knows a machine by its address, and refuses who has no token.

    Only cloud-init may ask without one, below its own dated path: in a container it does not take this for EC2.
    """

    def do_PUT(self):
        lifetime = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
        self._answer("TOKEN" if self.path == "/latest/api/token" and lifetime else None)

    def do_GET(self):
        version, _, path = self.path.removeprefix("/").partition("/")
        is_cloud_init = version != "latest" and self.headers.get("User-Agent", "").startswith(_CLOUD_INIT)
        if self.headers.get("X-aws-ec2-metadata-token") != "TOKEN" and not is_cloud_init:
            return self._answer(None, 401)
        facts = self.server.facts[self.client_address[0]]
        known = facts.get(path.rstrip("/"))
        return self._answer(_listing(facts, path) if known is None else known)

    def _answer(self, text, refusal=404):
        body = text if isinstance(text, bytes) else (text or "").encode()
        self.send_response(refusal if text is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def _listing(facts, folder):
    """The names below a folder, None if there are none."""
    folder = f"{folder.rstrip('/')}/"
    rests = [path.removeprefix(folder) for path in facts if path.startswith(folder)]
    return (
        "\n".join(sorted({name + "/" * bool(more) for name, _, more in (rest.partition("/") for rest in rests)}))
        or None
    )


class Switch(Namespace):
    """Machines are plugged into it; it answers as the metadata service and lets in to the sandbox."""

    def __init__(self, sandbox_url):
        super().__init__(("--net",), "sleep", "infinity")
        self.ip("link", "add", "br0", "type", "bridge")
        self.ip("addr", "add", f"{GATEWAY}/24", "dev", "br0")
        self.ip("link", "set", "br0", "up")
        self.ip("link", "set", "lo", "up")
        self.ip("addr", "add", f"{METADATA}/32", "dev", "lo")
        self.servers = []
        self.facts = self.serve(METADATA, 80, Metadata).facts = {}
        self.door = self.listen(GATEWAY, SANDBOX_PORT)
        threading.Thread(target=self._let_in, args=[urlsplit(sandbox_url)], daemon=True).start()

    def serve(self, address, port, handler, wrap=lambda each: each):
        """An HTTP server that answers there; `wrap` may put TLS around its socket."""
        server = http.server.ThreadingHTTPServer((address, port), handler, bind_and_activate=False)
        server.socket.close()
        server.socket = wrap(self.listen(address, port))
        self.servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def plug_in(self, namespace, address):
        """A cable from a namespace, which has that address and leaves by the switch."""
        cable = f"v{namespace.pid}"
        self.ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace.pid)
        self.ip("link", "set", cable, "master", "br0", "up")
        namespace.ip("link", "set", "lo", "up")
        namespace.ip("addr", "add", f"{address}/24", "dev", "eth0")
        namespace.ip("link", "set", "eth0", "up")
        namespace.ip("route", "add", "default", "via", GATEWAY)

    def end(self):
        super().end()
        for server in self.servers:
            server.shutdown()
            server.server_close()
        self.door.close()

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
