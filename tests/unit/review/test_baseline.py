"""Which commit a change is held against, and how it is told where there is none. Real Git, no platform needed."""

import shutil
import subprocess

import pytest

from ngp.environments.environment import Platform
from ngp.errors import MissingError, UsageError
from ngp.review import baseline


def git(folder, *words):
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder, name, text="x\n"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", name)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def origin(tmp_path):
    """A repository whose main branch has two commits."""
    folder = tmp_path / "origin"
    folder.mkdir()
    git(folder, "init", "-qb", "main")
    commit(folder, "environments/dev/environment.yaml", "units: {}\n")
    commit(folder, "modules/base/base.tf")
    return folder


@pytest.fixture
def clone(origin, tmp_path):
    git(tmp_path, "clone", "-q", str(origin), "clone")
    return tmp_path / "clone"


def load(folder, ref=""):
    return baseline.load(Platform(folder, "acme"), ref)


def test_by_default_it_is_where_the_branch_left_the_default_branch_of_the_remote(origin, clone):
    left = git(clone, "rev-parse", "HEAD")
    git(clone, "checkout", "-qb", "work")
    commit(clone, "modules/mine/mine.tf")
    commit(origin, "modules/theirs/theirs.tf")
    git(clone, "fetch", "-q")
    found = load(clone)
    assert (found.commit, found.name) == (left, "where HEAD left origin/HEAD")
    assert found.changed == {"modules/mine/mine.tf"}


def test_without_a_remote_it_is_the_main_branch(origin):
    left = git(origin, "rev-parse", "HEAD")
    git(origin, "checkout", "-qb", "work")
    commit(origin, "modules/mine/mine.tf")
    assert (load(origin).commit, load(origin).name) == (left, "where HEAD left main")


def test_without_a_default_branch_it_is_what_is_not_committed(origin):
    git(origin, "branch", "-qm", "main", "own")
    (origin / "new.tf").write_text("")
    found = load(origin)
    assert (found.commit, found.name) == (git(origin, "rev-parse", "HEAD"), "HEAD")
    assert found.changed == {"new.tf"}


def test_a_remote_whose_default_branch_is_not_here_is_asked_about(origin, clone):
    git(clone, "checkout", "-qb", "work")
    git(clone, "push", "-q", "origin", "work")
    git(clone, "remote", "set-head", "origin", "--delete")
    git(clone, "branch", "-qdr", "origin/main")
    git(clone, "branch", "-qD", "main")
    with pytest.raises(UsageError, match="nothing says which commit") as told:
        load(clone)
    assert "--since REF" in told.value.findings[0].todo


def test_a_given_commit_is_taken_as_it_is_however_the_branches_went(origin, clone):
    git(clone, "checkout", "-qb", "work")
    commit(clone, "modules/mine/mine.tf")
    theirs = commit(origin, "modules/theirs/theirs.tf")
    git(clone, "fetch", "-q")
    found = load(clone, "origin/main")
    assert found.commit == theirs
    assert found.changed == {"modules/mine/mine.tf", "modules/theirs/theirs.tf"}


def test_changed_are_edited_gone_renamed_and_untracked_files_but_no_ignored_ones(origin):
    commit(origin, ".gitignore", "*.log\n")
    commit(origin, "modules/base/ünter\tall.sh", "one\n" * 50)
    git(origin, "mv", "modules/base/base.tf", "modules/base/main.tf")
    (origin / "modules/base/ünter\tall.sh").write_text("two\n")
    (origin / "modules/base/run.log").write_text("")
    (origin / "modules/base/new\n.tf").write_text("")
    assert load(origin, "HEAD").changed == {
        "modules/base/base.tf",
        "modules/base/main.tf",
        "modules/base/ünter\tall.sh",
        "modules/base/new\n.tf",
    }


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_text_is_compared_as_git_would_store_it(tmp_path, object_format):
    git(tmp_path, "init", "-qb", "main", f"--object-format={object_format}")
    commit(tmp_path, "environments/dev/units/a/main.tf", "ä\n")
    found = load(tmp_path)
    assert found.holds("environments/dev/units/a/main.tf", "ä\n")
    assert not found.holds("environments/dev/units/a/main.tf", "a\n")
    assert not found.holds("environments/dev/units/b/main.tf", "ä\n")


def test_a_platform_below_the_root_of_its_repository_has_its_own_paths(origin):
    shutil.copytree(origin / "environments", origin / "inner" / "environments")
    commit(origin, "inner/ngp.yaml")
    (origin / "modules/base/base.tf").write_text("another")
    (origin / "inner/environments/dev/environment.yaml").write_text("another")
    found = load(origin / "inner", "HEAD")
    assert found.changed == {"environments/dev/environment.yaml"}
    assert found.blobs.keys() == {"environments/dev/environment.yaml"}
    assert found.before == {"environments/dev/environment.yaml": "units: {}\n"}


def test_an_unknown_ref_is_told(origin):
    with pytest.raises(UsageError, match="Git knows no commit `v9`"):
        load(origin, "v9")


@pytest.mark.parametrize("ref", ["", "HEAD^"])
def test_a_shallow_clone_says_how_to_get_the_commit(origin, tmp_path, ref):
    """As a CI system fetches a pull request: one commit, and no branch to compare it with."""
    git(origin, "checkout", "-qb", "work")
    commit(origin, "modules/mine/mine.tf")
    git(tmp_path, "clone", "-q", "--depth=1", "--branch=work", origin.as_uri(), "shallow")
    git(tmp_path / "shallow", "remote", "set-head", "origin", "--delete")
    with pytest.raises(MissingError) as told:
        load(tmp_path / "shallow", ref)
    finding = told.value.findings[0]
    assert "shallow clone" in finding.why
    assert "git fetch --unshallow" in finding.todo


def test_shallow_branches_without_a_common_commit_say_so(origin, tmp_path):
    commit(origin, "modules/theirs/theirs.tf")
    git(origin, "checkout", "-qb", "work", "HEAD^")
    commit(origin, "modules/mine/mine.tf")
    git(origin, "checkout", "-q", "main")
    git(tmp_path, "clone", "-q", "--depth=1", "--no-single-branch", "--branch=work", origin.as_uri(), "shallow")
    with pytest.raises(MissingError, match="no common commit; this is a shallow clone"):
        load(tmp_path / "shallow")


def test_no_repository_is_a_missing_prerequisite(tmp_path):
    with pytest.raises(MissingError, match="not a git repository"):
        load(tmp_path)
