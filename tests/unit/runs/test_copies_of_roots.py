"""Where a binary works on a unit: Terraform in the committed root, OpenTofu on a copy that is as good."""

import json

import pytest

from ngp.runs import copies
from ngp.runs.units import Unit
from ngp.state.places import StatePlace
from ngp.terraform import lockfile
from ngp.terraform.binary import Binary

TERRAFORM = Binary(("terraform",), "1.11.4")
TOFU = Binary(("tofu",), "1.12.6", "tofu")
LOCK = 'provider "registry.terraform.io/hashicorp/aws" {\n  version = "5.100.0"\n}\n'


@pytest.fixture
def unit(tmp_path):
    root = tmp_path / "environments/dev/units/app"
    root.mkdir(parents=True)
    (root / "main.tf").write_text('module "app" {\n  source = "../../../../modules/app"\n}\n')
    (root / "old.tf").write_text("")
    (root / lockfile.NAME).write_text(LOCK)
    (root / "terraform.tfstate").write_text("{}")
    place = StatePlace("local", "", "", "", tmp_path / ".ngp/state/dev/app.tfstate")
    return Unit("app", "app", root, place, {"app": tmp_path / "modules/app"})


def texts(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_terraform_works_in_the_committed_root(unit, tmp_path):
    root = copies.working_root(unit, tmp_path / "copy", tmp_path / "data", TERRAFORM)
    assert (root.path, root.data) == (unit.root, tmp_path / "data")
    assert not (tmp_path / "copy").exists()


def test_opentofu_works_on_a_copy_with_its_own_lock_file_and_places_as_seen_from_there(unit, tmp_path):
    before = texts(unit.root)
    copy = tmp_path / ".ngp/opentofu/elsewhere/dev/app"
    root = copies.working_root(unit, copy, tmp_path / "data", TOFU)
    assert (root.path, root.data) == (copy, tmp_path / "data")
    assert texts(unit.root) == before
    found = texts(copy)
    assert sorted(found) == [lockfile.NAME, "copy_override.tf.json", "main.tf", "old.tf"]
    assert found["main.tf"] == before["main.tf"]
    assert 'provider "registry.opentofu.org/hashicorp/aws"' in found[lockfile.NAME]
    override = json.loads(found["copy_override.tf.json"])
    source = override["module"]["app"]["source"]
    path = override["terraform"]["backend"]["local"]["path"]
    assert (copy / source).resolve() == tmp_path / "modules/app"
    assert (copy / path).resolve() == unit.place.path


def test_a_copy_that_is_laid_anew_keeps_states_and_nothing_else_that_is_gone(unit, tmp_path):
    copy = tmp_path / "copy"
    copies.working_root(unit, copy, tmp_path / "data", TOFU)
    (copy / "errored.tfstate").write_text("{}")
    (unit.root / "old.tf").unlink()
    (unit.root / "main.tf").write_text("# new\n")
    copies.working_root(unit, copy, tmp_path / "data", TOFU)
    found = texts(copy)
    assert (found["errored.tfstate"], found["main.tf"]) == ("{}", "# new\n")
    assert "old.tf" not in found
