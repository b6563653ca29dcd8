"""Settings of the process: environment variables, folders and terminal, read once at the start."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from ngp.errors import MissingError

NOWHERE = Path("/nonexistent")  # Debian's home of users that have none
# Variables that name a file or folder, of ngp and of the programs it starts. Those programs run in other folders.
_PATHS = (
    "HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR",
    "NGP_FS_MIRROR", "NGP_PROVIDER_MIRROR",
    "TERRAFORM_CONFIG", "TF_CLI_CONFIG_FILE", "TF_LOG_PATH", "TF_PLUGIN_CACHE_DIR",
    "AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE",
    "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_EXEC_PATH", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_CERT",
    "GIT_SSL_KEY",
)  # fmt: skip
_LISTS = ("PATH", "XDG_CONFIG_DIRS", "XDG_DATA_DIRS", "SSL_CERT_DIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")

LEVEL = "NGP_LOG_LEVEL"
TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off", ""})


class Level(Enum):
    """The amount of messages on stderr."""

    ERROR = "error"  # errors and questions only
    INFO = "info"
    DEBUG = "debug"  # also processes and AWS calls


@dataclass(frozen=True)
class Settings:
    """The settings of the process. `environ` is a copy: nothing later reads the real environment."""

    environ: Mapping[str, str]
    cwd: Path  # need not exist: a shell may stand in a folder that was deleted
    home: Path  # need not exist: a container's user may have none
    is_ci: bool
    is_interactive: bool  # a person can be asked: a terminal at both ends and no CI
    stdout_is_terminal: bool
    stderr_is_terminal: bool
    argv: tuple[str, ...] = field(default=())

    @property
    def level(self) -> Level:
        """The level of messages; an invalid variable counts as the default."""
        word = self.environ.get(LEVEL, "")
        return Level(word) if word in [one.value for one in Level] else Level.INFO

    @property
    def cache(self) -> Path:
        """The user's cache folder (XDG Base Directory Specification).

        Raises: MissingError if neither a cache nor a home folder is known.
        """
        if self.environ.get("XDG_CACHE_HOME"):
            return Path(self.environ["XDG_CACHE_HOME"]) / "ngp"
        if self.home == NOWHERE:
            raise MissingError(
                "ngp needs a folder for its cache",
                why=f"HOME is not set, and this system knows no user with the id {os.getuid()}",
                todo="set HOME or XDG_CACHE_HOME to a folder that you can write to",
            )
        return self.home / ".cache" / "ngp"


def read() -> Settings:
    """Read the environment and the terminal of this process."""
    cwd = _cwd(os.environ)
    environ = _absolute(os.environ, cwd)
    is_ci = environ.get("CI", "").lower() not in FALSE
    terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    return Settings(
        environ=environ,
        cwd=cwd,
        home=_home(environ),
        is_ci=is_ci,
        is_interactive=terminal and not is_ci and environ.get("TERM") != "dumb",
        stdout_is_terminal=sys.stdout.isatty(),
        stderr_is_terminal=sys.stderr.isatty(),
        argv=tuple(sys.argv[1:]),
    )


def _cwd(environ: Mapping[str, str]) -> Path:
    """The working folder; where it was deleted, the path that the shell knows it by."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path("/", environ.get("PWD") or NOWHERE)


def _home(environ: Mapping[str, str]) -> Path:
    """HOME, or what the system says of this user; NOWHERE if neither does."""
    try:
        return Path(environ.get("HOME") or Path.home())
    except RuntimeError:
        return NOWHERE


def _absolute(environ: Mapping[str, str], cwd: Path) -> dict[str, str]:
    """Return `environ` with the paths that are relative to `cwd` made absolute. An empty entry of a list is `cwd`."""
    found = dict(environ)
    for name in _PATHS:
        if found.get(name):
            found[name] = _join(cwd, found[name])
    for name in _LISTS:
        if found.get(name):
            found[name] = os.pathsep.join(_join(cwd, entry) for entry in found[name].split(os.pathsep))
    return found


def _join(cwd: Path, path: str) -> str:
    return path if path.startswith("~") else str(cwd / path)
