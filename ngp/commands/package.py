"""`ngp package`: deploy Debian packages to hosts, and list them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ngp.commands import hosting, options
from ngp.commands.grouping import grouped
from ngp.errors import NgpError

if TYPE_CHECKING:
    from ngp.commands.options import Context
    from ngp.hosts.selected import SelectedHosts
    from ngp.packages.deploying import Deployed
    from ngp.packages.names import DebianPackage
    from ngp.packages.scripts import Claim

app = typer.Typer(help="Deploy Debian packages to hosts, and list what is installed and deployed.")

Packages = Annotated[
    list[str] | None,
    typer.Argument(metavar="PACKAGE", help="packages (NAME or NAME=VERSION); by default those in .package-name"),
]
Named = Annotated[list[str], typer.Argument(metavar="PACKAGE", help="packages (NAME or NAME=VERSION)")]
Looked = Annotated[
    list[str] | None, typer.Argument(metavar="PACKAGE", help="packages (NAME); by default all that ngp ever deployed")
]
Version = Annotated[
    str, typer.Option("--version", metavar="VERSION", help="install this version; an older one is a rollback")
]
Serial = Annotated[bool, typer.Option("--serial", help="run each step on one host at a time")]
Batch = Annotated[
    str,
    typer.Option("--batch", metavar="N|N%", help="run all steps on N hosts, check readiness, then go on to the next N"),
]
AcceptLock = Annotated[
    str, typer.Option("--accept-lock", metavar="ID", help="take over the lock of a deploy whose ngp no longer runs")
]
_QUESTIONS = {"deploy": "Deploy this to hosts of", "install": "Install this on hosts of"}


@dataclass(frozen=True)
class DeployOptions:
    """The options of `deploy` and `install`."""

    pinned: Version = ""
    serial: Serial = False
    batch: Batch = ""
    accept_lock: AcceptLock = ""
    dry_run: hosting.DryRun = False
    auto_approve: options.AutoApprove = False


@dataclass(frozen=True)
class TargetOptions:
    """The options that say which hosts are reached, and how."""

    user: hosting.User = ""
    config: hosting.SshConfig = None
    via: hosting.Via = ""
    project: hosting.ProjectName = ""
    parallelism: hosting.Parallelism = hosting.AT_ONCE
    tags: hosting.Tags = None
    unit: hosting.UnitName = ""

    @property
    def way(self) -> hosting.ConnectionOptions:
        return hosting.ConnectionOptions(self.user, self.config, self.via)


@dataclass(frozen=True)
class _Order:
    """What a line of `deploy` or `install` asks for."""

    action: str
    selector: str
    packages: Sequence[DebianPackage]
    given: DeployOptions
    as_json: bool = False


@app.command()
@grouped
def deploy(
    selector: hosting.Selection,
    packages: Packages = None,
    given: DeployOptions = DeployOptions(),
    reaching: TargetOptions = TargetOptions(),
    as_json: options.AsJson = False,
) -> None:
    """Install packages on the hosts whose tag `Packages` lists all of them, then run the hook of this folder."""
    from ngp.hosts.project import packages as named
    from ngp.packages import names

    wanted = names.parse(named(options.context().cwd, packages or ()), given.pinned)
    _carry_out(_Order("deploy", selector, wanted, given, as_json), reaching)


@app.command()
@grouped
def install(
    selector: hosting.Selection,
    packages: Named,
    given: DeployOptions = DeployOptions(),
    reaching: TargetOptions = TargetOptions(),
    as_json: options.AsJson = False,
) -> None:
    """Install packages on all selected hosts, whatever their tag `Packages` lists; run no hook."""
    from ngp.packages import names

    wanted = names.parse(packages, given.pinned)
    _carry_out(_Order("install", selector, wanted, given, as_json), reaching)


@app.command()
@grouped
def versions(
    selector: hosting.Selection,
    packages: Looked = None,
    reaching: TargetOptions = TargetOptions(),
    as_json: options.AsJson = False,
) -> None:
    """List installed versions and last deploys: what, who, when. Without names, list all that ngp ever deployed."""
    from ngp.hosts import remote
    from ngp.packages import names
    from ngp.packages import versions as found
    from ngp.views import documents, findings
    from ngp.views import packages as view

    context = options.context()
    wanted = names.check(packages or ())
    meant = _find(context, selector, (), reaching)
    with hosting.enter(context, meant, reaching.way) as login:
        result = found.collect(meant.hosts, wanted, remote.runner(remote.Options(login, reaching.parallelism)))
    code = NgpError.exit_code if result.unreached else 0
    if as_json:
        documents.write(view.versions_document(selector, result, code))
    else:
        view.show_versions(result)
    if result.unreached:
        findings.show_error(NgpError(result.unreached))
    raise typer.Exit(code)


def _carry_out(order: _Order, reaching: TargetOptions) -> None:
    from ngp.hosts import batching, remote
    from ngp.packages import deploying, locking
    from ngp.views import findings, terminal
    from ngp.views import packages as view

    context = options.context()
    filters = tuple(one.name for one in order.packages) if order.action == "deploy" else ()
    meant = _find(context, order.selector, filters, reaching)
    hosts = meant.hosts
    batches = batching.divide(hosts, order.given.batch)
    claim = locking.new_claim(order.action)
    if order.given.dry_run:
        _show_dry_run(context, order, claim, hosting.dry_rows(context, meant, batches, reaching.way))
        return
    _require_yes(context, order, meant)
    way = hosting.enter(context, meant, reaching.way)
    with way as login, context.taking_signals() as stop:
        rollout = deploying.Rollout(
            batches,
            _check(context, meant, stop) if order.given.batch else tuple,
            lambda event: terminal.say(context.settings, view.event(event)),
            lambda found: terminal.say(context.settings, findings.block(found, word="warning"), always=True),
            stop,
            order.given.accept_lock,
            order.given.serial,
        )
        result = deploying.deploy(
            order.packages, rollout, claim, remote.runner(remote.Options(login, reaching.parallelism))
        )
    failure = _run_hook(context, order, meant, result)
    code = result.exit_code(has_good_hook=failure is None, stopped_by=context.stopped_by)
    _show(order, claim, result, code, failure)
    context.require_not_stopped()
    raise typer.Exit(code)


def _find(context: Context, text: str, packages: Sequence[str], reaching: TargetOptions) -> SelectedHosts:
    """Return the running hosts that a selection means, with these packages in their tag."""
    filters = hosting.Filters(reaching.tags, reaching.unit)
    meant = hosting.find(context, hosting.HostRequest(text, filters, reaching.project, fresh=True))
    return hosting.at_work(context, meant).having(packages)


def _require_yes(context: Context, order: _Order, meant: SelectedHosts) -> None:
    """Ask before hosts of a protected environment are changed.

    Raises UsageError (64) where nobody can be asked, NgpError for a no, and what `protection.collect` raises.
    """
    from ngp.packages import protection

    platform = meant.reach.platform
    found = protection.collect(platform, meant.hosts) if platform and not order.given.auto_approve else {}
    _emit(context, order, meant, always=bool(found))
    places = [options.place(one) if one else f"`{name}`" for name, one in found.items()]
    question = f"{_QUESTIONS[order.action]} {' and '.join(places)}?"
    if found and not options.confirm(context, question):
        raise NgpError("nothing was deployed", why="you answered no")


def _emit(context: Context, order: _Order, meant: SelectedHosts, *, always: bool) -> None:
    from ngp.views import packages as view

    names = [host.name for host in meant.hosts]
    view.print_order(order.action, order.packages, names, context.settings, always=always)


def _check(context: Context, meant: SelectedHosts, stop: Event) -> Callable[[], Sequence[str]]:
    """Return the check after each batch, and say so where there is nothing to ask."""
    from ngp.packages import health
    from ngp.views import packages as view

    found = health.prepare(meant.reach.platform, meant.hosts, meant.reach.session)
    view.print_checks(found, context.settings)
    return lambda: health.check(found, context.settings, stop)


def _run_hook(context: Context, order: _Order, meant: SelectedHosts, result: Deployed) -> NgpError | None:
    """Run the hook of a deploy, but for one that was interrupted; return how it failed."""
    from ngp.hosts import openssh, selector
    from ngp.packages import hooks
    from ngp.views import findings, terminal

    if not hooks.is_due(order.action, result, context.stopped_by):
        return None
    aliases = {host.name: alias for host, alias in openssh.aliases(meant.hosts).items()}
    failed = [aliases[one.host] for one in result.failed] or None
    note = partial(terminal.say, context.settings)
    try:
        hooks.run(context.cwd, context.settings.environ, selector.parse(order.selector).environment, failed, note)
    except NgpError as error:
        findings.show_error(error)
        return error
    return None


def _show_dry_run(context: Context, order: _Order, claim: Claim, rows: Sequence[dict[str, Any]]) -> None:
    from ngp.packages.deploying import Deployed
    from ngp.views import dry_runs
    from ngp.views import packages as view

    names = [row["name"] for row in rows]
    if order.as_json:
        _show(order, claim, Deployed((), (), tuple(names)), 0, plan=rows)
        return
    view.print_order(f"dry run: {order.action}", order.packages, names, context.settings, always=False)
    dry_runs.table(rows, context.settings)


def _show(
    order: _Order,
    claim: Claim,
    result: Deployed,
    code: int,
    failure: NgpError | None = None,
    *,
    plan: Sequence[dict[str, Any]] = (),
) -> None:
    from ngp.views import documents
    from ngp.views import packages as view

    if order.as_json:
        more = {"exit_code": code, "hook": failure.findings if failure else (), "plan": plan}
        documents.write(view.document(order.selector, order.packages, claim, result, more))
    else:
        view.show(result)
