"""Which commit removed a unit from environment.yaml, as Git tells it."""

import os
import shutil
import subprocess
from types import SimpleNamespace

import pytest

from ngp.environments import environment as platforms
from ngp.environments import history
from ngp.environments.history import Removal

FILE = "environments/dev/environment.yaml"


class Repository:
    """A Git repository with a platform in a subfolder."""

    def __init__(self, top):
        self.top, self.path, self.time = top, top / "platform", 1_800_000_000
        self.path.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *argv, cwd=None):
        self.time += 1  # a commit a second: Git lists the newest first
        env = {**os.environ, "GIT_COMMITTER_DATE": f"{self.time} +0000"}
        where = cwd or self.top
        done = subprocess.run(["git", *argv], cwd=where, env=env, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, text, subject="edit"):
        """Commit this text of environment.yaml (None: without the file); return the commit."""
        path = self.path / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink() if text is None else path.write_text(text)
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", subject)
        return self.git("rev-parse", "HEAD")[:10]

    def move(self, source, target, subject="move"):
        """Commit the folder of an environment under another name; return the commit."""
        self.git("mv", f"platform/environments/{source}", f"platform/environments/{target}")
        self.git("commit", "--quiet", "--message", subject)
        return self.git("rev-parse", "HEAD")[:10]

    def environments(self):
        return history.environments(platforms.Platform(self.path, "acme"))

    def removals(self, *names, path=None):
        return history.removals(SimpleNamespace(path=path or self.path), "dev", names)


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


def test_the_newest_removal_counts(repository):
    repository.commit("units:\n  a: {}\n  b: {}\n")
    repository.commit("units:\n  a: {}\n", "first")
    repository.commit("units:\n  a: {}\n  b: {}\n")
    gone = repository.commit("units:\n  a: {}\n  # no b\n", "Take b out | \x1f for good".replace("\x1f", "-"))
    repository.commit("units:\n  a: {}\n")
    found = repository.removals("a", "b", "never")
    assert found["a"] == Removal(module="a")  # HEAD has it
    assert (found["b"].commit, found["b"].subject) == (gone, "Take b out | - for good")
    assert found["b"].date
    assert "never" not in found


def test_an_edit_on_a_branch_that_still_had_the_unit_is_no_removal(repository):
    repository.commit("units:\n  a: {}\n  b: {}\n#\n#\n#\nx: 1\n")
    repository.git("switch", "--quiet", "--create", "side")
    repository.git("switch", "--quiet", "main")
    gone = repository.commit("units:\n  a: {}\n#\n#\n#\nx: 1\n", "Take b out")
    repository.git("switch", "--quiet", "side")
    repository.commit("units:\n  a: {}\n  b: {}\n#\n#\n#\nx: 2\n")
    repository.git("switch", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-edit", "side")
    assert repository.removals("b")["b"].commit == gone


def test_a_file_that_is_gone_removed_all_of_its_units(repository):
    repository.commit("units: {a: {}}\n")
    gone = repository.commit(None, "Drop dev")
    assert repository.removals("a")["a"].commit == gone


def test_a_name_in_another_place_is_no_unit(repository):
    repository.commit("units: {a: {}, b: {module: gone}}\nwiring: {a: {x: b.gone}}\n")
    repository.commit("units: {a: {}, b: {}}\n")
    assert repository.removals("gone") == {}


def test_one_state_for_all_takes_the_states_of_units_away_and_back(repository):
    repository.commit("units: {a: {}}\n")
    single = repository.commit("units: {a: {}}\nstate: single\n", "join")
    assert repository.removals("a")["a"].commit == single
    apart = repository.commit("units: {a: {}}\n", "part")
    assert repository.removals("root")["root"].commit == apart


def test_texts_that_are_no_environment_say_nothing(repository):
    repository.commit("units: {a: {}}\n")
    broken = repository.commit("units: [\n", "break")
    repository.commit("- 1\n")
    assert repository.removals("a")["a"].commit == broken


def test_without_git_or_history_nobody_knows(repository, tmp_path_factory):
    repository.commit("units: {a: {}}\n")
    repository.commit("units: {b: {}}\n")
    assert repository.removals("a", path=tmp_path_factory.mktemp("none")) == {}
    clone = tmp_path_factory.mktemp("shallow") / "clone"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.top}", str(clone))
    assert repository.removals("a", path=clone / "platform") == {}
    assert repository.removals() == {}


def test_a_removed_unit_is_told_with_its_module(repository):
    repository.commit("units: {a: {}, b: {module: base}, c: }\n")
    repository.commit("units: {a: {}}\n")
    repository.commit("units: {}\n")
    assert {name: one.module for name, one in repository.removals("a", "b", "c").items()} == {
        "a": "a",
        "b": "base",
        "c": "c",
    }


def test_the_environments_that_left_are_known_with_the_commit(repository):
    repository.commit("units: {a: {}}\n")
    moved = repository.move("dev", "stage", "Rename dev")
    again = repository.move("stage", "prod", "Once more")
    found = repository.environments()
    assert {name: (one.commit, one.subject) for name, one in found.items()} == {
        "dev": (moved, "Rename dev"),
        "stage": (again, "Once more"),
    }
    platform = platforms.Platform(repository.path, "acme")
    assert history.text_before(platform, "dev", found["dev"]) == "units: {a: {}}\n"


def test_an_environment_that_came_back_is_there_and_one_removed_but_not_committed_is_gone(repository):
    repository.commit("units: {a: {}}\n")
    repository.commit(None, "Drop dev")
    repository.commit("units: {a: {}}\n")
    assert repository.environments() == {}
    shutil.rmtree(repository.path / "environments" / "dev")
    found = repository.environments()
    assert found == {"dev": Removal()}
    platform = platforms.Platform(repository.path, "acme")
    assert history.text_before(platform, "dev", found["dev"]) == "units: {a: {}}\n"


def test_without_git_no_environment_left(repository, tmp_path_factory):
    assert repository.environments() == {}
    assert history.environments(platforms.Platform(tmp_path_factory.mktemp("none"), "acme")) == {}
