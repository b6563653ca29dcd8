"""The Git history of environments and their units: which commit removed one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ngp import yaml
from ngp.environments import documents, revisions
from ngp.environments.environment import Platform, StateMode
from ngp.errors import MissingError, UsageError

SINGLE = "root"  # instead of a unit's name: all units, with one state
_MOST = 1000  # commits of one environment.yaml
_NO_BLOB = "0"
_SHORT = 10


@dataclass(frozen=True)
class Removal:
    """The commit that removed a unit or an environment; without `commit` it is not committed yet."""

    commit: str = ""  # short
    date: str = ""  # of the commit, 2026-11-29
    subject: str = ""
    module: str = ""  # of a removed unit


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
        return {}  # without Git, the removal is unknown
    found: dict[str, Removal] = {}
    for name in names:
        if name in declared.get(head, ()):
            found[name] = Removal(module=declared[head][name])
            continue
        for edit in edits:  # the newest first
            if name in declared.get(edit.before, ()) and name not in declared.get(edit.after, ()):
                found[name] = replace(edit.removal, module=declared[edit.before][name])
                break
    return found


def environments(platform: Platform) -> dict[str, Removal]:
    """Return how each environment that Git knows left the platform, the newest removal of each name.

    One process of Git, two where HEAD has environments. Empty without Git.
    """
    pattern = f"environments/*/{documents.FILE}"
    try:
        output = _read(platform, "ls-tree", "-r", "--name-only", "HEAD", "environments/")
        found = {name: Removal() for path in output.splitlines() if (name := _environment(path))}
        shape = "%x1e%H%x1f%cs%x1f%s"
        words = ("log", "--diff-filter=D", "--no-renames", "--relative", "--name-only", f"--format={shape}")
        output = _read(platform, *words, "--", pattern)
    except MissingError:
        return {}
    for entry in output.split("\x1e")[1:]:  # the newest first
        head, _, paths = entry.partition("\n")
        commit, date, subject = head.split("\x1f")
        for name in filter(None, map(_environment, paths.split())):
            found.setdefault(name, Removal(commit[:_SHORT], date, subject))
    return {name: removal for name, removal in found.items() if not _is_there(platform, name)}


def text_before(platform: Platform, name: str, removal: Removal) -> str:
    """Return the text of an environment's environment.yaml before its removal, "" where Git does not have it."""
    at = f"{removal.commit}~1" if removal.commit else "HEAD"
    outcome = revisions.git(platform, "show", f"{at}:./environments/{name}/{documents.FILE}")
    return "" if outcome.exit_code else outcome.stdout


def _environment(path: str) -> str:
    """Return the environment of an environment.yaml's path, "" for another file."""
    parts = path.split("/")
    return parts[1] if len(parts) == 3 and parts[0] == "environments" and parts[2] == documents.FILE else ""


def _is_there(platform: Platform, name: str) -> bool:
    return (platform.environment_path(name) / documents.FILE).is_file()


def _edits(platform: Platform, file: str) -> Iterator[_Edit]:
    shape = "%x1e%H%x1f%cs%x1f%s"
    output = _read(
        platform, "log", f"-{_MOST}", f"--format={shape}", "--raw", "--no-abbrev", "--no-renames", "--", file
    )
    for entry in output.split("\x1e")[1:]:
        head, _, raw = entry.partition("\n")
        commit, date, subject = head.split("\x1f")
        words = raw.split()
        if len(words) >= 4:  # `:100644 100644 OLD NEW M PATH`
            yield _Edit(Removal(commit[:_SHORT], date, subject), words[2], words[3])


def _declared(platform: Platform, blobs: Collection[str]) -> Mapping[str, Mapping[str, str]]:
    """Return the units that each text declares, with the module of each."""
    wanted = [blob for blob in blobs if blob.strip(_NO_BLOB)]
    mark = "\x1e"
    output = _read(platform, "cat-file", f"--batch={mark}%(objectname)", stdin="".join(f"{blob}\n" for blob in wanted))
    parts = (part.partition("\n") for part in output.split(mark)[1:])
    return {blob: _units(text) for blob, _, text in parts}


def _units(text: str) -> dict[str, str]:
    try:
        data: Any = yaml.parse(text, Path(documents.FILE)).data
    except UsageError:
        return {}
    units = data.get("units") if isinstance(data, dict) else None
    if not isinstance(units, dict) or not units:
        return {}
    if data.get("state") == StateMode.SINGLE.value:
        return {SINGLE: ""}
    return {str(name): _module(str(name), entry) for name, entry in units.items()}


def _module(unit: str, entry: Any) -> str:
    return str(entry.get("module") or unit) if isinstance(entry, dict) else unit


def _read(platform: Platform, *words: str, stdin: str = "") -> str:
    outcome = revisions.git(platform, *words, stdin=stdin)
    if outcome.exit_code:
        raise MissingError("Git cannot read the history", why=outcome.stderr.strip())
    return outcome.stdout
