"""Show the outputs of an environment: a table for people, and the formats that other programs read."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ngp.errors import Finding, MissingError, UsageError, nearest
from ngp.settings import Settings
from ngp.views import documents, excerpts, terminal

if TYPE_CHECKING:
    from ngp.runs.results import OutputValue


_NO_VARIABLE = re.compile(r"[^A-Z0-9_]")


class OutputFormat(Enum):
    TABLE = "table"
    JSON = "json"
    ENV = "env"  # export UNIT__NAME='…', for eval
    TFVARS = "tfvars"  # one object a unit
    TERRAFORM_OUT = "terraform-out"  # flat `name = value` lines
    RAW = "raw"  # one value, nothing else


def show(
    values: Sequence[OutputValue],
    settings: Settings,
    *,
    environment: str,
    form: OutputFormat = OutputFormat.TABLE,
    reveal: bool = False,
    whole: bool = False,
) -> None:
    """Write outputs to stdout. Sensitive ones are masked (or left out, with a word on stderr) unless `reveal`.

    The table has the outputs of the first of many units only, unless `whole`; every other format has all of them.
    Values come grouped by unit. `OutputFormat.RAW` wants exactly one value and refuses a masked one (UsageError).
    """
    if form is OutputFormat.TABLE:
        digest = excerpts.pick(dict.fromkeys(value.unit for value in values), whole=whole)
        units = set(digest.shown)
        shown = [value for value in values if value.unit in units]
        if shown:
            _show_table(shown, settings, reveal=reveal)
        if digest.rest:
            terminal.say(settings, digest.more("units"))
    elif form is OutputFormat.JSON:
        documents.write(documents.outputs(environment, values, reveal=reveal))
    elif form is OutputFormat.RAW:
        sys.stdout.write(_raw(values, reveal=reveal))
    else:
        shown = [value for value in values if reveal or not value.sensitive]
        sys.stdout.write(_WRITERS[form](shown))
        if len(shown) < len(values):
            terminal.say(
                settings,
                f"left out: {terminal.amount(len(values) - len(shown), 'sensitive output')}; pass --reveal to see them",
            )


def select(values: Sequence[OutputValue], name: str, *, absent: Mapping[str, Finding]) -> OutputValue:
    """Return the one output called `name` or ``unit.name``.

    `absent` says of each ``unit.name`` that modules declare and no state holds why that is so. Raises NgpError for such
    an output, UsageError if there is no output of that name, or several.
    """
    found = [value for value in values if name in (value.name, f"{value.unit}.{value.name}")]
    if len(found) == 1:
        return found[0]
    missing = [finding for each, finding in absent.items() if name in (each, each.partition(".")[2])]
    if not found and missing:
        raise MissingError(missing)
    if not found:
        whole = [*(f"{value.unit}.{value.name}" for value in values), *absent]
        raise UsageError(
            f"the output `{name}` does not exist",
            todo=nearest(name, [*whole, *(one.partition(".")[2] for one in whole)]),
        )
    units = ", ".join(f"`{value.unit}.{value.name}`" for value in found)
    raise UsageError(f"several units have an output `{name}`", todo=f"choose one: {units}")


def text(value: Any) -> str:
    """Return a value on one line: strings as they are, anything else as JSON."""
    return value if isinstance(value, str) else documents.dump(value)


def print_none(settings: Settings, environment: str, words: Sequence[str], *, has_units: bool) -> None:
    """Print that the selected units have no outputs, and how to make some."""
    what = " ".join([environment, *words])
    command = shlex.join(["ngp", *(["apply", environment, *words] if has_units else ["configure", environment])])
    terminal.say(settings, f"{what} has no outputs yet; next: {command}")


def _show_table(values: Sequence[OutputValue], settings: Settings, *, reveal: bool) -> None:
    from rich.text import Text

    console = terminal.out(settings)
    units = max(len("unit"), *(len(value.unit) for value in values))
    names = max(len("output"), *(len(value.name) for value in values))
    console.print(terminal.line(f"{'unit':<{units}}  {'output':<{names}}  value", style="bold"), soft_wrap=True)
    before = ""
    for value in values:
        masked = value.sensitive and not reveal
        shown = "(sensitive, --reveal shows it)" if masked else text(value.value)
        head = terminal.line(f"{'' if value.unit == before else value.unit:<{units}}", style="bold")
        tail = terminal.line(shown, style="dim" if masked else "")
        # never folded: what is copied from the terminal must be the value
        console.print(Text.assemble(head, f"  {value.name:<{names}}  ", tail), soft_wrap=True)
        before = value.unit


def _raw(values: Sequence[OutputValue], *, reveal: bool) -> str:
    if len(values) != 1:
        raise UsageError("--raw needs one output", todo="ngp output ENV --name UNIT.OUTPUT --raw")
    if values[0].sensitive and not reveal:
        raise UsageError(f"output `{values[0].name}` is sensitive", todo="add --reveal to see it")
    return text(values[0].value)


def _env(values: Sequence[OutputValue]) -> str:
    named: dict[str, OutputValue] = {}
    for value in values:
        name = _variable(value)
        if name in named:
            both = " and ".join(f"`{one.unit}.{one.name}`" for one in (named[name], value))
            raise UsageError(f"{both} have the same shell name {name}", todo="use --format json, or --raw for one")
        named[name] = value
    return "".join(f"export {name}={shlex.quote(text(value.value))}\n" for name, value in named.items())


def _variable(value: OutputValue) -> str:
    """``UNIT__NAME`` in the letters, digits and underscores that every shell takes."""
    name = _NO_VARIABLE.sub("_", f"{value.unit}__{value.name}".upper())
    return f"_{name}" if name[0].isdigit() else name


def _tfvars(values: Sequence[OutputValue]) -> str:
    from ngp.catalogue import literals

    units = {unit: {value.name: value.value for value in group} for unit, group in groupby(values, lambda v: v.unit)}
    return "\n".join(f"{literals.render_key(unit)} = {literals.render(inner)}\n" for unit, inner in units.items())


def _terraform_out(values: Sequence[OutputValue]) -> str:
    from ngp.catalogue import literals

    lines, seen = [], set[str]()
    for value in values:
        written = f"{value.name} = {literals.render(value.value)}\n"
        if value.name in seen:  # a name can stand only once
            written = "".join(f"# {line}\n" for line in [f"{value.unit} too:", *written.splitlines()])
        seen.add(value.name)
        lines.append(written)
    return "".join(lines)


_WRITERS: dict[OutputFormat, Callable[[Sequence[OutputValue]], str]] = {
    OutputFormat.ENV: _env,
    OutputFormat.TFVARS: _tfvars,
    OutputFormat.TERRAFORM_OUT: _terraform_out,
}
