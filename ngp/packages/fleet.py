"""The hosts of a deploy: their names, and the function that runs a command on several of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ngp.hosts.host import Host


class CommandResult(Protocol):
    """The result of a command on one host.

    `exit` is None if it did not run to its end; `problem` says why, and `todo` what to do.
    """

    @property
    def host(self) -> Host: ...

    @property
    def exit(self) -> int | None: ...

    @property
    def problem(self) -> str: ...

    @property
    def todo(self) -> str: ...


# Runs a command on hosts and returns a result for each, in their order. Lines of stdout and stderr go to the callback
# as they come, with the host; from threads of any number, but one line at a time.
Run = Callable[[Sequence[Host], str, Callable[[Host, str], None]], Sequence[CommandResult]]


def is_good(result: CommandResult) -> bool:
    """Return whether the command ran to its end and succeeded."""
    return result.exit == 0 and not result.problem


def reason(result: CommandResult) -> str:
    """Return why a command failed on a host."""
    return result.problem or f"exit code {result.exit}"
