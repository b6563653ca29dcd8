"""Shows the differences of two environments, and the changes of a promotion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ngp.settings import Settings
from ngp.views import documents, excerpts, places, terminal

if TYPE_CHECKING:
    from ngp.environments.comparing import EnvironmentDifference
    from ngp.environments.promoting import Promotion


def show(
    source: str, target: str, found: Sequence[EnvironmentDifference], settings: Settings, *, whole: bool = False
) -> None:
    """Print a line for each difference on stdout: undeclared ones first, the others with their reasons."""
    out = terminal.out(settings)
    order = ("undeclared", "expired", "declared")
    rows = sorted(found, key=lambda each: order.index(each.standing.value))
    digest = excerpts.pick(rows, whole=whole)
    for each in digest.shown:
        out.print(terminal.line(f"{each.key}: {_change(each)}{_note(each)}"), soft_wrap=True)
    if digest.rest:
        out.print(terminal.line(digest.more("differences")), soft_wrap=True)
    if not found:
        out.print(terminal.line(f"{source} and {target} are equal"), soft_wrap=True)


def print_unused(unused: Sequence[str], target: str, settings: Settings) -> None:
    """Warn on stderr of declarations of the target that match no difference."""
    for key in unused:
        terminal.say(settings, f"no difference needs the declaration `{key}` of {target}")


def comparison(
    source: str, target: str, found: Sequence[EnvironmentDifference], unused: Sequence[str]
) -> dict[str, Any]:
    """``ngp.env.diff/1``."""
    rows = [_fields(each) for each in found]
    return {"schema": "ngp.env.diff/1", "source": source, "target": target, "differences": rows, "unused": unused}


def document(source: str, target: str, made: Promotion, paths: Sequence[Path], *, written: bool) -> dict[str, Any]:
    """``ngp.env.promote/1``."""
    return {
        "schema": "ngp.env.promote/1",
        "source": source,
        "target": target,
        "promoted": [_fields(each) for each in made.promoted],
        "left": [{**_fields(each), "why": reason} for each, reason in made.left],
        "changed": paths,
        "written": written,
    }


def show_diff(home: Path, changed: Mapping[Path, str], secrets: Sequence[str], settings: Settings) -> None:
    """Print the changes of the operator's files on stdout, as a diff with `secrets` masked."""
    from ngp.rendering import staleness

    for path, text in changed.items():
        shown = staleness.diff(home, path.relative_to(home), text).rstrip("\n")
        for secret in secrets:
            shown = shown.replace(secret, documents.MASKED)
        terminal.out(settings).print(terminal.line(shown), soft_wrap=True)


def print_result(made: Promotion, paths: Sequence[Path], settings: Settings, *, target: str, written: bool) -> None:
    """Print what is promoted, what stays and why, the changed files, and the next command, on stderr."""
    for each in made.promoted:
        terminal.say(settings, f"{each.key}: {_change(each)}")
    for each, reason in made.left:
        terminal.say(settings, f"stays: {each.key}: {reason}")
    digest = excerpts.pick(paths, whole=False)
    for path in digest.shown:
        terminal.say(settings, f"{'wrote' if written else 'would change'} {path}")
    if digest.rest:
        terminal.say(settings, digest.more("files"))
    if not made.promoted:
        terminal.say(settings, f"nothing to promote to {target}")
    elif written:
        terminal.say(settings, f"next: git add environments/{target}, commit, and open a pull request")


def _change(each: EnvironmentDifference) -> str:
    source, target = _texts(each)
    return f"{target or 'nothing'} → {source or 'nothing'}"


def _texts(each: EnvironmentDifference) -> tuple[str, str]:
    found = (each.source, each.target)
    source, target = (documents.MASKED if text and each.is_sensitive else text for text in found)
    return source, target


def _note(each: EnvironmentDifference) -> str:
    if each.declared is None:
        return ""
    reason = f": {each.declared.reason}" if each.declared.reason else ""
    word = "declared until" if each.standing.value == "declared" else "declared only until"
    return f" ({word} {each.declared.until} by {each.declared.owner}{reason})"


def _fields(each: EnvironmentDifference) -> dict[str, Any]:
    source, target = _texts(each)
    place = places.at(each.where)
    return {
        "topic": each.topic,
        "key": each.key,
        "unit": each.unit or None,
        "source": source or None,
        "target": target or None,
        "sensitive": each.is_sensitive,
        "standing": each.standing,
        "owner": each.declared.owner if each.declared else None,
        "until": each.declared.until if each.declared else None,
        "file": place["file"],
        "line": place["line"],
    }
