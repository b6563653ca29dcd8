"""A client for JSON over HTTP: bounded retries with the server's own waiting time, pages, no redirects.

The standard library sends these few requests: a package more would have to be installed in every pipeline.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

import ngp
from ngp.forges.forge import ForgeError

_BUSY = frozenset({429, 500, 502, 503, 504})
_FORBIDDEN = frozenset({401, 403})
_MOST = 16_000_000  # bytes of an answer
_PAGES = 100  # of a list, with 100 entries each
_PAGE = 100
_LOCAL = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Patience:
    """How long to try: each request at most `request_s`, all tries and waits of one call at most `total_s`."""

    total_s: float = 60.0
    request_s: float = 15.0
    first_wait_s: float = 1.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: the token would go along to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class Client:
    """Sends requests to one API. `headers` hold the token, which appears in no message.

    A server that did not answer in time is not asked again: the calls that follow fail at once.
    """

    base: str
    headers: Mapping[str, str] = field(repr=False)
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    patience: Patience = field(default_factory=Patience)
    _is_dead: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.base)
        if parts.scheme != "https" and parts.hostname not in _LOCAL:
            raise ForgeError("the address of the API is not https", where=self.base, why="a token would go in clear")
        handlers = (urllib.request.ProxyHandler(dict(self.proxies)), _NoRedirect())
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str, **query: str | int) -> Any:
        """Return what a GET answers."""
        return self.send("GET", f"{path}?{urlencode(query)}" if query else path)

    def pages(self, path: str, **query: str | int) -> Iterator[Any]:
        """Yield the entries of a list, page by page."""
        for page in range(1, _PAGES + 1):
            found = self.get(path, **query, per_page=_PAGE, page=page)
            if not isinstance(found, list):
                raise self._error("GET", path, "the answer is not a list")
            yield from found
            if len(found) < _PAGE:
                return

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send a request and return the JSON of the answer, None for an empty one.

        Raises ForgeError for a refusal, and where no good answer came in time.
        """
        if self._is_dead:
            raise self._error(method, path, "it did not answer before")
        patience = self.patience
        end, wait, tries = patience.clock() + patience.total_s, patience.first_wait_s, 0
        while True:
            tries += 1
            try:
                return self._once(method, path, body)
            except urllib.error.HTTPError as error:
                with error:
                    why, pause = self._refusal(error), _pause(error, wait, patience.now())
                if pause is None:
                    raise self._error(method, path, why) from None
            except (OSError, HTTPException, ValueError, RecursionError) as error:
                is_malformed = isinstance(error, ValueError | RecursionError)
                why, pause = type(error).__name__ if is_malformed else _short(str(error)), wait
            if method == "POST" and not why.startswith("HTTP"):
                raise self._error(method, path, f"{why}; it is not sent twice, since it may have arrived")
            if patience.clock() + pause > end:
                self._is_dead = True
                raise self._error(method, path, f"{why}; gave up after {tries} tries")
            patience.sleep(pause)
            wait *= 2

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", "User-Agent": f"ngp/{ngp.__version__}", **self.headers}
        if data is not None:
            headers["Content-Type"] = "application/json"
        url = f"{self.base.rstrip('/')}{path}"
        request = urllib.request.Request(url, data, headers, method=method)
        with self._opener.open(request, timeout=self.patience.request_s) as answer:
            text = answer.read(_MOST + 1)
        if len(text) > _MOST:
            raise OSError("the answer is too large")
        return json.loads(text) if text.strip() else None

    def _refusal(self, error: urllib.error.HTTPError) -> str:
        try:
            said = json.loads(error.read(10_000))
            message = said.get("message") or said.get("error") or ""
        except (ValueError, AttributeError, OSError, HTTPException, RecursionError):
            message = ""
        return f"HTTP {error.code}" + (f": {_short(str(message))}" if message else "")

    def _error(self, method: str, path: str, why: str) -> ForgeError:
        for value in self.headers.values():
            why = why.replace(value, "***").replace(value.rpartition(" ")[2], "***")
        host = urlsplit(self.base).netloc
        return ForgeError(f"{method} {path.partition('?')[0]} failed", where=host, why=why)


def _pause(error: urllib.error.HTTPError, wait: float, now: float) -> float | None:
    """Return how many seconds to wait before another try, None where another try would be refused too."""
    headers = error.headers
    retry, left, reset = (
        headers.get(name, "") for name in ("retry-after", "x-ratelimit-remaining", "x-ratelimit-reset")
    )
    reset = reset or headers.get("ratelimit-reset", "")
    if error.code in _FORBIDDEN and not retry and left != "0":
        return None
    if error.code not in _BUSY | _FORBIDDEN:
        return None
    if retry.isdigit():
        return max(float(retry), 1.0)
    if reset.isdigit() and (left == "0" or error.code == 429):
        return max(float(reset) - now, 1.0)
    return wait


def _short(text: str) -> str:
    shown = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return shown[:200]
