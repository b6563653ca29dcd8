"""What the shell completes: names that are read from folders and one small file, without anything heavy. Every
command imports this file, so it imports late itself.

A completer never fails and never prints: outside a platform it knows nothing, and says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from ngp.errors import NgpError


def environments(ctx: typer.Context, incomplete: str) -> list[str]:
    """The environments of the platform."""
    return _starting(incomplete, _environments(_platform(ctx)))


def units(ctx: typer.Context, incomplete: str) -> list[str]:
    """The units of the environment that the line names already, without those named."""
    platform, environment = _platform(ctx), ctx.params.get("environment")
    if platform is None or not environment:
        return []
    named = next((set(value) for name, value in ctx.params.items() if name == "units" and value), set[str]())
    return _starting(incomplete, set(_units(platform / "environments" / str(environment))) - named)


def modules(ctx: typer.Context, incomplete: str) -> list[str]:
    """The modules of the platform's catalogue, or of ngp's own outside a platform."""
    from ngp import shipped

    platform = _platform(ctx)
    folder = platform / "modules" if platform else shipped.modules()
    return _starting(incomplete, (path.parent.name for path in folder.glob("*/module.yaml")))


def _platform(ctx: typer.Context) -> Path | None:
    from ngp.environments import platforms

    chosen = ctx.find_root().params.get("chdir")
    try:
        return platforms.find((Path.cwd() / chosen).resolve() if chosen else Path.cwd())
    except (NgpError, OSError):
        return None


def _environments(platform: Path | None) -> Iterable[str]:
    if platform is None:
        return []
    return (path.parent.name for path in (platform / "environments").glob("*/environment.yaml"))


def _units(environment: Path) -> Iterable[str]:
    from ngp import yaml

    try:
        data = yaml.load(environment / "environment.yaml").data
    except (NgpError, OSError):
        return []
    units = data.get("units") if isinstance(data, dict) else None
    return units if isinstance(units, dict) else []


def _starting(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
