"""`ngp configure`: choose modules, answer what they need, write environment.yaml and terraform.tfvars."""

from __future__ import annotations

from typing import Annotated

import typer

from ngp.commands import completion, options, scope
from ngp.environments import configuring, platforms
from ngp.environments.configuring import ConfigureRequest
from ngp.views import asking, documents
from ngp.views import configuring as view

Modules = Annotated[
    list[str] | None,
    typer.Option(
        "--module",
        "-m",
        metavar="[UNIT=]MODULE",
        help="use this module; all that are named make the choice",
        autocompletion=completion.modules,
    ),
]
Values = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="[UNIT.]KEY=VALUE", help="a value, as HCL, JSON or plain text; repeatable"),
]
Wires = Annotated[
    list[str] | None,
    typer.Option("--wire", metavar="UNIT.INPUT=UNIT.OUTPUT", help="what feeds an input; repeatable"),
]
Catalogue = Annotated[
    str | None,
    typer.Option(
        "--catalogue",
        metavar="REF",
        help='use the modules of this commit; "" is the working tree',
        autocompletion=completion.refs,
    ),
]
Dummies = Annotated[bool, typer.Option("--dummies", help="take the harmless values of NAME.dummy for what has none")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="write nothing, show what would change")]


def configure(
    environment: options.OptionalEnvironmentName = "",
    module: Modules = None,
    values: Values = None,
    wire: Wires = None,
    catalogue: Catalogue = None,
    dummies: Dummies = False,
    dry_run: DryRun = False,
    no_input: options.NoInput = False,
    as_json: options.AsJson = False,
) -> None:
    """Choose the modules of an environment and answer what they need."""
    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    may_ask = context.settings.is_interactive and not no_input
    name = environment or scope.pick(context, platform, may_ask=may_ask)
    request = ConfigureRequest(module or (), values or (), wire or (), catalogue, dummies)
    done = configuring.configure(platform, name, request, asking if may_ask else None, write=not dry_run)
    shown = view.document(platform.path, name, done.draft, done.changed, written=not dry_run)
    if as_json:
        documents.write(shown)
    else:
        view.show(shown, context.settings)
