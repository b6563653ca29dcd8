"""Shell commands that let plain Terraform and boto3 reach the sandbox."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from ngp.aws import access
from ngp.sandbox.server import RunningSandbox

# What a shell may hold without exporting it now, and what SDKs would still follow
_ALWAYS = (
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_PROFILE",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


@dataclass(frozen=True)
class Lines:
    """Variables to export and to unset, so that a shell reaches only the sandbox."""

    exports: Mapping[str, str]
    unset: tuple[str, ...]

    def __str__(self) -> str:
        exported = [f"export {name}={shlex.quote(value)}" for name, value in self.exports.items()]
        return "\n".join([f"unset {' '.join(self.unset)}", *exported])


def lines(environ: Mapping[str, str], running: RunningSandbox, region: str, account: str) -> Lines:
    """Return the lines for a shell with `environ`; they are the same after the shell has run them."""
    exports = access.sandbox(environ, running.url, region, account)
    strays = {name for name in environ if name.startswith("AWS_")} | set(_ALWAYS)
    return Lines(exports, tuple(sorted(strays - exports.keys())))
