"""Who made a plan, and of which commit, as Git knows it."""

from __future__ import annotations

import getpass
from dataclasses import dataclass

from ngp.environments import revisions
from ngp.environments.environment import Platform
from ngp.errors import MissingError
from ngp.runs.bundle.statement import CommitFact

_MOST = "200"  # commits of a change whose authors are read


@dataclass(frozen=True)
class Provenance:
    """`maker` is the e-mail address in Git's configuration, or else the name of the system's user."""

    maker: str
    commit: CommitFact


def look(platform: Platform) -> Provenance:
    """Return who plans here, the commit and the authors of the change.

    The change is what the remote's default branch, as it was last fetched, does not have; without a remote it is the
    newest commit.
    """

    def ask(*words: str) -> str:
        try:
            outcome = revisions.git(platform, *words)
        except MissingError:
            return ""
        return outcome.stdout.strip() if outcome.exit_code == 0 else ""

    maker = ask("config", "user.email") or _user()
    head = ask("rev-parse", "HEAD")
    if not head:
        return Provenance(maker, CommitFact())
    base = next(iter(ask("for-each-ref", "--format=%(refname)", "refs/remotes/*/HEAD").splitlines()), "")
    change = ask("log", f"-{_MOST}", "--format=%ae", f"{base}..HEAD") if base else ""
    found = change or ask("log", "-1", "--format=%ae")
    return Provenance(maker, CommitFact(head, bool(ask("status", "--porcelain")), tuple(sorted(set(found.split())))))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
