"""The two emulators behind one interface: what each needs, how it is started and emptied."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ngp.errors import MissingError, UsageError, nearest

MOTO, MINISTACK = "moto", "ministack"
SIGN = "/_ngp/sandbox"  # both launchers answer here with the random name they were started with


@dataclass(frozen=True)
class Engine:
    """`launcher` is a module of ours, called with NAME PORT ANNOUNCEMENT; `needs` are packages of the extra."""

    launcher: str
    extra: str
    needs: tuple[str, ...]
    reset_path: str


ENGINES: Mapping[str, Engine] = {
    MOTO: Engine("ngp.sandbox.moto", "sandbox", ("moto", "flask", "flask_cors", "werkzeug"), "/moto-api/reset"),
    MINISTACK: Engine("ngp.sandbox.ministack", "ministack", ("ministack", "hypercorn"), "/_ministack/reset"),
}


def require(engine: str) -> None:
    """Raise UsageError for an engine that nobody knows, MissingError for one that is not installed."""
    if engine not in ENGINES:
        raise UsageError(f"there is no sandbox engine `{engine}`", todo=nearest(engine, ENGINES))
    missing = [name for name in ENGINES[engine].needs if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingError(
            f"the sandbox engine {engine} is not installed",
            why=f"Python finds no {', '.join(missing)}",
            todo=f"pip install 'ngp-platform[{ENGINES[engine].extra}]'",
        )


def environment(engine: str, home: Path) -> dict[str, str]:
    """The variables that an engine reads; everything it writes stays under `home`."""
    own = _moto(home) if engine == MOTO else _ministack(home)
    # Dummy keys: an emulator that calls AWS's libraries itself must not find real ones. Few arenas: threads come and go
    return {"AWS_ACCESS_KEY_ID": "sandbox", "AWS_SECRET_ACCESS_KEY": "sandbox", "MALLOC_ARENA_MAX": "2", **own}


def _moto(home: Path) -> dict[str, str]:
    return {
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",  # else attaching one is retried for minutes
        "MOTO_ACM_VALIDATION_WAIT": "1",  # seconds; a certificate is valid once its record is there
        "MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS": "false",  # another account's bucket is not ours to read
        "MOTO_LAMBDA_DATA_DIR": str(home / "lambda"),
    }


def _ministack(home: Path) -> dict[str, str]:
    return {
        "BIND_HOST": "127.0.0.1",  # its default is every address of the machine
        "MINISTACK_ACCOUNT_ID": "123456789012",
        "STATE_DIR": str(home / "state"),
        "S3_DATA_DIR": str(home / "s3"),
        "DOCKER_HOST": f"unix://{home}/no-docker",  # it would remove containers of the machine's Docker
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
    }
