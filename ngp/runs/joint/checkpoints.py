"""Saves each unit's part of the joint state while Terraform still writes it.

The local backend rewrites its file after every resource, by truncating it: a reader may see a part of it, and a killed
Terraform may leave a part. So only complete documents count, and the last two are kept beside the file.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from ngp import files
from ngp.errors import NgpError
from ngp.runs.joint import states
from ngp.runs.joint.saving import UNSAVED, Saver
from ngp.runs.joint.states import Document
from ngp.terraform import rescue

COPIES = ("complete-1.tfstate", "complete-2.tfstate")  # written alternately
_LOOK_S = 0.5
_AT_MOST_S = 7.0  # how long a changed resource waits for its unit's state to be saved: at most 10 s with what follows
_WRITTEN_S = 0.3  # Terraform reports a resource just before it writes the state
_NOT_WRITTEN = frozenset({"Failed to save state", "Failed to persist state"})  # Terraform's words
_PATIENCE_S = 2.0  # how long a reader tries to get a whole document
# While Terraform works on a state of 7 MB, one read in 12 finds a whole document (measured). Tries every 0.5 s
# waited for up to 28 s; in such steps it takes 0.3 s, and 1.3 s at most
_AGAIN_S = 0.02
_TAIL = 64  # enough bytes to recognise most incomplete documents


def remove(tree: Path, folder: Path, lineage: str) -> None:
    """Delete a joint plan and state with all copies, because they contain values. `folder` is the run's."""
    rescued = [path.parent for path in rescue.elsewhere() if lineage and _lineage(path) == lineage]
    files.remove_all([tree, folder / UNSAVED, *(folder / name for name in COPIES), *rescued])


def is_final(document: Document, exit_code: int | None, errors: Iterable[str], errored: Path | None) -> bool:
    """Whether a joint state is Terraform's last one, with all outputs and checks.

    It is not if Terraform was killed, failed before it wrote anything, or could write its state neither to its place
    nor to `errored`. `errors` are the summaries of its errors.
    """
    if int(document.get("serial", 0)) <= states.SERIAL:
        return False
    is_written = errored is not None or not any(one in _NOT_WRITTEN for one in errors)
    return exit_code == 0 or (exit_code == 1 and is_written)


def _lineage(path: Path) -> str:
    try:
        return str(states.load(path.read_text(encoding="utf-8"), where=str(path)).get("lineage", ""))
    except (OSError, ValueError, NgpError):
        return ""


class Copies:
    """The newest complete joint state of one plan, and copies of the last two.

    `lineage` is that of the plan; documents of other lineages are ignored.
    """

    def __init__(self, path: Path, folder: Path, lineage: str) -> None:
        self._path, self._folder, self._lineage = path, folder, lineage
        self._digest, self._turn = b"", 0
        self._newest: Document | None = None

    def read_current(self, patience_s: float = 0.0) -> Document | None:
        """Return the current document, or None if it was not complete at any moment of `patience_s`."""
        deadline = time.monotonic() + patience_s
        while (found := self._read(self._path)) is None:
            if time.monotonic() >= deadline:
                return None
            time.sleep(_AGAIN_S)
        if found[1] != self._digest:
            text, self._digest, self._newest = found[0], found[1], found[2]
            self._keep(text)
        return self._newest

    def read_last(self) -> Document | None:
        """Return the last document after Terraform has ended: the file if it is complete, else the newest copy by
        serial.

        A state that Terraform could not write counts too, wherever it was saved.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while (found := self._read(self._path)) is None and self._path.exists() and time.monotonic() < deadline:
            time.sleep(_AGAIN_S)
        others = [self._path.with_name(rescue.NAME), *rescue.elsewhere(), *(self._folder / name for name in COPIES)]
        candidates = [found, *map(self._read, others)]
        whole = [one[2] for one in candidates if one is not None]
        return max(whole, key=lambda one: int(one.get("serial", 0)), default=None)

    def _read(self, path: Path) -> tuple[bytes, bytes, Document] | None:
        try:
            data = _read_whole(path)
            if not data or (digest := hashlib.sha256(data).digest()) == self._digest:
                return None if not data else (data, digest, self._newest or {})
            document = states.load(data.decode(), where=str(path))
        except (OSError, ValueError, NgpError):
            return None
        return (data, digest, document) if document.get("lineage") == self._lineage else None

    def _keep(self, data: bytes) -> None:
        path = self._folder / COPIES[self._turn]
        self._turn = 1 - self._turn
        with suppress(OSError):  # a full disk must not end the run; the file itself exists
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())


def _read_whole(path: Path) -> bytes:
    """Return the bytes of a file that ends like a complete document, else nothing."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - _TAIL))
        if not file.read(_TAIL).rstrip().endswith(b"}"):
            return b""
        file.seek(0)
        return file.read()


class Checkpoints:
    """A thread that saves units while Terraform works; a context. `expected` is the number of actions of each unit."""

    def __init__(self, copies: Copies, saver: Saver, expected: Mapping[str, int]) -> None:
        self._copies, self._saver = copies, saver
        self._left = dict(expected)
        self._complete = set[str]()
        self._due: dict[str, float] = {}  # unit → when its state has to be saved at the latest
        self._guard, self._ended = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._follow, name="checkpoints", daemon=True)

    def done(self, unit: str) -> None:
        """Count a completed action of a unit."""
        now = time.monotonic()
        with self._guard:
            self._left[unit] = self._left.get(unit, 0) - 1
            at = now + (_WRITTEN_S if self._left[unit] <= 0 else _AT_MOST_S)
            self._due[unit] = min(at, self._due.get(unit, at))

    def __enter__(self) -> Checkpoints:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._ended.wait(_LOOK_S):
            now = time.monotonic()
            with self._guard:
                due = [unit for unit, at in self._due.items() if at <= now]
            document = self._copies.read_current(_PATIENCE_S if due else 0.0)
            if document is None:
                continue  # an older one would lack what is due
            with self._guard:
                for unit in due:
                    del self._due[unit]
            failed = self._save(document, due)
            with self._guard:
                # retried later; the end reports what cannot be written. A complete unit is read
                # once more: Terraform may not have written its last resource yet
                for unit in {*failed, *filter(self._is_new, due)}:
                    self._due.setdefault(unit, now + _AT_MOST_S)

    def _save(self, document: Document, due: list[str]) -> Collection[str]:
        """Save units; return those that failed. Errors must not end the thread."""
        try:
            return self._saver.save(document, due, is_final=False) if due else ()
        except (NgpError, OSError):
            return due

    def _is_new(self, unit: str) -> bool:
        """Whether a unit has just become complete."""
        is_new = self._left.get(unit, 0) <= 0 and unit not in self._complete
        self._complete |= {unit} if is_new else set()
        return is_new
