"""Generator of docs/commands.md from the command tree: every command, flag, variable and exit code."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_type_hints

from ngp.cli import examples, loading, table, tree
from ngp.cli.loading import Command

EXIT_CODES = {
    0: "success; no changes, or changes without `--detailed-exitcode`",
    1: "at least one unit failed, or a check found something (`render --check`, `module check`)",
    2: "only with `--detailed-exitcode`: success, and there are changes or deferred units",
    3: "refused by a guard or policy: a protected environment, another account, a legacy module, more than reviewed",
    4: "the reviewed plan is stale: something changed after it was made",
    5: "a lock is held: another ngp in this environment, or Terraform's own lock on a state",
    64: "the command line or one of your files has an error",
    69: "a prerequisite is missing: Terraform, a provider, credentials, the state's bucket",
    70: "ngp itself failed; the message names a report file",
    130: "interrupted by Ctrl-C (SIGINT), after a graceful stop; a second one kills Terraform after 7 seconds, "
    "a third one at once",
    141: "the reader of stdout closed the pipe",
    143: "ended by SIGTERM, after a graceful stop",
}
_HEAD = """\
# Commands

<!-- Made from the command tree. Renew: pytest tests/unit/cli/test_reference.py --update-golden -->

`ngp [GLOBAL OPTIONS] COMMAND [ARGUMENTS] [OPTIONS] [-- TERRAFORM'S OPTIONS]`

Results go to stdout, messages to stderr. `--json` prints one versioned document on stdout, even if the command fails
(then it is `ngp.error/1`); `--jsonl` prints events, one per line. The folder `schemas` has a JSON Schema for each
document, by name and version; within a version, keys are only added. Of more than 40 units (files, findings) the text
shows the most important ones and counts the others. `--all`, on the commands that have it, shows all; `--json` always
does. Without a terminal, or with `CI=true`, ngp never asks: a missing answer is an error that names its flag.
ngp respects `NO_COLOR`, `FORCE_COLOR`, `COLUMNS` and `TERM=dumb`.

Every flag has an environment variable, `NGP_` and its name; the command line overrides it. Flags of consent and
disclosure (`--auto-approve`, `--accept-…`, `--emergency`, `--reveal`) have none. Booleans are 1, 0, true, false, yes or
no; the variable of a repeatable flag has one value per line. If a variable names a file or folder
(`TF_CLI_CONFIG_FILE`, `NGP_PROVIDER_MIRROR`, `AWS_CA_BUNDLE`, `PATH`, …), the path is relative to the folder of the
shell, even with `-C`.

## Environment and units

A command with `[ENV] [UNIT]...` works without both. If the first word is the name of an environment, it selects that
environment. Otherwise ngp uses, in this order, the environment of the current folder (`environments/ENV` or below, also
with `--chdir`), that of `NGP_ENV`, or the only one. If folder and `NGP_ENV` disagree, ngp refuses. With
`--auto-approve`, `destroy` needs the environment on the command line. Without one, `validate` and `render` handle all.

`UNIT` is a term; several terms select the union:

| term | selects |
|---|---|
| `swarm` | the unit |
| `monitoring-*`, `?db`, `[ab]-*` | units whose names match the glob |
| `tag:data`, `tag:team-*` | units with that tag: `swarm: {tags: [data]}` in environment.yaml |
| `swarm...` | the unit and everything it needs |
| `...swarm` | the unit and everything that needs it |
| `...swarm...` | both |
| `!swarm` | not this unit; alone, all other units |

Dots and `!` work with globs and tags too (`...tag:data`, `!monitoring-*`). Quote globs and `!` for the shell. A term
that matches nothing is an error, and so is a selection without units.
"""


_GLOBAL = """\
Write them before or after the command: `ngp plan dev --no-color`. Long plans on a terminal go through a pager:
`NGP_PAGER`, else `PAGER`, else `less`; an empty value turns paging off. `ngp help COMMAND` shows a command's help.
"""


def render() -> str:
    """Return the whole page."""
    parts = [_HEAD, "## Global options\n", _GLOBAL, _options(tree()), "## Exit codes\n", _exit_codes()]
    heading = ""
    for entry in table.entries().values():
        if entry.heading != heading:
            heading = entry.heading
            parts.append(f"## {heading}\n")
        parts += [_command(path, command) for path, command in _walk(f"ngp {entry.name}", loading.load(entry.name))]
    return "\n".join(parts)


def _walk(path: str, command: Command) -> Iterator[tuple[str, Command]]:
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from _walk(f"{path} {name}", below)


def _command(path: str, command: Command) -> str:
    names = [loading.usage_of(argument) for argument in loading.arguments(command)]
    usage = " ".join([path, *names, "COMMAND" if hasattr(command, "commands") else ""]).strip()
    lines = [f"### `{usage}`\n", f"{command.help}\n"]
    lines += [f"- `{each.metavar}`: {each.help}" for each in loading.arguments(command) if each.help]
    lines += [""] if len(lines) > 2 else []
    options = _options(command)
    rows = examples.EXAMPLES.get(path.removeprefix("ngp "), {})
    width = max(map(len, rows), default=0)
    shown = "\n".join(f"{line.ljust(width)}  # {meaning}" for line, meaning in rows.items())
    return "\n".join([*lines, *([options] if options else []), *([f"```text\n{shown}\n```\n"] if rows else [])])


def _options(command: Command) -> str:
    hints = get_type_hints(inspect.unwrap(command.callback)) if command.callback else {}
    rows = [
        f"| {_flags(option, hints.get(option.name or ''))} | {_code(str(option.envvar or ''))} "
        f"| {_default(option)} | {_escape(option.help)} |"
        for option in loading.options(command)
        if not option.hidden
    ]
    return "\n".join(["| flag | variable | default | |", "|---|---|---|---|", *rows, ""]) if rows else ""


def _flags(option: Any, hint: Any) -> str:
    value = "" if option.is_flag else f" {_value(option, hint)}"
    flags = [*sorted(option.opts, key=len, reverse=True), *option.secondary_opts]
    return ", ".join(_code(f"{flag}{value}") for flag in flags)


def _value(option: Any, hint: Any) -> str:
    """Return the placeholder after a flag. `hint` is the type of its parameter."""
    choices = [str(each.value) for each in hint] if isinstance(hint, type) and issubclass(hint, Enum) else []
    return option.metavar or "|".join(choices) or ("N" if hint is int else "TEXT")


def _default(option: Any) -> str:
    value = getattr(option.default, "value", option.default)
    if option.is_flag and not option.secondary_opts:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"`{value}`" if value not in (None, "", ()) else ""


def _exit_codes() -> str:
    rows = [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    end = "Several at once: 130 and 143, then 1, 5, 4, 3, 2, 0. 64 and 69 come before any unit starts.\n"
    return "\n".join(["| code | meaning |", "|---|---|", *rows, "", end])


def _code(text: str | None) -> str:
    return f"`{_escape(text)}`" if text else ""


def _escape(text: str | None) -> str:
    return (text or "").replace("|", "\\|")
