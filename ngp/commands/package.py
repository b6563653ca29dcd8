"""`ngp package`: deploy Debian packages to hosts, and list what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ngp.commands import completion, options
from ngp.errors import NgpError, UsageError

if TYPE_CHECKING:
    from ngp.commands.options import Context
    from ngp.hosts.host import Host
    from ngp.hosts.reach import Reach
    from ngp.packages.deploying import Deployed
    from ngp.packages.fleet import Run
    from ngp.packages.names import Package
    from ngp.packages.scripts import Claim

app = typer.Typer(help="Deploy Debian packages to hosts, and list what is installed and deployed there.")

Selection = Annotated[
    str,
    typer.Argument(
        metavar="ENV[/CLUSTER]", help="the hosts: `qa`, `qa/web`, `/web`, `/`", autocompletion=completion.environments
    ),
]
Packages = Annotated[
    list[str] | None,
    typer.Argument(metavar="PACKAGE", help="packages, also PACKAGE=VERSION; by default those of .package-name"),
]
Named = Annotated[list[str], typer.Argument(metavar="PACKAGE", help="packages, also PACKAGE=VERSION")]
Version = Annotated[
    str, typer.Option("--version", metavar="VERSION", help="install this version, also an older one (a rollback)")
]
Serial = Annotated[bool, typer.Option("--serial", help="do each step on one host after the other")]
Batch = Annotated[
    str,
    typer.Option("--batch", metavar="N|N%", help="all steps on so many hosts, a readiness check, then the next ones"),
]
AcceptLock = Annotated[
    str, typer.Option("--accept-lock", metavar="ID", help="take over the lock of a deploy whose ngp is gone")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="show hosts and packages; change nothing")]
ProjectName = Annotated[str, typer.Option("--project", metavar="NAME", help="the project, outside of a platform")]
Parallelism = Annotated[int, typer.Option("--parallelism", "-j", min=1, help="how many hosts at once")]
_AT_ONCE = 32


@dataclass(frozen=True)
class _Order:
    """What a line of `deploy` or `install` asks for."""

    action: str
    selector: str
    packages: Sequence[Package]
    size: str = ""
    is_serial: bool = False
    steal: str = ""
    is_dry_run: bool = False
    project: str = ""
    parallelism: int = _AT_ONCE
    as_json: bool = False


@app.command()
def deploy(
    selector: Selection,
    packages: Packages = None,
    pinned: Version = "",
    serial: Serial = False,
    batch: Batch = "",
    accept_lock: AcceptLock = "",
    dry_run: DryRun = False,
    project: ProjectName = "",
    parallelism: Parallelism = _AT_ONCE,
    as_json: options.AsJson = False,
) -> None:
    """Install packages on the hosts whose tag `Packages` names all of them, then run the hook of this folder."""
    from ngp.hosts.project import packages as named
    from ngp.packages import names

    wanted = names.parse(named(options.context().cwd, packages or ()), pinned)
    _carry_out(_Order("deploy", selector, wanted, batch, serial, accept_lock, dry_run, project, parallelism, as_json))


@app.command()
def install(
    selector: Selection,
    packages: Named,
    pinned: Version = "",
    serial: Serial = False,
    batch: Batch = "",
    accept_lock: AcceptLock = "",
    dry_run: DryRun = False,
    project: ProjectName = "",
    parallelism: Parallelism = _AT_ONCE,
    as_json: options.AsJson = False,
) -> None:
    """Install packages on all hosts of a selection; no tag counts, and no hook runs."""
    from ngp.packages import names

    wanted = names.parse(packages, pinned)
    _carry_out(_Order("install", selector, wanted, batch, serial, accept_lock, dry_run, project, parallelism, as_json))


@app.command()
def versions(
    selector: Selection,
    packages: Packages = None,
    project: ProjectName = "",
    parallelism: Parallelism = _AT_ONCE,
    as_json: options.AsJson = False,
) -> None:
    """List what is installed, what was deployed last, by whom and when; without names, all that ngp ever deployed."""
    from ngp.packages import names
    from ngp.packages import versions as found
    from ngp.views import documents, findings
    from ngp.views import packages as view

    context = options.context()
    wanted = names.check(packages or ())
    reach = _reach(context, project)
    result = found.collect(_hosts(reach, selector, ()), wanted, _runner(reach, parallelism))
    code = NgpError.exit_code if result.unreached else 0
    if as_json:
        rows = [view.version(one) for one in result.found]
        documents.write(
            {
                "schema": "ngp.package.versions/1",
                "selector": selector,
                "exit_code": code,
                "versions": rows,
                "unreached": result.unreached,
            }
        )
    elif result.found:
        typer.echo("\n".join(view.table(result.found)))
    if result.unreached:
        findings.show_error(NgpError(result.unreached))
    raise typer.Exit(code)


def _carry_out(order: _Order) -> None:
    from ngp.hosts import remote
    from ngp.packages import deploying, locking
    from ngp.views import packages as view
    from ngp.views import terminal

    context = options.context()
    reach = _reach(context, order.project)
    filters = tuple(one.name for one in order.packages) if order.action == "deploy" else ()
    hosts = _hosts(reach, order.selector, filters)
    batches = remote.batches(hosts, order.size)
    said = ", ".join(str(one) for one in order.packages)
    terminal.say(context.settings, f"{order.action} {said} to {', '.join(host.name for host in hosts)}")
    claim = locking.new_claim(order.action)
    if order.is_dry_run:
        nothing = deploying.Deployed((), (), tuple(host.name for host in hosts))
        _show(context, order, claim, nothing, None)
        return
    with context.taking_signals() as stop:
        rollout = deploying.Rollout(
            batches,
            _check(context, reach, hosts, stop) if len(batches) > 1 else tuple,
            lambda event: terminal.say(context.settings, view.event(event)),
            stop,
            order.steal,
            order.is_serial,
        )
        result = deploying.deploy(order.packages, rollout, claim, _runner(reach, order.parallelism))
    failure = _run_hook(context, order, result)
    _show(context, order, claim, result, failure)
    context.require_not_stopped()
    raise typer.Exit(NgpError.exit_code if failure or not result.is_success else 0)


def _reach(context: Context, project: str) -> Reach:
    from ngp.hosts import reach
    from ngp.views import terminal

    def note(text: str) -> None:
        terminal.say(context.settings, text)

    found = reach.open_reach(context.settings, context.cwd, note, fresh=True, named=project)
    found.ask = lambda question: options.ask(context, question, flag="AWS_SESSION_TOKEN and its keys")
    return found


def _hosts(reach: Reach, text: str, packages: Sequence[str]) -> list[Host]:
    """Return the running hosts that a selection means, with these packages in their tag."""
    from ngp.hosts import selector

    meant = selector.parse(text)
    running = [host for host in reach.hosts(meant) if host.is_up]
    found = selector.narrow(running, meant, selector.Filter(packages=tuple(packages)))
    if running and not found:
        raise UsageError(
            f"no host in `{meant}` has {' and '.join(packages)} in its tag `Packages`",
            todo="name other packages, or use `ngp package install`, for which no tag counts",
        )
    if not found:
        raise selector.none_running(meant)
    return found


def _runner(reach: Reach, parallelism: int) -> Run:
    """Return what runs a command on hosts. No stop cuts a command off: apt must end what it began."""
    from ngp.hosts import remote
    from ngp.hosts.logins import Login

    wanted = remote.Options(Login(reach.trust()), parallelism)

    def run(hosts: Sequence[Host], command: str, tell: Any) -> Sequence[remote.HostResult]:
        def take(event: remote.HostEvent) -> None:
            if isinstance(event, remote.Line):
                tell(event.host, event.text)

        return remote.run_all(hosts, command, wanted, take)

    return run


def _check(context: Context, reach: Reach, hosts: Sequence[Host], stop: Event) -> Any:
    """Return the check between two batches, and say so where there is nothing to ask."""
    from ngp.packages import health
    from ngp.views import terminal

    platform = reach.platform
    probes = health.collect(platform, hosts, reach.session) if platform else []
    if platform is None or not probes:
        terminal.say(context.settings, "no unit of these hosts has a readiness check: one batch follows the other")
        return tuple
    return lambda: health.check(probes, platform, context.settings, stop)


def _run_hook(context: Context, order: _Order, result: Deployed) -> NgpError | None:
    """Run the hook of a deploy, but for one that was interrupted; return how it failed."""
    from ngp.hosts import selector
    from ngp.packages import hooks
    from ngp.views import findings, terminal

    if order.action != "deploy" or not (result.is_success or result.failed):
        return None
    failed = [one.host for one in result.failed] or None
    environ, environment = context.settings.environ, selector.parse(order.selector).environment
    try:
        hooks.run(context.cwd, environ, environment, failed, lambda text: terminal.say(context.settings, text))
    except NgpError as error:
        findings.show_error(error)
        return error
    return None


def _show(context: Context, order: _Order, claim: Claim, result: Deployed, failure: NgpError | None) -> None:
    from ngp.views import documents, terminal
    from ngp.views import packages as view

    if not order.as_json:
        typer.echo("\n".join(terminal.clean(line) for line in view.lines(result)))
        return
    is_good = order.is_dry_run or (result.is_success and not failure)
    code = context.stopped_by + 128 if context.stopped_by else int(not is_good)
    more = {"exit_code": code, "hook": failure.findings if failure else ()}
    documents.write(view.document(order.selector, order.packages, claim, result, more))
