"""What makes an init necessary again, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ngp.terraform import fingerprints

MODULE = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100"
    }
  }
}

resource "aws_vpc" "this" {
  cidr_block = var.cidr
}

module "inner" {
  source = "../inner"
}
"""


@pytest.fixture
def root(tmp_path) -> Path:
    for name, text in {
        "root/main.tf": 'module "network" {\n  source = "../module"\n}\n',
        "root/versions.tf": 'terraform {\n  backend "s3" {\n    bucket = "a"\n  }\n}\n',
        "root/values.auto.tfvars.json": "{}",
        "root/.terraform.lock.hcl": "# lock\n",
        "module/main.tf": MODULE,
        "inner/main.tf": 'resource "aws_subnet" "a" {\n}\n',
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path / "root"


def compute(root: Path, *about: str) -> str:
    return fingerprints.compute(root, about=about)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("root/main.tf", "network", "net"),
        ("root/versions.tf", '"a"', '"b"'),
        ("root/.terraform.lock.hcl", "lock", "other"),
        ("module/main.tf", ">= 5.100", ">= 5.99"),
        ("module/main.tf", "hashicorp/aws", "example/aws"),
        ("module/main.tf", 'resource "aws_vpc"', 'resource "random_pet"'),
        ("module/main.tf", "../inner", "../inner/"),
        ("inner/main.tf", 'resource "aws_subnet"', 'ephemeral "vault_secret"'),
        ("inner/main.tf", "resource", 'provider "aws" {}\nresource'),
    ],
)
def test_what_init_reads_changes_the_fingerprint(root, name, old, new):
    before = compute(root)
    edit(root.parent / name, old, new)
    assert compute(root) != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("root/values.auto.tfvars.json", "{}", '{"cidr": "10.0.0.0/16"}'),
        ("module/main.tf", "var.cidr", "var.cidr_block"),
        ("module/main.tf", 'resource "aws_vpc" "this"', 'resource "aws_vpc" "main"'),
        ("inner/main.tf", "aws_subnet", "aws_eip"),
    ],
)
def test_what_init_does_not_read_leaves_it(root, name, old, new):
    before = compute(root)
    edit(root.parent / name, old, new)
    assert compute(root) == before


def test_terraform_and_mirror_count(root):
    assert len({compute(root), compute(root, "1.11.4"), compute(root, "1.11.4", "/mirror")}) == 3


def test_file_that_is_new_counts(root):
    before = compute(root)
    (root / "more.tf.json").write_text("{}")
    assert compute(root) != before


def test_module_called_from_json_is_followed(root):
    (root / "main.tf").unlink()
    (root / "main.tf.json").write_text('{"module": {"network": {"source": "../module"}}}')
    before = compute(root)
    edit(root.parent / "module/main.tf", ">= 5.100", ">= 5.99")
    assert compute(root) != before
    initialise(root)
    (root / "data/modules/modules.json").unlink()
    assert not current(root)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("main.tf", 'module "network" { source = "../module" }\n'),
        ("main.tf", 'module "network" {source="../module"}\n'),
        ("main.tf.json", '{"module": {"network": {"cidr": "10.0.0.0/16", "source": "../module"}}}'),
    ],
)
def test_call_of_a_module_on_one_line_is_followed(root, name, text):
    (root / "main.tf").unlink()
    (root / name).write_text(text)
    assert fingerprints.modules(root) == {root.parent / "module", root.parent / "inner"}


def test_module_that_calls_itself_or_is_missing_ends(root):
    edit(
        root.parent / "inner/main.tf",
        "{\n}",
        '{\n}\nmodule "a" {\n  source = "../inner"\n}\nmodule "b" {\n  source = "./none"\n}',
    )
    assert compute(root)


def current(root: Path, *, backend: bool = True) -> bool:
    return fingerprints.is_current(root / "data", "f", backend=backend, root=root)


def initialise(root: Path, *, backend: bool = True) -> Path:
    (root / "data/modules").mkdir(parents=True)
    (root / "data/modules/modules.json").write_text("{}")
    package = root / "data/providers/registry.terraform.io/hashicorp/aws/5.100.0/linux_amd64"
    package.parent.mkdir(parents=True)
    mirror = root.parent / "mirror"
    mirror.mkdir()
    package.symlink_to(mirror)
    fingerprints.save(root / "data", "f", backend=backend)
    return mirror


def test_nothing_is_current_before_an_init(root):
    assert not current(root)


def test_init_is_current_while_all_that_it_made_is_there(root):
    initialise(root)
    assert current(root)
    assert not fingerprints.is_current(root / "data", "other", backend=True, root=root)


def test_init_with_a_backend_serves_one_without_but_not_the_other_way_round(root):
    initialise(root)
    assert current(root, backend=False)
    fingerprints.save(root / "data", "f", backend=False)
    assert current(root, backend=False)
    assert not current(root, backend=True)


def test_missing_module_list_needs_an_init(root):
    initialise(root)
    (root / "data/modules/modules.json").unlink()
    assert not current(root)


def test_root_without_modules_needs_no_module_list(root):
    initialise(root)
    (root / "data/modules/modules.json").unlink()
    (root / "main.tf").unlink()
    assert current(root)


def test_mirror_that_went_away_needs_an_init(root):
    initialise(root).rmdir()
    assert not current(root)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"fingerprint": "f"}'])
def test_spoilt_note_needs_an_init(root, text):
    initialise(root)
    (root / "data/ngp-init.json").write_text(text)
    assert not current(root)


def test_an_unknown_init_may_have_had_the_backend(tmp_path):
    assert fingerprints.had_backend(tmp_path)
    for backend in (True, False):
        fingerprints.save(tmp_path, "x", backend=backend)
        assert fingerprints.had_backend(tmp_path) is backend
