"""`ngp module add`: what is taken over, what of it is derived, what is refused before anything is touched."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ngp import yaml
from ngp.catalogue import loading
from ngp.environments import remotes
from ngp.errors import UsageError
from ngp.rendering import readmes

ROOT = Path(__file__).parents[3]
MAIN = """terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 4.9" }
  }
}

resource "aws_efs_file_system" "kept" {
  creation_token = var.name
  encrypted      = true
  tags           = var.tags
}

resource "aws_security_group" "this" {
  vpc_id = var.vpc_id
}
"""
VARIABLES = """variable "name" {
  description = "What it is called"
  type        = string
}

variable "vpc_id" {
  type = string
}

variable "tags" {
  type    = map(string)
  default = {}
}

variable "shape" {
  type = object({ size = number, colours = list(string), note = optional(string) })
}

variable "free" {}
"""
OUTPUTS = """output "box_arn" {
  value = aws_efs_file_system.kept.arn
}

output "vpc_id" {
  value = var.vpc_id
}

output "box_name" {
  value = var.name
}

output "tags" {
  value = var.tags
}

output "box_key" {
  value     = "x"
  sensitive = true
}
"""
README = """<!-- badges -->
# Box `of` things

[![build](https://x/y.svg)](https://x)

Keeps **things** in a [box](https://example.com/a_b). It is
cheap.
"""


@pytest.fixture
def upstream(tmp_path):
    """The folder of somebody else's module, with what stands beside one."""
    folder = tmp_path / "terraform-aws-box"
    texts = {"main.tf": MAIN, "variables.tf": VARIABLES, "outputs.tf": OUTPUTS, "README.md": README}
    texts |= {"templates/a.txt": "${name}\r\n", "examples/x/main.tf": 'module "x" {\n  source = "../.."\n}\n'}
    texts |= {".github/ci.yml": "on: push\n", "tests/box.tftest.hcl": 'run "x" {}\n'}
    for name, text in texts.items():
        write(folder / name, text)
    return folder


@pytest.fixture
def modules(platform):
    """The catalogue of a platform that has the network."""
    shutil.copytree(ROOT / "modules" / "network", platform / "modules" / "network")
    shutil.copy(ROOT / ".terraform.lock.hcl", platform)
    return platform / "modules"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def git(folder, *words):
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def checked(ngp, name="box"):
    outcome = ngp.call("module", "check", name, "--no-terraform", "--json")
    return [(fault["rule"], fault["what"]) for fault in outcome.document["findings"]]


def test_a_folder_is_copied_and_described(ngp, modules, upstream):
    done = ngp.call("module", "add", str(upstream), "--json")
    assert done.exit_code == 0, done.stderr
    assert done.document["schema"] == "ngp.module.add/1"
    box = modules / "box"
    copied = {"main.tf", "variables.tf", "outputs.tf", "README.md", "templates/a.txt"}
    assert {name: data for name, data in tree(box).items() if name in copied} == {
        name: data for name, data in tree(upstream).items() if name in copied
    }
    assert tree(box).keys() - copied == {"module.yaml", "box.dummy"}
    value = loading.load_module(box).manifest
    assert (value.title, value.summary) == ("Box of things", "Keeps things in a box.")
    assert value.requires == ("vpc_id",)  # `network` gives it, and it has no default
    assert value.provides == (
        "box_arn",
        "box_name",
    )  # `vpc_id` is the network's, `tags` everybody's, `box_key` a secret
    assert value.data == ("aws_efs_file_system.kept",)
    assert (value.source.address, value.source.commit) == ("../terraform-aws-box", "")
    assert checked(ngp) == []
    pages = ngp.call("module", "docs", "box", "network", "--check", "--json").document
    assert pages["modules"] == ["network"]  # the page of a copy is its author's


def test_harmless_values_are_by_type_and_only_where_nothing_else_gives_one(ngp, modules, upstream):
    assert ngp.call("module", "add", str(upstream)).exit_code == 0
    dummies = loading.load_module(modules / "box").dummies
    assert {name: each.value for name, each in dummies.items()} == {
        "name": "example",
        "shape": {"size": 1, "colours": []},
        "free": None,
    }
    assert dummies["name"].comment == ("What it is called",)
    assert ngp.call("render").exit_code == 0
    assert "box = {\n" in (modules.parent / "terraform.tfvars.dummy").read_text()


def test_an_input_that_decides_how_many_is_not_wired(ngp, modules, upstream):
    write(upstream / "main.tf", MAIN.replace("  vpc_id = var", '  count  = var.vpc_id == "" ? 0 : 1\n  vpc_id = var'))
    assert ngp.call("module", "add", str(upstream)).exit_code == 0
    assert loading.load_module(modules / "box").manifest.requires == ()


def test_an_edited_copy_is_found(ngp, modules, upstream):
    assert ngp.call("module", "add", str(upstream)).exit_code == 0
    write(modules / "box" / "tests" / "own.tftest.hcl", 'run "x" {}\n')  # the platform's own tests are no edit
    assert checked(ngp) == []
    write(modules / "box" / "main.tf", MAIN + "# mine\n")
    assert checked(ngp) == [("copy", "the copy of ../terraform-aws-box has been edited")]
    write(modules / "box" / "main.tf", MAIN)
    write(modules / "box" / "more.tf", "")
    assert [rule for rule, _ in checked(ngp)] == ["copy"]


def test_another_ref_is_shown_asked_for_and_keeps_what_is_the_platforms(ngp, modules, upstream):
    git(upstream, "init", "-q")
    git(upstream, "add", "-A")
    git(upstream, "commit", "-qm", "one")
    git(upstream, "tag", "v1.2.0")
    address = f"git::file://{upstream}"
    assert ngp.call("module", "add", f"{address}?ref=v1.2.0").exit_code == 0
    first = git(upstream, "rev-parse", "HEAD")
    manifest, dummy = modules / "box" / "module.yaml", modules / "box" / "box.dummy"
    assert yaml.load(manifest).data["source"]["commit"] == first
    assert yaml.load(manifest).data["version"] == "1.2.0"
    ours = manifest.read_text().replace('"added"', "storage # ours").replace("box_arn, box_name]", "box_arn]")
    write(manifest, ours)
    write(dummy, dummy.read_text().replace('"example"', '"ours"'))
    write(upstream / "outputs.tf", OUTPUTS.replace("box_arn", "box_id"))
    write(upstream / "more.tf", 'variable "size" {\n  type = number\n}\n')
    (upstream / "templates" / "a.txt").unlink()
    git(upstream, "add", "-A")
    git(upstream, "commit", "-qm", "two")
    before = tree(modules)
    assert ngp.call("module", "add", f"{address}?ref=v1.2.0").exit_code == 0
    assert tree(modules) == before
    asked = ngp.call("module", "add", address, "--ref", "main")
    assert (asked.exit_code, tree(modules)) == (64, before)
    for line in (
        "input `size` is new",
        "`size` has no default",
        "output `box_arn` is gone",
        "differ: more.tf, outputs",
    ):
        assert line in asked.stderr
    assert "--auto-approve" in asked.stderr
    done = ngp.call("module", "add", address, "--ref", "main", "--auto-approve", "--json")
    assert done.document["changes"]
    value = loading.load_module(modules / "box")
    assert (value.manifest.category, value.manifest.provides) == ("storage", ("box_id",))
    assert "# ours" in manifest.read_text()
    assert value.manifest.source.commit == git(upstream, "rev-parse", "HEAD")
    assert {name: each.value for name, each in value.dummies.items() if name in {"name", "size"}} == {
        "name": "ours",
        "size": 1,
    }
    assert not (modules / "box" / "templates" / "a.txt").exists()
    assert checked(ngp) == []


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("main.tf", 'module "x" {\n  source = "../x"\n}\n', "main.tf:1"),
        ("main.tf", 'module "x" {\n  source = "./modules/x"\n}\n', "a module within a module"),
        ("main.tf", 'module "x" {\n  source = "a/b/c"\n}\n', "it would be fetched at run time"),
        ("main.tf", 'provider "aws" {\n}\n', "a module has no provider block"),
        ("main.tf", 'terraform {\n  backend "s3" {\n  }\n}\n', "a module has no backend"),
        ("main.tf", 'resource "random_id" "x" {\n}\n', "provider `hashicorp/random` is not locked"),
        ("main.tf", 'locals {\n  x = file("${path.module}/../x")\n}\n', "leaves the module's folder"),
        ("main.tf", 'locals {\n  x = templatefile("/etc/passwd", {})\n}\n', "leaves the module's folder"),
        ("main.tf", 'data "external" "x" {\n}\n', "runs a program on the machine of whoever plans"),
        (
            "main.tf",
            'resource "terraform_data" "x" {\n  provisioner "local-exec" {\n    command = "id"\n  }\n}\n',
            "has a local-exec",
        ),
        ("versions.tf", 'terraform {\n  required_providers {\n    aws = { version = ">= 6" }\n  }\n}\n', "is required"),
        (
            "versions.tf",
            "terraform {\n  required_providers {\n    aws = { configuration_aliases = [aws.other] }\n  }\n}\n",
            "several configurations of `aws`",
        ),
        ("more.tf", 'variable "region" {\n  type = list(string)\n}\n', "the input `region` is a list(string)"),
        ("more.tf", 'variable "name" {\n}\n', "`name` is defined twice"),
        ("more.tf", "locals {\n", "this is not HCL"),
        ("more.tofu", "", "ngp does not read more.tofu"),
        ("templates/b.bin", "\0", "is not UTF-8 text"),
        ("module.yaml", "title: x\n", "it already is an ngp module"),
    ],
)
def test_what_cannot_stand_in_the_catalogue_is_refused_and_nothing_written(ngp, modules, upstream, name, text, says):
    write(upstream / name, text)
    before = tree(modules)
    outcome = ngp.call("module", "add", str(upstream))
    assert outcome.exit_code == 64, outcome.stderr
    assert says in outcome.stderr
    assert tree(modules) == before


def test_words_in_comments_are_no_paths(ngp, modules, upstream):
    write(upstream / "more.tf", '# "${path.module}/../x" and file("/x")\nlocals {\n  y = "${path.module}/a/../b"\n}\n')
    assert ngp.call("module", "add", str(upstream)).exit_code == 0


@pytest.mark.parametrize("is_git", [False, True])
def test_a_link_is_refused_and_not_followed(ngp, modules, upstream, is_git):
    (upstream / "secret.tf").symlink_to(modules / "network" / "network.tf")
    (upstream / "examples" / "more").symlink_to(modules)  # no part of the module
    if is_git:
        git(upstream, "init", "-q")
        git(upstream, "add", "-A")
        git(upstream, "commit", "-qm", "one")
    outcome = ngp.call("module", "add", f"file://{upstream}" if is_git else str(upstream))
    assert outcome.exit_code == 64
    assert "`secret.tf` is a symbolic link" in outcome.stderr
    assert "examples" not in outcome.stderr
    assert not (modules / "box").exists()


def test_a_submodule_of_git_is_refused(ngp, modules, upstream):
    git(upstream, "init", "-q")
    git(upstream, "add", "-A")
    git(upstream, "commit", "-qm", "one")
    git(upstream, "update-index", "--add", "--cacheinfo", f"160000,{git(upstream, 'rev-parse', 'HEAD')},inner")
    git(upstream, "commit", "-qm", "two")
    outcome = ngp.call("module", "add", f"file://{upstream}")
    assert (outcome.exit_code, "`inner` is a Git submodule" in outcome.stderr) == (64, True)


def test_hooks_and_filters_of_the_operator_do_not_run(ngp, modules, upstream, tmp_path):
    write(upstream / ".gitattributes", "*.txt filter=loud\n")
    git(upstream, "init", "-q")
    git(upstream, "add", "-A")
    git(upstream, "commit", "-qm", "one")
    ran = tmp_path / "ran"
    write(tmp_path / "hooks" / "post-checkout", f"#!/bin/sh\ntouch {ran}\n")
    (tmp_path / "hooks" / "post-checkout").chmod(0o755)
    settings = f'[core]\n  hooksPath = {tmp_path}/hooks\n[filter "loud"]\n  smudge = "touch {ran}; cat"\n  required\n'
    write(tmp_path / "gitconfig", settings)
    outcome = ngp.call("module", "add", f"file://{upstream}", env={"GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig")})
    assert outcome.exit_code == 0, outcome.stderr
    assert (modules / "box" / "templates" / "a.txt").read_bytes() == b"${name}\r\n"
    assert not ran.exists()


@pytest.mark.parametrize("argv", [("--name", "network"), ("--name", "Box"), ("--name", "tags"), ("--ref", "v1")])
def test_names_and_refs_that_cannot_be_are_refused(ngp, modules, upstream, argv):
    before = tree(modules)
    assert ngp.call("module", "add", str(upstream), *argv).exit_code == 64
    assert tree(modules) == before


@pytest.mark.parametrize("name", ["nowhere", "terraform-aws-box//templates"])
def test_a_place_without_a_module_is_told(ngp, modules, upstream, name):
    outcome = ngp.call("module", "add", f"{upstream.parent}/{name}")
    assert outcome.exit_code == 64
    assert "neither a folder nor" in outcome.stderr or "there are no .tf files" in outcome.stderr


@pytest.mark.parametrize(
    ("text", "ref", "url", "inner", "found", "name"),
    [
        ("git::https://h/o/terraform-aws-vpc.git?ref=v5", "", "https://h/o/terraform-aws-vpc.git", "", "v5", "vpc"),
        ("github.com/o/tf//modules/My_Queue", "v1", "https://github.com/o/tf", "modules/My_Queue", "v1", "my-queue"),
        ("git@h.example:o/r.git//a/b?ref=main", "main", "ssh://git@h.example/o/r.git", "a/b", "main", "b"),
        ("ssh://git@h/o/r", "", "ssh://git@h/o/r", "", "", "r"),
        ("file:///srv/r//x/", "", "file:///srv/r", "x", "", "x"),
        ("git::/srv/r ü//x?ref=v1", "", "file:///srv/r ü", "x", "v1", "x"),
    ],
)
def test_an_address_is_read_as_terraform_writes_it(tmp_path, text, ref, url, inner, found, name):
    address = remotes.parse(text, ref, tmp_path, tmp_path)
    assert (address.url, address.inner, address.ref, address.default_name) == (url, inner, found, name)
    assert remotes.parse(str(address), "", tmp_path, tmp_path) == address


@pytest.mark.parametrize(
    "text",
    [
        "hashicorp/consul/aws",
        "git::http://h/r",
        "git://h/r",
        "git::ext::sh -c id",
        "s3::https://b/k.zip",
        "https://user:word@h/r",
        "https://token@h/r",
        "https://h/r?ref=--upload-pack=id",
        "https://h/r?ref=a:b",
        "https://h/r?ref=a..b",
        "https://h/r?sshkey=x",
        "https://h/r//../x",
        "https://h/r?ref=v2",
    ],
)
def test_an_address_that_is_none_or_not_safe_is_refused(tmp_path, text):
    with pytest.raises(UsageError):
        remotes.parse(text, "v1", tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("terraform-aws-modules/sqs/aws", "github.com/terraform-aws-modules/terraform-aws-sqs?ref"),
        ("a/iam/aws//modules/iam-role", "github.com/a/terraform-aws-iam//modules/iam-role?ref"),
        ("no-such-folder", "host/repository.git//folder?ref"),
    ],
)
def test_an_address_of_the_registry_is_answered_with_that_of_its_repository(tmp_path, text, place):
    with pytest.raises(UsageError) as caught:
        remotes.parse(text, "", tmp_path, tmp_path)
    assert f"git::https://{place}=v1.2.3" in caught.value.findings[0].todo


@pytest.mark.parametrize(
    ("text", "title", "summary"),
    [
        (README, "Box of things", "Keeps things in a box."),
        ("Title\n=====\n\n- a list\n\n| a | b |\n\nv1.5 is it. More.\n", "Title", "v1.5 is it."),
        ("```sh\n# no heading\n```\nNo end", "", "No end"),
        ("", "", ""),
    ],
)
def test_a_readme_says_title_and_summary(text, title, summary):
    assert (readmes.title(text), readmes.summary(text)) == (title, summary)
