"""The AWS emulator of a platform: starts, finds, resets and stops it."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ngp import files, processes
from ngp.daemons import lifetime, programs, record
from ngp.errors import MissingError, NgpError, RefusedError, StoppedError, UsageError
from ngp.sandbox import emulator, launcher
from ngp.workspace import Workspace

if TYPE_CHECKING:
    from threading import Event

HOST = "127.0.0.1"
SEEDED = "seeded.json"  # with what the running one has been seeded
_RECORD = "running.json"
_OWN = "sandbox"  # an empty file that tells a sandbox's folder from any other
READY_S = 60.0  # a first start compiles moto's modules; later ones take under a second
_ANSWER_S = 5.0  # of one attempt
PATIENCE_S = 30.0  # for a busy sandbox that a run needs
_LOOK_S = 0.1
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV")


class SilentError(MissingError):
    """The sandbox runs, but does not answer: it is busy or stopped, and what it holds is not lost."""


@dataclass(frozen=True)
class RunningSandbox:
    """A sandbox that answers. `started` is UTC, ISO 8601; `id` is a random name from its start."""

    url: str
    pid: int
    port: int
    engine: str
    started: str
    id: str


def start(workspace: Path, environ: Mapping[str, str] | None = None, *, port: int = 0) -> RunningSandbox:
    """Give the platform's sandbox, started now if none runs; it outlives this process.

    `workspace` is the platform's ``.ngp``; of `environ` only what Python needs to run is taken. Two that start at
    once get the same one. Raises MissingError if the emulator is not installed or does not start, UsageError if
    `port` is taken or the running sandbox has another, SilentError if the running one does not answer in `PATIENCE_S`.
    """
    with files.lock(Workspace(workspace).sandbox_lock, purpose="sandbox start", wait=True):
        found = status(workspace, patience_s=PATIENCE_S)
        if found is not None:
            return _same(found, port)
        emulator.require()
        _clear(workspace)
        return _launch(workspace, environ or {}, port)


def status(workspace: Path, *, patience_s: float = 0, stop: Event | None = None) -> RunningSandbox | None:
    """Return the sandbox that answers by its name, or None; a stale record counts for nothing.

    A busy machine can keep one from answering for a while: it is asked once, and again until `patience_s` are over.
    Raises SilentError if its process runs and does not answer, StoppedError if `stop` is set.
    """
    deadline = time.monotonic() + patience_s
    while (found := _read(workspace)) is not None:
        if _name(found.port, timeout_s=_ANSWER_S) == found.id:
            return found
        if not _runs(found):
            return None
        if time.monotonic() >= deadline:
            raise SilentError(
                "the sandbox does not answer",
                where=f"process {found.pid}",
                why="it is busy or stopped",
                todo="wait, or end it together with all that it holds: ngp sandbox stop",
            )
        time.sleep(_LOOK_S)
        if stop is not None and stop.is_set():
            raise StoppedError
    return None


def require_running(workspace: Path) -> RunningSandbox:
    """Return the sandbox that answers. Raises MissingError (69) if none is running."""
    running = status(workspace)
    if running is None:
        raise MissingError("no sandbox is running", todo="ngp sandbox start")
    return running


def stop(workspace: Path) -> bool:
    """Stop the sandbox and delete its data; return whether there was one."""
    with files.lock(Workspace(workspace).sandbox_lock, purpose="sandbox stop", wait=True):
        found = _read(workspace)
        ours = found is not None and _is_ours(found)
        if found is not None and ours:
            processes.end_group(found.pid)
        _clear(workspace)
        return ours


def reset(workspace: Path) -> RunningSandbox:
    """Empty the running sandbox, as after a new start. Raises MissingError, and SilentError if it is silent."""
    with files.lock(Workspace(workspace).sandbox_lock, purpose="sandbox reset", wait=True):
        running = require_running(workspace)
        answer = _ask(running.port, "POST", emulator.RESET_PATH, timeout_s=30)
        if answer is None:
            raise NgpError(
                "the sandbox could not delete its content", where=running.url, todo="ngp sandbox stop, then start"
            )
        (folder(workspace) / SEEDED).unlink(missing_ok=True)
        return running


def folder(workspace: Path) -> Path:
    """Return the folder with all files of a sandbox, deleted with it."""
    return Workspace(workspace).sandbox


def _same(found: RunningSandbox, port: int) -> RunningSandbox:
    if port not in (0, found.port):
        raise UsageError(
            f"the sandbox is already running on port {found.port}", where=found.url, todo="ngp sandbox stop, then start"
        )
    return found


def _launch(workspace: Path, environ: Mapping[str, str], port: int) -> RunningSandbox:
    home = files.private_folder(folder(workspace))
    files.write(home / _OWN, "", mode=0o600)
    name, log, announced = secrets.token_hex(16), home / "server.log", home / "port"
    words = (name, str(port), str(announced))
    request = programs.request(launcher, *words, folder=home, environ=_environment(home, environ))

    def look(pid: int, remaining_s: float) -> RunningSandbox | None:
        """Record and return the server once it answers by its name."""
        bound = _announced(announced)
        if not bound or _name(bound, timeout_s=max(1.0, remaining_s)) != name:
            return None
        running = RunningSandbox(f"http://{HOST}:{bound}", pid, bound, emulator.NAME, _now(), name)
        files.write(home / _RECORD, json.dumps(asdict(running), indent=2) + "\n", mode=0o600)
        return running

    try:
        return lifetime.start(request, log, look, ready_s=READY_S)
    except lifetime.NotReadyError as error:
        _clear(workspace)
        raise _failure(str(error), port) from None
    except BaseException:
        _clear(workspace)
        raise


def _failure(words: str, port: int) -> NgpError:
    """Return the error for a server that said these words and ended."""
    if port and "Address already in use" in words:
        return UsageError(f"port {port} is taken", where=f"{HOST}:{port}", todo="omit --port, or choose a free port")
    return MissingError("the sandbox does not start", why=words or "its log is empty", todo="ngp sandbox start")


def _environment(home: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the shell but how to run Python: no credentials, no endpoint, no folder outside of `home`."""
    kept = {name: environ[name] for name in _KEPT if name in environ}
    own = {"HOME": str(home), "TMPDIR": str(files.private_folder(home / "tmp"))}
    return {**kept, **own, **emulator.environment(home)}


def _announced(path: Path) -> int:
    with suppress(OSError, ValueError):
        return int(path.read_text())
    return 0


def _read(workspace: Path) -> RunningSandbox | None:
    """The record, also of another version of ngp: what is unknown is left out, so that its server can be ended."""
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        found = record.load(folder(workspace) / _RECORD)
        return RunningSandbox(
            url=str(found["url"]),
            pid=int(found["pid"]),
            port=int(found["port"]),
            engine=str(found.get("engine", "")),
            started=str(found.get("started", "")),
            id=str(found["id"]),
        )
    return None


def _is_ours(found: RunningSandbox) -> bool:
    """Whether the process is the one we started, even if it hangs."""
    return _name(found.port, timeout_s=2) == found.id or _runs(found)


def _runs(found: RunningSandbox) -> bool:
    """Whether the recorded process runs: ids are given again, its random name is not."""
    with suppress(OSError):
        return found.id.encode() in Path(f"/proc/{found.pid}/cmdline").read_bytes().split(b"\0")
    ps = processes.ProcessRequest(("ps", "-o", "command=", "-p", str(found.pid)), Path("/"), {"PATH": "/bin:/usr/bin"})
    with suppress(OSError):
        return found.id in processes.run(ps).stdout.split()
    return False


def _name(port: int, *, timeout_s: float) -> str:
    answer = _ask(port, "GET", emulator.SIGN, timeout_s=timeout_s)
    return str(answer.get("id", "")) if isinstance(answer, dict) else ""


def _ask(port: int, method: str, path: str, *, timeout_s: float) -> Any:
    """The JSON that a server on loopback answers, or None; a proxy of the shell has no part in it."""
    import http.client  # many commands load this module and ask no sandbox

    connection = http.client.HTTPConnection(HOST, port, timeout=timeout_s)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return json.loads(response.read() or b"{}") if response.status == 200 else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _clear(workspace: Path) -> None:
    """Delete the folder of a sandbox. Raises RefusedError (3) for a folder that no sandbox made."""
    home = folder(workspace)
    files.require_no_links(home)
    if home.is_dir() and any(home.iterdir()) and not any((home / name).is_file() for name in (_OWN, _RECORD)):
        raise RefusedError(
            "this folder does not belong to a sandbox, so ngp does not delete it",
            where=str(home),
            why=f"a sandbox keeps its files there, and {workspace} may be a link to somebody else's folder",
            todo="move it away",
        )
    with suppress(FileNotFoundError):
        shutil.rmtree(home)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
