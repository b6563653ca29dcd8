"""`ngp bundle`: look at a bundle, check it against what is here, compare two of them, approve one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ngp.commands import bundles, options, reading, reporting, scope
from ngp.errors import MissingError, NgpError
from ngp.views import documents, terminal

if TYPE_CHECKING:
    from ngp.runs.bundle.approvals import ApprovalStatus
    from ngp.runs.bundle.archive import Archive
    from ngp.runs.bundle.opening import Bundle
    from ngp.runs.bundle.rules import Rules
    from ngp.runs.bundle.statement import Statement
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
        documents.write({"schema": "ngp.bundle.show/1", **documents.bundle(bundle), **_run(result)})
        _write_reports(context, wanted, bundle, result)
        return
    runs.show_changes(result, context.settings, whole=show_all)
    views.show(bundle, context.settings)
    terminal.out(context.settings).print(terminal.line(runs.totals(result), style="bold"), soft_wrap=True)
    _write_reports(context, wanted, bundle, result)


@app.command()
def verify(file: File, as_json: options.AsJson = False) -> None:
    """Check that nothing changed since a bundle was made; list what did, and exit with 4."""
    from ngp.runs.bundle import opening, verifying

    context = options.context()
    bundle = opening.read_statement(_path(context, file))
    environment = opening.require_known(bundle, context.cwd)
    with reading.open_region(context, environment) as region:
        verifying.verify(bundle.statement, bundle.digest, region.resolved, region.session, context.settings)
    if as_json:
        documents.write({"schema": "ngp.bundle.verify/1", **documents.bundle(bundle)})
    else:
        until = f"{bundle.statement.expires:%Y-%m-%d %H:%M} UTC"
        terminal.say(context.settings, f"nothing changed; the bundle is valid until {until}", always=True)


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
        pair = {"first": documents.bundle(one), "second": documents.bundle(other)}
        documents.write({"schema": "ngp.bundle.diff/1", **pair, "differences": views.differences(found)})
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
    from ngp.runs.bundle import approvals, archive, opening, signatures
    from ngp.views import approvals as view

    context = options.context()
    if not auto_approve:
        options.require_person(context, f"Sign {file}?", flag="--auto-approve")
    bundle = opening.read_statement(_path(context, file))
    opened, statement = bundle.archive, approvals.examine(bundle.archive)
    chosen = signatures.find(context.settings, context.cwd, key)
    terminal.say(context.settings, view.subject(bundle, whole=show_all), always=not auto_approve)
    has_signed = approvals.has_signed(opened, signatures.fingerprint(chosen, context.settings), context.settings)
    if not (auto_approve or has_signed) and not options.confirm(context, f"Sign this with the key {chosen}?"):
        raise NgpError("nothing was signed", why="you answered no")
    added = not has_signed and approvals.approve(opened, chosen, context.settings)
    found = _standing(context, archive.read(opened.path), statement)
    _keep(context, opened.path, statement.environment)
    if as_json:
        documents.write(
            {
                "schema": "ngp.bundle.approve/1",
                "file": file,
                "digest": opened.digest,
                "environment": statement.environment,
                "verb": statement.verb,
                "key": str(chosen),
                "added": added,
                "standing": view.standing_document(*found) if found else None,
            }
        )
        return
    done = f"signed {file} with {chosen}" if added else f"{chosen} has signed {file} before, so nothing was added"
    lines = view.standing(*found, statement.environment) if found else []
    terminal.say(context.settings, "\n".join([done, *lines]))


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
    from ngp.runs.bundle.library import Library

    context = options.context()
    path = bundles.require_writable(context, out or f"{digest[:12]}.bundle")
    with reading.open_region(context, environment) as region:
        library = Library(region.resolved, region.session)
        url = library.url(library.fetch(digest, path).digest)
    _show_place(context, path, url, as_json=as_json, command="fetch")


@app.command("list")
def list_bundles(environment: options.EnvironmentName = "", as_json: options.AsJson = False) -> None:
    """List the bundles of an environment in the state bucket, and show which ones were applied."""
    from ngp.runs.bundle.library import Library

    context = options.context()
    environment = scope.only(scope.choose(context, environment))
    with reading.open_region(context, environment) as region:
        found = Library(region.resolved, region.session).collect()
    if as_json:
        kept = [{"digest": one.digest, "applied": one.is_applied} for one in found]
        documents.write({"schema": "ngp.bundle.list/1", "environment": environment, "bundles": kept})
        return
    for one in found:
        typer.echo(f"{one.digest}{'  applied' if one.is_applied else ''}")


def _keep(context: options.Context, path: Path, environment: str) -> None:
    """Put an approved bundle where ngp.yaml says that bundles go. It stays approved where that fails."""
    from ngp.environments import platforms
    from ngp.environments.environment import BundleKeeping

    try:
        if platforms.load(platforms.find(context.cwd)).bundles is BundleKeeping.FILES:
            return
        with reading.open_region(context, environment) as region:
            url = bundles.keep(region.resolved, region.session, path)
        terminal.say(context.settings, f"uploaded it to {url}")
    except NgpError as error:
        text = f"only the file {path.name} has the approval: {error}; to upload it: ngp bundle push {path.name}"
        terminal.say(context.settings, text, always=True)


def _show_place(context: options.Context, path: Path, url: str, *, as_json: bool, command: str) -> None:
    if as_json:
        documents.write({"schema": f"ngp.bundle.{command}/1", "file": str(path), "kept": url})
    else:
        terminal.say(context.settings, f"{path.name}: {url}", always=True)


def _path(context: options.Context, file: str) -> Path:
    return context.cwd / file


def _write_reports(
    context: options.Context, wanted: reporting.ReportRequest, bundle: Bundle, result: RunResult
) -> None:
    """Write the reports of a bundle's plan; raise Exit (1) where one cannot be written.

    Inside the platform that it was made from, a report also says what the environment knows: wires and manifests.
    """
    if not wanted.paths:
        return
    from ngp.environments import platforms, resolving
    from ngp.reports import causes, making

    known = making.RunFacts()
    try:
        platform = platforms.load(platforms.find(context.cwd))
        resolved = resolving.resolve(platform, bundle.statement.environment)
        found = causes.Finder(resolved, reporting.baseline(resolved)).of_run(result)
        secrets = making.local_secrets(resolved, context.settings.environ)
        known = making.RunFacts(resolved, causes=found, secrets=secrets)
    except NgpError:
        pass  # it is read elsewhere, or after a change of the environment
    wanted.platform = known.resolved.platform.path if known.resolved else None
    code = wanted.put(context, making.of_bundle(result, bundle, known))
    if code:
        raise typer.Exit(code)


def _run(result: Any) -> dict[str, Any]:
    """The counts and units of a bundle's plan, as in the document of the plan itself."""
    said = documents.run(result, exit_code=0)
    return {name: said[name] for name in ("counts", "units")}


def _standing(context: options.Context, opened: Archive, statement: Statement) -> tuple[ApprovalStatus, Rules] | None:
    """Return how far the bundle is approved; where the rules cannot be read, say so and return None."""
    from ngp.environments import platforms
    from ngp.runs.bundle import approvals, rules

    try:
        read = rules.read(platforms.load(platforms.find(context.cwd)))
    except NgpError as error:
        terminal.say(context.settings, f"cannot check whether more approvals are needed: {error}")
        return None
    return approvals.collect(opened, statement, read, context.settings), read
