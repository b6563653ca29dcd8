"""A double of a failing S3: a proxy in front of the sandbox that refuses, loses or cuts off what it is told to."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HEADERS = ("Connection", "Transfer-Encoding", "Content-Length", "Content-Encoding")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name):  # do_GET, do_PUT, …
        if name.startswith("do_"):
            return self.handle_any
        raise AttributeError(name)

    def handle_any(self):
        path = self.path.partition("?")[0]
        fault = self.server.fault(self.command, self.headers.get("X-Amz-Target", path))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault[:1].isdigit():
            status, _, code = fault.partition(" ")
            text = f"<Error><Code>{code or 'Played'}</Code><Message>played</Message></Error>"
            return self.answer(int(status), text.encode())
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind)
        connection.request(self.command, self.path, body, dict(self.headers))
        found = connection.getresponse()
        data = found.read()
        if fault == "hold":
            self.server.held.set()
            self.server.released.wait(60)
        if fault == "lose":
            return self.answer(500, b"<Error><Code>InternalError</Code><Message>lost</Message></Error>")
        kept = {name: value for name, value in found.getheaders() if name not in HEADERS}
        return self.answer(found.status, data, kept, cut=fault == "cut", size=found.getheader("Content-Length"))

    def answer(self, status, data, headers=(), *, cut=False, size=None):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", size if self.command == "HEAD" and size else str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if cut else data)
        self.close_connection |= cut

    def log_message(self, *_):
        pass


class Between(ThreadingHTTPServer):
    """A proxy in front of the sandbox. `fault(method, path)` says what becomes of a request, with the operation
    in the place of the path where a header names it (``AmazonSSM.PutParameter``): "" lets it through,
    a status (with a code of S3: "403 AccessDenied") answers with that at once, "lose" passes it on and answers 500,
    "cut" ends the answer's body early, "hold" keeps the answer until `released`, and says so by `held`."""

    def __init__(self, port):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind, self.fault = port, lambda method, path: ""
        self.held, self.released = threading.Event(), threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()
