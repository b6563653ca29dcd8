"""Entry point of the pool's fork server, with the commands that it can run: ``python -m ngp.cli FOLDER BUILT``."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(argv: list[str]) -> None:
    """Import the commands that can be served, then serve them. `BUILT` identifies the ngp that the pool runs."""
    folder, built = argv
    os.umask(0o077)
    _load()
    from ngp import cache, cli
    from ngp.aws import session
    from ngp.daemons import fork_server

    session.preload()
    cache.program()
    fork_server.serve(Path(folder), fork_server.Program(built, cli.run))


def _load() -> None:
    """Import what the served commands import. These imports read no files and no environment variables."""
    import encodings.idna  # noqa: F401
    import encodings.utf_8_sig  # noqa: F401
    import http.client  # noqa: F401

    import rich.console
    import rich.live
    import rich.table  # noqa: F401

    import ngp.commands.checking
    import ngp.commands.graph
    import ngp.commands.narrowing
    import ngp.commands.output
    import ngp.commands.plan
    import ngp.commands.reading
    import ngp.commands.render
    import ngp.commands.running
    import ngp.commands.status
    import ngp.commands.validate
    import ngp.environments.schemas
    import ngp.pool.client
    import ngp.rendering.trees
    import ngp.runs.bundle.sealing
    import ngp.runs.context
    import ngp.runs.outputs
    import ngp.runs.planning
    import ngp.sandbox.seed
    import ngp.terraform.toolchain
    import ngp.views.graph
    import ngp.views.outputs
    import ngp.views.progress
    import ngp.views.runs  # noqa: F401


if __name__ == "__main__":
    main(sys.argv[1:])
