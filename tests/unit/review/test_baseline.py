"""Which commit a change is held against, and how it is told where there is none. Real Git, no platform needed."""

import shlex
import shutil

import pytest

from ngp.environments import revisions
from ngp.environments.environment import Platform
from ngp.errors import MissingError, UsageError
from ngp.review import baseline
from tests.git import git


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
    assert (found.commit, found.name) == (left, "where HEAD branched off origin/HEAD")
    assert found.changed == {"modules/mine/mine.tf"}


def test_without_a_remote_it_is_the_main_branch(origin):
    left = git(origin, "rev-parse", "HEAD")
    git(origin, "checkout", "-qb", "work")
    commit(origin, "modules/mine/mine.tf")
    assert (load(origin).commit, load(origin).name) == (left, "where HEAD branched off main")


def test_without_a_default_branch_it_is_what_is_not_committed(origin):
    git(origin, "branch", "-qm", "main", "own")
    (origin / "new.tf").write_text("")
    found = load(origin)
    assert (found.commit, found.name) == (git(origin, "rev-parse", "HEAD"), "HEAD")
    assert found.changed == {"new.tf"}


@pytest.mark.parametrize("words", [("FETCH_HEAD",), ("-b", "pr", "FETCH_HEAD")], ids=["detached", "on a branch"])
def test_a_fetched_commit_without_its_default_branch_is_asked_about(origin, tmp_path, words):
    """As some CI systems check out a pull request: no remote, no other branch."""
    git(origin, "checkout", "-qb", "work")
    commit(origin, "modules/mine/mine.tf")
    folder = tmp_path / "checkout"
    git(tmp_path, "init", "-q", "checkout")
    git(folder, "fetch", "-q", str(origin), "work")
    git(folder, "checkout", "-q", *words)
    with pytest.raises(UsageError, match="cannot tell which commit"):
        load(folder)


def test_a_detached_head_a_second_branch_or_a_remote_is_asked_about(origin):
    git(origin, "branch", "-qm", "main", "own")
    git(origin, "checkout", "-q", "--detach")
    with pytest.raises(UsageError, match="cannot tell which commit"):
        load(origin)
    git(origin, "checkout", "-q", "own")
    git(origin, "branch", "-q", "other")
    with pytest.raises(UsageError, match="cannot tell which commit"):
        load(origin)
    git(origin, "branch", "-qD", "other")
    git(origin, "remote", "add", "origin", "elsewhere")
    with pytest.raises(UsageError, match="cannot tell which commit"):
        load(origin)


def test_a_remote_whose_default_branch_is_not_here_is_asked_about(origin, clone):
    git(clone, "checkout", "-qb", "work")
    git(clone, "push", "-q", "origin", "work")
    git(clone, "remote", "set-head", "origin", "--delete")
    git(clone, "branch", "-qdr", "origin/main")
    git(clone, "branch", "-qD", "main")
    with pytest.raises(UsageError, match="cannot tell which commit") as told:
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
    (origin / "modules/base/new.tf").write_text("new")
    git(origin, "config", "diff.relative", "true")
    found = load(origin / "inner", "HEAD")
    assert found.changed == {
        "environments/dev/environment.yaml",
        "../modules/base/base.tf",
        "../modules/base/new.tf",
    }
    assert found.blobs.keys() == {"environments/dev/environment.yaml", "ngp.yaml"}
    assert found.before == {"environments/dev/environment.yaml": "units: {}\n"}


def test_the_texts_of_the_commit_are_those_of_each_file(origin):
    texts = {
        "ngp.yaml": "name: acme\nterraform: tofu",
        "environments/dev/terraform.tfvars": "",
        "environments/prod/environment.yaml": "units: {ü: {}}\n\n",
        "environments/stage/environment.yaml": "units: {}\n",
    }
    for name, text in texts.items():
        commit(origin, name, text)
    for name in texts:
        (origin / name).write_text("another")
    assert load(origin, "HEAD").before == texts


def test_as_many_processes_are_started_however_many_texts_differ(origin, monkeypatch):
    real, started = revisions.git, []
    monkeypatch.setattr(revisions, "git", lambda *words, **more: started.append(words) or real(*words, **more))
    for name in ("one", "two", "three"):
        commit(origin, f"environments/{name}/environment.yaml", name)
    load(origin, "HEAD")
    before = len(started)
    for name in ("one", "two", "three"):
        (origin / f"environments/{name}/environment.yaml").write_text("another")
    assert len(load(origin, "HEAD").before) == 3
    assert len(started) == 2 * before


def test_a_submodule_counts_whatever_its_repository_says_to_ignore(origin, tmp_path):
    git(tmp_path, "init", "-qb", "main", "shared")
    commit(tmp_path / "shared", "lib.tf")
    git(origin, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../shared", "modules/shared")
    git(origin, "config", "-f", ".gitmodules", "submodule.modules/shared.ignore", "all")
    git(origin, "add", "-A")
    git(origin, "commit", "-qm", "submodule")
    inside = origin / "modules" / "shared"
    assert load(origin, "HEAD").changed == set()
    (inside / "new.tf").write_text("")
    assert load(origin, "HEAD").changed == {"modules/shared"}
    (inside / "new.tf").unlink()
    commit(inside, "lib.tf", "another\n")
    assert load(origin, "HEAD").changed == {"modules/shared"}


def test_an_unknown_ref_is_told(origin):
    with pytest.raises(UsageError, match="Git has no commit `v9`"):
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
    run_advice(tmp_path / "shallow", finding.todo)
    assert load(tmp_path / "shallow", ref).commit


def run_advice(clone, todo):
    """Do what an error says is to be done."""
    words = shlex.split(todo[todo.index("git fetch") :].partition(" (")[0])
    git(clone, *words[1:])


def test_a_clone_of_one_branch_says_how_to_get_the_others(origin, tmp_path):
    git(origin, "checkout", "-qb", "work")
    commit(origin, "modules/mine/mine.tf")
    git(tmp_path, "clone", "-q", "--single-branch", "--branch=work", origin.as_uri(), "one")
    git(tmp_path / "one", "remote", "rename", "origin", "upstream")
    with pytest.raises(UsageError) as told:
        load(tmp_path / "one", "upstream/main")
    finding = told.value.findings[0]
    assert finding.why == "this is a clone of a single branch"
    run_advice(tmp_path / "one", finding.todo)
    assert load(tmp_path / "one", "upstream/main").changed == {"modules/mine/mine.tf"}


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
