"""The maker of a plan, and the authors of its change, from Git."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ngp.environments import revisions
from ngp.environments.environment import Platform
from ngp.errors import MissingError
from ngp.runs.bundle import rules
from ngp.runs.bundle.statement import CommitFact

_MOST = 500  # commits of a change whose authors are read
# One commit in NUL: its id, its parents, author and committer, then who wrote it with them, each on a line.
_FORMAT = "--format=%H%n%P%n%ae%n%ce%n%(trailers:key=Co-authored-by,valueonly)"
_ADDRESS = re.compile(r"<([^<>]+)>")


@dataclass(frozen=True)
class Provenance:
    """`maker` is the e-mail address of Git's configuration, else the name of the system user."""

    maker: str
    commit: CommitFact


def collect(platform: Platform) -> Provenance:
    """Return the maker, the commit and the authors of the change.

    The change is what HEAD has and the remote's default branch lacks. On the default branch it is the newest commit,
    with everything that a merge brought in. Authors, committers and co-authors count; a merge without own changes has
    no author.
    """
    git = _Git(platform)
    maker = git.ask("config", "user.email") or _user()
    head = git.ask("rev-parse", "--verify", "--quiet", "HEAD")
    if not head:
        return Provenance(maker, CommitFact(unknown="no commit of a Git repository contains the platform"))
    base = rules.base(platform)
    range_, unknown = _range(git, head, base)
    commits = list(git.log(range_))
    people = {one for commit in commits[:_MOST] for one in commit.people if not git.is_plain_merge(commit)}
    if len(commits) > _MOST:
        unknown = f"the change has more than {_MOST} commits"
    elif not unknown and _is_cut(git, commits, head, base):
        unknown = "the clone is shallow and lacks commits of the change"
    is_dirty = bool(git.ask("status", "--porcelain"))
    return Provenance(maker, CommitFact(head, is_dirty, tuple(sorted(people)), unknown))


def _range(git: _Git, head: str, base: str) -> tuple[tuple[str, ...], str]:
    """Return the commits of the change as arguments for Git, and why they may be incomplete."""
    newest = (head, f"^{head}^1") if git.ask("rev-parse", "--verify", "--quiet", f"{head}^1") else (head,)
    if not base:
        return newest, "this clone does not know the remote's default branch"
    change = (head, f"^{base}")
    return (change if git.ask("rev-list", "-1", *change) else newest), ""


def _is_cut(git: _Git, commits: Sequence[_Commit], head: str, base: str) -> bool:
    """Whether a shallow clone lacks commits of the change. The newest commit is complete unless it is a merge."""
    cut = git.shallow() & {commit.id for commit in commits}
    return bool(cut) and not (base == head and cut == {head} and len(git.parents(head)) < 2)


@dataclass(frozen=True)
class _Commit:
    id: str
    parents: tuple[str, ...]
    people: frozenset[str]


class _Git:
    """Git queries about the platform's repository; "" for missing answers."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def ask(self, *words: str) -> str:
        try:
            outcome = revisions.git(self._platform, "--no-replace-objects", "-c", "log.showSignature=false", *words)
        except MissingError:
            return ""
        return outcome.stdout.strip() if outcome.exit_code == 0 else ""

    def log(self, words: tuple[str, ...]) -> Iterator[_Commit]:
        for text in self.ask("log", "-z", f"-{_MOST + 1}", _FORMAT, *words, "--").split("\0"):
            lines = text.split("\n")
            if len(lines) >= 4:
                id_, parents, author, committer, *trailers = lines
                others = (found for line in trailers for found in _ADDRESS.findall(line))
                yield _Commit(id_, tuple(parents.split()), frozenset({author, committer, *others}) - {""})

    def is_plain_merge(self, commit: _Commit) -> bool:
        """Whether a commit is exactly what Git makes when it merges the two parents. Git before 2.35 cannot tell."""
        if len(commit.parents) != 2:
            return False
        show = ("show", "--remerge-diff", "--no-ext-diff", "--no-textconv", "--format=%H", commit.id, "--")
        return self.ask(*show) == commit.id

    def parents(self, commit: str) -> list[str]:
        """Return the parents that a commit names, including those that a shallow clone lacks."""
        head = self.ask("cat-file", "commit", commit).partition("\n\n")[0]
        return [line for line in head.splitlines() if line.startswith("parent ")]

    def shallow(self) -> set[str]:
        """Return the commits at which a shallow clone ends."""
        path = self._platform.path / self.ask("rev-parse", "--git-path", "shallow")
        return set(path.read_text(encoding="ascii").split()) if path.is_file() else set()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
