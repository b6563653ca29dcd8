"""Hints for unknown commands and options: ngp's equivalent of a word from another tool, else the nearest name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ngp.errors import nearest, similar

# Words of Terraform and similar tools → what to type here
COMMANDS = {
    "why": "type `ngp explain ENV ADDRESS`",
    "approve": "type `ngp bundle approve FILE`",
    "add": "type `ngp module add SOURCE` or `ngp configure ENV --module MODULE`",
    "check": "type `ngp validate`, `ngp render --check` or `ngp module check`",
    "console": "run `terraform console` in environments/ENV/units/UNIT",
    "create": "type `ngp env new NAME` or `ngp module new NAME`",
    "delete": "type `ngp destroy ENV [UNIT]`",
    "deploy": "type `ngp apply ENV` for a region, `ngp package deploy ENV` for packages",
    "diff": "type `ngp plan ENV` or `ngp render --diff`",
    "down": "type `ngp destroy ENV`",
    "drift": "type `ngp plan ENV --detailed-exitcode`",
    "exec": "type `ngp host exec ENV -- COMMAND`",
    "fmt": "type `ngp module check`, which checks the format, or run `terraform fmt`",
    "force-unlock": "type `ngp unlock ENV UNIT`; `ngp locks ENV` shows what is locked",
    "generate": "type `ngp render`",
    "get": "type `ngp plan ENV`, which fetches what it needs",
    "import": "write an `import` block, or run `terraform import` in environments/ENV/units/UNIT",
    "list": "type `ngp env list`, `ngp module list` or `ngp state list ENV`",
    "ls": "type `ngp env list`, `ngp module list` or `ngp state list ENV`",
    "new": "type `ngp env new NAME` or `ngp module new NAME`",
    "providers": "type `ngp lock` to renew the lock file of the providers",
    "refresh": "type `ngp plan ENV`, which reads the real resources",
    "run": "type `ngp plan ENV`, `ngp apply ENV` or `ngp destroy ENV`",
    "run-all": "type `ngp plan ENV`, `ngp apply ENV` or `ngp destroy ENV`",
    "show": "type `ngp plan ENV` or `ngp state show ENV UNIT`",
    "ssh": "type `ngp host ssh ENV NAME`",
    "taint": "type `ngp apply ENV UNIT -replace=ADDRESS`",
    "test": "type `ngp module check`, which runs the tests of modules",
    "up": "type `ngp apply ENV`",
    "workspace": "type `ngp env list`: environments take the place of workspaces",
}
_LISTED = 10  # commands that a hint names
_NEAR = 0.7  # flags are short, so they resemble each other
_VALUES = "write values into environments/ENV/terraform.tfvars, or type `ngp configure ENV --set UNIT.INPUT=VALUE`"
_ENVIRONMENT = "name the environment after the command, such as `ngp plan dev`"
_UNITS = "name units after the environment, such as `ngp plan dev network`"
_YES = "use `--auto-approve`"
OPTIONS = {
    "destroy": "type `ngp destroy ENV`",
    "env": _ENVIRONMENT,
    "environment": _ENVIRONMENT,
    "filter": _UNITS,
    "force": _YES,
    "input": "use `--no-input` where a command asks; without a terminal ngp never asks",
    "lock": "ngp always locks; use `--lock-timeout TIME` to wait",
    "module": _UNITS,
    "out": "type `ngp apply ENV`, which shows the plan, asks, and applies that plan",
    "state": "type `ngp state list ENV`",
    "tags": "name a tag like a unit, such as `ngp plan dev tag:data`",
    "unit": _UNITS,
    "upgrade": "type `ngp lock` to renew the lock file of the providers",
    "var": _VALUES,
    "var-file": _VALUES,
    "yes": _YES,
}


def for_command(written: str, known: Iterable[str], path: str) -> str:
    """Return what to type instead of an unknown command of the group at `path`."""
    names = list(known)
    if path == "ngp" and written not in names and written in COMMANDS:
        return COMMANDS[written]
    is_long = len(names) > _LISTED and not similar(written, names)
    return f"see `{path} --help`" if is_long else nearest(written, names)


def for_option(written: str, ctx: Any, path: str) -> str:
    """Return what to type instead of an unknown option of the command at `path`."""
    name, known = written.lstrip("-"), flags(ctx)
    if name in known:  # one dash for two
        return f"write `{known[name]}`"
    if name in OPTIONS:
        return OPTIONS[name]
    near = similar(name, [one for one in known if name.startswith("no-") or not one.startswith("no-")], cutoff=_NEAR)
    if not near:
        return f"see `{path} --help`"
    short = f"-{near}" if not written.startswith("--") and f"-{near}" in spellings(ctx) else ""
    return f"did you mean `{short or known[near]}`?"


def flags(ctx: Any) -> dict[str, str]:
    """Return the flags of a command by name without dashes; a spelling with two dashes is preferred."""
    return {flag.lstrip("-"): flag for flag in sorted(spellings(ctx), key=lambda flag: flag.startswith("--"))}


def spellings(ctx: Any) -> set[str]:
    """Return every spelling of every flag of a command."""
    params = ctx.command.get_params(ctx) if ctx else []
    return {flag for one in params for flag in (*one.opts, *one.secondary_opts) if flag.startswith("-")}
