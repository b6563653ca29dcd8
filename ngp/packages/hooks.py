"""Hooks of a deploy: programs in the working folder, with Moltar's names or ngp's, run after success or failure."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ngp import processes
from ngp.errors import NgpError

if TYPE_CHECKING:
    from ngp.packages.deploying import Deployed

AFTER = (".ngp-after-deploy", ".moltar-after-deploy")
FAILED = (".ngp-failed-deploy", ".moltar-failed-deploy")


def is_due(action: str, result: Deployed, stopped_by: int) -> bool:
    """Return whether a hook follows: after a deploy that succeeded or failed, not after one that was interrupted."""
    return action == "deploy" and not stopped_by and bool(result.is_success or result.failed)


def run(
    cwd: Path, environ: Mapping[str, str], environment: str, failed: Sequence[str] | None, emit: Callable[[str], None]
) -> None:
    """Run the first hook that is there: one for after a failure where `failed` hosts are given, else for a success.

    It gets ENV and, after a failure, FAILED_HOSTS (aliases divided by blanks); its output goes to stderr. Raises
    NgpError (1) if it fails or cannot be run.
    """
    path = next((cwd / name for name in (AFTER if failed is None else FAILED) if (cwd / name).is_file()), None)
    if path is None:
        return
    more = {"ENV": environment} | ({} if failed is None else {"FAILED_HOSTS": " ".join(failed)})
    emit(f"running {path.name}")
    if not os.access(path, os.X_OK):
        raise NgpError("the hook is not executable", where=str(path), todo=f"chmod +x {path.name}")
    try:
        code = processes.run_interactive(processes.ProcessRequest((str(path),), cwd, {**environ, **more}))
    except OSError as error:
        todo = "start the file with a line such as #!/bin/sh"
        raise NgpError("cannot run the hook", where=str(path), why=str(error), todo=todo) from error
    if code:
        raise NgpError("the hook failed", where=str(path), why=f"exit code {code}")
