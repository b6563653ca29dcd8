"""Global options: their effect, and hidden copies on every command, so that they work in any position."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from ngp.cli import logs
from ngp.commands.options import CURRENT, Context
from ngp.errors import UsageError
from ngp.settings import LEVEL, Level

_FLAGS = {  # option → equivalent variable and value, for everything below
    ("no_color", True): ("NO_COLOR", "1"),
    ("provider_proxy", False): ("NGP_PROVIDER_PROXY", "0"),
    ("quiet", True): (LEVEL, Level.ERROR.value),
    ("verbose", True): (LEVEL, Level.DEBUG.value),
    ("no_pager", True): ("NGP_PAGER", ""),
}


def apply(context: Context, name: str, value: Any) -> Context:
    """Return the context with one global option applied. The process's own folder and environment stay unchanged."""
    settings = context.settings
    if name == "chdir" and value is not None:
        folder = (settings.cwd / Path(value)).resolve()
        if not folder.is_dir():
            raise UsageError("this folder does not exist", where=str(folder), todo="pass an existing folder to --chdir")
        return replace(context, settings=replace(settings, cwd=folder))
    if name in ("debug", "bell"):
        return replace(context, **{name: value})
    variable = (LEVEL, getattr(value, "value", value)) if name == "log_level" and value else _FLAGS.get((name, value))
    if variable:
        settings = replace(settings, environ={**settings.environ, variable[0]: variable[1]})
        logs.configure(settings)
    return replace(context, settings=settings)


def add_to(command: TyperCommand | TyperGroup, options: Sequence[TyperOption]) -> None:
    """Accept the global `options` after `command` and its subcommands, too."""
    taken = {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)}
    for option in options:
        flags = [flag for flag in option.opts if flag not in taken]
        if flags:
            command.params.append(_copy(option, flags))
    for below in getattr(command, "commands", {}).values():
        add_to(below, options)


def _copy(option: TyperOption, flags: list[str]) -> TyperOption:
    """Return a hidden copy of a global option, which acts only if the command line gives it."""
    made = copy(option)
    made.name, made.opts, made.hidden, made.expose_value = f"global_{option.name}", flags, True, False
    made.envvar, made.default = None, None
    made.callback = partial(_take, str(option.name))
    return made


def _take(name: str, ctx: typer.Context, param: Any, value: Any) -> None:
    source = ctx.get_parameter_source(param.name)
    if source is not None and source.name == "COMMANDLINE" and not ctx.resilient_parsing:
        CURRENT.set(apply(CURRENT.get(), name, value))
