"""What credentials depend on beside the environment: the files that an AWS SDK reads once and then believes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

# AWS SDKs and tools reference guide, "Shared config and credentials files": where they lie unless a variable says so
_FILES = {"AWS_SHARED_CREDENTIALS_FILE": ".aws/credentials", "AWS_CONFIG_FILE": ".aws/config"}


def digest(environ: Mapping[str, str]) -> str:
    """A digest of the variables and of the shared files' contents: other credentials give another one.

    What an SDK renews by itself (roles, sign-ins, tokens of a container or an instance) is not in it.
    """
    whole = hashlib.sha256(json.dumps(sorted(environ.items())).encode())
    for variable, usual in _FILES.items():
        path = Path(environ.get(variable) or Path(environ.get("HOME", "/")) / usual)
        content = b""
        with suppress(OSError):
            content = path.read_bytes()
        whole.update(len(content).to_bytes(8, "big") + content)
    return whole.hexdigest()
