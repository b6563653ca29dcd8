"""`ngp bundle`: look at a bundle, check it against what is here, compare two of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ngp.commands import options, reading
from ngp.views import documents, terminal

app = typer.Typer(help="Look at bundles: what was planned in one place, to be applied in another.")

File = Annotated[str, typer.Argument(metavar="FILE", help="the bundle")]


@app.command()
def show(file: File, show_all: options.ShowAll = False, as_json: options.AsJson = False) -> None:
    """Show what a bundle would do, what it was made from and who approved it; needs no Terraform and no AWS."""
    from ngp.runs.bundle import opening
    from ngp.views import bundles, runs

    context = options.context()
    bundle = opening.read(_path(context, file))
    result = opening.run(bundle)
    if as_json:
        documents.write({"schema": "ngp.bundle.show/1", **documents.bundle(bundle), **_run(result)})
        return
    runs.show_changes(result, context.settings, whole=show_all)
    bundles.show(bundle, context.settings)
    terminal.out(context.settings).print(terminal.line(runs.totals(result), style="bold"), soft_wrap=True)


@app.command()
def verify(file: File, as_json: options.AsJson = False) -> None:
    """Check that nothing moved since a bundle was made; names everything that did, and ends with 4."""
    from ngp.runs.bundle import opening, verifying
    from ngp.terraform import binary

    context = options.context()
    bundle = opening.read(_path(context, file))
    environment = opening.require_known(bundle, context.cwd)
    with reading.open_region(context, environment) as region:
        platform = region.resolved.platform
        found = binary.find(
            platform.terraform,
            platform.terraform_version,
            context.settings.environ,
            cwd=platform.path,
            cache=context.settings.cache,
        )
        verifying.require_same(bundle.statement, verifying.Here.of(region.resolved, region.session, found))
    if as_json:
        documents.write({"schema": "ngp.bundle.verify/1", **documents.bundle(bundle)})
    else:
        until = f"{bundle.statement.expires:%Y-%m-%d %H:%M} UTC"
        terminal.say(context.settings, f"nothing moved; the bundle is valid until {until}", always=True)


@app.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="FILE", help="the bundle that was reviewed")],
    second: Annotated[str, typer.Argument(metavar="FILE", help="the newer one")],
    as_json: options.AsJson = False,
) -> None:
    """Compare what two bundles would do, unit by unit; ends with 2 if they differ."""
    from ngp.runs.bundle import comparing, opening
    from ngp.views import bundles

    context = options.context()
    one, other = (opening.read(_path(context, file)) for file in (first, second))
    opening.require_comparable(one, other)
    found = comparing.compare(opening.results(one), opening.results(other))
    if as_json:
        pair = {"first": documents.bundle(one), "second": documents.bundle(other)}
        documents.write({"schema": "ngp.bundle.diff/1", **pair, "differences": bundles.differences(found)})
    else:
        bundles.show_differences(found, context.settings)
    if found:
        raise typer.Exit(2)


def _path(context: options.Context, file: str) -> Path:
    return context.cwd / file


def _run(result: Any) -> dict[str, Any]:
    """The counts and units of a bundle's plan, as in the document of the plan itself."""
    said = documents.run(result, exit_code=0)
    return {name: said[name] for name in ("counts", "units")}
