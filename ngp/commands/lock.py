"""`ngp lock`: the master lock file of the providers, renewed or checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ngp.commands import options
from ngp.environments import platforms
from ngp.errors import NgpError
from ngp.terraform import child_environ, lockfile, renewal
from ngp.views import providers as view

Check = Annotated[
    bool, typer.Option("--check", help="write nothing; exit with 1 if the lock file lacks a version or a platform")
]
Upgrade = Annotated[bool, typer.Option("--upgrade", help="use the newest versions that the constraints allow")]
Platforms = Annotated[
    list[str] | None,
    typer.Option(
        "--platform",
        "-platform",
        metavar="OS_ARCH",
        help="operating system and architecture that need hashes; repeatable",
    ),
]
FsMirror = Annotated[Path | None, typer.Option("--fs-mirror", "-fs-mirror", metavar="DIR", help="use only this mirror")]


def lock(
    check: Check = False,
    upgrade: Upgrade = False,
    platform: Platforms = None,
    fs_mirror: FsMirror = None,
    as_json: options.AsJson = False,
) -> int:
    """Renew the platform's provider lock file."""
    from ngp.environments import providers

    context = options.context()
    settings = context.settings
    child_environ.require_clean(settings.environ)
    home = platforms.load(platforms.find(context.cwd))
    request = renewal.RenewalRequest(
        providers.required(home),
        tuple(platform or lockfile.PLATFORMS),
        (context.cwd / fs_mirror).resolve() if fs_mirror else None,
        upgrade,
    )
    if check:
        locked, wrong = providers.check(home, request, settings)
        view.show_check(locked, wrong, settings, as_json=as_json)
        return NgpError.exit_code if wrong else 0
    renewed, changed = providers.renew(home, request, settings, context.stop)
    view.show(renewed.lock, settings, as_json=as_json, changed=changed)
    view.print_renewed(renewed.origin, settings, changed=changed)
    return 0
