"""Approval rules: ngp.yaml on the remote's default branch, whatever a change says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ngp.environments import platforms, revisions
from ngp.environments.approvals import same
from ngp.environments.environment import Platform
from ngp.environments.ssh_keys import parse
from ngp.errors import MissingError, NgpError, RefusedError, UsageError
from ngp.processes import ProcessResult

_WHY = "ngp reads who may approve from the default branch of the remote"
_DEFAULT = "origin"
_HEAD = re.compile(r"^ref: refs/heads/(?P<branch>\S+)\tHEAD$|^(?P<commit>[0-9a-f]{40,64})\tHEAD$", re.MULTILINE)
_CREDENTIALS = re.compile(r"//[^/@\s]+@")
_ASKING_NOBODY = {"GIT_TERMINAL_PROMPT": "0"}  # without a terminal, Git would hang
# The commit and what it needs come into the object store; no branch, tag or FETCH_HEAD moves.
_FETCH = (
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-prune",
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--no-recurse-submodules",
    "--refmap=",
)


@dataclass(frozen=True)
class Rules:
    """Who may approve. `platform` is ngp.yaml at `commit`, the tip of `source` (``origin/main``)."""

    platform: Platform
    commit: str
    source: str

    @property
    def where(self) -> str:
        """Return the file of the rules: ``origin/main:ngp.yaml``."""
        return f"{self.source}:{platforms.FILE}"

    def keys(self, identity: str) -> list[str]:
        """Return the public keys of a person."""
        return [key for one, keys in self.platform.signers.items() if same(one) == same(identity) for key in keys]

    def holder(self, fingerprint: str) -> str:
        """Return the owner of a key, "" if nobody owns it."""
        for identity, keys in self.platform.signers.items():
            if any(parse(key).fingerprint == fingerprint for key in keys):
                return identity
        return ""


def read(platform: Platform) -> Rules:
    """Fetch the newest commit of the remote's default branch, and read the rules from it.

    Raises MissingError (69) without Git, a remote or its answer; RefusedError (3) if the default branch has no ngp.yaml
    at the platform's place; UsageError (64) for errors in it.
    """
    remote = _remote(platform)
    branch, commit = _tip(platform, remote)
    source = f"{remote}/{branch}"
    _provide(platform, remote, commit)
    found = _file(platform, commit)
    if found is None:
        raise RefusedError(
            f"{source} has no {platforms.FILE}",
            where=f"commit {commit[:10]}",
            why=_WHY,
            todo=f"merge the platform into {source} first",
        )
    return Rules(platforms.parse(found, Path(f"{source}:{platforms.FILE}"), platform.path), commit, source)


def is_protected(platform: Platform, environment: str) -> bool:
    """Return whether ngp.yaml protects the environment: in the work tree, or on the remote's default branch now.

    The second covers a change that removes the protection, which counts once it is merged. So the remote is asked
    unless the work tree already protects it, or there is no repository or remote. Raises like `read` if the remote's
    answer is not known.
    """
    if environment in platform.protected:
        return True
    return _has_remote(platform) and environment in read(platform).platform.protected


def is_protected_here(platform: Platform, environment: str) -> bool:
    """Return whether the environment is protected, by the default branch as last fetched; for commands that change
    nothing.

    Only a clone without that branch asks the remote, and a missing answer is not an error.
    """
    known = last_protected(platform)
    if known is not None:
        return environment in (*platform.protected, *known)
    try:
        return is_protected(platform, environment)
    except NgpError:
        return environment in platform.protected


def last_protected(platform: Platform) -> tuple[str, ...] | None:
    """Return the environments that the default branch protects as last fetched, None if this clone does not know."""
    try:
        remote = _remote(platform)
        known = _fetched(platform, remote)
        if not known:
            return None
        text = _file(platform, known)
        where = Path(f"{remote}/HEAD:{platforms.FILE}")
        return () if text is None else platforms.parse(text, where, platform.path).protected
    except (MissingError, UsageError):
        return None


def base(platform: Platform) -> str:
    """Return the commit to compare a change with: the remote's default branch as last fetched, "" if it is not known.

    Asks the remote if this clone does not know it.
    """
    try:
        remote = _remote(platform)
        known = _fetched(platform, remote)
        if not known:
            _, known = _tip(platform, remote)
            _provide(platform, remote, known)
    except MissingError:
        return ""
    return known


def _fetched(platform: Platform, remote: str) -> str:
    """Return the commit of the remote's default branch as last fetched, "" if that is not known."""
    known = _git(platform, "rev-parse", "--verify", "--quiet", f"refs/remotes/{remote}/HEAD^{{commit}}")
    return known.stdout.strip() if known.exit_code == 0 else ""


def _has_remote(platform: Platform) -> bool:
    """Return whether there is a remote to ask; also True for a repository that Git refuses to read."""
    try:
        listed = _git(platform, "remote")
    except MissingError:
        listed = None
    if listed is None or listed.exit_code:
        return any((folder / ".git").exists() for folder in (platform.path, *platform.path.parents))
    return bool(listed.stdout.split())


def _remote(platform: Platform) -> str:
    """Return the name of the remote whose default branch contains the rules."""
    listed = _git(platform, "remote")
    if listed.exit_code:
        raise MissingError(
            "the platform is not in a Git repository",
            where=str(platform.path),
            why=f"{_WHY}; {_reason(listed)}",
            todo="clone the platform's repository and work in the clone",
        )
    names = listed.stdout.split()
    named = _git(platform, "config", "--get", "checkout.defaultRemote").stdout.strip()
    if named in names:
        return named
    if len(names) == 1:
        return names[0]
    if _DEFAULT in names:
        return _DEFAULT
    which = (
        f"several remotes ({', '.join(names)}), and none is the default" if names else "this repository has no remote"
    )
    todo = "git config checkout.defaultRemote NAME" if names else "git remote add origin URL"
    raise MissingError(which, where=str(platform.path), why=_WHY, todo=todo)


def _tip(platform: Platform, remote: str) -> tuple[str, str]:
    """Ask the remote for its default branch and that branch's commit."""
    outcome = _git(platform, "ls-remote", "--symref", "--", remote, "HEAD")
    if outcome.exit_code:
        raise _unreachable(remote, outcome)
    found = [match.groupdict() for match in _HEAD.finditer(outcome.stdout)]
    commit = next((one["commit"] for one in found if one["commit"]), "")
    if not commit:
        raise MissingError(
            f"the remote `{remote}` has no default branch with a commit", why=_WHY, todo="push the platform to it"
        )
    return next((one["branch"] for one in found if one["branch"]), "HEAD"), commit


def _provide(platform: Platform, remote: str, commit: str) -> None:
    """Fetch a commit if it is not here yet."""
    if _git(platform, "cat-file", "-e", f"{commit}^{{commit}}").exit_code == 0:
        return
    # a shallow clone stays shallow; a complete one must not become shallow
    is_shallow = _git(platform, "rev-parse", "--is-shallow-repository").stdout.strip() == "true"
    outcome = _git(platform, *_FETCH, *(["--depth=1"] if is_shallow else []), "--", remote, commit)
    if outcome.exit_code:
        raise _unreachable(remote, outcome)


def _file(platform: Platform, commit: str) -> str | None:
    """Return the platform's ngp.yaml at a commit, None if it has none."""
    outcome = _git(platform, "cat-file", "blob", f"{commit}:./{platforms.FILE}")
    return outcome.stdout if outcome.exit_code == 0 else None


def _unreachable(remote: str, outcome: ProcessResult) -> MissingError:
    return MissingError(
        f"cannot read the approval rules from the remote `{remote}`",
        why=f"{_WHY}; {_reason(outcome)}",
        todo=f"check that this works: git ls-remote {remote} HEAD",
    )


def _reason(outcome: ProcessResult) -> str:
    if outcome.timed_out:
        return "Git timed out"
    return _CREDENTIALS.sub("//", " ".join(outcome.stderr.split())) or f"Git ended with {outcome.exit_code}"


def _git(platform: Platform, *words: str) -> ProcessResult:
    """Run Git without replacement objects: a local one could replace the remote's commit."""
    return revisions.git(platform, "--no-replace-objects", *words, env=_ASKING_NOBODY)
