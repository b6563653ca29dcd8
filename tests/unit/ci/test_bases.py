"""Which commits a pipeline compares with, on real Git."""

import pytest

from ngp.ci import bases
from ngp.environments import revisions
from ngp.environments.environment import Platform
from ngp.errors import MissingError, UsageError
from ngp.processes import ProcessResult
from tests.git import git


@pytest.fixture
def merge(tmp_path):
    """A clone of a merge commit alone, with the commits that it merges and one that it does not."""
    path = tmp_path / "upstream"
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch=main")
    commits = {}
    for branch in ("main", "topic", "other"):
        git(path, "checkout", "--quiet", "-B", branch, *(["main"] if commits else []))
        git(path, "commit", "--quiet", "--allow-empty", "--message", branch)
        commits[branch] = git(path, "rev-parse", "HEAD")
    git(path, "checkout", "--quiet", "main")
    git(path, "merge", "--quiet", "--no-ff", "--message", "Merge", "topic")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{path}", "shallow")
    return tmp_path, commits


@pytest.mark.parametrize("clone", ["upstream", "shallow"])
def test_a_merge_commit_holds_what_it_merges(merge, clone):
    folder, commits = merge
    platform = Platform(folder / clone, "demo")
    assert bases.holds(platform, bases.head(platform))
    assert bases.holds(platform, commits["topic"])
    assert not bases.holds(platform, commits["other"])
    assert not bases.holds(platform, "e" * 40)


def test_the_newest_policies_of_the_base_hold_where_git_has_them(merge):
    folder, commits = merge
    platform = Platform(folder / "upstream", "demo")
    assert bases.rules(platform, commits["other"], commits["topic"]) == commits["other"]
    assert bases.rules(platform, "e" * 40, commits["topic"]) == commits["topic"]
    assert bases.rules(platform, "", commits["topic"]) == commits["topic"]


def test_links_within_the_repository_are_fine(merge):
    path = merge[0] / "upstream"
    (path / "inner").mkdir()
    (path / "inner" / "link").symlink_to("../file")
    git(path, "add", "--all")
    bases.require_no_links_outside(path / "inner")
    (path / "up").symlink_to("../upstream2")
    (path / "chain").symlink_to("up")
    git(path, "add", "--all")
    with pytest.raises(UsageError) as caught:
        bases.require_no_links_outside(path / "inner")
    assert [one.where for one in caught.value.findings] == ["chain", "up"]


def test_the_branch_that_a_change_goes_into_is_fetched_where_that_may_be(merge):
    folder, commits = merge
    upstream = folder / "upstream"
    git(folder, "clone", "--quiet", "--single-branch", "--branch=topic", f"file://{upstream}", "topic")
    platform = Platform(folder / "topic", "demo")
    with pytest.raises(MissingError, match="cannot find the newest commit of the target branch main"):
        bases.target(platform, "main", "", may_fetch=False)
    assert bases.target(platform, "main", "e" * 40, may_fetch=False) == "e" * 40
    assert bases.target(platform, "main", "", may_fetch=True) == git(upstream, "rev-parse", "main")
    assert bases.find(platform, git(upstream, "rev-parse", "main"), may_fetch=False) == commits["topic"]
    git(upstream, "commit", "--quiet", "--allow-empty", "--message", "more")
    assert bases.target(platform, "main", "", may_fetch=False) == git(upstream, "rev-parse", "main~1")
    assert bases.target(Platform(upstream, "demo"), "main", "e" * 40, may_fetch=True) == "e" * 40  # it has no remote


def shallow(merge):
    """A shallow clone of topic, after others merged into main; main's newest commit, which it lacks."""
    folder, _ = merge
    upstream = folder / "upstream"
    git(upstream, "commit", "--quiet", "--allow-empty", "--message", "what others merged")
    git(folder, "clone", "--quiet", "--depth=1", "--branch=topic", f"file://{upstream}", "cut")
    return Platform(folder / "cut", "demo"), git(upstream, "rev-parse", "main")


def test_a_shallow_clone_gets_the_history_where_that_may_be(merge):
    platform, newest = shallow(merge)
    assert bases.find(platform, newest, may_fetch=False) == newest
    assert bases.is_shallow(platform)
    assert bases.find(platform, newest, may_fetch=True) == merge[1]["topic"]
    assert not bases.is_shallow(platform)


@pytest.fixture
def cut(merge):
    """A shallow clone of topic that has the newest commit of main, too; that commit."""
    platform, newest = shallow(merge)
    git(platform.path, "fetch", "--quiet", "--depth=1", "origin", newest)
    return platform, newest


def test_the_history_is_fetched_where_the_remote_lacks_what_is_checked_out(merge, cut):
    """As a merge that the checkout made."""
    platform, newest = cut
    git(platform.path, "commit", "--quiet", "--allow-empty", "--message", "of this clone alone")
    said = []
    assert bases.find(platform, newest, may_fetch=True, say=said.append) == merge[1]["topic"]
    assert said == ["fetching the history that this shallow clone lacks"]


def time_out(monkeypatch, word):
    """Let each call of Git with a word exceed its time limit; the limits are added to the list."""
    limits, run = [], revisions.git

    def fetch(platform, *words, timeout_s=None):
        if word not in words:
            return run(platform, *words)
        limits.append(timeout_s)
        return ProcessResult(-15, "", "", 0.0, timed_out=True)

    monkeypatch.setattr(revisions, "git", fetch)
    return limits


def test_the_branch_gets_its_history_in_a_shallow_clone_and_that_is_told(merge, cut, monkeypatch):
    platform, newest = cut
    said = []
    assert bases.target(platform, "main", "", may_fetch=True, say=said.append) == newest
    assert said == ["fetching the branch main, with the history that this shallow clone lacks"]
    limits = time_out(monkeypatch, "fetch")
    with pytest.raises(MissingError, match="git fetch took longer than 30 minutes"):
        bases.target(platform, "main", "e" * 40, may_fetch=True)
    assert limits == [1800.0]
    said.clear()
    whole = Platform(merge[0] / "upstream", "demo")
    bases.target(whole, "main", newest, may_fetch=True, say=said.append)
    assert said == []


def test_a_base_is_found_without_the_history_where_that_takes_too_long(cut):
    platform, newest = cut
    said = []
    assert bases.find(platform, newest, may_fetch=True, say=said.append, may_deepen=False) == newest
    assert (said, bases.is_shallow(platform)) == ([], True)


def test_it_is_told_why_the_history_cannot_be_fetched(cut, monkeypatch):
    platform, newest = cut
    git(platform.path, "remote", "set-url", "origin", "/nonexistent")
    said = []
    assert bases.find(platform, newest, may_fetch=True, say=said.append) == newest
    assert said[1].startswith("warning: cannot fetch the history: ")
    assert "'/nonexistent' does not appear to be a git repository" in said[1]
    limits = time_out(monkeypatch, "--unshallow")
    assert bases.find(platform, newest, may_fetch=True, say=said.append) == newest
    assert said[-1] == "warning: cannot fetch the history: git fetch took longer than 30 minutes"
    assert limits == [1800.0]


@pytest.mark.parametrize("known", ["", "e" * 40])
def test_another_branch_or_an_older_commit_is_not_taken_where_the_fetch_fails(merge, known):
    folder, commits = merge
    git(folder, "clone", "--quiet", f"file://{folder}/upstream", "stale")
    platform = Platform(folder / "stale", "demo")
    with pytest.raises(MissingError, match="couldn't find remote ref"):
        bases.target(platform, "gone", known, may_fetch=True)
    git(folder / "stale", "remote", "set-url", "origin", "/nonexistent")
    with pytest.raises(MissingError, match="nonexistent"):
        bases.target(platform, "main", known, may_fetch=True)
    assert bases.target(platform, "main", commits["main"], may_fetch=True) == git(
        folder / "upstream", "rev-parse", "main"
    )
