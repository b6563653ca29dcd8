"""`ngp env`: make and list environments, say what a change affects; comparison and promotion have their own file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ngp import files
from ngp.commands import completion, env_promotion, options
from ngp.environments import documents, outlines, platforms, resolving
from ngp.environments.environment import Environment, Platform, Target
from ngp.errors import Finding, NgpError, UsageError, require
from ngp.views import asking, orphans, terminal
from ngp.views import documents as views

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.runs.abandoned import Survey

app = typer.Typer(help="Make, list, compare and promote environments; say what a change affects.")
app.command()(env_promotion.diff)
app.command()(env_promotion.promote)

Region = Annotated[
    str,
    typer.Option(
        "--region", metavar="REGION", help="AWS region, such as eu-central-1", autocompletion=completion.regions
    ),
]
Account = Annotated[str, typer.Option("--account", metavar="ACCOUNT", help="12 digits; has a default in the sandbox")]
Domain = Annotated[str, typer.Option("--domain", metavar="DOMAIN", help="domain of its hosted zone")]
Sandbox = Annotated[
    bool | None,
    typer.Option("--sandbox/--no-sandbox", help="on the AWS look-alike of this machine, or on AWS", show_default=False),
]
From = Annotated[
    str,
    typer.Option(
        "--from", metavar="ENV", help="begin with its units and values", autocompletion=completion.environments
    ),
]


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="the new environment")],
    region: Region = "",
    account: Account = "",
    domain: Domain = "",
    sandbox: Sandbox = None,
    source: From = "",
    no_input: options.NoInput = False,
    as_json: options.AsJson = False,
) -> None:
    """Make an environment: its facts, and room for units."""
    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    origin = documents.load(platform, source) if source else None
    outlines.require_new(platform, name)
    may_ask = context.settings.is_interactive and not no_input
    target = _target(sandbox, origin, may_ask=may_ask)
    if target is Target.SANDBOX and not account:
        account = outlines.SANDBOX_ACCOUNT
    given = {"region": region, "account": account, "domain": domain}
    if may_ask:
        given = {key: value or _ask(key, origin) for key, value in given.items()}
    require(Finding(f"the new environment needs --{key}") for key, value in given.items() if not value)
    facts = outlines.Facts(name, target=target.value, **given)
    made = outlines.compose(platform, facts, origin)
    left_out = outlines.left_out(platform, facts, origin) if origin else ()
    with files.lock(platform.workspace.lock(name), purpose=f"ngp env new {name}"):
        outlines.require_new(platform, name)
        try:
            files.write_all(made)
        except OSError as error:
            raise NgpError(f"the environment `{name}` cannot be written", why=f"{error.strerror}") from None
    paths = [path.relative_to(platform.path) for path in made]
    if as_json:
        views.write({"schema": "ngp.env.new/1", "environment": name, "written": paths, "left_out": left_out})
        return
    lines = [f"wrote {path}" for path in paths]
    if left_out:
        lines.append(f"not copied, for it belongs to the account or sandbox of `{source}`: {', '.join(left_out)}")
    for line in [*lines, f"next: ngp configure {name}"]:
        terminal.say(context.settings, line)


@app.command("list")
def list_environments(as_json: options.AsJson = False) -> None:
    """List the environments of the platform."""
    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    rows = [_row(platform, name) for name in documents.names(platform)]
    gone = _survey(context, platform)
    if as_json:
        left = [views.left(each) for each in gone.found]
        listed = {"platform": platform.name, "environments": rows, "orphans": left, "removed": gone.remote}
        views.write({"schema": "ngp.env.list/1", **listed})
        return
    out = terminal.out(context.settings)
    columns = ("name", "target", "account", "region", "domain", "units")
    cells = [columns, *((*(_cell(row.get(key, "")) for key in columns[:-1]), _units(row)) for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    for row in cells:
        text = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        out.print(terminal.line(text.rstrip()), soft_wrap=True)
    orphans.show(gone.found, terminal.err(context.settings))
    if gone.remote:
        names = ", ".join(gone.remote)
        terminal.say(context.settings, f"removed before: {names} (`ngp orphans` says whether states of it are left)")


def _survey(context: options.Context, platform: Platform) -> Survey:
    """Look for environments that are gone, on this machine only: no account is asked."""
    from ngp.runs import abandoned, access

    def reach(environment: Environment) -> Session | None:
        if environment.target is Target.AWS:
            return None
        return access.open_store(environment, platform.workspace, context.settings, context.stop)

    return abandoned.survey(platform, reach)


@app.command()
def affected(
    environments: options.EnvironmentNames = None,
    since: options.Since = "",
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
) -> None:
    """List the units that the change since a commit affects, and why; for programs: `--json`."""
    from ngp.commands import narrowing
    from ngp.views import affected as view

    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    resolved = resolving.resolve_each(platform, dict.fromkeys(environments or documents.names(platform)))
    found = narrowing.collect(platform, resolved, since, whole=not environments)
    if as_json:
        views.write({"schema": "ngp.env.affected/1", **views.affected(found)})
    else:
        view.show(found, context.settings, whole=show_all)


def _target(sandbox: bool | None, origin: Environment | None, *, may_ask: bool) -> Target:  # noqa: FBT001  None: not said
    if sandbox is not None:
        return Target.SANDBOX if sandbox else Target.AWS
    usual = origin.target if origin else Target.AWS
    if not may_ask:
        return usual
    lines = {
        "AWS: a real account": Target.AWS,
        "the sandbox: an AWS look-alike on this machine, to try things": Target.SANDBOX,
    }
    ordered = sorted(lines, key=lambda line: lines[line] is not usual)
    return lines[asking.pick("Where does the environment live?", ordered)]


def _ask(key: str, origin: Environment | None) -> str:
    default = str(getattr(origin, key)) if origin else ""
    said = f" (from `{origin.name}`)" if origin and default else ""
    return asking.fill(f"{key}{said}:", partial(documents.check_fact, key), default)


def _row(platform: Platform, name: str) -> dict[str, Any]:
    """What a list says of an environment; one that cannot be read is there with its error."""
    row: dict[str, Any] = {"name": name, "protected": name in platform.protected}
    try:
        found: Environment = documents.load(platform, name)
    except UsageError as error:
        return {**row, "error": str(error), "findings": error.findings}
    return {
        **row,
        "target": found.target,
        "account": found.account,
        "region": found.region,
        "domain": found.domain,
        "units": list(found.units),
    }


def _units(row: dict[str, Any]) -> str:
    return "cannot be read: ngp validate says why" if "error" in row else ", ".join(row["units"])


def _cell(value: Any) -> str:
    return value.value if isinstance(value, Target) else str(value)
