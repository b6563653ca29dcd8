"""What the surroundings say, read once at the start and handed on as a value."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off", ""})


@dataclass(frozen=True)
class Settings:
    """The process's surroundings. `environ` is a copy: nothing later looks at the real environment."""

    environ: Mapping[str, str]
    cwd: Path
    home: Path
    is_ci: bool
    is_interactive: bool  # a person can be asked: a terminal at both ends and no CI
    stdout_is_terminal: bool
    stderr_is_terminal: bool
    argv: tuple[str, ...] = field(default=())

    @property
    def cache(self) -> Path:
        """The user's cache folder (XDG Base Directory Specification)."""
        return Path(self.environ.get("XDG_CACHE_HOME") or self.home / ".cache") / "ngp"


def read() -> Settings:
    """Read the environment and the terminal of this process."""
    environ = dict(os.environ)
    is_ci = environ.get("CI", "").lower() not in FALSE
    terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    return Settings(
        environ=environ,
        cwd=Path.cwd(),
        home=Path(environ.get("HOME") or Path.home()),
        is_ci=is_ci,
        is_interactive=terminal and not is_ci and environ.get("TERM") != "dumb",
        stdout_is_terminal=sys.stdout.isatty(),
        stderr_is_terminal=sys.stderr.isatty(),
        argv=tuple(sys.argv[1:]),
    )
