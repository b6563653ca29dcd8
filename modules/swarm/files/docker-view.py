#!/usr/bin/python3
"""Answers what the router asks Docker, and nothing else, on a socket of its own.

Who holds Docker's socket on a manager holds the cluster, and the router faces the internet. Here it can only read:
services, tasks, networks and nodes, without what containers are started with (environment, arguments, secrets).
Every request to Docker is made anew, so nothing of a caller reaches Docker but a path that `ASKED` matches.
"""

from __future__ import annotations

import http.client
import http.server
import json
import os
import re
import socket
import socketserver
from pathlib import Path
from typing import Any

DOCKER = os.environ.get("DOCKER_SOCKET", "/run/docker.sock")
VIEW = os.environ.get("VIEW_SOCKET", "/run/ngp-view/docker.sock")
ASKED = re.compile(r"(/v[0-9.]+)?/(_ping|version|services|tasks|networks|nodes/[a-z0-9]+)(\?[A-Za-z0-9%._=&+-]*)?")
HEADERS = ("Api-Version", "Content-Type", "Docker-Experimental", "Ostype", "Server", "Swarm")


class Docker(http.client.HTTPConnection):
    def __init__(self) -> None:
        super().__init__("docker", timeout=30)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(DOCKER)


class View(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120

    def do_GET(self) -> None:
        if not ASKED.fullmatch(self.path):
            self.send_error(403)
            return
        docker = Docker()
        try:
            docker.request(self.command, self.path)
            answer = docker.getresponse()
            self._pass_on(answer, answer.read())
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.log_error("%s: %s", self.path, error)
            self.send_error(502)
        finally:
            docker.close()

    def do_HEAD(self) -> None:
        self.do_GET()

    def _pass_on(self, answer: http.client.HTTPResponse, body: bytes) -> None:
        if body and answer.headers.get_content_type() == "application/json":
            body = json.dumps(without_containers(json.loads(body))).encode()
        self.send_response(answer.status)
        for name in HEADERS:
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "router"

    def log_request(self, *_: object) -> None:
        pass


def without_containers(value: Any) -> Any:
    """The same, without the definitions of containers."""
    if isinstance(value, dict):
        return {name: without_containers(each) for name, each in value.items() if name != "ContainerSpec"}
    if isinstance(value, list):
        return [without_containers(each) for each in value]
    return value


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


if __name__ == "__main__":
    Path(VIEW).unlink(missing_ok=True)
    os.umask(0o177)
    Server(VIEW, View).serve_forever()
