"""Launches ministack (``python -m ngp.sandbox.ministack NAME PORT ANNOUNCEMENT``) on loopback; see `gaps.py`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from ngp.sandbox import account, engines, listening

_Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def main(argv: list[str]) -> None:
    """Serve until SIGTERM, which hypercorn answers by itself."""
    name, port, announcement = argv
    listener = listening.listen(int(port), announcement)
    # It names its own port in the answers of some services, and reads it when it is imported
    os.environ["GATEWAY_PORT"] = str(listener.getsockname()[1])  # noqa: TID251  this process's own
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    publish()
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    asyncio.run(serve(signed(app, name), config))  # type: ignore[arg-type, unused-ignore]


def publish() -> None:
    """Every region has the images and parameters of `account.py`."""
    from ministack.services import ec2, ssm

    ssm._PUBLIC_AMI_PARAMETERS.update(account.PARAMETERS)
    ec2._STUB_AMIS.extend(
        (image.id, image.name, image.name, "", image.root_device, image.owner, image.owner_alias)
        for image in account.IMAGES
    )


def signed(app: _Application, name: str) -> _Application:
    """The ASGI application `app`, which also says the name it was started with."""
    sign = listening.sign(name)

    async def serve(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != engines.SIGN:
            await app(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(sign)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": sign})

    return serve


if __name__ == "__main__":
    main(sys.argv[1:])
