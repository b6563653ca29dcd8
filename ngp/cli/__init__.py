"""The command line: builds the Typer app, loads commands on demand, and turns errors and signals into exit codes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ngp import __version__, settings, stdio
from ngp.cli import failures, loading, logs, signals, switches
from ngp.commands.options import CURRENT, Context, Interruption
from ngp.errors import NgpError, StoppedError, UsageError
from ngp.settings import Level, Settings

_MOST_DIGITS = 1_000_000  # of a written number, also by Terraform, whose 1e100000 has 100,001
BROKEN_PIPE = 141  # 128 + SIGPIPE, as a shell reports a program that its reader left

app = typer.Typer(
    name="ngp",
    cls=loading.LazyGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def ngp(  # noqa: PLR0913  Typer's options are parameters
    ctx: typer.Context,
    chdir: Annotated[Path | None, typer.Option("--chdir", "-C", metavar="DIR", help="work in this folder")] = None,
    no_color: Annotated[bool, typer.Option("--no-color", "-no-color", help="no colours (as NO_COLOR does)")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="only results, errors and questions")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="also each process and AWS call")] = False,
    log_level: Annotated[
        Level | None,
        typer.Option("--log-level", metavar="error|info|debug", help="as --quiet (error) or as --verbose (debug)"),
    ] = None,
    no_pager: Annotated[bool, typer.Option("--no-pager", help="never page a long plan")] = False,
    bell: Annotated[bool, typer.Option("--bell", help="ring the terminal's bell at the end")] = False,
    provider_proxy: Annotated[
        bool, typer.Option("--provider-proxy/--no-provider-proxy", help="share provider processes; it only saves time")
    ] = True,
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an unexpected error")] = False,
    version: Annotated[bool, typer.Option("--version", is_eager=True, help="show the version and end")] = False,
) -> None:
    """Turn an empty cloud region into a running platform, and keep it the way its repository says."""
    if version:
        typer.echo(f"ngp {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)
        raise typer.Exit(UsageError.exit_code)
    if quiet and verbose:
        raise UsageError("`--quiet` and `--verbose` cannot be combined", todo="use only one of them")
    given = {"chdir": chdir, "no_color": no_color, "log_level": log_level, "quiet": quiet, "verbose": verbose}
    given |= {"no_pager": no_pager, "bell": bell, "provider_proxy": provider_proxy, "debug": debug}
    for name, value in given.items():
        CURRENT.set(switches.apply(CURRENT.get(), name, value))


def tree() -> TyperGroup:
    """Return the root command with the environment variables of its options."""
    command = get_command(app)  # not get_group, which leaves out the options of completion
    assert isinstance(command, TyperGroup)
    loading.add_variables(command)
    return command


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command line (by default the process's own) and return its exit code; never raises, never exits."""
    sys.set_int_max_str_digits(_MOST_DIGITS)
    escapes = stdio.Escapes()
    own_settings = settings.read()
    words = tuple(own_settings.argv if argv is None else argv)
    own_settings = replace(own_settings, argv=words)
    own, rest = _split(words)
    interruption = Interruption()
    token = CURRENT.set(Context(own_settings, interruption, terraform_args=rest, fork_server=__name__))
    try:
        with signals.handled(interruption):
            code = _guarded(own, own_settings, interruption)
        _ring(CURRENT.get())
    except KeyboardInterrupt:  # the signal came while something else was reported
        code = 128 + (interruption.signal_number or signal.SIGINT)
    finally:
        logs.reset()
        CURRENT.reset(token)
    if escapes.happened:
        failures.note_escapes()
    return 128 + interruption.signal_number if interruption.signal_number else code


def _guarded(argv: Sequence[str], own_settings: Settings, interruption: Interruption) -> int:
    """Run a command line and turn every exception into a message and an exit code."""
    form = failures.form(argv, own_settings.environ)
    try:
        try:
            code = _invoke(argv)
        except typer.TyperException as error:
            raise loading.usage(error, argv) from None
        sys.stdout.flush()
    except (BrokenPipeError, loading.ReaderGoneError):
        return _abandon_stdout()
    except loading.InterruptedCommandError as stopped:
        return failures.print_failure(StoppedError(signal_number=stopped.signal_number), form)
    except (KeyboardInterrupt, typer.Abort):  # the signal came while the command line was parsed
        return failures.print_failure(StoppedError(signal_number=interruption.signal_number or signal.SIGINT), form)
    except NgpError as error:
        return failures.print_failure(error, form, whole=failures.is_whole(argv, own_settings.environ))
    except OSError as error:
        return failures.print_settings_failure(error, own_settings, form, debug="--debug" in argv)
    except Exception as error:  # noqa: BLE001  the boundary: a bug of ours becomes a line and a report
        return failures.report(error, own_settings, form, debug="--debug" in argv)
    return code


def _invoke(argv: Sequence[str]) -> int:
    try:
        result: Any = tree().main(args=list(argv), prog_name="ngp", standalone_mode=False)
    except SystemExit as end:  # Typer's completion, and its answer to a closed pipe
        return end.code if isinstance(end.code, int) else 0
    return result if isinstance(result, int) else 0


def _split(argv: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split a command line into ngp's own words and those after ``--``, which are Terraform's."""
    if "--" not in argv:
        return argv, ()
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def _ring(context: Context) -> None:
    if context.bell and context.settings.stderr_is_terminal:
        with suppress(OSError):
            sys.stderr.write("\a")
            sys.stderr.flush()


def _abandon_stdout() -> int:
    """Discard what is left in the buffer of stdout: its reader is gone, and a flush at exit would raise."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    return BROKEN_PIPE
