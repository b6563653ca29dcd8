"""The commit that the working tree is held against, and what Git says of the two. No process for each unit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ngp.environments import documents, revisions, tfvars
from ngp.environments.environment import Platform
from ngp.errors import MissingError, NgpError, UsageError

_REMOTE, _LOCAL = "refs/remotes/", "refs/heads/"
_DEFAULTS = (
    f"{_REMOTE}origin/HEAD",
    f"{_REMOTE}origin/main",
    f"{_REMOTE}origin/master",
    f"{_LOCAL}main",
    f"{_LOCAL}master",
)
_DEEPEN = "fetch its history: git fetch --unshallow origin (or a full depth in the checkout of your CI)"

_WRITTEN = (f"/{documents.FILE}", f"/{tfvars.FILE}")


@dataclass(frozen=True)
class Baseline:
    """A commit against the working tree; all paths are relative to the platform, with slashes.

    `changed` are those that are not as in the commit: edited, gone, or new (also untracked, never ignored ones).
    `blobs` holds the object ids of the commit's files below environments/, `before` the texts of those changed ones
    that operators write: environment.yaml and terraform.tfvars.
    """

    commit: str
    name: str  # how it was found, in words
    changed: frozenset[str]
    blobs: Mapping[str, str]
    before: Mapping[str, str] = field(default_factory=dict)
    object_format: str = "sha1"

    def holds(self, path: str, text: str) -> bool:
        """Whether the commit has this very text at `path` (Git, "git-hash-object": blob, length, NUL, data)."""
        data = text.encode()
        digest = hashlib.new(self.object_format, b"blob %d\0" % len(data), usedforsecurity=False)
        digest.update(data)
        return self.blobs.get(path) == digest.hexdigest()


@dataclass(frozen=True)
class _Repository:
    platform: Platform
    object_format: str
    is_shallow: bool


def load(platform: Platform, ref: str = "") -> Baseline:
    """The baseline of `ref`; without one that of the commit in which HEAD left the default branch.

    Raises UsageError (64) for a ref that names no commit, MissingError (69) without Git, a repository or its history.
    """
    told = _read(platform, "rev-parse", "--show-object-format", "--is-shallow-repository").split()
    repository = _Repository(platform, told[0], told[1] == "true")
    commit, name = _named(repository, ref) if ref else _default(repository)
    changed = _read(platform, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--relative", commit)
    untracked = _read(platform, "ls-files", "-z", "--others", "--exclude-standard")
    tree = _read(platform, "ls-tree", "-r", "-z", commit, "environments/")
    blobs = {path: about.rpartition(" ")[2] for about, _, path in (line.partition("\t") for line in _lines(tree))}
    paths = frozenset(path.rstrip("/") for path in (*_lines(changed), *_lines(untracked)))
    written = [path for path in paths & blobs.keys() if path.count("/") == 2 and path.endswith(_WRITTEN)]
    before = {path: _read(platform, "show", f"{commit}:./{path}") for path in written}
    return Baseline(commit, name, paths, blobs, before, repository.object_format)


def _named(repository: _Repository, ref: str) -> tuple[str, str]:
    commit = revisions.find(repository.platform, ref)
    if commit is None:
        todo = "fetch it, or name one that `git log` shows"
        raise _unknown(repository, f"Git knows no commit `{ref}`", "", todo)
    return commit, ref


def _default(repository: _Repository) -> tuple[str, str]:
    platform = repository.platform
    told = _read(platform, "for-each-ref", "--format=%(refname)", _REMOTE, f"{_LOCAL}main", f"{_LOCAL}master")
    known = told.split()
    branch = next((each for each in _DEFAULTS if each in known), "")
    if not branch and not known and not repository.is_shallow:
        return _named(repository, "HEAD")  # a repository that no remote and no main branch knows: what is uncommitted
    what, todo = "nothing says which commit to compare with", "name one with `--since REF`"
    if not branch:
        raise _unknown(repository, what, "the default branch is not here", todo)
    name = branch.removeprefix(_REMOTE).removeprefix(_LOCAL)
    outcome = revisions.git(platform, "merge-base", "HEAD", branch)
    if outcome.exit_code:
        raise _unknown(repository, what, f"HEAD and {name} have no common commit", todo)
    return outcome.stdout.strip(), f"where HEAD left {name}"


def _unknown(repository: _Repository, what: str, why: str, todo: str) -> NgpError:
    where = str(repository.platform.path)
    if repository.is_shallow:
        return MissingError(what, where=where, why=f"{why}; this is a shallow clone".lstrip("; "), todo=_DEEPEN)
    return UsageError(what, where=where, why=why, todo=todo)


def _read(platform: Platform, *words: str) -> str:
    outcome = revisions.git(platform, *words)
    if outcome.exit_code:
        raise MissingError(
            "Git cannot say what has changed",
            where=str(platform.path),
            why=outcome.stderr.strip() or f"`git {words[0]}` ended with {outcome.exit_code}",
            todo="`--affected` needs a Git repository with the commit to compare with",
        )
    return outcome.stdout


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.split("\0") if line)
