"""Whose resources a state holds, and how the files of a root say what they are."""

import json
from pathlib import Path

import pytest

from ngp.errors import NgpError, RefusedError
from ngp.runs import ownership
from ngp.runs.units import Unit
from ngp.state.locations import StateLocation
from ngp.terraform.states import State, StateResource


@pytest.fixture
def check(tmp_path):
    """`check("module.a.x.y", …, files={…})`: is that the state of the unit `app`?"""

    def run(*addresses, files=None, name="app", modules=("app",), mode="managed"):
        for file, text in (files or {}).items():
            (tmp_path / file).write_text(text)
        place = StateLocation("s3", "bucket", "app.tfstate", "")
        unit = Unit(name, "app", tmp_path, place, dict.fromkeys(modules, Path("modules/app")))
        ownership.require_own(unit, State(resources=tuple(StateResource(each, "x", mode) for each in addresses)))

    return run


@pytest.mark.parametrize(
    "addresses",
    [
        (),
        ("module.app.x.y", 'module.app["a.b"].x.y[0]', "module.app.module.other.x.y"),
        ("module.app.x.y", "x.left_over"),
    ],
)
def test_what_is_in_the_units_module_is_its_own(check, addresses):
    check(*addresses)


@pytest.mark.parametrize(
    "addresses", [("module.db.x.y",), ("module.app.x.y", "module.db.x.y"), ("x.y",), ("module.apple.x.y",)]
)
def test_anything_else_is_refused_and_named(check, addresses):
    with pytest.raises(RefusedError) as caught:
        check(*addresses)
    (finding,) = caught.value.findings
    assert addresses[-1] in finding.what
    assert finding.where == "s3://bucket/app.tfstate"
    assert "moved" in finding.todo


def test_data_that_was_only_read_is_no_bodys(check):
    check("module.db.data.x.y", mode="data")


@pytest.mark.parametrize(
    "files",
    [
        {"more.tf": 'module "db" {\n  source = "./db"\n}\n'},
        {"more.tf": "moved {\n  from = module.db\n  to   = module.app\n}\n"},
        {"more.tf": "removed {\n  from = module.db.x.y\n  lifecycle {\n    destroy = false\n  }\n}\n"},
        {"more.tf.json": json.dumps({"module": {"db": {"source": "./db"}}})},
        {"more.tf.json": json.dumps({"removed": {"from": "module.db"}})},
        {"more.tf.json": json.dumps({"moved": [{"from": "module.db", "to": "module.app"}]})},
    ],
)
def test_a_file_in_the_root_says_what_they_are(check, files):
    check("module.db.x.y[0]", files=files)


@pytest.mark.parametrize(
    "files",
    [
        {"more.tf": '# module "db" {}\nlocals {\n  from = "module.db"\n}\n'},
        {"more.tf": "moved {\n  from = module.db2\n  to   = module.app\n}\n"},
        {"more.tf": 'resource "x" "z" {\n}\n'},
        {"more.tf.json": json.dumps({"resource": {"x": {"z": {}}}})},
    ],
)
def test_what_says_something_else_does_not_count(check, files):
    with pytest.raises(RefusedError):
        check("module.db.x.y", files=files)


def test_a_resource_that_the_root_declares_is_its_own(check):
    check("x.y", 'x.z["a"]', files={"a.tf": 'resource "x" "y" {\n}\n', "b.tf.json": '{"resource": {"x": {"z": {}}}}'})


def test_json_that_is_none_is_told_with_its_file(check):
    with pytest.raises(NgpError, match="not Terraform's JSON"):
        check("x.y", files={"a.tf.json": "[]"})


def test_one_state_for_all_is_refused_only_where_nothing_of_it_is_theirs(check):
    check("module.a.x.y", "module.gone.x.y", name="root", modules=("a", "b"))
    with pytest.raises(RefusedError):
        check("module.gone.x.y", name="root", modules=("a", "b"))


def test_many_are_counted(check):
    with pytest.raises(RefusedError, match=r"module\.db\.x\.y2 and 7 more"):
        check(*(f"module.db.x.y{at}" for at in range(10)))
