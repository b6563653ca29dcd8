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
        help="use this module; name all modules of the environment",
        autocompletion=completion.modules,
    ),
]
Values = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="[UNIT.]KEY=VALUE", help="set a value, as HCL, JSON or plain text; repeatable"),
]
Wires = Annotated[
    list[str] | None,
    typer.Option("--wire", metavar="UNIT.INPUT=UNIT.OUTPUT", help="wire an input to an output; repeatable"),
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
Dummies = Annotated[
    bool, typer.Option("--dummies", help="use the harmless values of NAME.dummy for inputs without a value")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="show what would change, but write nothing")]


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
    """Choose the modules of an environment and set their values."""
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
