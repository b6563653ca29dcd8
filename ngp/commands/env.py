"""`ngp env`: make and list environments, show what a change affects; comparison and promotion have their own file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ngp.commands import completion, env_promotion, options
from ngp.environments import documents, new_environment, platforms, resolving
from ngp.environments.environment import Environment, Platform, Target
from ngp.environments.new_environment import NewEnvironmentRequest
from ngp.views import documents as views
from ngp.views import environment_questions
from ngp.views import environments as view

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.runs.abandoned import Survey

app = typer.Typer(help="Create, list, compare and promote environments; show what a change affects.")
app.command()(env_promotion.diff)
app.command()(env_promotion.promote)

Region = Annotated[
    str,
    typer.Option(
        "--region", metavar="REGION", help="AWS region, such as eu-central-1", autocompletion=completion.regions
    ),
]
Account = Annotated[
    str, typer.Option("--account", metavar="ACCOUNT", help="AWS account, 12 digits; optional in the sandbox")
]
Domain = Annotated[str, typer.Option("--domain", metavar="DOMAIN", help="domain of the hosted zone")]
Sandbox = Annotated[
    bool | None,
    typer.Option("--sandbox/--no-sandbox", help="in the AWS emulator on this machine, or in AWS", show_default=False),
]
From = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="ENV",
        help="copy units and values of this environment",
        autocompletion=completion.environments,
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
    """Create an environment with its facts and without units."""
    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    may_ask = context.settings.is_interactive and not no_input
    target = None if sandbox is None else Target.SANDBOX if sandbox else Target.AWS
    request = NewEnvironmentRequest(name, region, account, domain, target, source)
    made = new_environment.create(platform, request, environment_questions if may_ask else None)
    if as_json:
        views.write(view.made(made))
    else:
        view.print_created(made, context.settings)


@app.command("list")
def list_environments(as_json: options.AsJson = False) -> None:
    """List the environments of the platform."""
    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    found = documents.load_each(platform)
    gone = _survey(context, platform)
    if as_json:
        views.write(view.listed(platform, found, gone))
    else:
        view.show(found, gone, context.settings)


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
    """List the units affected by the changes since a commit, and why."""
    from ngp.review import narrowing
    from ngp.views import affected as affected_view

    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    resolved = resolving.resolve_each(platform, dict.fromkeys(environments or documents.names(platform)))
    found = narrowing.collect(platform, resolved, since, whole=not environments)
    if as_json:
        views.write({"schema": "ngp.env.affected/1", **views.affected(found)})
    else:
        affected_view.show(found, context.settings, whole=show_all)
