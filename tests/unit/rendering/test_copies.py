from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from ngp.environments.binding import Binding, ValueSource
from ngp.errors import UsageError
from ngp.rendering import copies, roots


@pytest.fixture
def modules(tmp_path):
    folder = tmp_path / "modules"
    for path, text in {
        "alb/alb.tf": 'module "tags" {\n  source = "../tags"\n}\n',
        "alb/files/boot.sh": "echo ü\r\n",
        "alb/.terraform/x": "no",
        "tags/tags.tf": "# tags\n",
        "other/other.tf": "",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
    return folder


def test_used_modules_and_their_siblings_are_copied_as_they_are(modules):
    assert copies.collect(modules, ["alb"]) == {
        PurePosixPath("alb/alb.tf"): 'module "tags" {\n  source = "../tags"\n}\n',
        PurePosixPath("alb/files/boot.sh"): "echo ü\r\n",
        PurePosixPath("tags/tags.tf"): "# tags\n",
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("more.tf", 'module "other" { source = "../other" }\n'),
        ("more.tf.json", '{"module": {"other": {"cidr": "", "source": "../other"}}}'),
    ],
)
def test_module_that_is_called_on_one_line_is_copied(modules, name, text):
    (modules / "alb" / name).write_text(text)
    assert PurePosixPath("other/other.tf") in copies.collect(modules, ["alb"])


def test_module_that_only_a_child_calls_is_copied_and_nothing_beside_the_catalogue(modules):
    (modules / "alb/child").mkdir()
    (modules / "alb/child/main.tf").write_text(
        'module "a" {\n  source = "../../other"\n}\nmodule "b" {\n  source = "../../../outside"\n}\n'
    )
    (modules.parent / "outside").mkdir()
    (modules.parent / "outside/x.tf").write_text("")
    found = copies.collect(modules, ["alb"])
    assert {path.parts[0] for path in found} == {"alb", "tags", "other"}


def test_file_that_is_not_text_is_refused_by_name(modules):
    (modules / "alb/x.zip").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="x.zip"):
        copies.collect(modules, ["alb"])


def test_pinned_environment_carries_its_modules_and_its_roots_call_them(make, modules):
    module = make.module("alb", make.variable("x"))
    files = roots.render(make.resolved([module], {"shop": {"x": Binding(ValueSource.UNIT, 1)}}, catalogue="v1.2"))
    home = Path("environments/dev")
    assert 'source = "../../modules/alb"' in files[home / "units/shop/main.tf"]
    assert files[home / "modules/tags/tags.tf"] == "# tags\n"
    assert files[home / "modules/CATALOGUE"] == roots.header("dev") + "\nThe modules of `v1.2`.\n"
    assert home / "modules/other/other.tf" not in files


def test_a_link_out_of_the_catalogue_is_refused_by_name(modules, tmp_path):
    (tmp_path / "secret").write_text("a key")
    link = modules / "alb/key"
    link.symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError) as caught:
        copies.collect(modules, ["alb"])
    assert caught.value.findings[0].where == str(link)
