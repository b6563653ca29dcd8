"""Processes the output lines of a streaming call: log file, events, and what the result needs."""

from __future__ import annotations

import base64
import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from urllib.parse import quote, quote_plus

from ngp.terraform import events
from ngp.terraform.events import Diagnostic, Event, Summary, UnknownEvent

REDACTED = "(secret)"
_TALK_LINES = 50
_DUMP, _STATE_KEY = '"@message":"Emergency state dump"', '"state":'
_LEAST_BASE64 = 8  # shorter pieces occur by chance
_LEAST_LINE = 8  # lines of a secret; shorter ones occur by chance, too
# A root's own constraints are hardly ever written as in the master lock; the lock is read-only on purpose.
_EXPECTED = "Provider lock file not updated"


class Stream:
    """Processes lines of both pipes (two threads) in order; keeps only diagnostics and the last plain lines.

    Values of `secrets` are replaced before a line goes anywhere. With `hold`, diagnostics wait for `release`.
    """

    def __init__(
        self,
        on_event: Callable[[Event], None] | None,
        log: Path | None,
        *,
        secrets: Iterable[str] = (),
        hold: bool = False,
    ) -> None:
        self._on_event, self._path = on_event, log
        self._secrets = spellings(secrets)
        self._talk: deque[str] = deque(maxlen=_TALK_LINES)
        self._diagnostics: list[Diagnostic] = []
        self._held: list[Diagnostic] | None = [] if hold else None
        self._guard = threading.Lock()
        self._file: IO[str] | None = None
        self.summary: Summary | None = None
        self.dumped = ""  # the state that Terraform could not write anywhere
        self.log_failure = ""

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return tuple(self._diagnostics)

    @property
    def talk(self) -> str:
        """The last lines of both pipes that are not JSON."""
        return "\n".join(self._talk)

    def take(self, line: str) -> None:
        """Process a line of stdout. A dumped state is kept out of the log, because it is long and contains values."""
        if _DUMP in line and (dumped := _state_in(line)):
            self.dumped = dumped
            line = json.dumps({"@level": "error", "@message": "Emergency state dump", "type": "log"})
        text = self._log(line)
        event = self._redacted(events.parse(line))  # not in the line: a short secret would break its JSON
        if isinstance(event, Diagnostic):
            if event.summary == _EXPECTED:
                return
            self._diagnostics.append(event)
            if self._held is not None:
                self._held.append(event)
                return
        elif isinstance(event, Summary):
            self.summary = event
        elif isinstance(event, UnknownEvent) and event.kind == "text":
            self._talk.append(text)
        if self._on_event is not None:
            self._on_event(event)

    def release(self) -> None:
        """Emit the diagnostics that were held back."""
        held, self._held = self._held or [], None
        if self._on_event is not None:
            for diagnostic in held:
                self._on_event(diagnostic)

    @property
    def complaint(self) -> str:
        """All error messages as one text; never empty."""
        errors = [one for one in self._diagnostics if one.severity == "error"]
        return "\n".join([*(f"{one.summary}\n{one.detail}\n{one.address}" for one in errors), self.talk, "failed"])

    def take_error(self, line: str) -> None:
        """Process a line of stderr."""
        self._talk.append(self._log(line))

    def redact(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return text

    def _redacted(self, event: Event) -> Event:
        """Return `event` without secrets in its free texts; addresses are Terraform's and stay."""
        if not self._secrets:
            return event
        if isinstance(event, Diagnostic):
            return replace(event, summary=self.redact(event.summary), detail=self.redact(event.detail))
        return UnknownEvent(event.kind, self._deep(event.document)) if isinstance(event, UnknownEvent) else event

    def _deep(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, dict):
            return {key: self._deep(leaf) for key, leaf in value.items()}
        return [self._deep(leaf) for leaf in value] if isinstance(value, list) else value

    def __enter__(self) -> Stream:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a", encoding="utf-8", buffering=1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with self._logging():
                self._file.close()

    def _log(self, line: str) -> str:
        line = self.redact(line)
        if self._file is not None:
            with self._guard, self._logging():
                self._file.write(line + "\n")
        return line

    @contextmanager
    def _logging(self) -> Iterator[None]:
        """Ignore errors of the log (a full disk), so that no line of Terraform is missed."""
        try:
            yield
        except OSError as error:
            self.log_failure = self.log_failure or str(error)


def _state_in(line: str) -> str:
    """Return the dumped state in a line of Terraform, byte for byte; "" if there is none."""
    start = line.find(_STATE_KEY)
    with suppress(ValueError):
        if start >= 0:
            begin = start + len(_STATE_KEY)
            return line[begin : json.JSONDecoder().raw_decode(line, begin)[1]]
    return ""


def spellings(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return the forms in which texts may contain secrets, longest first: plain, JSON, Base64 and URL-encoded.

    JSON includes Go's, which escapes ``<``, ``>`` and ``&``. Each long line of a secret with several lines counts
    separately.
    """
    found: set[str] = set()
    for secret in _with_lines(secrets):
        quoted = json.dumps(secret, ensure_ascii=False)[1:-1]
        html = quoted.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        data = secret.encode("utf-8", "surrogatepass")
        urls = {quote(data), quote(data, safe=""), quote_plus(data)}
        found |= {secret, quoted, html, json.dumps(secret)[1:-1], *urls, *_base64(data)}
    return tuple(sorted(found, key=len, reverse=True))


def _with_lines(secrets: Iterable[str]) -> Iterator[str]:
    for secret in filter(None, secrets):
        yield secret
        lines = [line.strip() for line in secret.splitlines()]
        yield from (line for line in lines if len(lines) > 1 and len(line) >= _LEAST_LINE)


def _base64(data: bytes) -> Iterator[str]:
    """Yield the Base64 forms of a secret, alone and inside a longer text such as a boot script.

    Inside, its first byte can be at each of three positions in a group; characters that depend on the bytes around it
    are left out.
    """
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(data).decode()
        for before in range(3):
            first, last = (before * 8 + 5) // 6, (before + len(data)) * 8 // 6
            inner = encode(bytes(before) + data).decode()[first:last]
            if len(inner) >= _LEAST_BASE64:
                yield inner
