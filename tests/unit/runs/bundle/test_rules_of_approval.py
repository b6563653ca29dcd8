"""The rules of approval come from the remote's default branch, whatever the work tree says."""

import os
import shutil

import pytest

from ngp.environments import platforms
from ngp.environments.environment import Approval
from ngp.errors import MissingError, RefusedError, UsageError
from ngp.runs.bundle import rules
from tests.git import git


def refs(folder):
    names = ("FETCH_HEAD", "packed-refs", "shallow", "config", "HEAD", "index")
    found = {name: path.read_bytes() for name in names if (path := folder / ".git" / name).exists()}
    return found, git(folder, "for-each-ref"), git(folder, "status", "--porcelain")


def test_the_rules_are_those_of_the_default_branch_and_their_commit_is_recorded(two, approved, person):
    tip = two.merge(approved)
    two.commit(two.clone, "name: demo\nprotected: []\n")  # a change that rewrites the rules for itself
    platform = two.platform
    before = refs(two.clone)
    found = rules.read(platform)
    assert (found.commit, found.source, found.where) == (tip, "origin/main", "origin/main:ngp.yaml")
    assert found.platform.protected == ("prod",)
    assert found.platform.approvals == {"prod": Approval(("anna@example.com", "ben@example.com"), 2)}
    assert found.platform.emergency == {"prod": ("anna@example.com",)}
    assert found.platform.path == two.clone
    assert refs(two.clone) == before, "no ref, FETCH_HEAD or file of the clone may move"


def test_a_branch_that_was_never_pushed_and_a_moved_tracking_ref_say_nothing(two, approved):
    tip = two.merge(approved)
    mine = two.commit(two.clone, f"{two.PLAIN}state: local\n")
    git(two.clone, "update-ref", "refs/remotes/origin/main", mine)
    assert rules.read(two.platform).commit == tip


def test_a_replacement_object_does_not_stand_in_for_the_rules(two, approved):
    tip = two.merge(approved)
    git(two.clone, "fetch", "--quiet")
    mine = two.commit(two.clone, "name: demo\nprotected: []\n")
    git(two.clone, "replace", tip, mine)
    assert rules.read(two.platform).platform.protected == ("prod",)


def test_the_platform_may_lie_in_a_folder_of_the_repository(two_in, approved):
    two = two_in("platforms/eu/")
    two.merge(approved)
    assert rules.read(two.platform).platform.approvals["prod"].count == 2


def test_the_default_branch_is_what_the_remote_says(two, approved):
    git(two.upstream, "checkout", "--quiet", "-b", "trunk")
    tip = two.commit(two.upstream, approved)
    git(two.upstream, "push", "--quiet", "origin", "trunk")
    git(two.remote, "symbolic-ref", "HEAD", "refs/heads/trunk")
    found = rules.read(two.platform)
    assert (found.commit, found.source) == (tip, "origin/trunk")


def test_a_clone_of_few_commits_stays_one_and_a_whole_one_stays_whole(two, tmp_path, approved):
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{two.remote}", shallow)
    two.merge(approved.replace("count: 2", "count: 1"))
    tip = two.merge(approved)
    assert rules.read(platforms.load(shallow)).commit == tip
    assert git(shallow, "rev-parse", "--is-shallow-repository") == "true"
    assert git(shallow, "rev-list", "--count", tip) == "1"
    assert rules.read(two.platform).commit == tip
    assert git(two.clone, "rev-parse", "--is-shallow-repository") == "false"
    assert git(two.clone, "rev-list", "--count", tip) == "3"


def test_which_remote_counts_can_be_said(two, tmp_path, approved):
    git(tmp_path, "clone", "--quiet", "--bare", two.remote, tmp_path / "fork.git")
    git(two.clone, "remote", "add", "fork", tmp_path / "fork.git")
    two.merge(approved)
    assert rules.read(two.platform).source == "origin/main"
    git(two.clone, "config", "checkout.defaultRemote", "fork")
    assert rules.read(two.platform).source == "fork/main"
    git(two.clone, "config", "--unset", "checkout.defaultRemote")
    git(two.clone, "remote", "rename", "origin", "upstream")
    with pytest.raises(MissingError) as caught:
        rules.read(two.platform)
    assert "fork, upstream" in str(caught.value)
    assert "checkout.defaultRemote" in caught.value.findings[0].todo


def test_no_repository_no_remote_and_no_answer_are_told_apart(two, tmp_path):
    git(two.clone, "remote", "set-url", "origin", str(tmp_path / "gone.git"))
    with pytest.raises(MissingError, match=r"cannot read the approval rules from the remote `origin`.*gone\.git"):
        rules.read(two.platform)
    git(two.clone, "remote", "remove", "origin")
    with pytest.raises(MissingError, match="this repository has no remote"):
        rules.read(two.platform)
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "ngp.yaml").write_text(two.PLAIN)
    with pytest.raises(MissingError, match="not in a Git repository"):
        rules.read(platforms.load(tmp_path / "bare"))


def test_credentials_of_an_address_are_not_told(two, tmp_path, monkeypatch):
    """Git leaves them out by itself, but for what helpers and older versions say."""
    real, said = shutil.which("git"), "fatal: no answer from https://me:hunter2@git.example.com/x.git"
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "git"
    script.write_text(f'#!/bin/sh\ncase "$*" in *ls-remote*) echo "{said}" >&2; exit 128;; esac\nexec "{real}" "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(MissingError) as caught:
        rules.read(two.platform)
    assert "https://git.example.com/x.git" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_empty_remote_has_no_rules(two, tmp_path):
    git(tmp_path, "init", "--quiet", "--bare", tmp_path / "empty.git")
    git(two.clone, "remote", "set-url", "origin", str(tmp_path / "empty.git"))
    with pytest.raises(MissingError, match="no default branch"):
        rules.read(two.platform)


def test_a_default_branch_without_the_platform_refuses(two):
    git(two.upstream, "rm", "--quiet", "ngp.yaml")
    (two.upstream / "README").write_text("moved")
    two.commit(two.upstream, "gone", "README")
    git(two.upstream, "push", "--quiet", "origin", "HEAD:main")
    with pytest.raises(RefusedError, match=r"origin/main has no ngp\.yaml"):
        rules.read(two.platform)


def test_what_is_wrong_in_them_is_told_at_their_place(two, approved):
    two.merge(approved.replace("count: 2", "count: 3"))
    with pytest.raises(UsageError, match=r"^origin/main:ngp\.yaml:7: `prod` needs 3 approvals, and only 2 may approve"):
        rules.read(two.platform)


def test_without_git_it_is_named(two, monkeypatch, tmp_path):
    platform = two.platform
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match="git is not on PATH"):
        rules.read(platform)
    assert rules.is_protected(platform, "prod")
    with pytest.raises(MissingError, match="git is not on PATH"):
        rules.is_protected(platform, "dev")
    assert not rules.is_protected_here(platform, "dev")


def test_protection_that_a_change_takes_away_holds_until_it_is_merged(two):
    two.commit(two.clone, "name: demo\nprotected: []\n")
    for is_protected in (rules.is_protected, rules.is_protected_here):
        assert is_protected(two.platform, "prod")
        assert not is_protected(two.platform, "dev")
    two.merge("name: demo\nprotected: []\n")
    assert not rules.is_protected(two.platform, "prod")
    assert rules.is_protected_here(two.platform, "prod"), "nobody has fetched yet"
    git(two.clone, "fetch", "--quiet")
    assert not rules.is_protected_here(two.platform, "prod")


def checkout(two, folder):
    """What runners of CI systems make: the commit of a change that protects nothing, and no other ref."""
    two.commit(two.clone, "name: demo\nprotected: []\n")
    git(two.clone, "push", "--quiet", "origin", "HEAD:refs/heads/change")
    git(folder.parent, "init", "--quiet", folder)
    git(folder, "remote", "add", "origin", two.remote)
    git(folder, "fetch", "--quiet", "--no-tags", "--depth=1", f"file://{two.remote}", "change:refs/remotes/pull/1")
    git(folder, "checkout", "--quiet", "--detach", "refs/remotes/pull/1")
    return platforms.load(folder)


def test_a_checkout_of_ci_that_knows_no_default_branch_asks_for_it(two, tmp_path):
    runner = checkout(two, tmp_path / "runner")
    assert rules.last_protected(runner) is None
    for is_protected in (rules.is_protected, rules.is_protected_here):
        assert is_protected(runner, "prod")
        assert not is_protected(runner, "dev")
    two.remote.rename(tmp_path / "gone.git")
    with pytest.raises(MissingError, match="cannot read the approval rules from the remote `origin`"):
        rules.is_protected(runner, "prod")
    assert not rules.is_protected_here(runner, "prod"), "what changes nothing goes on"


def forget_head(two):
    git(two.clone, "remote", "set-head", "origin", "--delete")


def move_head(two):
    git(two.clone, "update-ref", "--no-deref", "refs/remotes/origin/HEAD", "HEAD")


@pytest.mark.parametrize("spoil", [forget_head, move_head])
def test_refs_of_the_clone_protect_nothing_and_take_nothing_away(two, spoil):
    two.commit(two.clone, "name: demo\nprotected: []\n")
    spoil(two)
    assert rules.is_protected(two.platform, "prod")


def test_rules_that_cannot_be_read_take_no_protection_away(two):
    two.commit(two.clone, "name: demo\nprotected: []\n")
    two.merge("name: demo\nprotected: prod\n")
    git(two.clone, "fetch", "--quiet")
    with pytest.raises(UsageError, match=r"^origin/main:ngp\.yaml:2"):
        rules.is_protected(two.platform, "prod")
    assert rules.last_protected(two.platform) is None


def test_a_platform_that_a_change_moves_to_another_folder_is_not_free(two):
    (two.clone / "eu").mkdir()
    git(two.clone, "mv", "ngp.yaml", "eu/ngp.yaml")
    two.commit(two.clone, "name: demo\nprotected: []\n", "eu/ngp.yaml")
    with pytest.raises(RefusedError, match=r"origin/main has no ngp\.yaml"):
        rules.is_protected(platforms.load(two.clone / "eu"), "prod")


def test_a_repository_that_git_refuses_to_read_is_not_free(two):
    """As that of another owner in a container."""
    platform = two.platform
    (two.clone / ".git" / "config").write_text("[broken")
    with pytest.raises(MissingError, match="not in a Git repository"):
        rules.is_protected(platform, "dev")


def test_without_a_remote_the_work_tree_alone_counts(two, tmp_path):
    git(two.clone, "remote", "remove", "origin")
    assert rules.is_protected(two.platform, "prod")
    assert not rules.is_protected(two.platform, "dev")
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "ngp.yaml").write_text(two.PLAIN)
    assert not rules.is_protected(platforms.load(tmp_path / "bare"), "dev")


def test_what_the_work_tree_protects_needs_no_answer(two, tmp_path):
    two.remote.rename(tmp_path / "gone.git")
    assert rules.is_protected(two.platform, "prod")


def test_protection_in_the_work_tree_holds_at_once(two):
    (two.clone / "ngp.yaml").write_text("name: demo\nprotected: [dev]\n")
    assert rules.is_protected(two.platform, "dev")
