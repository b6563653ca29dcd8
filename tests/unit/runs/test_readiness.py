"""Readiness checks are asked for real: of a server and a program on this machine."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from ngp.catalogue.module import Manifest, ReadinessCheck
from ngp.runs import outputs, readiness
from ngp.runs.readiness import Answer, Probe
from ngp.runs.results import OutputValue


class Handler(BaseHTTPRequestHandler):
    """Comes up with the third question."""

    asked = 0

    def do_GET(self):
        Handler.asked += 1
        is_up = Handler.asked > 2 or self.path != "/slow"
        self.send_response({"/gone": 404, "/v2/": 401}.get(self.path, 200) if is_up else 503)
        self.end_headers()
        self.wfile.write(b"all is well")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def ask(tmp_path):
    """`ask(kind, target, expect)`: whether it is ready, and what it says."""

    def ask(kind, target, expect="", *, is_patient=False):
        asker = readiness.Prober(tmp_path, dict(os.environ), threading.Event(), is_patient, pause_s=0.01)
        (answer,) = asker.probe_all([Probe("shop", ReadinessCheck(kind, target, expect), target)], lambda _: None)
        return answer.is_ready, answer.says

    return ask


@pytest.mark.parametrize(
    ("path", "expect", "found"),
    [
        ("/", "", (True, "answers 200")),
        ("/v2/", "401", (True, "answers 401")),
        ("/v2/", "200", (False, "answers 401")),
        ("/gone", "", (False, "answers 404")),
        ("/", "well", (True, "answers 200")),
        ("/", "ill", (False, "answers 200, without ill")),
    ],
)
def test_http_is_asked_for_a_status_or_a_text(ask, url, path, expect, found):
    assert ask("http", url + path, expect) == found


def test_tcp_is_a_connection(ask, url):
    assert ask("tcp", url) == (True, "accepts connections")
    assert ask("tcp", url.removeprefix("http://")) == (True, "accepts connections")
    assert ask("tcp", "127.0.0.1:1")[0] is False
    assert ask("tcp", "nowhere") == (False, "no host and port")


@pytest.mark.parametrize(
    ("line", "expect", "found"),
    [
        ("echo fine", "", (True, "exit code 0")),
        ("echo fine", "bad", (False, "does not contain bad")),
        ("false", "", (False, "exit code 1")),
    ],
)
def test_a_command_succeeds_and_says_what_is_expected(ask, line, expect, found):
    assert ask("command", line, expect) == found


def test_a_command_that_is_not_there_is_not_ready(ask):
    assert "No such file" in ask("command", "no-such-program")[1]


def test_it_is_asked_again_until_it_is_ready(ask, url):
    Handler.asked = 0
    assert ask("http", f"{url}/slow", "200") == (False, "answers 503")
    assert ask("http", f"{url}/slow", "200", is_patient=True) == (True, "answers 200")


def resolved(*checks):
    manifest = Manifest("Shop", "Sells", "apps", ready=checks)
    return SimpleNamespace(
        environment=SimpleNamespace(units={"shop": SimpleNamespace(module="store")}),
        catalogue=SimpleNamespace(modules={"store": SimpleNamespace(manifest=manifest)}),
    )


def collect(mocker, *checks, **values):
    found = [OutputValue("shop", name, value, False) for name, value in values.items()]
    mocker.patch.object(outputs, "collect", return_value=found)
    return readiness.collect(resolved(*checks), None)


def test_outputs_stand_in_the_targets(mocker):
    checks = [
        ReadinessCheck("tcp", "url"),
        ReadinessCheck("http", "{url}/v2/"),
        ReadinessCheck("command", "dig {name}"),
    ]
    probes = collect(mocker, *checks, url="https://shop.test", name="a; b")
    assert [probe.target for probe in probes] == ["https://shop.test", "https://shop.test/v2/", "dig 'a; b'"]


def test_what_is_not_applied_is_not_ready_and_what_is_not_served_is_not_asked(mocker, tmp_path):
    probes = collect(mocker, ReadinessCheck("tcp", "url"), ReadinessCheck("tcp", "admin"), url=None)
    answers = readiness.Prober(tmp_path, {}, threading.Event()).probe_all(probes, lambda _: None)
    assert [(one.is_ready, one.says) for one in answers] == [
        (True, "nothing to ask: the unit does not serve it"),
        (False, "the output admin does not exist yet"),
    ]


def test_in_the_sandbox_nothing_could_answer(platform, ngp):
    outcome = ngp.call("ready", "dev")
    assert outcome.exit_code == 3
    assert "the machines of the sandbox do not boot" in outcome.stderr


def test_a_set_stop_ends_the_waiting(tmp_path):
    stop = threading.Event()
    stop.set()
    probe = Probe("shop", ReadinessCheck("tcp", "127.0.0.1:1"), "127.0.0.1:1")
    heard: list[Answer] = []
    (answer,) = readiness.Prober(tmp_path, {}, stop).probe_all([probe], heard.append)
    assert heard == [answer]
    assert not answer.is_ready
