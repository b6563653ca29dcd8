"""A pinned catalogue: the modules of a commit, whatever happens to the working tree."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ngp import files
from ngp.environments import documents, drafting, drafts, revisions
from ngp.environments.drafts import Choice
from ngp.errors import UsageError
from tests.git import git


@pytest.fixture
def commit(house):
    """The platform committed with the tag v1, and then a module changed."""
    git(house.path, "init", "-q")
    (house.path / "modules" / "network" / "image.bin").write_bytes(b"\x00\xff\r\n")
    git(house.path, "add", "-A")
    git(house.path, "commit", "-qm", "one")
    git(house.path, "tag", "v1")
    path = house.path / "modules" / "network" / "network-variables.tf"
    path.write_text(path.read_text() + 'variable "new" {\n  description = "N"\n  type = string\n}\n')
    return git(house.path, "rev-parse", "HEAD")


def test_the_head_of_a_platform_says_whether_something_is_not_committed(house, commit):
    assert revisions.head(house.path) == f"{commit[:7]}+"
    git(house.path, "add", "-A")
    git(house.path, "commit", "-qm", "two")
    assert revisions.head(house.path) == git(house.path, "rev-parse", "--short", "HEAD")


def test_a_platform_outside_of_git_has_no_head(house):
    assert revisions.head(house.path) == ""


def test_the_remote_to_fetch_from_is_not_just_the_first_by_name(house):
    git(house.path, "init", "-q")
    assert revisions.remote(house.platform) == ""
    for name, expected in (("upstream", "upstream"), ("a-mirror", "a-mirror"), ("origin", "origin")):
        git(house.path, "remote", "add", name, "https://example.com/x.git")
        assert revisions.remote(house.platform) == expected
    git(house.path, "config", "checkout.defaultRemote", "upstream")
    assert revisions.remote(house.platform) == "upstream"
    git(house.path, "config", "checkout.defaultRemote", "gone")
    assert revisions.remote(house.platform) == "origin"


def _pin(house, ref):
    subject = drafts.read(house.platform, "dev", ref)
    draft = drafting.prepare(subject, Choice(catalogue=ref))
    assert not draft.findings
    files.write_all(dict(draft.files))


def _modules(house, platform, ref):
    """The files of a commit's modules, by path relative to modules/."""
    environment = replace(documents.load(house.platform, "dev"), catalogue=ref)
    folder = revisions.catalogue_path(platform, environment)
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_pinned_environment_does_not_move_when_a_module_is_edited(house, commit):
    with pytest.raises(UsageError, match="network.new"):
        house.resolve()
    _pin(house, "v1")
    assert f"catalogue: {commit}" in house.read("environment.yaml")
    resolved = house.resolve()
    assert "new" not in resolved.bindings["network"].inputs
    assert (resolved.catalogue.path / "network" / "network.tf").is_file()


def test_letting_go_uses_the_working_tree_again(house, commit):
    before = house.read("environment.yaml")
    _pin(house, "v1")
    subject = drafts.read(house.platform, "dev", "")
    draft = drafting.prepare(subject, Choice(settings={("network", "new"): "x"}, catalogue=""))
    files.write_all(dict(draft.files))
    assert house.read("environment.yaml") == before
    assert house.resolve().bindings["network"].inputs["new"].value == "x"


def test_the_files_of_a_commit_come_byte_for_byte(house, commit):
    found = _modules(house, house.platform, "v1")
    assert found[Path("network/image.bin")] == b"\x00\xff\r\n"
    assert b'"new"' not in found[Path("network/network-variables.tf")]
    assert found.keys() == _modules(house, house.platform, commit).keys()


def test_a_platform_below_the_root_of_its_repository_has_its_own_modules(house, commit):
    inner = house.path / "inner"
    shutil.copytree(house.path / "modules", inner / "modules", ignore=lambda *_: ["dcos"])
    (inner / "ngp.yaml").write_text("name: inner\n")
    git(house.path, "add", "-A")
    git(house.path, "commit", "-qm", "two")
    from ngp.environments import platforms

    found = _modules(house, platforms.load(inner), "HEAD")
    assert {path.parts[0] for path in found} == {"database", "network", "openvpn", "registry", "swarm"}


@pytest.mark.parametrize("ref", ["v9", "-q", "HEAD:modules"])
def test_an_unknown_commit_is_told(house, commit, ref):
    with pytest.raises(UsageError, match="Git has no commit"):
        revisions.resolve(house.platform, ref)


def test_a_commit_without_modules_is_told(house, commit):
    git(house.path, "rm", "-rq", "--cached", "modules")
    git(house.path, "commit", "-qm", "none")
    with pytest.raises(UsageError, match="has no modules/"):
        revisions.resolve(house.platform, "HEAD")


def _copies(house, ref):
    copies = house.path / "environments" / "dev" / "modules"
    shutil.copytree(house.path / "modules", copies)
    (copies / revisions.PIN).write_text(f"# Rendered by ngp\n{revisions.origin(ref)}\n")
    return copies


def test_where_git_lacks_the_commit_the_copies_of_that_commit_count(house):
    """In a shallow clone, and in a folder that is no repository."""
    house.environment(f"catalogue: {'0' * 40}\n" + house.read("environment.yaml"))
    with pytest.raises(UsageError, match="holds no copy of its modules") as raised:
        house.resolve()
    assert "not a git repository" in raised.value.findings[0].why
    copies = _copies(house, "0" * 40)
    assert house.resolve().catalogue.path == copies
    (copies / revisions.PIN).unlink()
    with pytest.raises(UsageError, match="holds no copy of its modules"):
        house.resolve()


@pytest.mark.parametrize("ref", ["v9", "-q", "v1-typo"])
def test_copies_of_another_commit_never_pass_for_one_that_git_lacks(house, commit, ref):
    _copies(house, "v1")
    house.environment(f"catalogue: {ref}\n" + house.read("environment.yaml"))
    with pytest.raises(UsageError, match=f"Git has no commit `{ref}`, and .* holds the modules of `v1`") as raised:
        house.resolve()
    assert raised.value.findings[0].why == "fatal: Needed a single revision"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_repository_that_git_refuses_is_told_as_such(house, commit, monkeypatch):
    monkeypatch.delenv("SUDO_UID", raising=False)
    for path in (house.path, house.path / ".git"):
        os.chown(path, 65534, 65534)
    with pytest.raises(UsageError, match="Git has no commit") as raised:
        revisions.resolve(house.platform, "v1")
    assert "dubious ownership" in raised.value.findings[0].why


def test_what_a_hook_says_of_git_does_not_reach_us(house, commit, monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    assert revisions.resolve(house.platform, "v1") == commit
