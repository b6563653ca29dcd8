"""The check between two batches asks what the units of the hosts serve, and nothing of the sandbox."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from ngp.catalogue.module import ReadinessCheck
from ngp.environments import documents, resolving
from ngp.environments.environment import Target
from ngp.hosts.host import Host
from ngp.packages import health
from ngp.packages.health import BatchCheck
from ngp.runs import readiness
from ngp.runs.readiness import Probe


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802
        self.send_response(503 if self.path == "/bad" else 200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_what_is_not_ready_is_named(url, tmp_path):
    probes = [
        Probe(unit, ReadinessCheck("http", path, timeout_s=0), url + path) for unit, path in (("a", "/"), ("b", "/bad"))
    ]
    settings = SimpleNamespace(environ=dict(os.environ))
    found = health.check(BatchCheck(SimpleNamespace(path=tmp_path), probes), settings, threading.Event())
    assert found == [f"b: {url}/bad answers 503"]


@pytest.fixture
def asked(monkeypatch):
    """The environments and units whose checks are asked for; `real` is an account, `play` a sandbox."""
    seen = []

    def resolve(_platform, name):
        target = Target.AWS if name == "real" else Target.SANDBOX
        return SimpleNamespace(environment=SimpleNamespace(name=name, target=target, units={"alb": 1, "swarm": 1}))

    def collect(resolved, session, units):
        seen.append((resolved.environment.name, session, units))
        return [Probe(unit, ReadinessCheck("http", ""), "") for unit in units]

    monkeypatch.setattr(documents, "names", lambda _: ["play", "real"])
    monkeypatch.setattr(resolving, "resolve", resolve)
    monkeypatch.setattr(readiness, "collect", collect)
    return seen


def test_units_of_the_hosts_are_asked_about(asked):
    of = [("real", "swarm"), ("real", "alb"), ("real", "swarm"), ("real", "gone"), ("play", "alb"), ("lab", "alb")]
    hosts = [Host(f"h{number}", f"i{number}", place[0], unit=place[1]) for number, place in enumerate(of)]
    probes = health.collect(None, hosts, lambda name: f"session of {name}")
    assert asked == [("real", "session of real", ("alb", "swarm"))]
    assert [probe.unit for probe in probes] == ["alb", "swarm"]


def test_hosts_without_unit_or_reach_have_no_check(asked):
    assert health.collect(None, [Host("h", "i", "real")], lambda _: "session") == []
    assert health.collect(None, [Host("h", "i", "real", unit="alb")], lambda _: None) == []
    assert asked == []


def test_units_without_a_readiness_check_are_named(mocker):
    probe = SimpleNamespace(unit="alb")
    hosts = [Host("a", "1", "real", unit="alb"), Host("b", "2", "real", unit="db"), Host("c", "3", "real")]
    mocker.patch.object(health, "collect", return_value=[probe])
    found = health.prepare(SimpleNamespace(), hosts, lambda _: None)
    assert (found.probes, found.unchecked) == ([probe], ["db"])
    mocker.patch.object(health, "collect", return_value=[])
    for platform in (None, SimpleNamespace()):
        nothing = health.prepare(platform, hosts, lambda _: None)
        assert (nothing.probes, nothing.unchecked) == ((), ())
        assert health.check(nothing, None, threading.Event()) == []
