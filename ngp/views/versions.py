"""Show versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from ngp.environments.installed import Installed


def show(found: Installed) -> None:
    """A line for each program on stdout."""
    typer.echo(f"ngp {found.version}")
    typer.echo(f"Python {found.python} on {found.system}")
    one = found.terraform
    typer.echo(f"{one.title} {one.version} ({' '.join(one.argv)})" if one else "Terraform: not found")
    if found.rendered_by:
        typer.echo(f"this platform was rendered by ngp {found.rendered_by}")


def document(found: Installed) -> dict[str, Any]:
    """``ngp.version/1``. Outside a platform, and without Terraform, those parts are empty."""
    one = found.terraform
    return {
        "schema": "ngp.version/1",
        "version": found.version,
        "python": found.python,
        "system": found.system,
        "terraform": {"flavour": one.title, "version": one.version, "path": " ".join(one.argv)} if one else None,
        "rendered_by": found.rendered_by,
    }
