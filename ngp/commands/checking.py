"""What validate and module check share: Terraform that knows no account."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.commands.options import Context
    from ngp.environments.environment import Platform
    from ngp.terraform.driver import Terraform


def open_terraform(platform: Platform, context: Context) -> AbstractContextManager[Terraform]:
    """The platform's Terraform with its locked providers; raises MissingError where one of them is not to be had."""
    from ngp.pool import door
    from ngp.proxy.session import open_session
    from ngp.terraform import binary, lockfile, toolchain

    settings = context.settings
    found = binary.find(
        platform.terraform, platform.terraform_version, settings.environ, cwd=platform.path, cache=settings.cache
    )

    def note(text: str) -> None:
        terminal.say(settings, text)

    lock = platform.path / lockfile.NAME
    warm = door.find(platform.workspace, settings.environ, door.CHECKS, note)
    opener = warm.open_session if warm else open_session
    return toolchain.open_terraform(found, lock, settings, aws={}, note=note, stop=context.stop, opener=opener)
