"""`ngp unlock`: release the lock of a Terraform that no longer runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ngp.commands import completion, options

if TYPE_CHECKING:
    from ngp.runs.locking import LockedState

Unit = Annotated[str, typer.Argument(metavar="UNIT", help="the unit", autocompletion=completion.units)]


def unlock(
    environment: options.EnvironmentName = "",
    unit: Unit = "",
    auto_approve: options.AutoApprove = False,
    as_json: options.AsJson = False,
) -> None:
    """Release the lock of a unit's state; refuse while its Terraform still runs."""
    from ngp.commands import reading, scope
    from ngp.runs import locking
    from ngp.views import documents, terminal
    from ngp.views import locks as view

    context = options.context()
    meant = scope.choose(context, environment, [unit] if unit else [])
    name = scope.one_unit(meant, f"to list locked units: ngp locks {meant.environment}")
    if not auto_approve:
        options.require_person(context, "ngp", "unlock", meant.environment, name)

    def agree(fact: LockedState) -> bool:
        terminal.say(context.settings, "\n".join(view.lines(meant.environment, [fact])))
        return auto_approve or options.confirm(context, f"Release the lock of `{name}`?")

    with reading.open_region(context, meant.environment) as region:
        released = locking.release(region.resolved, region.session, name, agree)
    if as_json:
        documents.write(view.document(meant.environment, [released] if released else [], "unlock"))
        return
    text = f"released the lock of `{name}`" if released else f"`{name}` is not locked"
    terminal.say(context.settings, text)
    if released:
        terminal.say(context.settings, f"next: ngp plan {meant.environment} {name}")
