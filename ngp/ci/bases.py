"""The commit that a pipeline compares with: that of the event, fetched where a shallow clone lacks it."""

from __future__ import annotations

from pathlib import Path

from ngp import files
from ngp.environments import revisions
from ngp.environments.environment import Platform

_HEAD = ("rev-parse", "--verify", "--quiet", "HEAD^{commit}")


def head(platform: Platform) -> str:
    """Return the whole commit of HEAD, "" where there is none."""
    outcome = revisions.git(platform, *_HEAD)
    return outcome.stdout.strip() if outcome.exit_code == 0 else ""


def lay(platform: Platform, commit: str, name: str, folder: Path) -> None:
    """Write the files of a folder of the platform, as a commit has them, into `folder`/`name`; links are left out."""
    told = revisions.git(platform, "ls-tree", "-r", "-z", commit, "--", f"./{name}/").stdout
    for line in filter(None, told.split("\0")):
        about, _, path = line.partition("\t")
        if about.startswith("100"):
            made = folder / path
            made.parent.mkdir(parents=True, exist_ok=True)
            files.write(made, revisions.git(platform, "cat-file", "blob", about.rpartition(" ")[2]).stdout)


def find(platform: Platform, named: str, *, may_fetch: bool) -> str:
    """Return the commit to compare with for the base that an event names.

    It is where HEAD and the base parted, if the history at hand tells, else the base itself: then what others merged
    since counts as changed. A shallow clone gets the base from the remote, unless it may not be asked.
    """
    if not named:
        return ""
    if revisions.find(platform, named) is None and may_fetch:
        remote = revisions.git(platform, "remote").stdout.partition("\n")[0]
        if remote:
            revisions.git(platform, "fetch", "--quiet", "--no-tags", "--depth=1", "--", remote, named)
    parted = revisions.git(platform, "merge-base", "HEAD", named)
    return parted.stdout.strip() if parted.exit_code == 0 else named
