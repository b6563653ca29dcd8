"""What of the environment decides how AWS is reached: the pool and its commands must agree on it."""

from __future__ import annotations

from collections.abc import Mapping

# What HTTP and TLS libraries read of the environment
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy")
_TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def select(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of `environ` that decide how AWS is reached."""
    return {name: environ[name] for name in ("HOME", *_PROXIES, *_TRUST) if name in environ}
