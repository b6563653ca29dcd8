"""The client of Docker beside a server on a socket that answers what it was given."""

import http.server
import socketserver
import threading

import pytest


@pytest.fixture
def engine(code, tmp_path):
    """`engine({path: (status, text)})` gives a client of such a server."""
    servers = []

    def serve(answers):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, text = answers[self.path]
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        path = str(tmp_path / f"{len(servers)}.sock")
        servers.append(socketserver.ThreadingUnixStreamServer(path, Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return code.engine.Engine(path)

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("text", "says"),
    [('{"message": "no quorum"}', "no quorum"), ("not for you\n", "not for you"), ("", "Service Unavailable")],
)
def test_a_refusal_is_told_in_dockers_words(code, engine, text, says):
    with pytest.raises(code.engine.EngineError, match=f"^{says}$") as told:
        engine({"/nodes": (503, text)}).call("GET", "/nodes")
    assert told.value.status == 503


@pytest.mark.parametrize(
    ("node", "answer", "leads"),
    [
        ("n1", (200, '{"ManagerStatus": {"Leader": true}}'), True),
        ("n1", (200, '{"ManagerStatus": {"Reachability": "reachable"}}'), False),
        ("n1", (200, "{}"), False),
        ("n1", (503, '{"message": "This node is not a swarm manager."}'), False),
        ("", (200, "[]"), False),
    ],
)
def test_who_leads(engine, node, answer, leads):
    info = f'{{"Swarm": {{"NodeID": "{node}"}}}}'
    assert engine({"/info": (200, info), f"/nodes/{node}": answer}).is_leader() is leads


@pytest.mark.parametrize(
    ("here", "registry", "has"),
    [(200, None, True), (404, 200, True), (404, 404, False), (404, 401, True), (404, 500, True), (500, None, True)],
)
def test_an_image_that_nobody_denies_counts_as_there(engine, here, registry, has):
    image = "registry.example.com:5000/shop/web:1@sha256:00"
    answers = {f"/images/{image}/json": (here, "{}"), f"/distribution/{image}/json": (registry, "{}")}
    assert engine(answers).has_image(image) is has
