"""`ngp orphans`: states that belong to no declared unit, to no environment, or to two."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from ngp.commands import options
from ngp.errors import Finding, MissingError, NgpError

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.environments.environment import Platform
    from ngp.runs.results import Orphan


@dataclass
class _Found:
    """`shared` has the states of two environments, `unreached` what could not be looked at, with the reason."""

    orphans: list[Orphan] = field(default_factory=list)
    shared: list[Finding] = field(default_factory=list)
    unreached: dict[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.orphans or self.shared or self.unreached)


def orphans(
    environment: options.EnvironmentName = "",
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
) -> None:
    """List states that were left behind: what they hold, and the ways out."""
    from ngp.commands import scope
    from ngp.environments import platforms
    from ngp.views import documents

    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    found, name = _Found(), ""
    if environment or scope.is_implied(context, platform):
        name = scope.only(scope.choose(context, environment))
        _look(context, name, found)
    else:
        _look_at_all(context, platform, found)
    if as_json:
        documents.write(documents.orphans(name, found.orphans, found.shared, found.unreached))
    else:
        _show(context, name, found, whole=show_all)
    if found.unreached:
        raise typer.Exit(MissingError.exit_code)


def _look(context: options.Context, name: str, found: _Found) -> None:
    from ngp.commands import reading
    from ngp.runs import orphans, twins

    with reading.open_region(context, name) as region:
        found.orphans += orphans.collect(region.resolved, region.session)
        found.shared += twins.collect(region.resolved, region.session, found.shared)


def _look_at_all(context: options.Context, platform: Platform, found: _Found) -> None:
    """Look into every environment, and for those that are gone; an account that cannot be reached stops nothing."""
    from ngp.commands import reading
    from ngp.environments import documents
    from ngp.environments.environment import Environment
    from ngp.runs import abandoned, access

    for name in documents.names(platform):
        try:
            if not reading.is_asleep(platform, documents.load(platform, name)):
                _look(context, name, found)
        except NgpError as error:
            more = f" (and {len(error.findings) - 1} more: ngp validate {name})" if len(error.findings) > 1 else ""
            found.unreached[name] = f"{error.findings[0]}{more}"

    def reach(environment: Environment) -> Session | None:
        return access.open_store(environment, platform.workspace, context.settings, context.stop)

    gone = abandoned.survey(platform, reach)
    found.orphans += gone.found
    told = set(found.unreached.values())
    found.unreached |= {place: reason for place, reason in gone.unreached.items() if reason not in told}


def _show(context: options.Context, name: str, found: _Found, *, whole: bool) -> None:
    from ngp.views import findings, orphans, terminal

    out = terminal.out(context.settings)
    orphans.show(found.orphans, out, whole=whole)
    for finding in found.shared:
        out.print(terminal.line(findings.block(finding, word="found"), style="red"), soft_wrap=True)
    for place, reason in found.unreached.items():
        terminal.say(context.settings, f"not looked at: {place}: {reason}")
    if found.is_empty:
        of = f"of {name}" if name else "of the platform"
        terminal.say(context.settings, f"every state {of} belongs to a unit")
