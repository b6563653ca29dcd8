"""Readiness checks: whether the units' services answer, asked from this machine."""

from __future__ import annotations

import http.client
import re
import shlex
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ngp import processes
from ngp.catalogue.module import ReadinessCheck
from ngp.environments.environment import Target
from ngp.errors import RefusedError
from ngp.runs import outputs

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.environments.environment import Environment
    from ngp.environments.resolving import Resolved

PAUSE_S = 5.0  # between two questions
_LIMIT_S = 20.0  # timeout of one answer
_BODY = 1_000_000  # bytes of an answer that are checked
_NAMED = re.compile(r"\{([^{}]*)\}")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Probe:
    """A readiness check of a unit. If `says` is not empty, nothing is asked and `is_ready` is the answer."""

    unit: str
    check: ReadinessCheck
    target: str
    says: str = ""
    is_ready: bool = False


@dataclass(frozen=True)
class Answer:
    unit: str
    kind: str
    target: str
    is_ready: bool
    says: str
    duration_s: float = 0.0


@dataclass(frozen=True)
class Prober:
    """Asks from this machine. Commands run in `cwd` with `env`. Without `is_patient`, each probe is tried once."""

    cwd: Path
    env: Mapping[str, str]
    stop: threading.Event
    is_patient: bool = True
    pause_s: float = PAUSE_S

    def probe_all(self, probes: Sequence[Probe], emit: Callable[[Answer], None]) -> list[Answer]:
        """Return an answer for each probe, in order; `emit` gets each as it arrives. Setting `stop` ends the wait."""

        def ask(probe: Probe) -> Answer:
            answer = self._wait(probe)
            emit(answer)
            return answer

        with ThreadPoolExecutor(max(1, len(probes))) as pool:
            return list(pool.map(ask, probes))

    def _wait(self, probe: Probe) -> Answer:
        start = time.monotonic()
        says, is_ready = probe.says, probe.is_ready
        while not probe.says:
            is_ready, says = self._ask(probe)
            spent = time.monotonic() - start
            if is_ready or not self.is_patient or spent + self.pause_s > probe.check.timeout_s:
                break
            if self.stop.wait(self.pause_s):
                break
        return Answer(probe.unit, probe.check.kind, probe.target, is_ready, says, time.monotonic() - start)

    def _ask(self, probe: Probe) -> tuple[bool, str]:
        try:
            if probe.check.kind == "command":
                return self._run(probe)
            return _request(probe) if probe.check.kind == "http" else _connect(probe)
        except (OSError, ValueError, http.client.HTTPException) as error:
            return False, str(error) or type(error).__name__

    def _run(self, probe: Probe) -> tuple[bool, str]:
        request = processes.ProcessRequest(tuple(shlex.split(probe.target)), self.cwd, self.env, timeout_s=_LIMIT_S)
        done = processes.run(request, stop=self.stop)
        if done.timed_out:
            return False, f"no end within {_LIMIT_S:.0f} s"
        if done.exit_code == 0 and probe.check.expect not in done.stdout:
            return False, f"does not contain {probe.check.expect}"
        return done.exit_code == 0, f"exit code {done.exit_code}"


def require_real(environment: Environment) -> None:
    """Raise RefusedError (3) for the sandbox: its machines do not boot, so no service can answer."""
    if environment.target is Target.SANDBOX:
        what = f"cannot check the services of `{environment.name}`, because it is in the sandbox"
        todo = "run `ngp ready` for an environment with `target: aws`"
        raise RefusedError(what, where=str(environment.path), why="the machines of the sandbox do not boot", todo=todo)


def collect(resolved: Resolved, session: Session, chosen: tuple[str, ...] = ()) -> list[Probe]:
    """Return the checks of the chosen units (none: all), with the outputs of their states filled in."""
    environment, modules = resolved.environment, resolved.catalogue.modules
    known = {(one.unit, one.name): one.value for one in outputs.collect(resolved, session, chosen)}
    return [
        _probe(unit, check, {name: value for (of, name), value in known.items() if of == unit})
        for unit in chosen or tuple(environment.units)
        for check in modules[environment.units[unit].module].manifest.ready
    ]


def _probe(unit: str, check: ReadinessCheck, values: Mapping[str, Any]) -> Probe:
    is_template = check.kind == "command" or "{" in check.target
    template = check.target if is_template else f"{{{check.target}}}"
    names = _NAMED.findall(template)
    missing = [name for name in names if name not in values]
    if missing:
        return Probe(unit, check, check.target, f"the output {', '.join(missing)} does not exist yet")
    if any(values[name] is None for name in names):
        return Probe(unit, check, check.target, "nothing to ask: the unit does not serve it", is_ready=True)
    quote = shlex.quote if check.kind == "command" else str
    return Probe(unit, check, _NAMED.sub(lambda found: quote(str(values[found[1]])), template))


def _request(probe: Probe) -> tuple[bool, str]:
    url, expect = urlsplit(probe.target), probe.check.expect
    maker = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = maker(url.hostname or "", url.port, timeout=_LIMIT_S)
    try:
        connection.request("GET", (url.path or "/") + (f"?{url.query}" if url.query else ""))
        response = connection.getresponse()
        body = response.read(_BODY).decode(errors="replace")
    finally:
        connection.close()
    if re.fullmatch(r"\d{3}", expect):
        return str(response.status) == expect, f"answers {response.status}"
    if response.status < 400 and expect not in body:
        return False, f"answers {response.status}, without {expect}"
    return response.status < 400, f"answers {response.status}"


def _connect(probe: Probe) -> tuple[bool, str]:
    url = urlsplit(probe.target if "//" in probe.target else f"//{probe.target}")
    port = url.port or _PORTS.get(url.scheme)
    if not url.hostname or not port:
        return False, "no host and port"
    socket.create_connection((url.hostname, port), _LIMIT_S).close()
    return True, "accepts connections"
