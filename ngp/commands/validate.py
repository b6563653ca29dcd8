"""`ngp validate`: check what the operator wrote (64), then validate the rendered roots with Terraform (1)."""

from __future__ import annotations

from typing import Annotated

import typer

from ngp.commands import checking, narrowing, options, scope
from ngp.environments import host_files, platforms, resolving, validity
from ngp.errors import NgpError
from ngp.review import narrowing as review
from ngp.runs import selection, validating
from ngp.views import documents
from ngp.views import validation as view

WithTerraform = Annotated[bool, typer.Option("--terraform/--no-terraform", help="also run terraform validate")]


def validate(
    ctx: typer.Context,
    environment: options.OptionalEnvironmentName = "",
    units: options.UnitNames = None,
    terraform: WithTerraform = True,
    parallelism: options.Parallelism = options.DEFAULT_PARALLELISM,
    affected: options.Affected = False,
    since: options.Since = "",
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
) -> int:
    """Check environments: ngp's own checks, then Terraform's."""
    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    names, words = scope.choose_any(platform, environment, units)
    resolved = resolving.resolve_each(platform, names)
    host_files.load(platform.path)  # no plan reads it, so nobody else refuses it
    named = selection.expand_each(words, resolved)
    change = None
    if narrowing.is_asked(ctx, affected):
        whole = names != [environment]
        change = review.only(review.collect(platform, resolved, since, whole=whole), named)
        narrowing.print_affected(context, change)
    checks = review.roots_of(resolved, named, change) if terraform else []
    wrong = validity.faults(resolved)
    if checks:
        follow = view.RootProgress(len(checks), context.settings)
        driver = checking.open_terraform(platform, context)
        wrong += validating.validate(platform, checks, driver, follow.on_checked, parallelism)
    found = validating.ValidationResult(wrong, validity.warnings(resolved), len(checks) if terraform else None)
    if as_json:
        documents.write(view.document(names, found, change))
    else:
        view.show(names, found, context.settings, whole=show_all)
    return NgpError.exit_code if wrong else 0
