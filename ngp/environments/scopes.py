"""The environment and the units that a command line means: named, or chosen by folder or NGP_ENV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ngp.environments import documents, platforms
from ngp.environments.environment import Platform
from ngp.errors import Finding, UsageError, nearest

VARIABLE = "NGP_ENV"


@dataclass(frozen=True)
class Scope:
    """An environment, and the words that select units of it (none: all).

    `origin` says what chose the environment, "" if the line names it.
    """

    environment: str
    units: tuple[str, ...] = ()
    origin: str = ""

    @property
    def is_named(self) -> bool:
        """Whether the line names the environment."""
        return not self.origin


@dataclass(frozen=True)
class Place:
    """What may choose an environment: the folder that a command works in, and the process's environment."""

    cwd: Path
    environ: Mapping[str, str]

    @property
    def variable(self) -> str:
        return self.environ.get(VARIABLE, "")

    def folder(self, platform: Platform) -> str:
        """Return the environment whose folder this is, "" outside of all."""
        return platforms.environment_at(platform.path, self.cwd)


def is_implied(platform: Platform, place: Place) -> bool:
    """Return whether the folder or NGP_ENV chooses an environment."""
    return bool(place.variable or place.folder(platform))


def choose(platform: Platform, place: Place, environment: str, units: Sequence[str] | None = None) -> Scope:
    """Return what `[ENV] [UNIT]...` mean.

    The first word is the environment where one has that name, else it selects units like the words after it. Without
    a name the folder decides, then NGP_ENV, then the only environment of the platform. Raises UsageError where none
    of them does, where folder and NGP_ENV disagree, and for a first word that names neither environment nor unit.
    """
    known = documents.names(platform)
    words = tuple(units or ())
    if environment in known or "/" in environment:
        return Scope(environment, words)
    implied, origin = _implied(platform, place, known, environment)
    if environment:
        _require_selector(platform, environment, implied)
        words = (environment, *words)
    return Scope(implied, words, origin)


def only(meant: Scope) -> str:
    """Return the environment of a command that takes no units; raise UsageError for a word too many."""
    if meant.units:
        raise UsageError(f"the environment `{meant.units[0]}` does not exist", todo="to list all: ngp env list")
    return meant.environment


def require_named(meant: Scope, command: str) -> None:
    """Raise UsageError if the folder or NGP_ENV chose the environment, unseen; `command` is a line that names it."""
    if not meant.is_named:
        what = "`--auto-approve` needs the name of the environment on the command line"
        why = f"ngp chose `{meant.environment}` ({meant.origin}), and no question would show that"
        raise UsageError(what, why=why, todo=command)


def one_unit(meant: Scope, todo: str) -> str:
    """Return the unit of a command that takes exactly one; raise UsageError that says `todo` for none or several."""
    if len(meant.units) != 1:
        what = f"only one unit can be given, not {len(meant.units)}" if meant.units else "no unit given"
        raise UsageError(what, todo=todo)
    return meant.units[0]


def choose_any(platform: Platform, environment: str, units: Sequence[str] | None) -> tuple[list[str], tuple[str, ...]]:
    """Return the environments and unit words of a command that takes all environments where none is named."""
    known = documents.names(platform)
    words = tuple(units or ())
    if not environment:
        return known, words
    if environment not in known and (
        _is_pattern(environment) or any(environment in documents.load(platform, one).units for one in known)
    ):
        return known, (environment, *words)
    return [environment], words  # loading reports one that does not exist


def _implied(platform: Platform, place: Place, known: Sequence[str], word: str) -> tuple[str, str]:
    """Return the environment that the surroundings choose, and what chose it."""
    folder, variable = place.folder(platform), place.variable
    if variable and variable not in known:
        raise UsageError(f"the environment `{variable}` does not exist", where=VARIABLE, todo=nearest(variable, known))
    if folder and variable and folder != variable:
        raise UsageError(
            f"this folder belongs to `{folder}`, but {VARIABLE} is `{variable}`",
            todo=f"write the environment on the command line, or unset {VARIABLE}",
        )
    if folder:
        return folder, "of this folder"
    if variable:
        return variable, VARIABLE
    if len(known) == 1:
        return known[0], "the only one"
    if word and not _is_pattern(word):
        documents.load(platform, word)  # raises: there is no environment of that name
    raise _unnamed(platform, known)


def _unnamed(platform: Platform, known: Sequence[str]) -> UsageError:
    if not known:
        todo = "create one: ngp env new dev --region REGION --account ACCOUNT --domain DOMAIN"
        return UsageError("this platform has no environment yet", where=str(platform.path), todo=todo)
    return UsageError(
        "no environment given",
        why=f"the platform has {', '.join(known)}",
        todo=f"write it after the command, set {VARIABLE}, or run the command in its folder",
    )


def _require_selector(platform: Platform, word: str, implied: str) -> None:
    """Raise UsageError for a first word that cannot select units either: it may be a misspelt environment."""
    units = documents.load(platform, implied).units
    if _is_pattern(word) or word in units:
        return
    known = [*documents.names(platform), *units]
    what = f"the environment `{word}` does not exist, and `{implied}` has no unit `{word}`"
    raise UsageError([Finding(what, todo=nearest(word, known))])


def _is_pattern(word: str) -> bool:
    return not word.replace("-", "").isalnum()
