"""Environments of a platform, for people and programs: the list of all, and one that was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ngp.errors import UsageError
from ngp.settings import Settings
from ngp.views import documents, orphans, terminal

if TYPE_CHECKING:
    from ngp.environments.environment import Environment, Platform
    from ngp.environments.new_environment import NewEnvironment
    from ngp.runs.abandoned import Survey

    Found = Mapping[str, Environment | UsageError]  # by name; the error of one that cannot be read

_COLUMNS = ("name", "target", "account", "region", "domain", "units")


def made(one: NewEnvironment) -> dict[str, Any]:
    """``ngp.env.new/1``."""
    return {"schema": "ngp.env.new/1", "environment": one.name, "written": one.written, "left_out": one.left_out}


def print_created(one: NewEnvironment, settings: Settings) -> None:
    """Print on stderr the written files, what was not copied, and the next command."""
    lines = [f"wrote {path}" for path in one.written]
    if one.left_out:
        why = f"for it belongs to the account or sandbox of `{one.source}`"
        lines.append(f"not copied, {why}: {', '.join(one.left_out)}")
    for line in [*lines, f"next: ngp configure {one.name}"]:
        terminal.say(settings, line)


def listed(platform: Platform, found: Found, gone: Survey) -> dict[str, Any]:
    """``ngp.env.list/1``."""
    rows = [{"name": name, "protected": name in platform.protected, **_fields(one)} for name, one in found.items()]
    left = [documents.left(each) for each in gone.found]
    listed = {"platform": platform.name, "environments": rows, "orphans": left, "removed": gone.remote}
    return {"schema": "ngp.env.list/1", **listed}


def show(found: Found, gone: Survey, settings: Settings) -> None:
    """Print a table of the environments, then say which are gone and have states left."""
    cells = [_COLUMNS, *(_cells(name, one) for name, one in found.items())]
    widths = [max(len(row[index]) for row in cells) for index in range(len(_COLUMNS))]
    out = terminal.out(settings)
    for row in cells:
        text = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        out.print(terminal.line(text.rstrip()), soft_wrap=True)
    if not found:
        terminal.say(settings, "this platform has no environments; to create one: ngp env new NAME")
    orphans.show(gone.found, terminal.err(settings))
    if gone.remote:
        names = ", ".join(gone.remote)
        terminal.say(settings, f"removed before: {names} (`ngp orphans` shows whether their states still exist)")


def _fields(one: Environment | UsageError) -> dict[str, Any]:
    if isinstance(one, UsageError):
        return {"error": str(one), "findings": one.findings}
    fields = {name: getattr(one, name) for name in _COLUMNS[1:-1]}
    return {**fields, "units": list(one.units)}


def _cells(name: str, one: Environment | UsageError) -> tuple[str, ...]:
    if isinstance(one, UsageError):
        return (name, *("" for _ in _COLUMNS[1:-1]), "invalid: see ngp validate")
    return (name, one.target.value, one.account, one.region, one.domain, ", ".join(one.units))
