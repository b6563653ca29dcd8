"""What the router may ask of Docker, over real sockets: the filter before a Docker that answers all."""

import http.client
import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

pytestmark = pytest.mark.proves("scripts", "swarm")
SCRIPT = Path(__file__).parents[3] / "modules/swarm/files/docker-view.py"
SERVICE = {
    "ID": "s1",
    "Spec": {
        "Name": "web",
        "Labels": {"traefik.enable": "true"},
        "TaskTemplate": {"ContainerSpec": {"Image": "w", "Env": ["PASSWORD=hunter2"]}, "Networks": [{"Target": "n1"}]},
    },
    "PreviousSpec": {"TaskTemplate": {"ContainerSpec": {"Env": ["PASSWORD=hunter1"]}}},
}


class Docker(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(f"{self.command} {self.path}")
        is_ping = self.path.endswith("_ping")
        body = b"OK" if is_ping else json.dumps([SERVICE]).encode()
        self.send_response(200)
        self.send_header("Api-Version", "1.45")
        self.send_header("Content-Type", "text/plain" if is_ping else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    def log_message(self, *_):
        pass


class Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class Caller(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("docker", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


def await_socket(path, process):
    """Wait until somebody listens: the file is there a moment before."""
    while process.poll() is None:
        with socket.socket(socket.AF_UNIX) as tried:
            if tried.connect_ex(path) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the filter has ended")


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    folder = tmp_path_factory.mktemp("view")
    docker = Unix(str(folder / "docker"), Docker)
    docker.asked = []
    threading.Thread(target=docker.serve_forever, daemon=True).start()
    names = {"DOCKER_SOCKET": str(folder / "docker"), "VIEW_SOCKET": str(folder / "view")}
    process = subprocess.Popen([sys.executable, str(SCRIPT)], env={**os.environ, **names})
    await_socket(names["VIEW_SOCKET"], process)
    yield str(folder / "view"), docker
    process.terminate()
    process.wait(10)
    docker.shutdown()


def ask(view, method, path):
    caller = Caller(view[0])
    caller.request(method, path)
    answer = caller.getresponse()
    body = answer.read()
    caller.close()
    return answer, body


@pytest.mark.parametrize(
    "path",
    [
        "/v1.45/version",
        "/services",
        "/v1.45/services?status=true",
        "/v1.45/tasks?filters=%7B%22service%22%3A%7B%22s1%22%3Atrue%7D%7D",
        "/v1.45/networks?filters=%7B%22scope%22%3A%7B%22swarm%22%3Atrue%7D%7D",
        "/v1.45/nodes/abc0def",
    ],
)
def test_what_the_router_needs_is_answered(view, path):
    answer, body = ask(view, "GET", path)
    assert answer.status == 200
    assert json.loads(body)[0]["Spec"]["Labels"] == {"traefik.enable": "true"}
    assert view[1].asked[-1] == f"GET {path}"


def test_version_is_negotiated(view):
    answer, body = ask(view, "HEAD", "/_ping")
    assert (answer.status, answer.headers["Api-Version"], body) == (200, "1.45", b"")
    assert ask(view, "GET", "/_ping")[1] == b"OK"


def test_what_containers_are_started_with_is_not_told(view):
    _, body = ask(view, "GET", "/v1.45/services")
    assert b"hunter" not in body
    assert json.loads(body)[0]["Spec"]["TaskTemplate"] == {"Networks": [{"Target": "n1"}]}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1.45/secrets"),
        ("GET", "/v1.45/configs"),
        ("GET", "/v1.45/swarm"),  # the join tokens
        ("GET", "/v1.45/containers/json"),
        ("GET", "/v1.45/services/s1/logs?stdout=1"),
        ("GET", "/v1.45/services/../secrets"),
        ("GET", "/v1.45/nodes/../swarm"),
        ("GET", "/v1.45/services?x=1 HTTP/1.1"),
        ("GET", "http://docker/v1.45/swarm"),
        ("POST", "/v1.45/services/create"),
        ("POST", "/v1.45/services"),
        ("DELETE", "/v1.45/services/s1"),
        ("PUT", "/v1.45/services"),
    ],
)
def test_everything_else_is_refused_and_reaches_no_docker(view, method, path):
    before = list(view[1].asked)
    caller = Caller(view[0])
    caller.connect()
    caller.sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n".encode())
    status = int(caller.sock.recv(4096).split()[1])
    caller.close()
    assert status in (400, 403, 501)
    assert view[1].asked == before


def test_request_hidden_in_a_body_reaches_no_docker(view):
    before = list(view[1].asked)
    caller = Caller(view[0])
    caller.connect()
    hidden = b"POST /v1.45/services/create HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n"
    caller.sock.sendall(b"GET /v1.45/version HTTP/1.1\r\nHost: d\r\nContent-Length: %d\r\n\r\n" % len(hidden) + hidden)
    caller.sock.recv(65536)
    time.sleep(0.2)
    caller.close()
    assert view[1].asked == [*before, "GET /v1.45/version"]


def test_only_root_reaches_it(view):
    assert Path(view[0]).stat().st_mode & 0o777 == 0o600


def test_docker_that_is_away_is_told(tmp_path):
    names = {"DOCKER_SOCKET": str(tmp_path / "none"), "VIEW_SOCKET": str(tmp_path / "view")}
    process = subprocess.Popen([sys.executable, str(SCRIPT)], env={**os.environ, **names}, stderr=subprocess.DEVNULL)
    await_socket(names["VIEW_SOCKET"], process)
    assert ask((names["VIEW_SOCKET"],), "GET", "/version")[0].status == 502
    process.terminate()
    process.wait(10)
