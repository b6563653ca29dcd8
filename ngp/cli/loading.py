"""Lazy loading of commands, and the rules that apply to all of them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from functools import partial, wraps
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command_from_info, get_group
from typer.models import CommandInfo

from ngp.cli import examples, hints, switches, table
from ngp.commands.options import CURRENT
from ngp.errors import UsageError

Command = TyperCommand | TyperGroup

_CONSENT = frozenset({"auto_approve", "emergency", "reveal"})  # and accept_*: given on the command line only
_SELF = frozenset({"help", "version", "install_completion", "show_completion"})
_TRUTH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class ReaderGoneError(Exception):
    """The reader of stdout has closed it. Typer would turn a plain BrokenPipeError into exit code 1."""


class InterruptedCommandError(Exception):
    """A StoppedError in a form that Typer passes on; it would print an empty line for the original."""

    def __init__(self, stopped: KeyboardInterrupt) -> None:
        super().__init__()
        self.signal_number = getattr(stopped, "signal_number", signal.SIGINT)


class LazyGroup(TyperGroup):
    """The root command: takes the names of commands from `table`, and imports only the one that is called."""

    _only_names = False  # while the shell completes a name, nothing is imported

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(table.entries())

    def get_command(self, ctx: Any, cmd_name: str) -> Command | None:  # noqa: ARG002
        if cmd_name not in table.entries():
            return None
        if self._only_names:
            return TyperCommand(cmd_name, short_help=table.entries()[cmd_name].help)
        if cmd_name not in self.commands:
            self.commands[cmd_name] = load(cmd_name, self)
        return self.commands[cmd_name]  # type: ignore[return-value]

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ReaderGoneError from None
        except KeyboardInterrupt as stopped:
            raise InterruptedCommandError(stopped) from None

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        entries = table.entries().values()
        for heading in dict.fromkeys(entry.heading for entry in entries):
            with formatter.section(heading):
                formatter.write_dl([(entry.name, entry.help) for entry in entries if entry.heading == heading])

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        self._only_names = True
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self._only_names = False


def load(name: str, root: TyperGroup | None = None) -> TyperCommand | TyperGroup:
    """Import a command and apply the rules: an environment variable per option, words after ``--`` only for Terraform.

    The global options of `root` work after the command, too.
    """
    module = import_module(table.entries()[name].module)
    group = getattr(module, "app", None)
    command: Any
    if isinstance(group, typer.Typer):
        group.rich_markup_mode = None
        command = get_group(group)
        command.name = name
    else:
        info = CommandInfo(name, callback=getattr(module, name), context_settings=getattr(module, "SETTINGS", None))
        command = get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)
    add_variables(command)
    if root is not None:
        switches.add_to(command, list(options(root)))
    _add_examples(command, name)
    _guard_rest(command, allowed=bool(getattr(module, "PASSES_THROUGH", False)))
    return command  # type: ignore[no-any-return]


def add_variables(command: Command) -> None:
    """Give `command` and its subcommands variables for options, usages for arguments, and errors that name them."""
    for option in options(command):
        variable = variable_of(option)
        if variable:
            option.envvar = variable
            option.show_envvar = True
        option.value_from_envvar = partial(_read_variable, option)  # type: ignore[method-assign]
    for argument in arguments(command):
        argument.get_usage_pieces = partial(_usage_pieces, argument)  # type: ignore[method-assign]
    command.parse_args = partial(_parse_args, command.parse_args)  # type: ignore[method-assign]
    for below in getattr(command, "commands", {}).values():
        add_variables(below)


def _parse_args(parse: Callable[[Any, list[str]], list[str]], ctx: Any, words: list[str]) -> list[str]:
    """Parse the words of a command. An option without its argument is an error that does not name the command."""
    try:
        return parse(ctx, words)
    except typer.TyperException as error:
        if getattr(error, "ctx", ctx) is None:
            error.ctx = ctx  # type: ignore[attr-defined]
        raise


def _read_variable(option: TyperOption, ctx: typer.Context) -> Any:
    """Return the value of the environment variable of `option`, or None if it is not set.

    Booleans have a few spellings. A repeatable option takes one value a line, because a value may contain blanks.
    """
    text = option.resolve_envvar_value(ctx)
    if text is None:
        return None
    if option.multiple:
        return [line for line in text.splitlines() if line.strip()]
    if not option.is_bool_flag:
        return text
    word = text.strip().lower()
    if word not in _TRUTH and not ctx.resilient_parsing:
        raise typer.BadParameter(f"`{text}` is not one of {', '.join(_TRUTH)}")
    return _TRUTH.get(word)


def options(command: Command) -> Iterator[TyperOption]:
    """Return the options of a command, without help, version and completion."""
    for param in command.params:
        if isinstance(param, TyperOption) and param.name not in _SELF:
            yield param


def arguments(command: Command) -> Iterator[TyperArgument]:
    """Return the arguments of a command."""
    for param in command.params:
        if isinstance(param, TyperArgument):
            yield param


def usage_of(argument: TyperArgument) -> str:
    """Return how a usage line writes an argument: ``{ENV}``, ``[ENV]`` or ``[UNIT]...``."""
    name = argument.metavar or argument.name
    return (f"{{{name}}}" if argument.required else f"[{name}]") + ("..." if argument.nargs != 1 else "")


def _usage_pieces(argument: TyperArgument, ctx: typer.Context) -> list[str]:  # noqa: ARG001
    return [usage_of(argument)]


def variable_of(option: TyperOption) -> str:
    """Return ``NGP_`` + the flag's name; "" for consent and disclosure, which have no environment variable."""
    flag = next((flag for flag in option.opts if flag.startswith("--")), f"--{option.name}")
    name = flag[2:].replace("-", "_")
    return "" if name in _CONSENT or name.startswith("accept_") else f"NGP_{name.upper()}"


def usage(error: typer.TyperException, argv: Sequence[str]) -> UsageError:
    """Translate Typer's usage error into ngp's words, with the nearest valid name."""
    ctx: Any = getattr(error, "ctx", None)
    path = ctx.command_path if ctx else "ngp"
    text = error.format_message().rstrip(".")
    is_unknown = text.startswith("No such option")
    written = _written(getattr(error, "option_name", "") if is_unknown else "", ctx, argv)
    if written:
        return UsageError(f"`{path}` has no option `{written}`", todo=hints.for_option(written, ctx, path))
    if text.startswith("No such command") and ctx is not None:
        written = text.split("'")[1] if "'" in text else ""
        known = ctx.command.list_commands(ctx)
        return UsageError(f"`{path}` has no command `{written}`", todo=hints.for_command(written, known, path))
    if text.startswith("Missing command") and ctx is not None:
        known = ", ".join(ctx.command.list_commands(ctx))
        return UsageError(f"`{path}` needs a command", todo=f"one of: {known}")
    return UsageError(f"{text[:1].lower()}{text[1:]}", todo=f"see `{path} --help`")


def _written(name: str, ctx: Any, argv: Sequence[str]) -> str:
    """Return the unknown option as it was typed, "" if the error is about something else.

    Of `-targt=x` the parser names `-t` only, of `-var` the `-a`, because there is a `-v`; it takes `-json` for a wrong
    `-j`.
    """
    words = [word.partition("=")[0] for word in argv if len(word) > 1 and word.startswith("-")]
    if name:
        long = [word for word in words if not word.startswith("--") and len(word) > 2 and name[1:] in word]
        return next((word for word in words if word.startswith(name)), long[0] if long else name)
    known = hints.flags(ctx).keys() - {flag[1:] for flag in hints.spellings(ctx) if not flag.startswith("--")}
    return next((word for word in words if word[1:] in known), "")


def _add_examples(command: Command, path: str) -> None:
    """Add examples to the help of `command` and its subcommands."""
    for name, below in getattr(command, "commands", {}).items():
        _add_examples(below, f"{path} {name}")
    text = examples.render(path)
    command.epilog = f"\b\nExamples:\n{text}" if text else None


def _guard_rest(command: Command, *, allowed: bool) -> None:
    """Refuse words after ``--`` if the command passes nothing to Terraform."""
    below = getattr(command, "commands", None)
    for inner in (below or {}).values():
        _guard_rest(inner, allowed=allowed)
    act = command.callback
    if below is not None or allowed or act is None:
        return

    @wraps(act)
    def guarded(**values: Any) -> Any:
        rest = CURRENT.get().terraform_args
        if rest:
            raise UsageError(
                f"`{command.name}` passes nothing to Terraform",
                where=f"-- {' '.join(rest)}",
                todo="omit `--` and what follows",
            )
        return act(**values)

    command.callback = guarded
