"""Translates Moltar's command lines to ngp's. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ngp.errors import UsageError, nearest

USAGE = "ngp moltar [-project=P] [-p] [-package=P] [-version=V] [-s] ENV[/CLUSTER] COMMAND [ARG]..."


@dataclass(frozen=True)
class MoltarLine:
    """A command line of Moltar; `packages` are those of `-package` or of a file, for `-p` and `deploy`."""

    environment: str
    arguments: tuple[str, ...]
    packages: tuple[str, ...] = ()
    project: str = ""
    version: str = ""
    is_serial: bool = False
    is_filtered: bool = False  # -p


def translate(command: str, line: MoltarLine) -> tuple[str, ...]:
    """Return the words behind `ngp` that a command of Moltar stands for.

    Raises UsageError (64) for a command that Moltar does not have, and for a line that lacks something.
    """
    if command not in _COMMANDS:
        raise UsageError(f"Moltar has no command `{command}`", todo=nearest(command, _COMMANDS))
    noun, *rest = _COMMANDS[command](line)
    project = ("--project", line.project) if line.project else ()
    at = rest.index("--") if "--" in rest else len(rest)
    return (noun, *rest[:at], *project, *rest[at:])


def _list(line: MoltarLine) -> tuple[str, ...]:
    return ("host", "list", line.environment, *_filter(line))


def _ssh(line: MoltarLine) -> tuple[str, ...]:
    """NAME may be left out, or be `-1`; what follows goes to ssh."""
    name, rest = line.arguments[:1], line.arguments[1:]
    return ("host", "ssh", line.environment, *(one for one in name if one), *_filter(line), *_behind(rest))


def _hostname(line: MoltarLine) -> tuple[str, ...]:
    _require(line, "hostname", "the name of a host")
    return ("host", "name", line.environment, *line.arguments, *_filter(line))


def _exec(line: MoltarLine) -> tuple[str, ...]:
    _require(line, "exec", "a command")
    serial = ("--serial",) if line.is_serial else ()
    return ("host", "exec", line.environment, *_filter(line), *serial, *_behind(line.arguments))


def _scp(line: MoltarLine) -> tuple[str, ...]:
    """Without a remote side the files go to the home folder. `ngp host copy` takes folders without `-r`."""
    files = tuple(one for one in line.arguments if one not in ("-r", "-p", "-q"))
    if not files:
        raise UsageError("`scp` needs a file", todo=USAGE)
    remote = () if any(one.startswith(":") for one in files) else (":",)
    return ("host", "copy", line.environment, *_filter(line), *files, *remote)


def _deploy(line: MoltarLine) -> tuple[str, ...]:
    return ("package", "deploy", line.environment, *(line.arguments or line.packages), *_install_options(line))


def _install(line: MoltarLine) -> tuple[str, ...]:
    _require(line, "install", "a package")
    return ("package", "install", line.environment, *line.arguments, *_install_options(line))


_COMMANDS: Mapping[str, Callable[[MoltarLine], tuple[str, ...]]] = {
    "ls": _list,
    "ssh": _ssh,
    "hostname": _hostname,
    "exec": _exec,
    "scp": _scp,
    "deploy": _deploy,
    "install": _install,
}


def _require(line: MoltarLine, command: str, what: str) -> None:
    if not line.arguments:
        raise UsageError(f"`{command}` needs {what}", todo=USAGE)


def _filter(line: MoltarLine) -> tuple[str, ...]:
    if line.is_filtered and not line.packages:
        raise UsageError("`-p` needs packages", todo="pass -package, or list them in .package-name")
    return tuple(word for name in line.packages for word in ("--package", name)) if line.is_filtered else ()


def _install_options(line: MoltarLine) -> tuple[str, ...]:
    version = ("--version", line.version) if line.version else ()
    return (*version, *(("--serial",) if line.is_serial else ()))


def _behind(words: Sequence[str]) -> tuple[str, ...]:
    return ("--", *words) if words else ()
