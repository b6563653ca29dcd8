"""Launches moto's server (``python -m ngp.sandbox.moto NAME PORT ANNOUNCEMENT``), repaired, on loopback."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

from ngp.sandbox import engines, listening


def main(argv: list[str]) -> None:
    """Serve until SIGTERM. The port is taken first, so that whoever comes early waits instead of failing."""
    name, port, announcement = argv
    signal.signal(signal.SIGTERM, _leave)
    listener = listening.listen(int(port), announcement)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    from ngp.sandbox import repairs

    repairs.apply()
    app = signed(DomainDispatcherApplication(create_backend_app), name)
    host, bound = listener.getsockname()
    server = make_server(host, bound, app, threaded=True, request_handler=MotoRequestHandler, fd=listener.detach())
    server.serve_forever()


def signed(app: Callable[..., Iterable[bytes]], name: str) -> Callable[..., Iterable[bytes]]:
    """The WSGI application `app`, which also says the name it was started with."""
    sign = listening.sign(name)

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != engines.SIGN:
            return app(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(sign)))])
        return [sign]

    return serve


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
