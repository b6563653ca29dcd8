"""`ngp version`: the versions of what would run here."""

from __future__ import annotations

import platform as machine
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

import ngp
from ngp.commands import options
from ngp.errors import NgpError

_ANY = ">= 0.0.0"  # what runs is shown, also where ngp.yaml refuses it


def version(as_json: options.AsJson = False) -> None:
    """Show the versions of ngp, Python and Terraform, and the version that rendered the platform."""
    from ngp.views import documents

    found = _collect(options.context())
    if as_json:
        documents.write(found)
        return
    typer.echo(f"ngp {found['version']}")
    typer.echo(f"Python {found['python']} on {found['system']}")
    binary = found["terraform"]
    typer.echo(f"{binary['flavour']} {binary['version']} ({binary['path']})" if binary else "Terraform: not found")
    if found["rendered_by"]:
        typer.echo(f"this platform was rendered by ngp {found['rendered_by']}")


def _folder(context: options.Context) -> Path:
    """The folder that relative names in PATH are from; any other will do where the working folder was deleted."""
    try:
        return context.cwd
    except NgpError:
        return Path("/")


def _collect(context: options.Context) -> dict[str, Any]:
    """``ngp.version/1``. Outside a platform, and without Terraform, those parts are empty: this command never fails."""
    from ngp.environments import platforms
    from ngp.terraform import binary

    settings, platform, found = context.settings, None, None
    with suppress(NgpError):
        platform = platforms.load(platforms.find(context.cwd))
    with suppress(NgpError):
        setting, cwd = (platform.terraform, platform.path) if platform else ("", _folder(context))
        found = binary.find(setting, _ANY, settings.environ, cwd=cwd, cache=settings.cache)
    shown = {"flavour": found.title, "version": found.version, "path": " ".join(found.argv)} if found else None
    return {
        "schema": "ngp.version/1",
        "version": ngp.__version__,
        "python": machine.python_version(),
        "system": f"{machine.system()} {machine.machine()}",
        "terraform": shown,
        "rendered_by": platform.rendered_by if platform else "",
    }
