"""What writes modules, without a command: a new one, a copy of somebody else's, the pages of all."""

from dataclasses import replace
from pathlib import Path

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from ngp.catalogue import loading
from ngp.environments import platforms, remotes
from ngp.errors import NgpError, UsageError
from ngp.rendering import adopting, module_pages, scaffold
from ngp.rendering.scaffold import ModuleRequest
from ngp.views import module_questions

SAID = ModuleRequest("web-site", "", "web", "It serves.")


@pytest.fixture
def home(platform):
    return platforms.load(platform)


def test_a_new_module_has_its_page_and_the_title_of_its_name(home):
    written = scaffold.create(home, SAID, pytest.fail)  # nothing is missing, so nobody is asked
    assert home.path / "modules/web-site/web-site.tf" in written
    assert loading.load_module(home.path / "modules" / "web-site").manifest.title == "Web site"
    assert module_pages.update(home, ["web-site"], write=False).stale == ()


def test_what_is_missing_is_asked_once_the_name_will_do(home):
    def complete(request, catalogue):
        assert "base" in catalogue.modules
        return replace(request, category="web", summary="Asked.")

    lacking = replace(SAID, category="", summary="")
    with pytest.raises(UsageError, match="already exists"):
        scaffold.create(home, replace(lacking, name="base"), pytest.fail)
    assert scaffold.create(home, lacking, complete)
    assert loading.load_module(home.path / "modules" / "web-site").manifest.summary == "Asked."


def test_each_missing_word_is_named_with_its_flag_where_nobody_is_asked(home):
    with pytest.raises(UsageError) as caught:
        scaffold.create(home, replace(SAID, category="", summary=""))
    assert [one.todo for one in caught.value.findings] == ["pass `--category TEXT`", "pass `--summary TEXT`"]
    assert not (home.path / "modules" / "web-site").exists()


def test_the_author_may_name_a_new_category(home):
    catalogue = loading.load(home.path / "modules")
    below = len({module.manifest.category for module in catalogue.modules.values()})
    with create_pipe_input() as pipe:
        pipe.send_text("\x1b[B" * below + "\r" + "shops\r" + "\r" + "Sells.\r" + "\r")
        asked = replace(SAID, category="", summary="")
        found = module_questions.complete(asked, catalogue, input=pipe, output=DummyOutput())
    assert found == ModuleRequest("web-site", "Web site", "shops", "Sells.", ())


@pytest.fixture
def upstream(tmp_path):
    folder = tmp_path / "terraform-aws-box"
    folder.mkdir()
    (folder / "main.tf").write_text('resource "terraform_data" "box" {\n  input = var.size\n}\n')
    (folder / "variables.tf").write_text('variable "size" {\n  type = number\n}\n')
    (folder / "outputs.tf").write_text('output "box" {\n  value = terraform_data.box.output\n}\n')
    (folder / "README.md").write_text("# Box\n\nKeeps things.\n")
    return folder


def adopt(home, upstream, agree):
    return adopting.adopt(home, remotes.parse(str(upstream), "", home.path, home.path), "", agree)


def test_a_copy_changes_only_on_a_yes(home, upstream):
    first = adopt(home, upstream, pytest.fail)  # a new one is not asked about
    assert (first.name, first.adoption.changes) == ("box", None)
    assert Path("modules/box/main.tf") in first.written
    (upstream / "outputs.tf").unlink()
    (upstream / "variables.tf").write_text('variable "size" {\n  type = string\n}\n')
    asked = []
    with pytest.raises(NgpError, match="the copy was not changed"):
        adopt(home, upstream, lambda name, changes: asked.append((name, changes)))
    assert [name for name, _ in asked] == ["box"]
    assert (home.path / "modules/box/outputs.tf").exists()
    done = adopt(home, upstream, lambda *_: True)
    assert done.removed == (Path("modules/box/outputs.tf"),)
    assert not (home.path / "modules/box/outputs.tf").exists()


def test_stale_pages_are_named_and_written_only_where_that_is_asked(home):
    scaffold.create(home, SAID)
    page = home.path / "modules/web-site/README.md"
    fresh = page.read_text()
    page.write_text(fresh.replace("`message`", "`massage`"))
    stale = page.read_text()
    found = module_pages.update(home, ["web-site"], write=False)
    assert (found.modules, found.stale) == (("web-site",), (Path("modules/web-site/README.md"),))
    assert page.read_text() == stale != fresh
    module_pages.update(home, ["web-site"], write=True)
    assert page.read_text() == fresh


def test_outside_a_platform_the_catalogue_is_that_of_ngp(home, tmp_path):
    own, is_own = platforms.load_catalogue(home.path / "modules", tmp_path)
    shipped, is_other = platforms.load_catalogue(tmp_path, tmp_path / "cache")
    assert (is_own, is_other) == (True, False)
    assert "base" in own.modules
    assert "network" in shipped.modules
