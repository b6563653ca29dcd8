"""Starts the provider proxy and the hashing of packages before the environment is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from ngp.daemons import record
from ngp.errors import NgpError
from ngp.pool import home
from ngp.proxy import session
from ngp.terraform import binary, lockfile, mirror, serving

if TYPE_CHECKING:
    from ngp.environments.environment import Platform
    from ngp.settings import Settings
    from ngp.terraform.serving import Opener


@contextmanager
def begin(platform: Platform, settings: Settings) -> Iterator[Opener]:
    """Start the proxy for a run of this platform, and yield the function that opens it.

    Does nothing if a pool runs or the packages are missing. Never fails: errors are reported where they stop the run.
    """
    with ExitStack() as held:
        opener: Opener = session.open_session
        with suppress(NgpError, OSError):
            found = _find_packages(platform, settings)
            if found.packages and not session.why_disabled(settings.environ):
                standby = held.enter_context(session.start(settings.environ))
                standby.check(found.packages, settings.cache / "proxy")
                opener = standby.open_session
        yield opener


def _find_packages(platform: Platform, settings: Settings) -> serving.ServablePackages:
    pool = record.read(home(platform.workspace.path))
    if pool is not None and record.is_alive(pool):
        return serving.ServablePackages()
    locked = lockfile.load(platform.path / lockfile.NAME)
    found = binary.find(
        platform.terraform, platform.terraform_version, settings.environ, cwd=platform.path, cache=settings.cache
    )
    places = mirror.Places(settings.environ, settings.home, settings.cache)
    kept = mirror.find(locked, found.platform, places, flavour=found.flavour)
    return serving.find_packages(lockfile.under(locked, found.registry), found.platform, kept.folder if kept else None)
