"""Digest of the AWS credentials outside of the environment: the shared files, which an SDK reads only once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

# AWS SDKs and tools reference guide, "Shared config and credentials files": where they lie unless a variable says so
_FILES = {"AWS_SHARED_CREDENTIALS_FILE": ".aws/credentials", "AWS_CONFIG_FILE": ".aws/config"}


def digest(environ: Mapping[str, str]) -> str:
    """Return a digest of the variables and of the contents of the shared files; it changes with the credentials.

    It excludes what an SDK renews itself: roles, sign-ins, tokens of a container or an instance.
    """
    whole = hashlib.sha256(json.dumps(sorted(environ.items())).encode())
    for variable, usual in _FILES.items():
        path = Path(environ.get(variable) or Path(environ.get("HOME", "/")) / usual)
        content = b""
        with suppress(OSError):
            content = path.read_bytes()
        whole.update(len(content).to_bytes(8, "big") + content)
    return whole.hexdigest()
