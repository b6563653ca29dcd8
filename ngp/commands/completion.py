"""What the shell completes: names that are read from folders and one small file, without anything heavy. Every
command imports this file, so it imports late itself.

A completer never fails and never prints: outside a platform it knows nothing, and says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from ngp.errors import NgpError

_OUTPUT = re.compile(r'^output "([^"]+)"', re.MULTILINE)
_REGION = re.compile(r"^region: *\"?([a-z0-9-]+)", re.MULTILINE)
_CATEGORY = re.compile(r"^category: *\"?([^\"\n]+?)\"? *$", re.MULTILINE)


def environments(ctx: typer.Context, incomplete: str) -> list[str]:
    """The environments of the platform."""
    return _starting(incomplete, _environments(_platform(ctx)))


def environments_or_units(ctx: typer.Context, incomplete: str) -> list[str]:
    """The environments, and the units of the one that folder or NGP_ENV choose."""
    platform = _platform(ctx)
    known = list(_environments(platform))
    implied = _implied(ctx, platform, known)
    return sorted({*_starting(incomplete, known), *_selectors(platform, implied, incomplete, set())})


def units(ctx: typer.Context, incomplete: str) -> list[str]:
    """Selectors of units of the environment that the line names or that is implied, without those named."""
    platform, environment = _platform(ctx), _environment_word(ctx)
    known = list(_environments(platform))
    named = next((set(value) for name, value in ctx.params.items() if name == "units" and value), set[str]())
    if environment not in known:
        named.add(environment)
        environment = _implied(ctx, platform, known)
    return _selectors(platform, environment, incomplete, named)


def modules(ctx: typer.Context, incomplete: str) -> list[str]:
    """The modules of the platform's catalogue, or of ngp's own outside a platform."""
    from ngp import shipped

    platform = _platform(ctx)
    folder = platform / "modules" if platform else shipped.modules()
    return _starting(incomplete, (path.parent.name for path in folder.glob("*/module.yaml")))


def _platform(ctx: typer.Context) -> Path | None:
    from ngp.environments import platforms

    try:
        return platforms.find(_folder(ctx))
    except (NgpError, OSError):
        return None


def _folder(ctx: typer.Context) -> Path:
    chosen = ctx.find_root().params.get("chdir")
    return (Path.cwd() / chosen).resolve() if chosen else Path.cwd()


def _environments(platform: Path | None) -> Iterable[str]:
    if platform is None:
        return []
    return (path.parent.name for path in (platform / "environments").glob("[!.]*/environment.yaml"))


def one_of(*words: str) -> Callable[[str], list[str]]:
    """A completer of a few fixed words."""
    return lambda incomplete: _starting(incomplete, words)


def outputs(ctx: typer.Context, incomplete: str) -> list[str]:
    """The outputs of the environment's units, as UNIT.OUTPUT, from the rendered roots."""
    platform = _platform(ctx)
    known = list(_environments(platform))
    named = _environment_word(ctx)
    environment = named if named in known else _implied(ctx, platform, known)
    if platform is None or not environment:
        return []
    files = (platform / "environments" / environment / "units").glob("*/outputs.tf")
    found = ((path.parent.name, _OUTPUT.findall(_text(path))) for path in files)
    return _starting(incomplete, (f"{unit}.{name}" for unit, names in found for name in names))


def refs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Branches and tags of the platform's repository."""
    from ngp import processes, settings

    request = processes.ProcessRequest(
        ("git", "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags"),
        _folder(ctx),
        settings.read().environ,
        timeout_s=2.0,
        grace_s=0.1,
    )
    try:
        outcome = processes.run(request)
    except OSError:
        return []
    return _starting(incomplete, outcome.stdout.split())


def regions(ctx: typer.Context, incomplete: str) -> list[str]:
    """The regions of the platform's environments."""
    platform = _platform(ctx)
    files = (platform / "environments").glob("[!.]*/environment.yaml") if platform else ()
    return _starting(incomplete, {found[1] for path in files if (found := _REGION.search(_text(path)))})


def categories(ctx: typer.Context, incomplete: str) -> list[str]:
    """The categories of the catalogue's modules."""
    platform = _platform(ctx)
    files = (platform / "modules").glob("*/module.yaml") if platform else ()
    return _starting(incomplete, {found[1] for path in files if (found := _CATEGORY.search(_text(path)))})


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _environment_word(ctx: typer.Context) -> str:
    """The first argument of the line; while the value of an option is typed no argument has been read yet."""
    return str(ctx.params.get("environment") or next(iter(getattr(ctx, "args", ())), ""))


def _implied(ctx: typer.Context, platform: Path | None, known: Sequence[str]) -> str:
    """The environment of a line that names none, "" where nothing decides."""
    from ngp import settings
    from ngp.environments import platforms

    if platform is None:
        return ""
    found = platforms.environment_at(platform, _folder(ctx)) or settings.read().environ.get("NGP_ENV", "")
    return found or (known[0] if len(known) == 1 else "")


def _selectors(platform: Path | None, environment: str, incomplete: str, named: set[str]) -> list[str]:
    """Names and tags of units behind what selects: ``!``, ``...``, ``tag:``."""
    if platform is None or not environment:
        return []
    found = _units(platform / "environments" / environment)
    head = next((mark for mark in ("!...", "...", "!") if incomplete.startswith(mark)), "")
    tags = {f"tag:{tag}" for unit in found.values() if isinstance(unit, dict) for tag in unit.get("tags", ())}
    names = {f"{head}{name}" for name in ({*found} - named)}
    return _starting(incomplete, names | ({f"{head}{tag}" for tag in tags} if "tag:" in incomplete else set()))


def _units(environment: Path) -> Mapping[str, Any]:
    from ngp import yaml

    try:
        data = yaml.load(environment / "environment.yaml").data
    except (NgpError, OSError):
        return {}
    units = data.get("units") if isinstance(data, dict) else None
    return units if isinstance(units, dict) else {}


def _starting(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
