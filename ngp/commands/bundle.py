"""`ngp bundle`: show, verify, compare and approve bundles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.commands import bundles, options, reading, reporting, scope
from ngp.errors import MissingError, NgpError
from ngp.views import documents, terminal

if TYPE_CHECKING:
    from ngp.reports.recording import ReportRequest
    from ngp.runs.bundle.approving import Approver, Judgement
    from ngp.runs.bundle.opening import Bundle
    from ngp.runs.bundle.signatures import SigningKey
    from ngp.runs.results import RunResult

app = typer.Typer(help="Show, verify, compare and approve bundles: saved plans that ngp applies elsewhere.")

File = Annotated[str, typer.Argument(metavar="FILE", help="the bundle file")]


@app.command()
def show(
    file: File,
    identity: bundles.Identities = None,
    report: reporting.Reports = None,
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
) -> None:
    """Show what a bundle would do and what it was made from, without Terraform and AWS.

    If no key here opens an encrypted bundle, ngp shows its addresses without values.
    """
    from ngp.runs.bundle import opening
    from ngp.views import bundles as views
    from ngp.views import runs

    context = options.context()
    wanted = reporting.require(context, report)
    try:
        bundle = bundles.read(context, _path(context, file), identity)
    except MissingError as error:  # sealed for others
        if identity:
            raise
        terminal.say(context.settings, f"ngp shows no values: {error}", always=True)
        bundle = opening.read_statement(_path(context, file))
    result = opening.run(bundle)
    if as_json:
        documents.write(views.document(bundle, result))
        _write_reports(context, wanted, bundle, result)
        return
    runs.show_changes(result, context.settings, whole=show_all)
    views.show(bundle, context.settings)
    terminal.show([runs.totals(result)], context.settings, style="bold")
    _write_reports(context, wanted, bundle, result)


@app.command()
def verify(file: File, as_json: options.AsJson = False) -> None:
    """Check that nothing changed since a bundle was made; list what did, and exit with 4."""
    from ngp.runs.bundle import opening, verifying
    from ngp.views import bundles as views

    context = options.context()
    bundle = opening.read_statement(_path(context, file))
    environment = opening.require_known(bundle, context.cwd)
    with reading.open_region(context, environment) as region:
        verifying.verify(bundle.statement, bundle.digest, region.resolved, region.session, context.settings)
    if as_json:
        documents.write({"schema": "ngp.bundle.verify/1", **documents.bundle(bundle)})
    else:
        views.print_valid(bundle, context.settings)


@app.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="FILE", help="the reviewed bundle")],
    second: Annotated[str, typer.Argument(metavar="FILE", help="the newer bundle")],
    identity: bundles.Identities = None,
    as_json: options.AsJson = False,
) -> None:
    """Compare what two bundles would do, unit by unit; exit with 2 if they differ."""
    from ngp.runs.bundle import comparing, opening
    from ngp.views import bundles as views

    context = options.context()
    one, other = (bundles.read(context, _path(context, file), identity) for file in (first, second))
    opening.require_comparable(one, other)
    found = comparing.compare(opening.results(one), opening.results(other))
    if as_json:
        documents.write(views.difference_document(one, other, found))
    else:
        views.show_differences(found, context.settings)
    if found:
        raise typer.Exit(2)


@app.command()
def approve(
    file: File,
    key: options.SigningKey = "",
    auto_approve: options.AutoApprove = False,
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
) -> None:
    """Show what a bundle changes, ask, then sign it with your SSH key."""
    from ngp.runs.bundle import approving, opening
    from ngp.views import approvals as view

    context = options.context()
    if not auto_approve:
        options.require_person(context, "ngp", "bundle", "approve", str(file))
    bundle = opening.read_statement(_path(context, file))

    def agree(chosen: SigningKey, has_signed: bool) -> bool:  # noqa: FBT001  a fact, as the callback gives it
        terminal.say(context.settings, view.subject(bundle, whole=show_all), always=not auto_approve)
        return auto_approve or has_signed or options.confirm(context, f"Sign this with the key {chosen}?")

    approver = approving.Approver(context.settings, context.cwd, key, context.stop)
    done = approving.approve(bundle, approver, agree)
    found = _judge(context, bundle, approver)
    _keep(context, bundle, approver)
    if as_json:
        documents.write(view.approval_document(file, bundle, done, found))
    else:
        terminal.say(context.settings, view.approval(file, bundle, done, found))


@app.command()
def push(file: File, as_json: options.AsJson = False) -> None:
    """Upload a bundle to the state bucket; if it is there already, merge the approvals."""
    from ngp.runs.bundle import opening
    from ngp.runs.bundle.library import Library

    context = options.context()
    path = _path(context, file)
    with reading.open_region(context, opening.require_known(opening.read_statement(path), context.cwd)) as region:
        library = Library(region.resolved, region.session)
        url = library.url(library.push(path).digest)
    _show_place(context, path, url, as_json=as_json, command="push")


@app.command()
def fetch(
    environment: options.EnvironmentName,
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="the digest of the bundle, or its first digits")],
    out: Annotated[str, typer.Option("--out", metavar="FILE", help="the file to write; by default DIGEST.bundle")] = "",
    as_json: options.AsJson = False,
) -> None:
    """Download a bundle from the state bucket into a file."""
    from ngp.runs.bundle import requests
    from ngp.runs.bundle.library import Library

    context = options.context()
    path = requests.require_writable(out or f"{digest[:12]}.bundle", context.cwd)
    with reading.open_region(context, environment) as region:
        library = Library(region.resolved, region.session)
        url = library.url(library.fetch(digest, path).digest)
    _show_place(context, path, url, as_json=as_json, command="fetch")


@app.command("list")
def list_bundles(environment: options.EnvironmentName = "", as_json: options.AsJson = False) -> None:
    """List the bundles of an environment in the state bucket, and show which ones were applied."""
    from ngp.runs.bundle.library import Library
    from ngp.views import bundles as views

    context = options.context()
    environment = scope.only(scope.choose(context, environment))
    with reading.open_region(context, environment) as region:
        found = Library(region.resolved, region.session).collect()
    if as_json:
        documents.write(views.list_document(environment, found))
    else:
        views.show_list(found)


def _keep(context: options.Context, bundle: Bundle, approver: Approver) -> None:
    """Store an approved bundle where bundles are kept. It stays approved if that fails."""
    from ngp.runs.bundle import approving

    try:
        url = approving.keep(bundle, approver, lambda text: terminal.say(context.settings, text))
    except NgpError as error:
        name = bundle.archive.path.name
        text = f"only the file {name} has the approval: {error}; to upload it: ngp bundle push {name}"
        terminal.say(context.settings, text, always=True)
        return
    if url:
        terminal.say(context.settings, f"uploaded it to {url}")


def _judge(context: options.Context, bundle: Bundle, approver: Approver) -> Judgement | None:
    """Return how far a bundle is approved; where the rules cannot be read, say so and return None."""
    from ngp.runs.bundle import approving

    try:
        return approving.judge(bundle, approver)
    except NgpError as error:
        terminal.say(context.settings, f"cannot check whether more approvals are needed: {error}")
        return None


def _show_place(context: options.Context, path: Path, url: str, *, as_json: bool, command: str) -> None:
    if as_json:
        documents.write({"schema": f"ngp.bundle.{command}/1", "file": str(path), "kept": url})
    else:
        terminal.say(context.settings, f"{path.name}: {url}", always=True)


def _path(context: options.Context, file: str) -> Path:
    return context.cwd / file


def _write_reports(context: options.Context, wanted: ReportRequest, bundle: Bundle, result: RunResult) -> None:
    """Write the reports of a bundle's plan. Raises Exit (1) if one cannot be written."""
    code = reporting.show(context, wanted.write_bundle(bundle, result, context.settings))
    if code:
        raise typer.Exit(code)
