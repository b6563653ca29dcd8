"""The commit to compare the working tree with, and Git's differences. Starts no process per unit."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ngp.environments import documents, platforms, revisions, tfvars
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
_ALL = "'+refs/heads/*:refs/remotes/{remote}/*'"  # a shallow clone, and one of a single branch, fetches no other

_MARK = "\x1e"
_WRITTEN = (f"/{documents.FILE}", f"/{tfvars.FILE}")


@dataclass(frozen=True)
class Baseline:
    """A commit against the working tree; all paths are relative to the platform, with slashes.

    `changed` are those that are not as in the commit: edited, gone, or new (also untracked, never ignored ones), of the
    whole repository: what lies beside the platform begins with ``../``. `blobs` holds the object ids of the commit's
    ngp.yaml and its files below environments/, `before` the texts of those changed ones that operators write: ngp.yaml,
    environment.yaml and terraform.tfvars.
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
    prefix: str  # where the platform lies in it: "" or "path/to/platform/"


def load(platform: Platform, ref: str = "") -> Baseline:
    """The baseline of `ref`; without one that of the commit in which HEAD left the default branch.

    Raises UsageError (64) for a ref that names no commit, MissingError (69) without Git, a repository or its history.
    """
    output = _read(platform, "rev-parse", "--show-object-format", "--is-shallow-repository", "--show-prefix").split(
        "\n"
    )
    repository = _Repository(platform, output[0], output[1] == "true", output[2])
    commit, name = _named(repository, ref) if ref else _default(repository)
    paths = frozenset(_changed(repository, commit))
    tree = _read(platform, "ls-tree", "-r", "-z", commit, "environments/", platforms.FILE)
    blobs = {path: about.rpartition(" ")[2] for about, _, path in (line.partition("\t") for line in _lines(tree))}
    written = [path for path in paths & blobs.keys() if _is_written(path)]
    texts = _texts(platform, {blobs[path] for path in written})
    before = {path: texts.get(blobs[path], "") for path in written}  # a partial clone may lack some
    return Baseline(commit, name, paths, blobs, before, repository.object_format)


def find(platform: Platform, ref: str = "") -> Baseline | None:
    """Return the commit to compare with; without a name None where Git knows none.

    Raises UsageError (64) for a name that is no commit.
    """
    try:
        return load(platform, ref)
    except NgpError:
        if ref:
            raise
        return None


def _changed(repository: _Repository, commit: str) -> Iterator[str]:
    """The paths of the whole repository that differ from the commit, relative to the platform."""
    platform, prefix = repository.platform, repository.prefix
    how = ("--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-relative", "--ignore-submodules=none")
    changed = _read(platform, "diff", *how, commit)
    untracked = _read(platform, "ls-files", "-z", "--others", "--exclude-standard", "--full-name", ":/")
    for path in (*_lines(changed), *_lines(untracked)):
        inside = path.startswith(prefix)
        yield path[len(prefix) :].rstrip("/") if inside else posixpath.relpath(path, prefix)


def _is_written(path: str) -> bool:
    return path == platforms.FILE or (path.count("/") == 2 and path.endswith(_WRITTEN))


def _texts(platform: Platform, ids: Iterable[str]) -> dict[str, str]:
    """The texts of blobs by their object ids, from one process; no text holds the mark that parts them."""
    output = _read(platform, "cat-file", f"--batch={_MARK}%(objectname)", stdin="".join(f"{each}\n" for each in ids))
    parts = (part.partition("\n") for part in output.split(_MARK)[1:])
    return {each: text.removesuffix("\n") for each, _, text in parts}


def _named(repository: _Repository, ref: str) -> tuple[str, str]:
    commit = revisions.find(repository.platform, ref)
    if commit is None:
        todo = "fetch it, or pass a commit that `git log` shows"
        raise _unknown(repository, f"Git has no commit `{ref}`", "", todo)
    return commit, ref


def _default(repository: _Repository) -> tuple[str, str]:
    platform = repository.platform
    known = _read(platform, "for-each-ref", "--format=%(refname)", _REMOTE, _LOCAL).split()
    branch = next((each for each in _DEFAULTS if each in known), "")
    if not branch and not repository.is_shallow and _is_alone(platform, known):
        return _named(repository, "HEAD")
    what, todo = "cannot tell which commit to compare with", "pass one with `--since REF`"
    if not branch:
        raise _unknown(repository, what, "this clone has no default branch", todo)
    name = branch.removeprefix(_REMOTE).removeprefix(_LOCAL)
    outcome = revisions.git(platform, "merge-base", "HEAD", branch)
    if outcome.exit_code:
        raise _unknown(repository, what, f"HEAD and {name} have no common commit", todo)
    return outcome.stdout.strip(), f"where HEAD branched off {name}"


def _is_alone(platform: Platform, known: list[str]) -> bool:
    """Whether HEAD is the only branch of a repository that has taken nothing from another one.

    A CI system may check a commit out of FETCH_HEAD without a remote or a branch: nothing there says what it changes.
    """
    head = revisions.git(platform, "symbolic-ref", "--quiet", "HEAD").stdout.strip()
    return known == [head] and not _read(platform, "remote") and revisions.find(platform, "FETCH_HEAD") is None


def _unknown(repository: _Repository, what: str, why: str, todo: str) -> NgpError:
    where = str(repository.platform.path)
    remote = revisions.remote(repository.platform)
    if repository.is_shallow:
        why = f"{why}; this is a shallow clone".lstrip("; ")
        fetch = f"git fetch --unshallow {remote} {_ALL.format(remote=remote)}"
        deepen = f"fetch its history: {fetch} (in CI, set the checkout to full depth)"
        return MissingError(what, where=where, why=why, todo=deepen if remote else todo)
    if remote and _has_one_branch(repository.platform, remote):
        why = f"{why}; this is a clone of a single branch".lstrip("; ")
        todo = f"{todo}, or fetch the other branches: git fetch {remote} {_ALL.format(remote=remote)}"
    return UsageError(what, where=where, why=why, todo=todo)


def _has_one_branch(platform: Platform, remote: str) -> bool:
    found = revisions.git(platform, "config", "--get-all", f"remote.{remote}.fetch").stdout
    return bool(found.strip()) and "*" not in found


def _read(platform: Platform, *words: str, stdin: str = "") -> str:
    outcome = revisions.git(platform, *words, stdin=stdin)
    if outcome.exit_code:
        raise MissingError(
            "Git cannot list the changes",
            where=str(platform.path),
            why=outcome.stderr.strip() or f"`git {words[0]}` ended with {outcome.exit_code}",
            todo="`--affected` needs a Git repository with the commit to compare with",
        )
    return outcome.stdout


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.split("\0") if line)
