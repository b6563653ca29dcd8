"""The emulator (moto's server): requirements, start and reset."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ngp.errors import MissingError

NAME = "moto"
SIGN = "/_ngp/sandbox"  # the launcher answers here with the random name that it was started with
RESET_PATH = "/moto-api/reset"
_PACKAGES = ("moto", "flask", "flask_cors", "werkzeug")


def require() -> None:
    """Raise MissingError if the emulator is not installed."""
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingError(
            f"the sandbox's emulator {NAME} is not installed",
            why=f"Python finds no {', '.join(missing)}",
            todo="pip install 'ngp-platform[sandbox]'",
        )


def environment(home: Path) -> dict[str, str]:
    """Return the variables that moto reads; it writes only below `home`."""
    return {
        # moto may call AWS's libraries itself: these must not find real keys
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "MALLOC_ARENA_MAX": "2",  # threads come and go
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",  # else Terraform retries for minutes to attach one
        "MOTO_ACM_VALIDATION_WAIT": "1",  # seconds until a certificate with its DNS record is valid
        "MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS": "false",  # as in AWS: other accounts cannot read our buckets
        "MOTO_LAMBDA_DATA_DIR": str(home / "lambda"),
    }
