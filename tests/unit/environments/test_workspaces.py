"""The private folder of a platform: nobody else reads it, and Git brings nothing into it."""

import pytest

from ngp.environments import revisions, workspaces
from ngp.errors import RefusedError
from tests.git import git


@pytest.fixture
def platform(tmp_path):
    path = tmp_path / "repository/infra"
    path.mkdir(parents=True)
    (path / "ngp.yaml").write_text("name: little\n")
    git(path.parent, "init", "--quiet")
    git(path.parent, "add", ".")
    return path


def mode(path):
    return path.stat().st_mode & 0o777


def test_the_folder_is_made_and_is_private(platform):
    assert mode(workspaces.require_own(platform).path) == 0o700


def test_a_folder_that_others_can_read_is_closed(platform):
    (platform / ".ngp").mkdir(mode=0o755)
    workspaces.require_own(platform)
    assert mode(platform / ".ngp") == 0o700


def test_of_a_link_the_folders_in_it_are_closed_and_its_target_is_left_as_it_is(platform, tmp_path):
    disk = tmp_path / "disk"
    (disk / "cache").mkdir(parents=True, mode=0o755)
    disk.chmod(0o755)
    (platform / ".ngp").symlink_to(disk)
    workspaces.require_own(platform)
    assert (mode(disk), mode(disk / "cache"), mode(disk / "state")) == (0o755, 0o700, 0o700)


@pytest.mark.parametrize("is_folder", [True, False], ids=["inside", "itself"])
def test_what_git_brought_is_refused_and_named(platform, tmp_path, is_folder):
    (tmp_path / "victim").mkdir()
    link = platform / (".ngp/locks" if is_folder else ".ngp")
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path / "victim")
    git(platform, "add", "--force", ".")
    with pytest.raises(RefusedError) as caught:
        workspaces.require_own(platform)
    (finding,) = caught.value.findings
    assert finding.where == str(link)
    assert "git rm -r --cached .ngp" in finding.todo
    assert not any((tmp_path / "victim").iterdir())


def test_what_a_later_pull_brings_is_refused_too(platform):
    workspaces.require_own(platform)
    (platform / ".ngp/locks").mkdir()
    (platform / ".ngp/locks/dev.lock").write_text("")
    git(platform, "add", "--force", ".ngp/locks/dev.lock")
    with pytest.raises(RefusedError):
        workspaces.require_own(platform)


def test_git_is_asked_once_for_each_state_of_its_index(platform, monkeypatch):
    asked = []
    real = revisions.run_git
    monkeypatch.setattr(revisions, "run_git", lambda *words, **more: asked.append(words) or real(*words, **more))
    for _ in range(3):
        workspaces.require_own(platform)
    assert len(asked) == 1
    (platform / "more").write_text("")
    git(platform, "add", "more")
    workspaces.require_own(platform)
    assert len(asked) == 2


def test_a_work_tree_of_its_own_is_checked(platform, tmp_path):
    git(platform, "commit", "--quiet", "--message", "x")
    git(platform, "worktree", "add", "--quiet", str(tmp_path / "other"))
    other = tmp_path / "other/infra"
    (other / ".ngp").mkdir()
    (other / ".ngp/x").write_text("")
    git(other, "add", "--force", ".ngp/x")
    with pytest.raises(RefusedError):
        workspaces.require_own(other)
    workspaces.require_own(platform)


def test_without_git_nothing_is_asked(tmp_path):
    assert workspaces.require_own(tmp_path).path == tmp_path / ".ngp"
