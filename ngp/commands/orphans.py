"""`ngp orphans`: states that belong to no declared unit, to no environment, or to two."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from ngp.commands import options
from ngp.errors import MissingError

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.environments.environment import Environment
    from ngp.environments.resolving import Resolved


def orphans(
    environment: options.EnvironmentName = "",
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
) -> None:
    """List states without a declared unit, and how to destroy or move what they contain."""
    from ngp.commands import reading, scope
    from ngp.environments import platforms
    from ngp.runs import access, orphan_survey
    from ngp.views import documents
    from ngp.views import orphans as view

    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))

    @contextmanager
    def open_region(name: str) -> Iterator[tuple[Resolved, Session]]:
        with reading.open_region(context, name) as region:
            yield region.resolved, region.session

    def reach(environment: Environment) -> Session | None:
        return access.open_store(environment, platform.workspace, context.settings, context.stop)

    if environment or scope.is_implied(context, platform):
        name = scope.only(scope.choose(context, environment))
        found = orphan_survey.of_environment(name, open_region)
    else:
        name, found = "", orphan_survey.of_platform(platform, open_region, reach)
    if as_json:
        documents.write(documents.orphans(name, found.orphans, found.shared, found.unreached))
    else:
        view.show_survey(name, found, context.settings, whole=show_all)
    if found.unreached:
        raise typer.Exit(MissingError.exit_code)
