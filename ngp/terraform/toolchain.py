"""Opens Terraform with a platform's locked providers, through the proxy if possible."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ngp.proxy.session import open_session
from ngp.settings import Settings
from ngp.terraform import child_environ, lockfile, mirror, serving
from ngp.terraform.binary import Binary
from ngp.terraform.driver import Terraform
from ngp.terraform.serving import Opener


@contextmanager
def open_terraform(  # noqa: PLR0913  what Terraform stands on, once
    found: Binary,
    lock: Path,
    settings: Settings,
    *,
    aws: Mapping[str, str],
    note: Callable[[str], None],
    stop: threading.Event | None = None,
    opener: Opener = open_session,
    calls: Path | None = None,
) -> Iterator[Terraform]:
    """`lock` is the platform's lock file; what runs knows of AWS only `aws`; `note` is told why there is no proxy.

    `opener` opens the proxy: a process of the run's own, or a pool's. A set `stop` ends whatever Terraform does.
    `calls` is where the output of calls lies.
    Raises MissingError where there is no lock file, or a locked provider cannot be had.
    """
    locked = lockfile.load(lock)
    places = mirror.Places(settings.environ, settings.home, settings.cache)
    providers = mirror.provide(locked, found, places, stop)
    environ = child_environ.build(settings.environ, aws)
    packages = serving.find_packages(lockfile.under(locked, found.registry), found.platform, providers.folder)
    with serving.open_serving(packages, environ, settings.environ, settings.cache, note, opener) as served:
        yield Terraform(found, environ, providers.folder, served, stop, calls)
