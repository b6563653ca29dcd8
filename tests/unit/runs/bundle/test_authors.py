"""Who wrote the change that a bundle is of: merges, co-authors, shallow clones. Real Git."""

import os
import subprocess

import pytest

from ngp.environments import platforms
from ngp.runs.bundle import authors

YAML = "name: demo\nprotected: [prod]\n"


def git(folder, *words, by="anna", committer=""):
    """Run Git as somebody; `committer` is another person than the author."""
    who = {"GIT_AUTHOR_NAME": by, "GIT_AUTHOR_EMAIL": f"{by}@example.com"}
    name = committer or by
    who |= {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": f"{name}@example.com"}
    done = subprocess.run(["git", *words], cwd=folder, env=os.environ | who, check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Repository:
    """A remote, and a clone in which people commit."""

    def __init__(self, folder):
        self.remote, self.clone = folder / "remote.git", folder / "clone"
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", self.remote)
        first = folder / "first"
        git(folder, "init", "--quiet", "--initial-branch=main", first)
        self.commit("ngp.yaml", YAML, by="root", folder=first)
        git(first, "push", "--quiet", self.remote, "main")
        git(folder, "clone", "--quiet", self.remote, self.clone)
        git(self.clone, "config", "user.email", "maker@example.com")

    def commit(self, name, text="", by="anna", folder=None, committer="", message="A change"):
        folder = folder or self.clone
        (folder / name).write_text(text)
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", message, by=by, committer=committer)

    def branch(self, name="change"):
        git(self.clone, "switch", "--quiet", "--create", name)

    def merge(self, name="change", by="carl"):
        git(self.clone, "switch", "--quiet", "main")
        git(self.clone, "merge", "--quiet", "--no-ff", "--no-edit", name, by=by)

    def push(self):
        git(self.clone, "push", "--quiet", "origin", "HEAD:main")

    def look(self, folder=None):
        return authors.collect(platforms.load(folder or self.clone)).commit

    def people(self):
        found = self.look()
        assert found.unknown == ""
        return [one.removesuffix("@example.com") for one in found.authors]


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


def test_the_authors_of_all_commits_of_a_branch_count(repository):
    repository.branch()
    repository.commit("a", by="anna")
    repository.commit("b", by="ben")
    assert repository.people() == ["anna", "ben"]
    assert repository.look().id == git(repository.clone, "rev-parse", "HEAD")
    assert authors.collect(platforms.load(repository.clone)).maker == "maker@example.com"


def test_committers_and_co_authors_count(repository):
    repository.branch()
    message = "A change\n\nText\n\nco-authored-by: Ben B. <ben@example.com>\nCo-authored-by: Dora <dora@example.com>"
    repository.commit("a", by="anna", committer="carl", message=message)
    assert repository.people() == ["anna", "ben", "carl", "dora"]


def test_on_the_default_branch_a_merge_by_another_person_counts_for_those_who_wrote_it(repository):
    repository.branch()
    repository.commit("a", by="anna")
    repository.commit("b", by="ben")
    repository.merge(by="carl")
    repository.push()
    assert repository.people() == ["anna", "ben"]  # and not carl, who changed nothing


def test_a_merge_that_changes_something_itself_counts(repository):
    repository.branch()
    repository.commit("a", by="anna")
    git(repository.clone, "switch", "--quiet", "main")
    git(repository.clone, "merge", "--quiet", "--no-ff", "--no-commit", "change", by="carl")
    repository.commit("b", "more", by="carl")
    assert git(repository.clone, "rev-list", "--count", "--merges", "HEAD") == "1"
    repository.push()
    assert repository.people() == ["anna", "carl"]


def test_on_the_default_branch_the_newest_commit_counts(repository):
    repository.commit("a", by="anna")
    repository.commit("b", by="ben")
    repository.push()
    assert repository.people() == ["ben"]


def test_what_a_branch_took_from_the_default_branch_counts_for_nobody(repository):
    repository.branch()
    repository.commit("a", by="anna")
    git(repository.clone, "switch", "--quiet", "main")
    repository.commit("b", by="dora")
    repository.push()
    git(repository.clone, "switch", "--quiet", "change")
    git(repository.clone, "merge", "--quiet", "--no-edit", "main", by="carl")
    assert repository.people() == ["anna"]


def test_the_base_is_the_branch_that_the_rules_are_from(repository, tmp_path):
    """Another remote that has the change already takes no author away."""
    repository.branch()
    repository.commit("a", by="anna")
    repository.commit("b", by="ben")
    git(tmp_path, "clone", "--quiet", "--bare", repository.clone, tmp_path / "fork.git")
    git(repository.clone, "remote", "add", "a-fork", tmp_path / "fork.git")
    git(repository.clone, "fetch", "--quiet", "a-fork")
    git(repository.clone, "symbolic-ref", "refs/remotes/a-fork/HEAD", "refs/remotes/a-fork/change")
    assert repository.people() == ["anna", "ben"]


@pytest.mark.parametrize("is_asked", [True, False])
def test_a_checkout_of_ci_asks_for_the_base_or_says_that_it_is_unknown(repository, tmp_path, is_asked):
    repository.branch()
    repository.commit("a", by="anna")
    repository.commit("b", by="ben")
    git(repository.clone, "push", "--quiet", "origin", "change")
    runner = tmp_path / "runner"
    git(tmp_path, "init", "--quiet", runner)
    git(runner, "remote", "add", "origin", repository.remote)
    git(runner, "fetch", "--quiet", "origin", "change")
    git(runner, "checkout", "--quiet", "--detach", "FETCH_HEAD")
    (runner / "ngp.yaml").write_text("name: demo\n")  # as a change that protects nothing
    if not is_asked:
        repository.remote.rename(tmp_path / "gone.git")
    found = repository.look(runner)
    if is_asked:
        assert (found.authors, found.unknown) == (("anna@example.com", "ben@example.com"), "")
    else:
        assert found.unknown == "this clone does not know the remote's default branch"


def shallow(repository, tmp_path, depth, branch="main"):
    folder = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", f"--depth={depth}", "--branch", branch, f"file://{repository.remote}", folder)
    git(folder, "fetch", "--quiet", f"--depth={depth}", "origin", "main:refs/remotes/origin/main")
    git(folder, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    return folder


def test_a_shallow_clone_that_lacks_commits_of_the_change_says_so(repository, tmp_path):
    repository.branch()
    repository.commit("a", by="anna")
    repository.commit("b", by="ben")
    git(repository.clone, "push", "--quiet", "origin", "change")
    folder = shallow(repository, tmp_path, 1, "change")
    assert repository.look(folder).unknown == "the clone is shallow and lacks commits of the change"
    git(folder, "fetch", "--quiet", "--deepen=5", "origin", "change", "main")
    found = repository.look(folder)
    assert (found.authors, found.unknown) == (("anna@example.com", "ben@example.com"), "")


@pytest.mark.parametrize("is_merge", [True, False])
def test_of_a_shallow_clone_of_the_default_branch_a_plain_commit_is_known_whole(repository, tmp_path, is_merge):
    repository.branch()
    repository.commit("a", by="anna")
    if is_merge:
        repository.merge()
    repository.push()
    found = repository.look(shallow(repository, tmp_path, 1))
    assert bool(found.unknown) == is_merge
    assert is_merge or found.authors == ("anna@example.com",)


def test_a_replacement_object_hides_no_author(repository):
    repository.branch()
    repository.commit("a", by="anna")
    mine = git(repository.clone, "commit-tree", "HEAD^{tree}", "-p", "HEAD^", "-m", "Mine", by="eve")
    git(repository.clone, "replace", "HEAD", mine)
    assert repository.people() == ["anna"]


def test_outside_of_git_nobody_is_known(tmp_path):
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "ngp.yaml").write_text(YAML)
    found = authors.collect(platforms.load(tmp_path / "plain")).commit
    assert (found.id, found.authors) == ("", ())
    assert found.unknown == "no commit of a Git repository contains the platform"


def test_a_change_of_too_many_commits_says_so(repository, monkeypatch):
    monkeypatch.setattr(authors, "_MOST", 2)
    repository.branch()
    for name in "abc":
        repository.commit(name, by=name)
    assert repository.look().unknown == "the change has more than 2 commits"
