"""Deploys and versions of packages, for people and programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import typer

from ngp.packages.deploying import Event, StepStarted
from ngp.settings import Settings
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.packages.deploying import Deployed, Failed
    from ngp.packages.health import BatchCheck
    from ngp.packages.names import DebianPackage
    from ngp.packages.scripts import Claim
    from ngp.packages.versions import PackageVersion, Versions

_HEADER = ("HOST", "PACKAGE", "INSTALLED", "DEPLOYED", "BY", "AT")


def event(found: Event) -> str:
    """Return one event of a deploy as a line."""
    if isinstance(found, StepStarted):
        batch = f"batch {found.batch} of {found.batches}, " if found.batches > 1 else ""
        return f"{found.step.value} ({batch}{terminal.amount(len(found.hosts), 'host')})"
    return f"{found.host}: {found.line}"


def lines(result: Deployed) -> Iterator[str]:
    """Yield the result of each host."""
    failed = {one.host: one for one in result.failed}
    for name in result.done:
        yield f"{name}: done"
    for name, one in failed.items():
        yield f"{name}: failed at {one.step}: {one.reason}"
    for name in result.unfinished:
        yield f"{name}: not finished"


def document(
    selector: str, packages: Sequence[DebianPackage], claim: Claim, result: Deployed, more: dict[str, Any]
) -> dict[str, Any]:
    """Return the document of `ngp package deploy --json` and of `install`; `more` is its exit code and its hook."""
    hosts = [
        *({"host": name, "result": "done", "step": "", "reason": ""} for name in result.done),
        *(_failed(one) for one in result.failed),
        *({"host": name, "result": "unfinished", "step": "", "reason": ""} for name in result.unfinished),
    ]
    return {
        "schema": f"ngp.package.{claim.action}/1",
        "selector": selector,
        "id": claim.id,
        "packages": packages,
        "hosts": hosts,
        "warnings": result.locked,
        **more,
    }


def show(result: Deployed) -> None:
    """What became of each host, on stdout."""
    typer.echo("\n".join(terminal.cell(line) for line in lines(result)))


def print_order(
    action: str, packages: Sequence[DebianPackage], hosts: Sequence[str], settings: Settings, *, always: bool
) -> None:
    """Print on stderr what is deployed to which hosts."""
    said, names = ", ".join(map(str, packages)), ", ".join(map(terminal.cell, hosts))
    terminal.say(settings, f"{action} {said} to {names}", always=always)


def print_checks(found: BatchCheck, settings: Settings) -> None:
    """Print on stderr which hosts have no readiness check after a batch."""
    if not found.probes:
        text = "no unit of these hosts has a readiness check, so ngp starts the next batch without one"
        terminal.say(settings, text)
    elif found.unchecked:
        terminal.say(settings, f"without a readiness check: {terminal.cell(', '.join(found.unchecked))}")


def show_versions(result: Versions) -> None:
    """A table on stdout, if there is anything."""
    if result.found:
        typer.echo("\n".join(table(result.found)))


def versions_document(selector: str, result: Versions, code: int) -> dict[str, Any]:
    """``ngp.package.versions/1``."""
    return {
        "schema": "ngp.package.versions/1",
        "selector": selector,
        "exit_code": code,
        "versions": [version(one) for one in result.found],
        "unreached": result.unreached,
    }


def table(found: Sequence[PackageVersion]) -> Iterator[str]:
    """Yield versions as aligned columns; what was changed past ngp has a mark."""
    rows = [_HEADER, *(_row(one) for one in found)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEADER))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def version(one: PackageVersion) -> dict[str, Any]:
    """Return a version as JSON data."""
    return {
        "host": one.host,
        "package": one.package,
        "installed": one.installed,
        "deployed": one.deployed,
        "is_foreign": one.is_foreign,
    }


def _row(one: PackageVersion) -> tuple[str, ...]:
    mark = " (changed since)" if one.is_foreign else ""
    last = one.deployed
    deployed = (last.version, last.who, last.when) if last else ("-", "-", "-")
    return tuple(terminal.cell(word) for word in (one.host, one.package, f"{one.installed or '-'}{mark}", *deployed))


def _failed(one: Failed) -> dict[str, str]:
    return {"host": one.host, "result": "failed", "step": one.step, "reason": one.reason}
