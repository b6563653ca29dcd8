"""What a copied module may read: files of its own folder, at paths that can be resolved."""

import os
from pathlib import PurePosixPath

import pytest

from ngp.catalogue import loading, vendored
from ngp.catalogue.rules import source
from ngp.catalogue.rules import vendored as rules
from ngp.errors import UsageError


@pytest.fixture
def faults(tmp_path):
    """`faults(text, **files)`: what the rules say of a module of this text."""

    def check(text, template="Hello ${name}"):
        folder = tmp_path / "thing"
        (folder / "files").mkdir(parents=True)
        (folder / "thing.tf").write_text(text)
        (folder / "files" / "a.tpl").write_text(template)
        (folder / "module.yaml").write_text("title: T\nsummary: S\ncategory: c\n")
        found = rules.whole(source.load(loading.load_module(folder)))
        return [f"{each.finding.where.removeprefix(f'{tmp_path}/')}: {each.finding.what}" for each in found]

    return check


@pytest.mark.parametrize(
    "text",
    [
        'locals {\n  x = file("${path.module}/files/a.tpl")\n}\n',
        'locals {\n  x = file(/* c */\n    "${path.module}/files/../files/a.tpl"\n  )\n}\n',
        'locals {\n  dir = "${path.module}/files"\n  x = templatefile("${local.dir}/a.tpl", { name = var.x })\n}\n',
        'locals {\n  x = file(join("/", [path.module, "files", "a.tpl"]))\n}\n',
        'locals {\n  x = fileset(path.module, "files/*.tpl")\n}\n',
        'locals {\n  x = "see file(\\"/etc/passwd\\")" # file("/etc/passwd")\n}\n',
        'resource "aws_s3_object" "x" {\n  source = "${path.module}/files/a.tpl"\n}\n',
        'data "archive_file" "x" {\n  source_dir = path.module\n  output_path = "${path.module}/x.zip"\n}\n'
        'resource "aws_lambda_function" "x" {\n  filename = data.archive_file.x.output_path\n}\n',
        'resource "aws_iam_role" "x" {\n  path = "/"\n  source = "/not/a/path/for/this/type"\n}\n',
        'resource "aws_lambda_function" "x" {\n  filename = null\n}\n',
    ],
)
def test_files_of_its_own_folder_may_be_read(faults, text):
    assert faults(text) == []


LEAVES, UNKNOWN = "it leaves the module's folder", "the path cannot be resolved before Terraform runs"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('locals {\n  x = file("~/.ssh/id_rsa")\n}\n', f'thing.tf:2: `file("~/.ssh/id_rsa")`: {LEAVES}'),
        ('locals {\n  x = file("files/a.tpl")\n}\n', LEAVES),
        ('locals {\n  x = filebase64sha256("/etc/passwd")\n}\n', LEAVES),
        ('locals {\n  x = file("${path.module}x/a")\n}\n', LEAVES),
        ('locals {\n  x = core::file("/etc/passwd")\n}\n', LEAVES),
        ('locals {\n  x = "a${file("/etc/passwd")}"\n}\n', LEAVES),
        ('locals {\n  x = <<-E\n    %{ if fileexists("/etc/passwd") }a%{ endif }\n  E\n}\n', "thing.tf:3: "),
        ('locals {\n  x = file("${path.root}/../x")\n}\n', "`path.root` is outside of the module's folder"),
        ("locals {\n  x = path.cwd\n}\n", "`path.cwd` is outside"),
        ('locals {\n  x = file(join("/", ["/etc", "passwd"]))\n}\n', LEAVES),
        ('locals {\n  x = file(join("/", [path.module, "..", "x"]))\n}\n', LEAVES),
        ('locals {\n  x = file("${path.module}/${var.name}")\n}\n', UNKNOWN),
        ('locals {\n  x = file(pathexpand("~/x"))\n}\n', UNKNOWN),
        ("locals {\n  x = file(local.x)\n}\n", UNKNOWN),
        ('locals {\n  a = "/etc/passwd"\n  x = file(local.a)\n}\n', LEAVES),
        ('locals {\n  x = fileset(path.module, "../*")\n}\n', LEAVES),
        ('locals {\n  x = fileset("/etc", "*")\n}\n', LEAVES),
        ("locals {\n  x = templatestring(var.x, {})\n}\n", "the module calls `templatestring`"),
        ('locals {\n  x = provider::local::direxists("/etc")\n}\n', "the module calls `provider::local::direxists`"),
        ('locals {\n  x = templatefile("${path.module}/files/b.tpl", {})\n}\n', "the template b.tpl is missing"),
        ('resource "aws_s3_object" "x" {\n  source = "/etc/x"\n}\n', f"`source` of `aws_s3_object.x`: {LEAVES}"),
        ('resource "aws_lambda_function" "x" {\n  filename = var.file\n}\n', UNKNOWN),
        ('data "local_file" "x" {\n  filename = "/etc/passwd"\n}\n', LEAVES),
        ('data "archive_file" "x" {\n  source_dir = "/etc"\n}\n', LEAVES),
        (
            'resource "terraform_data" "x" {\n  provisioner "file" {\n    source = "/etc/x"\n  }\n}\n',
            f"`source` of `provisioner file`: {LEAVES}",
        ),
        (
            'resource "terraform_data" "x" {\n  provisioner "remote-exec" {\n    scripts = ["/etc/x"]\n  }\n}\n',
            f"`scripts` of `provisioner remote-exec`: {LEAVES}",
        ),
        (
            'removed {\n  from = terraform_data.x\n  provisioner "local-exec" {\n    command = "id"\n  }\n}\n',
            "`removed` has a local-exec",
        ),
        ('check "x" {\n  data "external" "y" {\n  }\n}\n', "there is a `data.external.y`"),
    ],
)
def test_any_other_file_is_refused_with_its_place(faults, text, says):
    assert any(says in each for each in faults(text)), faults


def test_a_template_may_not_read_either(faults):
    text = 'locals {\n  x = templatefile("${path.module}/files/a.tpl", {})\n}\n'
    (found,) = faults(text, 'one\n"two\n${ file("/etc/passwd") }\n')
    assert found == "thing/files/a.tpl:3: the template calls `file`"


def test_what_is_no_file_is_refused_without_being_opened(tmp_path):
    (tmp_path / "main.tf").write_text("")
    os.mkfifo(tmp_path / "a.tf")
    (tmp_path / "b.tf").symlink_to("/dev/zero")
    (tmp_path / "sub").symlink_to(tmp_path)
    with pytest.raises(UsageError) as caught:
        vendored.collect(tmp_path)
    assert [each.what for each in caught.value.findings] == [
        "`a.tf` is a pipe",
        "`b.tf` is a symbolic link",
        "`sub` is a symbolic link",
    ]
    assert vendored.read(tmp_path, "x")[PurePosixPath("a.tf")] == b"-> a pipe"
