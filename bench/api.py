"""The AWS of the benchmark: the sandbox's own server behind a clock (``python -m bench.api NAME PORT ANNOUNCEMENT``).

The clock stands in the server, so a call takes no longer for it; it says how long somebody was waiting for an answer.
"""

from __future__ import annotations

import json
import secrets
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import platforms
from ngp import files, processes
from ngp.aws import access
from ngp.aws.session import Session
from ngp.sandbox import emulator, launcher, seed, server

_CLOCK = "/_bench/clock"
_READY_S = 120.0
_QUESTIONS = {
    "ec2": "describe_vpcs",
    "route53": "list_hosted_zones",
    "s3": "list_buckets",
    "ssm": "describe_parameters",
    "sts": "get_caller_identity",
}
Application = Callable[..., Iterable[bytes]]


@dataclass(frozen=True)
class Reading:
    """`busy_s` is the time with at least one call in progress."""

    calls: int
    busy_s: float


@dataclass(frozen=True)
class Api:
    running: server.RunningSandbox

    def take(self) -> Reading:
        """Return the clock's values since the last call."""
        with urllib.request.urlopen(self.running.url + _CLOCK) as answer:
            return Reading(**json.load(answer))

    def warm_up(self) -> None:
        """Call each service once, because the server loads a service's code at its first call."""
        session = Session(self.environ({}))
        for service, question in _QUESTIONS.items():
            session.call(service, question)

    def reset(self, bucket: str) -> None:
        """Empty the region, except what ngp would create before it starts: a hosted zone and the state bucket."""
        request = urllib.request.Request(self.running.url + emulator.RESET_PATH, method="POST")
        urllib.request.urlopen(request).close()
        seed.seed(Session(self.environ({})), region=platforms.REGION, domain=platforms.DOMAIN, bucket=bucket)

    def environ(self, ours: Mapping[str, str]) -> dict[str, str]:
        """Return the AWS variables for the region; `ours` are existing variables."""
        return access.sandbox(ours, self.running.url, platforms.REGION, platforms.ACCOUNT)

    def lend(self, platform: Path) -> None:
        """Register this server as the running sandbox of an ngp platform."""
        record = server.folder(platform / ".ngp") / "running.json"
        files.write(record, json.dumps(asdict(self.running)), mode=0o600)

    def stop(self) -> None:
        processes.end_group(self.running.pid)


def start(folder: Path, environ: Mapping[str, str]) -> Api:
    """Start the server, with all its files in `folder`. Raises RuntimeError if it does not start."""
    folder.mkdir(parents=True)
    name, log, announced = secrets.token_hex(16), folder / "server.log", folder / "port"
    argv = (sys.executable, "-m", "bench.api", name, "0", str(announced))
    own = {"HOME": str(folder), "TMPDIR": str(folder), "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    env = {"PATH": environ["PATH"], **own, **emulator.environment(folder)}
    pid = processes.start(processes.ProcessRequest(argv, folder, env), log)
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and processes.is_alive(pid):
        if announced.is_file():
            url = f"http://127.0.0.1:{announced.read_text()}"
            urllib.request.urlopen(url + emulator.SIGN, timeout=_READY_S).close()
            port = int(announced.read_text())
            return Api(server.RunningSandbox(url, pid, port, emulator.NAME, "", name))
        time.sleep(0.02)
    processes.end_group(pid)
    raise RuntimeError(f"the server does not come up: {log.read_text()}")


class _Clock:
    """A WSGI application around another one, that counts its calls and how long it was busy."""

    def __init__(self, app: Application) -> None:
        self._app, self._guard = app, threading.Lock()
        self._calls, self._at_work, self._since, self._busy_s = 0, 0, 0.0, 0.0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == _CLOCK:
            return self._tell(start_response)
        with self._guard:
            if not self._at_work:
                self._since = time.monotonic()
            self._at_work += 1
            self._calls += 1
        try:
            return list(self._app(environ, start_response))
        finally:
            with self._guard:
                self._at_work -= 1
                if not self._at_work:
                    self._busy_s += time.monotonic() - self._since

    def _tell(self, start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._guard:
            text = json.dumps({"calls": self._calls, "busy_s": self._busy_s}).encode()
            self._calls, self._busy_s = 0, 0.0
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
        return [text]


if __name__ == "__main__":
    own = launcher.signed
    launcher.signed = lambda app, name: _Clock(own(app, name))
    launcher.main(sys.argv[1:])
