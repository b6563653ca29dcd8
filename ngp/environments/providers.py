"""The providers that a platform's modules need, and their lock file."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from ngp import files
from ngp.catalogue import loading
from ngp.terraform import binary, lockfile, mirror, renewal

if TYPE_CHECKING:
    from ngp.environments.environment import Platform
    from ngp.errors import Finding
    from ngp.settings import Settings
    from ngp.terraform.lockfile import Lock, Requirement


def required(platform: Platform) -> tuple[Requirement, ...]:
    """Return the requirements of the modules and of every root. Raises UsageError for modules that cannot be read."""
    catalogue = loading.load(platform.path / "modules", platform.cache)
    catalogue.require()
    asked = (
        lockfile.Requirement(
            wanted.get("source", f"hashicorp/{name}"), wanted.get("version", ""), f"modules/{module.name}"
        )
        for module in catalogue.modules.values()
        for name, wanted in module.required_providers.items()
    )
    # every root has the AWS provider, even if its module does not use it: its block has the account guard
    return (lockfile.Requirement("hashicorp/aws", "", "every rendered root"), *asked)


def check(platform: Platform, request: renewal.RenewalRequest, settings: Settings) -> tuple[Lock, tuple[Finding, ...]]:
    """Return the locked providers, and problems with requirements, platforms or packages."""
    found, places = _find(platform, settings)
    locked = lockfile.load(platform.path / lockfile.NAME)
    wrong = lockfile.check(locked, request.requirements, platforms=request.platforms)
    return locked, (*wrong, *renewal.verify(locked, found, places))


def renew(
    platform: Platform, request: renewal.RenewalRequest, settings: Settings, stop: Event
) -> tuple[renewal.Renewal, bool]:
    """Rewrite the lock file; return its content and whether it changed. Raises LockHeldError (5)."""
    found, places = _find(platform, settings)
    path = platform.path / lockfile.NAME
    with files.lock(platform.workspace.platform_lock, purpose="ngp lock"):
        old = lockfile.load(path) if path.is_file() else ()
        renewed = renewal.renew(old, request, found, places, stop)
        return renewed, files.write(path, lockfile.render(renewed.lock))


def _find(platform: Platform, settings: Settings) -> tuple[binary.Binary, mirror.Places]:
    found = binary.find(
        platform.terraform, platform.terraform_version, settings.environ, cwd=platform.path, cache=settings.cache
    )
    return found, mirror.Places(settings.environ, settings.home, settings.cache)
