"""`ngp host`: list hosts, log in to them, run commands, copy files."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer

from ngp.commands import completion, hosting, options
from ngp.commands.grouping import grouped
from ngp.errors import UsageError
from ngp.views import documents, terminal
from ngp.views import hosts as view

PASSES_THROUGH = True
FORMATS = ("table", "tsv", "json")
EXPORTS = ("ssh-config", "ansible", "json")

Serial = Annotated[bool, typer.Option("--serial", "-s", help="one host at a time")]
Batch = Annotated[str, typer.Option("--batch", metavar="N|N%", help="N hosts at a time")]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="start no more hosts after a failure")]
Limit = Annotated[
    float,
    typer.Option(
        "--timeout", min=0, metavar="SECONDS", help="time limit on each host for the login, then for the work; 0: none"
    ),
]
Failed = Annotated[bool, typer.Option("--failed", help="only hosts where the last command failed")]
NoStdin = Annotated[bool, typer.Option("--no-stdin", "-n", help="send no input to the hosts")]
Paths = Annotated[
    list[str], typer.Argument(metavar="SOURCE... TARGET", help="paths; write `:path` for a path on the hosts")
]
NoPty = Annotated[bool, typer.Option("--no-pty", "-T", help="open no terminal on the hosts")]

app = typer.Typer(
    help="List hosts, log in to them, run commands on them, and copy files to and from them.", no_args_is_help=False
)


@app.command("list")
@grouped
def list_hosts(
    selection: hosting.Selection,
    filters: hosting.Filters = hosting.Filters(),
    form: Annotated[
        str,
        typer.Option(
            "--format", metavar="table|tsv|json", help="output format", autocompletion=completion.one_of(*FORMATS)
        ),
    ] = "table",
    as_json: options.AsJson = False,
    fresh: hosting.Fresh = False,
    project: hosting.ProjectName = "",
) -> None:
    """List the hosts of an environment or a cluster, whatever their state."""
    context = options.context()
    hosting.require_no_rest(context)
    options.require_format(form, FORMATS)
    meant = hosting.find(context, hosting.HostRequest(selection, filters, project, fresh))
    if as_json or form == "json":
        documents.write(view.document(selection, meant.hosts))
    elif form == "tsv":
        typer.echo(view.tsv(meant.hosts), nl=False)
    else:
        view.show_list(selection, meant.hosts, context.settings)


@app.command()
@grouped
def name(
    selection: hosting.Selection,
    words: hosting.Words = None,
    first: hosting.First = False,
    filters: hosting.Filters = hosting.Filters(),
    as_json: options.AsJson = False,
    project: hosting.ProjectName = "",
) -> None:
    """Print the public name or address of one host, or the private one if it has no public one."""
    context = options.context()
    hosting.require_no_rest(context)
    meant = hosting.find(context, hosting.HostRequest(selection, filters, project))
    (host,) = meant.one(words or (), first=first).hosts
    if not host.address:
        raise UsageError(f"`{host.name}` has no address", why=f"it is {host.state.value}")
    if as_json:
        documents.write({"schema": "ngp.host.name/1", **view.row(host)})
    else:
        typer.echo(terminal.clean(host.address))


@app.command()
@grouped
def export(
    selection: hosting.Selection,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="ssh-config|ansible|json",
            help="output format",
            autocompletion=completion.one_of(*EXPORTS),
        ),
    ] = "ssh-config",
    filters: hosting.Filters = hosting.Filters(),
    config: hosting.SshConfig = None,
    via: hosting.Via = "",
    project: hosting.ProjectName = "",
) -> None:
    """Print the running hosts as an ssh_config file, as an Ansible inventory, or as JSON."""
    from ngp.hosts import exporting, ways

    context = options.context()
    hosting.require_no_rest(context)
    options.require_format(form, EXPORTS)
    exporting.require_way(via)
    ssh_config = hosting.ssh_config(context, config)
    meant = hosting.find(context, hosting.HostRequest(selection, filters, project))
    if form == "json":
        documents.write(view.document(selection, meant.running(), ways.choose(meant, via, needs_programs=False)))
        return
    entries = exporting.collect(meant, via, ssh_config, context.cwd)
    if form == "ansible":
        typer.echo(documents.dump(exporting.inventory(entries)))
    else:
        typer.echo(exporting.config(entries), nl=False)


@app.command()
@grouped
def ssh(
    selection: hosting.Selection,
    words: hosting.Words = None,
    first: hosting.First = False,
    way: hosting.ConnectionOptions = hosting.ConnectionOptions(),
    filters: hosting.Filters = hosting.Filters(),
    project: hosting.ProjectName = "",
) -> int:
    """Log in to one host with the system's ssh; pass a command or ssh options after `--`."""
    from ngp.hosts import system_ssh

    context = options.context()
    meant = hosting.find(context, hosting.HostRequest(selection, filters, project))
    meant = meant.one(words or (), first=first)
    with hosting.enter(context, meant, way) as login:
        login.trust.learn(meant.hosts)
        note = partial(terminal.say, context.settings)
        return system_ssh.become(meant.hosts[0], login, context.terraform_args, context.settings, context.cwd, note)


@app.command("exec")
@grouped
def execute(
    selection: hosting.Selection,
    filters: hosting.Filters = hosting.Filters(),
    parallelism: hosting.Parallelism = hosting.AT_ONCE,
    serial: Serial = False,
    batch: Batch = "",
    fail_fast: FailFast = False,
    limit: Limit = 0,
    failed: Failed = False,
    no_stdin: NoStdin = False,
    no_pty: NoPty = False,
    dry_run: hosting.DryRun = False,
    way: hosting.ConnectionOptions = hosting.ConnectionOptions(),
    as_json: options.AsJson = False,
    as_lines: options.AsJsonLines = False,
    project: hosting.ProjectName = "",
) -> int:
    """Run the command after `--` on all hosts in parallel; exit with 1 if it fails on any."""
    from ngp.hosts import batching, failures, remote

    context = options.context()
    command = hosting.remote_command(context)
    meant = hosting.at_work(context, hosting.find(context, hosting.HostRequest(selection, filters, project)))
    hosts = failures.choose(meant.reach.folder, meant.hosts, only_failed=failed)
    batches, kept = batching.divide(hosts, batch), view.CollectedOutput()
    if dry_run:
        rows = hosting.dry_rows(context, meant, batches, way)
        return _show_dry_run(context, command, rows, as_json=as_json, as_lines=as_lines)
    emit: remote.Emit = kept if as_json else view.follow(hosts, context.settings, as_lines=as_lines)
    has_pty = not (no_pty or as_json or as_lines) and hosting.has_terminal(context)
    entrance = hosting.enter(context, meant, way, limit)
    with entrance as login, hosting.piped_input(meant, ignored=no_stdin) as stdin, context.taking_signals() as stop:
        how = remote.Options(login, 1 if serial else parallelism, fail_fast, limit or None, stdin, has_pty, stop)
        failures.begin(meant.reach.folder, hosts)
        results = batching.run(batches, command, how, emit)
    failures.keep(meant.reach.folder, results)
    code = remote.exit_code(results, context.stopped_by if as_json else 0)
    if as_json:
        documents.write(kept.document(command, results, code))
    view.summary(results, context.settings)
    return code


@app.command()
@grouped
def copy(
    selection: hosting.Selection,
    paths: Paths,
    filters: hosting.Filters = hosting.Filters(),
    parallelism: hosting.Parallelism = hosting.AT_ONCE,
    limit: Limit = 0,
    dry_run: hosting.DryRun = False,
    way: hosting.ConnectionOptions = hosting.ConnectionOptions(),
    as_json: options.AsJson = False,
    project: hosting.ProjectName = "",
) -> int:
    """Copy files and folders to or from all hosts; write a colon before paths on the hosts."""
    from ngp.hosts import copying, remote
    from ngp.views import copying as progress

    context = options.context()
    hosting.require_no_rest(context)
    meant = hosting.at_work(context, hosting.find(context, hosting.HostRequest(selection, filters, project)))
    hosts = meant.hosts
    wanted = copying.parse(paths, context.cwd, len(hosts))
    if dry_run:
        return _show_dry_run(context, paths, hosting.dry_rows(context, meant, [hosts], way), as_json=as_json)
    entrance = hosting.enter(context, meant, way, limit)
    shown = progress.CopyProgress(len(hosts), context.settings)
    with entrance as login, context.taking_signals() as stop, shown as emit:
        how = remote.Options(login, parallelism, timeout_s=limit or None, stop=stop)
        results = copying.copy_all(hosts, wanted, how, emit)
    code = remote.exit_code(results)
    if as_json:
        documents.write(view.copy_document(results, code))
    view.summary(results, context.settings, repeats=False)
    return code


@app.command()
def trust(
    selection: hosting.Selection,
    words: hosting.Words = None,
    as_json: options.AsJson = False,
    project: hosting.ProjectName = "",
) -> None:
    """Read the host keys of one host from its console again, after the host was replaced."""
    context = options.context()
    hosting.require_no_rest(context)
    meant = hosting.find(context, hosting.HostRequest(selection, project=project, fresh=True))
    (host,) = meant.one(words or ()).hosts
    keys = meant.reach.trust().require_renewed(host)
    if as_json:
        documents.write({"schema": "ngp.host.trust/1", "name": host.name, "id": host.id, "keys": keys})
    else:
        typer.echo("\n".join(keys))


def _show_dry_run(
    context: options.Context,
    what: str | list[str],
    rows: list[dict[str, Any]],
    *,
    as_json: bool,
    as_lines: bool = False,
) -> int:
    """Show what a command, or a copy of paths, would do on hosts; return the exit code."""
    from ngp.views import dry_runs

    plan = dry_runs.executed(what, rows) if isinstance(what, str) else dry_runs.copied(what, rows)
    if as_json or as_lines:
        documents.write(plan, one_line=as_lines)
    else:
        dry_runs.show(plan, context.settings)
    return 0
