"""A client of the Docker on this node, over its socket: the standard library only."""

from __future__ import annotations

import http.client
import json
import socket
import urllib.parse
from dataclasses import dataclass
from typing import Any


class EngineError(Exception):
    """Docker refused; `status` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("docker", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass(frozen=True)
class Engine:
    """The API of the Docker behind a socket."""

    path: str

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The answer, parsed. Raises EngineError for a refusal, OSError where nobody answers."""
        target = f"{path}?{urllib.parse.urlencode(query)}" if query else path
        connection = _Connection(self.path)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, target, data, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        answer = _parse(text)
        if response.status >= 400:
            told = answer.get("message") if isinstance(answer, dict) else answer
            raise EngineError(response.status, str(told or response.reason))
        return answer

    def is_leader(self) -> bool:
        node = self.call("GET", "/info")["Swarm"]["NodeID"]
        if not node:
            return False
        try:
            return bool(self.call("GET", f"/nodes/{node}").get("ManagerStatus", {}).get("Leader"))
        except EngineError:
            return False  # no manager, or none that has a quorum

    def has_image(self, image: str) -> bool:
        """Whether this node or the registry has it. A registry that wants a login, or does not answer, counts as having
        it: the nodes may be let in."""
        for path in (f"/images/{image}/json", f"/distribution/{image}/json"):
            try:
                self.call("GET", urllib.parse.quote(path, safe="/:@"))
            except EngineError as error:
                found = error.status != 404
            else:
                found = True
            if found:
                return True
        return False


def _parse(text: bytes) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except ValueError:
        return text.decode(errors="replace").strip()[:500]
