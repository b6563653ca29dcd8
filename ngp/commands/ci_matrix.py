"""`ngp ci matrix`: the jobs of a pipeline."""

from __future__ import annotations

from typing import Annotated

import typer

from ngp.ci import bases
from ngp.ci.matrix import LIMITS, MatrixSystem, count, document, group
from ngp.commands import narrowing, options
from ngp.environments import documents, platforms, resolving
from ngp.review import narrowing as review
from ngp.views import documents as views

For = Annotated[MatrixSystem, typer.Option("--system", help="the CI system that reads the matrix")]
Everything = Annotated[
    bool, typer.Option("--everything", help="all units, not only the affected ones: for a nightly plan")
]


def matrix(
    environments: options.EnvironmentNames = None,
    system: For = MatrixSystem.GITHUB,
    since: options.Since = "",
    everything: Everything = False,
    as_json: options.AsJson = False,
) -> None:
    """Print the jobs of a matrix: the environments that a change affects, grouped within the limit of the system.

    Commits that the target branch got after HEAD branched off are not part of the change.
    """
    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    resolved = resolving.resolve_each(platform, dict.fromkeys(environments or documents.names(platform)))
    change = None
    if not everything:
        base = bases.find(platform, since, may_fetch=False)
        change = narrowing.print_affected(context, review.collect(platform, resolved, base))
    jobs = group(count(resolved, change), LIMITS[system])
    if as_json:
        views.write({"schema": "ngp.ci.matrix/1", "jobs": jobs, "matrix": document(jobs, system)})
    else:
        views.write(views.data(document(jobs, system)), one_line=True)
