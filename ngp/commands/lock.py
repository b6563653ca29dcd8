"""`ngp lock`: the master lock file of the providers, renewed or checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ngp import files
from ngp.commands import options
from ngp.environments import platforms
from ngp.errors import NgpError
from ngp.terraform import binary, lockfile, mirror, renewal, surroundings
from ngp.views import documents, terminal

if TYPE_CHECKING:
    from ngp.environments.environment import Platform
    from ngp.terraform.lockfile import Lock, Requirement

Check = Annotated[
    bool, typer.Option("--check", help="write nothing; exit 1 where a constraint or a platform is not met")
]
Upgrade = Annotated[bool, typer.Option("--upgrade", help="take the newest versions that the constraints allow")]
Platforms = Annotated[
    list[str] | None,
    typer.Option("--platform", "-platform", metavar="OS_ARCH", help="a platform that needs hashes; repeatable"),
]
FsMirror = Annotated[
    Path | None, typer.Option("--fs-mirror", "-fs-mirror", metavar="DIR", help="look at this mirror only")
]


def lock(
    check: Check = False,
    upgrade: Upgrade = False,
    platform: Platforms = None,
    fs_mirror: FsMirror = None,
    as_json: options.AsJson = False,
) -> int:
    """Renew the master lock file of the providers."""
    context = options.context()
    settings = context.settings
    surroundings.require_clean(settings.environ)
    home = platforms.load(platforms.find(context.cwd))
    path = home.path / lockfile.NAME
    places = mirror.Places(settings.environ, settings.home, settings.cache)
    found = binary.find(home.terraform, home.terraform_version, settings.environ, cwd=home.path, cache=settings.cache)
    wish = renewal.Wish(
        _requirements(home),
        tuple(platform or lockfile.PLATFORMS),
        (context.cwd / fs_mirror).resolve() if fs_mirror else None,
        upgrade,
    )
    if check:
        return _check(lockfile.load(path), wish, found, places, as_json=as_json)
    with files.lock(home.workspace.platform_lock, purpose="ngp lock"):
        old = lockfile.load(path) if path.is_file() else ()
        renewed = renewal.renew(old, wish, found, places, context.stop)
        changed = files.write(path, lockfile.render(renewed.lock))
    _show(renewed.lock, as_json=as_json, changed=changed)
    terminal.say(settings, f"looked at {renewed.origin}")
    terminal.say(settings, "changed: run `ngp render`" if changed else "nothing has changed")
    return 0


def _requirements(platform: Platform) -> tuple[Requirement, ...]:
    from ngp.catalogue import loading

    catalogue = loading.load(platform.path / "modules", platform.cache)
    catalogue.require()
    asked = (
        lockfile.Requirement(
            wanted.get("source", f"hashicorp/{name}"), wanted.get("version", ""), f"modules/{module.name}"
        )
        for module in catalogue.modules.values()
        for name, wanted in module.required_providers.items()
    )
    # every root has the AWS provider, whatever its module names: its block holds the account guard
    return (lockfile.Requirement("hashicorp/aws", "", "every rendered root"), *asked)


def _check(lock: Lock, wish: renewal.Wish, found: binary.Binary, places: mirror.Places, *, as_json: bool) -> int:
    from ngp.views import findings

    wrong = (
        *lockfile.check(lock, wish.requirements, platforms=wish.platforms),
        *renewal.verify(lock, found, places),
    )
    settings = options.context().settings
    if as_json:
        documents.write(_document(lock, wrong=wrong))
    else:
        _show(lock, as_json=False)
        findings.show_checks(wrong, settings, passed="the lock fits every module and every platform")
    return NgpError.exit_code if wrong else 0


def _document(lock: Lock, *, wrong: tuple[Any, ...] = (), changed: bool = False) -> dict[str, Any]:
    """``ngp.lock/1``."""
    return {"schema": "ngp.lock/1", "changed": changed, "providers": lock, "findings": wrong}


def _show(lock: Lock, *, as_json: bool, changed: bool = False) -> None:
    if as_json:
        documents.write(_document(lock, changed=changed))
        return
    console = terminal.out(options.context().settings)
    for one in lock:
        allowed = f" ({one.constraints})" if one.constraints else ""
        packages = len(one.package_hashes)
        hashes = f"{_count(packages, 'package')} and {_count(len(one.hashes) - packages, 'archive')}"
        told = f"{one.source} {one.version}{allowed}: hashes of {hashes}"
        console.print(terminal.line(told), soft_wrap=True)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
