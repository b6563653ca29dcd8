from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import ngp
from ngp import cli, files, shipped
from ngp.catalogue import loading
from ngp.environments import platforms
from ngp.errors import UsageError
from ngp.rendering import dummies, skeleton


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "acme"
    files.write_all(skeleton.render(folder, "acme"))
    return folder


def test_new_platform_can_be_read_and_was_rendered_by_this_version(made):
    platform = platforms.load(platforms.find(made / "environments"))
    assert (platform.name, platform.rendered_by) == ("acme", ngp.__version__)


def test_new_platform_has_the_shipped_catalogue_and_its_lock(made):
    shipped_names = sorted(loading.load(shipped.modules()).modules)
    assert sorted(loading.load(made / "modules").modules) == shipped_names
    assert (made / ".terraform.lock.hcl").read_bytes() == shipped.lock_file().read_bytes()
    assert (made / dummies.FILE).read_text() == dummies.render(loading.load(made / "modules"))


def test_new_platform_ignores_what_runs_leave(made):
    ignored = (made / ".gitignore").read_text().splitlines()
    assert {".ngp", ".terraform/", "wired.auto.tfvars.json", "*.tfstate"} <= set(ignored)


def test_every_folder_of_the_layout_is_there(made):
    assert (made / "environments/.gitkeep").is_file()
    assert (made / "templates/README.md").is_file()
    assert "# acme\n" in (made / "README.md").read_text()


@pytest.mark.parametrize("inner", ["", "environments/dev", "new"])
def test_inside_a_platform_it_says_what_initialises_terraform(made, inner):
    with pytest.raises(UsageError) as caught:
        skeleton.render(made / inner, "other")
    assert caught.value.findings[0].where == str(made)
    assert "`ngp plan` initialises Terraform itself" in caught.value.findings[0].why


def test_repository_of_another_project_inside_a_platform_is_free(made):
    (made / "sub/.git").mkdir(parents=True)
    assert skeleton.render(made / "sub/platform", "other")


def test_a_platform_in_a_folder_of_a_repository_has_no_pipelines_where_nobody_reads_them(tmp_path, capsys, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    assert cli.run(["init", "infra"]) == 0
    assert not (tmp_path / "infra/.github").exists()
    assert "cd " in (said := capsys.readouterr().err)
    assert "&& ngp env new dev && ngp ci init github" in said
    assert "git init" not in said
    assert (tmp_path / "infra/.gitignore").is_file()


def test_files_in_the_way_are_all_named(tmp_path):
    for name in ("README.md", ".gitignore"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError) as caught:
        skeleton.render(tmp_path, "acme")
    assert [finding.where for finding in caught.value.findings] == [
        str(tmp_path / ".gitignore"),
        str(tmp_path / "README.md"),
    ]


def test_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(UsageError, match="not a folder"):
        skeleton.render(tmp_path / "x", "acme")


@pytest.mark.parametrize("name", ["", "a", "Acme", "1st", "a--b", "x" * 25])
def test_names_that_cannot_be_are_refused(tmp_path, name):
    with pytest.raises(UsageError) as caught:
        skeleton.render(tmp_path, name)
    assert "--project" in caught.value.findings[0].todo


@pytest.mark.parametrize(("folder", "name"), [("My Platform", "my-platform"), ("2nd_try-", "nd-try"), ("...", "")])
def test_name_comes_from_the_folder(folder, name):
    assert skeleton.default_name(Path("/x") / folder) == name


def test_editors_find_the_schema_of_every_yaml_file_that_ngp_writes(made, tmp_path, monkeypatch):
    """Each modeline leads to a file that is there, also in what is made later."""
    made = shutil.copytree(made, tmp_path / "acme")
    monkeypatch.chdir(made)
    facts = ["--sandbox", "--region", "eu-west-1", "--domain", "dev.example.com"]
    assert cli.run(["env", "new", "dev", *facts]) == 0
    assert cli.run(["env", "new", "lab", "--from", "dev", *facts]) == 0
    assert cli.run(["module", "new", "mailbox", "--category", "base", "--summary", "It.", "--no-input"]) == 0
    assert cli.run(["render"]) == 0
    for name in (
        "ngp.yaml",
        "environments/dev/environment.yaml",
        "environments/lab/environment.yaml",
        "modules/mailbox/module.yaml",
    ):
        lines = [line for line in (made / name).read_text().splitlines() if line.startswith(platforms.SCHEMA_COMMENT)]
        assert len(lines) == 1, name
        schema = (made / name).parent / lines[0].removeprefix(platforms.SCHEMA_COMMENT)
        assert json.loads(schema.read_text())["properties"], name
