"""A client for JSON over HTTP: bounded retries with the server's own waiting time, pages, no redirects.

The standard library sends these few requests: a package more would have to be installed in every pipeline.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

import ngp
from ngp.forges.forge import ForgeError, NotFoundError

_BUSY = frozenset({429, 500, 502, 503, 504})
_FORBIDDEN = frozenset({401, 403})
_GONE = frozenset({404, 410})
_LIMITED = ("rate limit", "abuse detection")  # GitHub's words for a secondary rate limit, which may name no time
_LIMITED_S = 60.0  # to wait then (docs.github.com, "Rate limits for the REST API": at least one minute)
_MOST = 16_000_000  # bytes of an answer
_PAGES = 100  # of a list, with 100 entries each
_PAGE = 100
_LOCAL = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Patience:
    """How long to try: each request at most `request_s`, all tries and waits of one call at most `total_s`.

    Where the server limits the rate, it is `limited_s`.
    """

    total_s: float = 60.0
    request_s: float = 15.0
    first_wait_s: float = 1.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    limited_s: float = 150.0


@dataclass(frozen=True)
class Route:
    """The network route to an API: proxies by scheme, and the file of an additional private CA."""

    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    authority: str = ""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: the token would go along to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class Client:
    """Sends requests to one API. `headers` hold the token, which appears in no message.

    After a server did not answer in time, calls fail at once for a while. Then one request tries whether it is back.
    """

    base: str
    headers: Mapping[str, str] = field(repr=False)
    route: Route = field(default_factory=Route)
    patience: Patience = field(default_factory=Patience)
    _closed_until: float = field(default=0.0, init=False)  # 0.0 while the server answers

    def __post_init__(self) -> None:
        parts = urlsplit(self.base)
        if parts.scheme != "https" and parts.hostname not in _LOCAL:
            raise ForgeError(
                "the URL of the API must begin with https", where=self._host, why="ngp would send the token unencrypted"
            )
        if "@" in parts.netloc:  # no request could be made by it, and every failure would tell it
            why = "ngp authenticates with the token alone"
            raise ForgeError("the URL of the API contains a user name or a password", where=self._host, why=why)
        # http to this machine needs no authorities, and reading those of the system takes 20 ms
        is_encrypted = parts.scheme == "https" or bool(self.route.proxies)
        trusted = ssl.create_default_context() if is_encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.route.authority:
            try:
                trusted.load_verify_locations(self.route.authority)
            except OSError as error:
                why = error.strerror or str(error)
                raise ForgeError("cannot read the CA file", where=self.route.authority, why=why) from None
        proxies = urllib.request.ProxyHandler(dict(self.route.proxies))
        self._opener = urllib.request.build_opener(proxies, _NoRedirect(), urllib.request.HTTPSHandler(context=trusted))

    def get(self, path: str, **query: str | int) -> Any:
        """Return the answer to a GET."""
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

        Raises NotFoundError for a missing object, ForgeError for a refusal or if no good answer came in time.
        """
        patience, start = self.patience, self.patience.clock()
        if start < self._closed_until:
            raise self._error(method, path, "it did not answer the last request")
        is_probe, wait, tries, most = self._closed_until > 0, patience.first_wait_s, 0, patience.total_s
        while True:
            tries += 1
            try:
                answer = self._once(method, path, body)
                self._closed_until = 0.0
                return answer
            except urllib.error.HTTPError as error:
                trouble = self._refused(method, path, error, wait)
            except (OSError, HTTPException, ValueError, RecursionError) as error:
                trouble = self._unanswered(method, path, error, wait)
            most = max(most, patience.limited_s) if trouble.is_limited else most
            if is_probe or patience.clock() + trouble.pause > start + most:
                self._closed_until = patience.clock() + max(trouble.pause, patience.total_s)
                counted = "one attempt" if tries == 1 else f"{tries} attempts"
                raise self._error(method, path, f"{trouble.why}; gave up after {counted}")
            patience.sleep(trouble.pause)
            wait *= 2

    def _refused(self, method: str, path: str, error: urllib.error.HTTPError, wait: float) -> _Trouble:
        """Return why a server refuses for now. Raises ForgeError where another try would be refused, too."""
        with error:
            why = self._refusal(error)
        found = _pause(error, why, wait, self.patience.now())
        if found is None:
            self._closed_until = 0.0
            raise self._error(method, path, why, NotFoundError if error.code in _GONE else ForgeError)
        return found

    def _unanswered(self, method: str, path: str, error: Exception, wait: float) -> _Trouble:
        """Return why there is no good answer. Raises ForgeError where no other try may follow."""
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            why = f"its certificate is not trusted: {_short(reason.verify_message)}"
            raise self._error(method, path, f"{why}; set SSL_CERT_FILE to the certificate file of your private CA")
        is_malformed = isinstance(error, ValueError | RecursionError)
        why = type(error).__name__ if is_malformed else _short(str(error))
        if method == "POST" and not isinstance(reason, ConnectionRefusedError | socket.gaierror):
            if isinstance(reason, TimeoutError):  # each call would wait as long
                self._closed_until = self.patience.clock() + self.patience.total_s
            raise self._error(method, path, f"{why}; ngp does not send it again, because it may have arrived")
        return _Trouble(why, wait)

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
            body = json.loads(error.read(10_000))
            message = body.get("message") or body.get("error") or ""
        except (ValueError, AttributeError, OSError, HTTPException, RecursionError):
            message = ""
        return f"HTTP {error.code}" + (f": {_short(str(message))}" if message else "")

    def _error(self, method: str, path: str, why: str, kind: type[ForgeError] = ForgeError) -> ForgeError:
        for value in self.headers.values():
            why = why.replace(value, "***").replace(value.rpartition(" ")[2], "***")
        return kind(f"{method} {path.partition('?')[0]} failed", where=self._host, why=why)

    @property
    def _host(self) -> str:
        """The host of the API, without the name and the password that an address may have."""
        return urlsplit(self.base).netloc.rpartition("@")[2]


@dataclass(frozen=True)
class _Trouble:
    """Why a try failed, and how many seconds to wait before the next one."""

    why: str
    pause: float
    is_limited: bool = False


def _pause(error: urllib.error.HTTPError, why: str, wait: float, now: float) -> _Trouble | None:
    """Return how long to wait before another try, None where another try would be refused, too."""
    headers = error.headers
    left, reset = (headers.get(f"x-ratelimit-{name}", "") for name in ("remaining", "reset"))
    reset = reset or headers.get("ratelimit-reset", "")
    asked = _asked(headers.get("retry-after", ""), now)
    if error.code not in _BUSY | _FORBIDDEN:
        return None
    is_limited = error.code == 429 or left == "0" or any(word in why.lower() for word in _LIMITED)
    if asked is not None:
        return _Trouble(why, asked, is_limited or error.code in _FORBIDDEN)
    if reset.isdigit() and (left == "0" or error.code == 429):
        return _Trouble(why, max(float(reset) - now, 1.0), is_limited=True)
    if error.code in _FORBIDDEN:
        return _Trouble(why, max(wait, _LIMITED_S), is_limited=True) if is_limited else None
    return _Trouble(why, wait, is_limited)


def _asked(text: str, now: float) -> float | None:
    """Return the seconds that a Retry-After asks for, a number or a date (RFC 9110, 10.2.3); None for none."""
    if text.isdigit():
        return max(float(text), 1.0)
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 1.0)
    except ValueError:
        return None


def _short(text: str) -> str:
    shown = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return shown[:200]
