"""Whether roots may share a provider process, which resolves relative paths in one working directory."""

from __future__ import annotations

import re
from collections.abc import Iterable

# These open relative paths only while they apply, and an apply has its own process. Any other provider may write to
# its working directory.
_CARELESS_OF_PLACE = re.compile(r"^[^/]+/hashicorp/aws$")
_FUNCTIONS = r"(?:template)?file(?:base64|exists|set|md5|sha1|sha256|sha512|base64sha256|base64sha512)?|abspath"
_READ_BY_TERRAFORM = re.compile(rf'\b(?:{_FUNCTIONS})\(\s*"?(?:\$\{{)?\s*path\.(?:module|root|cwd)\b'.encode())
_PLACE = re.compile(rb"\bpath\.(?:module|root|cwd)\b")
_SOURCE = re.compile(rb'"?\bsource"?\s*[=:]\s*"\.{1,2}/[^"]*"')
_RELATIVE = re.compile(rb'"(?:file://)?\.{1,2}/')


def may_share(address: str, texts: Iterable[bytes]) -> bool:
    """Whether a process with another working directory may plan a root with these texts.

    Errs on the safe side: no, if a text passes a path to anything but Terraform's own functions and module sources.
    """
    return bool(_CARELESS_OF_PLACE.match(address)) and not any(_names_place(text) for text in texts)


def _names_place(text: bytes) -> bool:
    rest = _SOURCE.sub(b"", _READ_BY_TERRAFORM.sub(b"", text))
    return bool(_PLACE.search(rest) or _RELATIVE.search(rest))
