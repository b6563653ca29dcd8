"""What validate and module check share: Terraform that knows no account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.commands.options import Context
    from ngp.environments.environment import Platform
    from ngp.terraform.driver import Terraform


@contextmanager
def open_terraform(platform: Platform, context: Context) -> Iterator[Terraform]:
    """Open the platform's Terraform with its locked providers. The first Ctrl-C stops it and everything it runs.

    Raises: MissingError if a provider is missing; StoppedError at the end if a signal came.
    """
    from ngp.pool import client
    from ngp.proxy.session import open_session
    from ngp.terraform import binary, lockfile, toolchain

    settings = context.settings
    found = binary.find(
        platform.terraform, platform.terraform_version, settings.environ, cwd=platform.path, cache=settings.cache
    )

    def note(text: str) -> None:
        terminal.say(settings, text)

    lock = platform.path / lockfile.NAME
    warm = client.find(platform.workspace.path, settings.environ, client.CHECKS, note)
    opener = warm.open_session if warm else open_session
    calls = platform.workspace.calls
    with (
        context.taking_signals() as stop,
        toolchain.open_terraform(
            found, lock, settings, aws={}, note=note, stop=stop, opener=opener, calls=calls
        ) as terraform,
    ):
        yield terraform
    context.require_not_stopped()
