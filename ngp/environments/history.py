"""The Git history of an environment's units: which commit removed one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngp import yaml
from ngp.environments import documents, revisions
from ngp.environments.environment import Platform, StateMode
from ngp.errors import MissingError, UsageError

SINGLE = "root"  # in the place of a unit's name: all units, with one state
_MOST = 1000  # commits of one environment.yaml
_NO_BLOB = "0"
_SHORT = 10


@dataclass(frozen=True)
class Removal:
    """The commit that removed a unit from environment.yaml; without `commit` it is not committed yet."""

    commit: str = ""  # short
    date: str = ""  # of the commit, 2026-11-29
    subject: str = ""


@dataclass(frozen=True)
class _Edit:
    """A commit that changed the file, with the object ids of the texts before and after."""

    removal: Removal
    before: str
    after: str


def removals(platform: Platform, environment: str, names: Collection[str]) -> dict[str, Removal]:
    """Return how each of these units left the environment; a unit that no commit declared is left out.

    Three processes of Git, however many units and commits there are.
    """
    if not names:
        return {}
    file = f"environments/{environment}/{documents.FILE}"
    try:
        edits = list(_edits(platform, file))
        head = revisions.git(platform, "rev-parse", "--verify", "--quiet", f"HEAD:./{file}").stdout.strip()
        declared = _declared(platform, {head, *(blob for edit in edits for blob in (edit.before, edit.after))})
    except MissingError:
        return {}  # no Git, so nobody knows
    found: dict[str, Removal] = {}
    for name in names:
        if name in declared.get(head, ()):
            found[name] = Removal()
            continue
        for edit in edits:  # the newest first
            if name in declared.get(edit.before, ()) and name not in declared.get(edit.after, ()):
                found[name] = edit.removal
                break
    return found


def _edits(platform: Platform, file: str) -> Iterator[_Edit]:
    shape = "%x1e%H%x1f%cs%x1f%s"
    told = _read(platform, "log", f"-{_MOST}", f"--format={shape}", "--raw", "--no-abbrev", "--no-renames", "--", file)
    for entry in told.split("\x1e")[1:]:
        head, _, raw = entry.partition("\n")
        commit, date, subject = head.split("\x1f")
        words = raw.split()
        if len(words) >= 4:  # `:100644 100644 OLD NEW M PATH`
            yield _Edit(Removal(commit[:_SHORT], date, subject), words[2], words[3])


def _declared(platform: Platform, blobs: Collection[str]) -> Mapping[str, frozenset[str]]:
    """Return the units that each text declares."""
    wanted = [blob for blob in blobs if blob.strip(_NO_BLOB)]
    mark = "\x1e"
    told = _read(platform, "cat-file", f"--batch={mark}%(objectname)", stdin="".join(f"{blob}\n" for blob in wanted))
    parts = (part.partition("\n") for part in told.split(mark)[1:])
    return {blob: _units(text) for blob, _, text in parts}


def _units(text: str) -> frozenset[str]:
    try:
        data: Any = yaml.parse(text, Path(documents.FILE)).data
    except UsageError:
        return frozenset()
    units = data.get("units") if isinstance(data, dict) else None
    names = frozenset(map(str, units)) if isinstance(units, dict) else frozenset()
    return frozenset({SINGLE}) if names and data.get("state") == StateMode.SINGLE.value else names


def _read(platform: Platform, *words: str, stdin: str = "") -> str:
    outcome = revisions.git(platform, *words, stdin=stdin)
    if outcome.exit_code:
        raise MissingError("Git does not tell the history", why=outcome.stderr.strip())
    return outcome.stdout
