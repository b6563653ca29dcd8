"""Shadow trees: what a copy contains, where it lies, and which folder each binary works in."""

import json
import os

import pytest

from ngp.runs import copies
from ngp.runs.copies import ShadowTree
from ngp.runs.units import Unit
from ngp.state.locations import StateLocation
from ngp.terraform import lockfile
from ngp.terraform.binary import Binary

TERRAFORM = Binary(("terraform",), "1.11.4")
TOFU = Binary(("tofu",), "1.12.6", "tofu")
LOCK = 'provider "registry.terraform.io/hashicorp/aws" {\n  version = "5.100.0"\n}\n'
ROOT = "environments/dev/units/app"


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def platform(tmp_path):
    write(tmp_path / ROOT / "main.tf", 'module "app" {\n  source = "../../../../modules/app"\n}\n')
    write(tmp_path / ROOT / "old.tf")
    write(tmp_path / ROOT / "files/a", "of the operator")
    write(tmp_path / ROOT / ".terraform/providers/big")
    write(tmp_path / ROOT / lockfile.NAME, LOCK)
    write(tmp_path / ROOT / "terraform.tfstate", "{}")
    write(tmp_path / "modules/app/app.tf", 'module "part" {\n  source = "../part"\n}\n')
    write(tmp_path / "modules/app/files/run.sh").chmod(0o755)
    write(tmp_path / "modules/part/part.tf")
    write(tmp_path / "modules/other/other.tf")
    write(tmp_path / "shared/list.json", "[]")
    return tmp_path


@pytest.fixture
def tree(platform):
    return ShadowTree(platform / ".ngp/previews/dev", platform)


@pytest.fixture
def unit(platform):
    place = StateLocation("local", "", "", "", platform / ".ngp/state/dev/app.tfstate")
    return Unit("app", "app", platform / ROOT, place, {"app": platform / "modules/app"})


def texts(folder):
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def test_a_copy_of_a_root_has_its_subfolders_and_no_states(platform, tree):
    copy = tree.copy_root(platform / ROOT, {"more.tf": "# more\n"}, TERRAFORM)
    assert copy == platform / ".ngp/previews/dev" / ROOT
    assert sorted(texts(copy)) == [lockfile.NAME, "files/a", "main.tf", "more.tf", "old.tf"]


def test_relative_paths_lead_from_a_copy_to_the_same_files(platform, tree):
    tree.copy_modules([platform / "modules/app"])
    copy = tree.copy_root(platform / ROOT, {}, TERRAFORM)
    for path in ("modules/app/app.tf", "modules/other/other.tf", "shared/list.json"):
        assert (copy / "../../../.." / path).read_text() == (platform / path).read_text()
    assert not (tree.folder / ".ngp").exists()


def test_called_modules_are_copied_and_the_others_are_links(platform, tree):
    tree.copy_modules([platform / "modules/app"])
    tree.copy_root(platform / ROOT, {}, TERRAFORM)
    modules = tree.folder / "modules"
    assert {path.name: path.is_symlink() for path in modules.iterdir()} == {"app": False, "part": False, "other": True}
    write(platform / "modules/app/app.tf", "# edited\n")
    assert (modules / "app/app.tf").read_text() != "# edited\n"


def test_a_module_is_copied_once_in_the_life_of_a_tree(platform, tree):
    tree.copy_modules([platform / "modules/app"])
    mark = write(tree.folder / "modules/app/mark")
    tree.copy_modules([platform / "modules/app", platform / "modules/other"])
    assert mark.exists()
    assert not (tree.folder / "modules/other").is_symlink()


def test_a_copied_file_keeps_its_permissions(platform, tree):
    tree.copy_modules([platform / "modules/app"])
    assert os.access(tree.folder / "modules/app/files/run.sh", os.X_OK)
    assert tree.folder.stat().st_mode & 0o777 == 0o700


def test_a_module_outside_of_the_platform_is_reached_within_its_repository(platform, tmp_path):
    inner = tmp_path / "modules/app"  # a platform below the top of a repository
    (tmp_path / ".git").mkdir()
    write(inner / "modules/a/a.tf", 'module "part" {\n  source = "../../../part"\n}\n')
    write(inner / "environments/dev/units/a/main.tf")
    tree = ShadowTree(inner / ".ngp/previews/dev", inner)
    tree.copy_modules([inner / "modules/a"])
    copy = tree.copy_root(inner / "environments/dev/units/a", {}, TERRAFORM)
    assert (copy / "../../../../modules/a/../../../part/part.tf").is_file()
    assert not (tree.folder / "modules/part").is_symlink()
    assert not (tree.folder / "modules/app/.ngp").exists()


def test_links_stay_links_and_what_is_no_file_is_left_out(platform, tree):
    module = platform / "modules/app"
    (module / "near").symlink_to("files/run.sh")
    (module / "beside").symlink_to("../../shared")
    (module / "far").symlink_to("../../../../../../../../etc/hostname")
    (module / "loop").symlink_to(".")
    os.mkfifo(module / "pipe")
    tree.copy_modules([module])
    copy = tree.folder / "modules/app"
    assert {name: str((copy / name).readlink()) for name in ("near", "beside", "far", "loop")} == {
        "near": "files/run.sh",
        "beside": "../../shared",
        "far": "/etc/hostname",
        "loop": ".",
    }
    assert (copy / "beside/list.json").is_file()
    assert not (copy / "pipe").exists()


def test_a_tree_that_is_removed_takes_no_original_with_it(platform, tree):
    before = texts(platform / "shared") | texts(platform / "modules")
    tree.copy_modules([platform / "modules/app"])
    tree.copy_root(platform / ROOT, {}, TERRAFORM)
    tree.remove()
    assert not tree.folder.exists()
    assert texts(platform / "shared") | texts(platform / "modules") == before


def test_terraform_works_in_the_committed_root(unit, tree, tmp_path):
    root = copies.working_root(unit, tree, tmp_path / "data", TERRAFORM)
    assert (root.path, root.data, root.cwd) == (unit.root, tmp_path / "data", None)
    assert not tree.folder.exists()


def test_opentofu_works_on_a_copy_with_its_own_lock_file(unit, tree, tmp_path):
    before = texts(unit.root)
    root = copies.working_root(unit, tree, tmp_path / "data", TOFU)
    assert (root.path, root.data, root.cwd) == (tree.folder / ROOT, tmp_path / "data", unit.root)
    assert texts(unit.root) == before
    found = texts(root.path)
    assert sorted(found) == [lockfile.NAME, "copy_override.tf.json", "files/a", "main.tf", "old.tf"]
    assert found["main.tf"] == before["main.tf"]
    assert 'provider "registry.opentofu.org/hashicorp/aws"' in found[lockfile.NAME]
    override = json.loads(found["copy_override.tf.json"])
    assert override == {"terraform": {"backend": {"local": {"path": str(unit.place.path)}}}}
    assert (root.path / "../../../../modules/app").resolve() == tmp_path / "modules/app"


def test_a_renewed_copy_keeps_states_and_nothing_else_that_is_gone(unit, tree, tmp_path):
    root = copies.working_root(unit, tree, tmp_path / "data", TOFU).path
    inode = root.stat().st_ino
    (root / "errored.tfstate").write_text("{}")
    (unit.root / "old.tf").unlink()
    (unit.root / "files/a").unlink()
    (unit.root / "main.tf").write_text("# new\n")
    copies.working_root(unit, tree, tmp_path / "data", TOFU)
    found = texts(root)
    assert (found["errored.tfstate"], found["main.tf"]) == ("{}", "# new\n")
    assert not {"old.tf", "files/a"} & found.keys()
    assert root.stat().st_ino == inode


def test_a_root_that_the_platform_lacks_is_made_of_texts(platform, tree):
    root = tree.make_root(platform / "environments/dev/units/_all", {"main.tf": "# all\n"}, TERRAFORM)
    assert texts(root) == {"main.tf": "# all\n"}
    assert not (platform / "environments/dev/units/_all").exists()


def test_removing_a_copy_that_is_not_there_yet_leaves_the_root_that_a_link_leads_to(tree, unit):
    tree.copy_modules(unit.sources.values())
    assert (tree.path(unit.root) / "main.tf").is_file(), "a link to the root itself"
    tree.remove_root(unit.root)
    assert (unit.root / "main.tf").is_file()
    tree.copy_root(unit.root, {}, TERRAFORM)
    tree.remove_root(unit.root)
    assert not tree.path(unit.root).exists()
    assert (unit.root / "main.tf").is_file()
