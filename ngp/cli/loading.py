"""Commands that are imported when they are called, and the rules that hold for every one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

import typer
from typer import _click as click
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command_from_info, get_group
from typer.models import CommandInfo

from ngp.cli import table
from ngp.commands.options import CURRENT
from ngp.errors import UsageError, nearest

_CONSENT = frozenset({"auto_approve", "reveal"})  # and accept_*: said on the line, never in the surroundings
_SELF = frozenset({"help", "version", "install_completion", "show_completion"})
_TRUTH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class Truth(click.types.BoolParamType):
    """A boolean as environment variables may say it."""

    def convert(self, value: Any, param: Any, ctx: Any) -> bool:
        if isinstance(value, bool):
            return value
        if value.strip().lower() not in _TRUTH:
            self.fail(f"`{value}` is none of {', '.join(_TRUTH)}", param, ctx)
        return _TRUTH[value.strip().lower()]


class Lines(click.types.StringParamType):
    """The values of a repeatable option; its variable holds one a line, for a value may have blanks in it."""

    def split_envvar_value(self, rv: str) -> list[str]:
        return [line for line in rv.splitlines() if line.strip()]


class ReaderGoneError(Exception):
    """Nobody reads stdout any more. Typer would answer a plain BrokenPipeError with exit code 1."""


class LazyGroup(TyperGroup):
    """The root: knows its commands from `table`, imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(table.entries())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in table.entries():
            return None
        if cmd_name not in self.commands:
            self.commands[cmd_name] = load(cmd_name)
        return self.commands[cmd_name]

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ReaderGoneError from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        entries = table.entries().values()
        for heading in dict.fromkeys(entry.heading for entry in entries):
            with formatter.section(heading):
                formatter.write_dl([(entry.name, entry.help) for entry in entries if entry.heading == heading])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        from typer._click.shell_completion import CompletionItem

        names = [
            CompletionItem(entry.name, help=entry.help)
            for entry in table.entries().values()
            if entry.name.startswith(incomplete)
        ]
        return names + click.core.Command.shell_complete(self, ctx, incomplete)


def load(name: str) -> TyperCommand | TyperGroup:
    """Import a command and make it fit the rules: an environment variable per option, no surprise behind ``--``."""
    module = import_module(table.entries()[name].module)
    group = getattr(module, "app", None)
    command: Any
    if isinstance(group, typer.Typer):
        group.rich_markup_mode = None
        command = get_group(group)
        command.name = name
    else:
        info = CommandInfo(name, callback=getattr(module, name))
        command = get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)
    add_variables(command)
    _guard_rest(command, allowed=bool(getattr(module, "PASSES_THROUGH", False)))
    return command  # type: ignore[no-any-return]


def add_variables(command: click.Command) -> None:
    """Give every option of `command` and of those below it its environment variable, and its reading of it."""
    for option in options(command):
        variable = variable_of(option)
        if variable:
            option.envvar = variable
            option.show_envvar = True
        if option.is_bool_flag:
            option.type = Truth()
        if option.multiple:
            option.type = Lines()
    for below in getattr(command, "commands", {}).values():
        add_variables(below)


def options(command: click.Command) -> Iterator[TyperOption]:
    """The options of one command, without those that end it at once (help, version, completion)."""
    for param in command.params:
        if isinstance(param, TyperOption) and param.name not in _SELF:
            yield param


def variable_of(option: TyperOption) -> str:
    """``NGP_`` + the flag's name; "" for consent and disclosure, which nobody gives by surroundings."""
    flag = next((flag for flag in option.opts if flag.startswith("--")), f"--{option.name}")
    name = flag[2:].replace("-", "_")
    return "" if name in _CONSENT or name.startswith("accept_") else f"NGP_{name.upper()}"


def usage(error: click.exceptions.ClickException, argv: Sequence[str]) -> UsageError:
    """Typer's own complaint in our words, with the nearest name that would have been right."""
    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx else "ngp"
    if isinstance(error, click.exceptions.NoSuchOption):
        written = _written(error.option_name, argv)
        return UsageError(f"`{path}` has no option `{written}`", todo=_near(written, ctx, path))
    text = error.format_message().rstrip(".")
    if text.startswith("No such command") and ctx is not None:
        written = text.split("'")[1] if "'" in text else ""
        known = ctx.command.list_commands(ctx)
        return UsageError(f"`{path}` has no command `{written}`", todo=nearest(written, known))
    if text.startswith("Missing command") and ctx is not None:
        known = ", ".join(ctx.command.list_commands(ctx))
        return UsageError(f"`{path}` needs a command", todo=f"one of: {known}")
    return UsageError(f"{text[:1].lower()}{text[1:]}", todo=f"see `{path} --help`")


def _written(name: str, argv: Sequence[str]) -> str:
    """The whole word of the line: of `-targt=x` the parser names `-t` only."""
    return next((word.partition("=")[0] for word in argv if word.startswith(name)), name)


def _near(written: str, ctx: click.Context | None, path: str) -> str:
    from difflib import get_close_matches

    known = (
        [flag for param in ctx.command.get_params(ctx) for flag in (*param.opts, *param.secondary_opts)] if ctx else []
    )
    flags = sorted(flag for flag in known if flag.startswith("-"))
    close = get_close_matches(written, flags, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else f"see `{path} --help`"


def _guard_rest(command: click.Command, *, allowed: bool) -> None:
    """Words behind ``--`` are Terraform's; where no Terraform would get them they are refused."""
    below = getattr(command, "commands", None)
    for inner in (below or {}).values():
        _guard_rest(inner, allowed=allowed)
    act = command.callback
    if below is not None or allowed or act is None:
        return

    def guarded(**values: Any) -> Any:
        rest = CURRENT.get().terraform_args
        if rest:
            raise UsageError(
                f"`{command.name}` hands nothing to Terraform", where=f"-- {' '.join(rest)}", todo="leave out `--`"
            )
        return act(**values)

    command.callback = guarded
