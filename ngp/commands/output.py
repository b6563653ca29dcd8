"""`ngp output`: show the outputs of an environment, from its states."""

from __future__ import annotations

from typing import Annotated

import typer

from ngp.commands import completion, options

Name = Annotated[
    str,
    typer.Option("--name", metavar="[UNIT.]OUTPUT", help="only this output", autocompletion=completion.outputs),
]
Raw = Annotated[bool, typer.Option("--raw", help="one value and nothing else (needs --name)")]
Form = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="table|json|env|tfvars|terraform-out",
        help="output format",
        autocompletion=completion.one_of("table", "json", "env", "tfvars", "terraform-out"),
    ),
]
For = Annotated[
    str,
    typer.Option(
        "--for",
        metavar="UNIT",
        help="write this unit's wired.auto.tfvars.json instead",
        autocompletion=completion.units,
    ),
]


def output(
    environment: options.EnvironmentName = "",
    units: options.UnitNames = None,
    name: Name = "",
    form: Form = "table",
    raw: Raw = False,
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
    reveal: options.Reveal = False,
    for_unit: For = "",
) -> None:
    """Show the outputs of units; mask sensitive ones."""
    from ngp.commands import reading, scope
    from ngp.runs import outputs, selection
    from ngp.views import outputs as view
    from ngp.views import terminal

    context = options.context()
    shape = reading.format_of(form, raw=raw, as_json=as_json)
    meant = scope.choose(context, environment, units)
    with reading.open_region(context, meant.environment) as region:
        if for_unit:
            changed = outputs.write_wires(region.resolved, region.session, for_unit)
            terminal.say(context.settings, f"{for_unit}: {'written' if changed else 'unchanged'}")
            return
        named = selection.expand(meant.units, region.resolved)
        values = outputs.collect(
            region.resolved, region.session, named, reveal=reveal, nulls=shape is view.OutputFormat.TERRAFORM_OUT
        )
        absent = outputs.absent(region.resolved, values, named) if name else {}
        has_units = bool(region.resolved.environment.units)
    if not values and not name and shape is view.OutputFormat.TABLE:
        view.print_none(context.settings, meant.environment, meant.units, has_units=has_units)
        return
    chosen = [view.select(values, name, absent=absent)] if name else values
    view.show(chosen, context.settings, environment=meant.environment, form=shape, reveal=reveal, whole=show_all)
