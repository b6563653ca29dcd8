"""Each rule, by a module that breaks it and one that does not. The sound module is the scaffold's."""

import shutil
from pathlib import Path

import pytest

from ngp.catalogue import checks
from ngp.catalogue.module import Catalogue
from ngp.errors import UsageError
from ngp.rendering import module_pages, scaffold

INSTANCE = """resource "aws_instance" "x" {
  tags = local.tags
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  root_block_device {
    encrypted = true
  }
}
"""
TEMPLATE = """resource "aws_launch_template" "x" {
  tags = local.tags
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  block_device_mappings {
    ebs {
      encrypted = true
    }
  }
  dynamic "tag_specifications" {
    for_each = ["instance"]
    content {
      tags = local.tags
    }
  }
}
"""
GROUP = """resource "aws_autoscaling_group" "x" {
  dynamic "tag" {
    for_each = local.tags
    content {
      propagate_at_launch = true
    }
  }
}
"""


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A sound module with the wired inputs `vpc_id` and `subnet_ids`, to be copied."""
    modules = tmp_path_factory.mktemp("sound")
    asked = scaffold.ModuleRequest("thing", "Thing", "apps", "A thing.")
    for path, text in scaffold.render(modules, Catalogue(modules, {}), asked).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    folder = modules / "thing"
    add(folder, "module.yaml", "wildcards: {}\n", "requires: []", "requires: [vpc_id, subnet_ids]")
    for name, type_ in (("vpc_id", "string"), ("subnet_ids", "list(string)")):
        add(folder, "thing-variables.tf", f'variable "{name}" {{\n  description = "Wired."\n  type = {type_}\n}}\n')
    assert faults(folder) == []
    return folder


@pytest.fixture
def thing(sound, tmp_path):
    """A copy of the sound module."""
    return shutil.copytree(sound, tmp_path / "thing")


def add(folder: Path, name: str, text: str, old: str = "", new: str = "") -> None:
    path = folder / name
    before = path.read_text() if path.exists() else ""
    assert old in before
    path.write_text(before.replace(old, new) + text)


def faults(folder):
    found = checks.check(folder.parent, [folder.name])
    assert all(fault.module == folder.name for fault in found)
    return [(fault.rule, fault.finding.what) for fault in found]


def rules(folder, text):
    add(folder, "thing.tf", text)
    return [rule for rule, _ in faults(folder)]


@pytest.mark.parametrize("name", ["thing-output.tf", "thing.dummy", "README.md"])
def test_a_missing_file_is_a_fault(thing, name):
    (thing / name).unlink()
    assert ("files", f"{name} is missing") in faults(thing)


def test_a_file_of_another_name_is_a_fault(thing):
    (thing / "other-variables.tf").touch()
    assert faults(thing) == [("files", "other-variables.tf has not the module's name")]


def test_a_module_that_does_not_load_is_a_fault_with_its_place(thing):
    add(thing, "thing.tf", "locals {\n")
    (fault,) = checks.check(thing.parent)
    assert fault.rule == "load"
    assert ".tf:" in fault.finding.where


def test_an_unknown_module_is_told_with_the_nearest_name(thing):
    with pytest.raises(UsageError) as caught:
        checks.check(thing.parent, ["thin"])
    assert caught.value.findings[0].todo == "did you mean `thing`?"


def test_inputs_and_outputs_say_what_they_are(thing):
    add(thing, "thing-variables.tf", 'variable "a" {\n  description = " "\n  default = 1\n}\n')
    add(thing, "thing-output.tf", 'output "b" {\n  value = 1\n}\n')
    found = checks.check(thing.parent)
    assert sorted(fault.rule for fault in found) == ["description", "description", "type"]
    assert str(found[0].finding).startswith(f"{thing / 'thing-output.tf'}:")


def test_common_inputs_are_there(thing):
    text = (thing / "thing-variables.tf").read_text()
    first, rest = text.split('variable "version_tag"')
    add(thing, "thing-variables.tf", "", text, first + 'variable "version_text"' + rest)
    assert ("common-inputs", "these inputs are missing: version_tag") in faults(thing)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("Project that everything here", "What everything here", "description"),
        ("length(var.service) <= 128", "length(var.service) <= 64", "validation"),
        ('default     = "thing"', 'default     = "other"', "default"),
        ('default     = "1"', 'default     = "2"', "default"),
        ("map(string)", "map(any)", "type"),
        ("map(string)", "map(string)\n  sensitive = true", "sensitive"),
        ("type = list(string)", "type = set(string)", "type"),
    ],
)
def test_common_inputs_are_those_of_the_other_modules(thing, old, new, part):
    add(thing, "thing-variables.tf", "", 'variable "subnet_ids"', 'variable "private_subnet_ids"')
    add(thing, "module.yaml", "", "subnet_ids]", "private_subnet_ids]")
    assert faults(thing) == []
    add(thing, "thing-variables.tf", "", old, new)
    (fault,) = faults(thing)
    assert fault[0] == "common-inputs"
    assert fault[1].startswith(f"the {part} of `")


def test_a_common_input_that_is_missing_a_validation_is_told_which(thing):
    text = (thing / "thing-variables.tf").read_text()
    head, tail = text.split("  validation {", 1)
    add(thing, "thing-variables.tf", "", text, head + tail.split("  }\n", 1)[1])
    (fault,) = checks.check(thing.parent)
    assert fault.finding.what == "the validation of `project` is not that of the other modules"
    assert 'regex("^[A-Za-z0-9]' in fault.finding.todo


def test_dummies_are_there_fit_and_are_known(thing):
    add(thing, "thing-variables.tf", 'variable "a" {\n  description = "A."\n  type = number\n  nullable = false\n}\n')
    assert faults(thing) == [("dummy", "`a` has neither a default nor a dummy")]
    add(thing, "thing.dummy", 'a = "x"\nb = 1\n')
    assert faults(thing) == [
        ("dummy", "a: a number is required, not a string"),
        ("dummy", "the module has no variable `b`"),
    ]
    add(thing, "thing.dummy", "", 'a = "x"\nb = 1', "a = null")
    assert faults(thing) == [("dummy", "a: it must not be null")]


def test_a_default_fits_its_type(thing):
    add(thing, "thing-variables.tf", 'variable "a" {\n  description = "A."\n  type = number\n  default = "x"\n}\n')
    assert faults(thing) == [("default", "a: a number is required, not a string")]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('provider "aws" {\n}\n', "provider"),
        ('terraform {\n  backend "s3" {\n  }\n}\n', "backend"),
        ('terraform {\n  required_providers {\n    x = { source = "a/x", version = ">= 1" }\n  }\n}\n', "versions"),
        ('resource "aws_vpc" "x" {\n}\n', "tags"),
        ('resource "aws_vpc" "x" {\n  tags = {}\n}\n', "tags"),
        (GROUP.replace("true", "false"), "tags"),
        ('resource "aws_autoscaling_group" "x" {\n}\n', "tags"),
        (TEMPLATE.replace('"tag_specifications"', '"other"'), "tags"),
        (INSTANCE.replace('"required"', '"optional"'), "imdsv2"),
        (TEMPLATE.replace("metadata_options", "other"), "imdsv2"),
        (INSTANCE.replace("encrypted = true", "encrypted = var.tags"), "encryption"),
        (INSTANCE.replace("root_block_device", "ebs_block_device"), "encryption"),
        (TEMPLATE.replace("encrypted = true", ""), "encryption"),
        (TEMPLATE.replace("block_device_mappings", "other"), "encryption"),
        ('resource "aws_efs_file_system" "x" {\n  tags = local.tags\n}\n', "encryption"),
        ('resource "aws_security_group" "x" {\n  tags = local.tags\n  ingress {\n  }\n}\n', "inline-rules"),
        ('resource "aws_security_group" "x" {\n  tags = local.tags\n  egress = []\n}\n', "inline-rules"),
    ],
)  # fmt: skip
def test_a_resource_that_breaks_a_rule_is_a_fault(thing, text, rule):
    assert rules(thing, text) == [rule]


@pytest.mark.parametrize(
    "text", [INSTANCE, TEMPLATE, GROUP, 'resource "aws_security_group" "x" {\n  tags = local.tags\n}\n']
)
def test_a_sound_resource_is_none(thing, text):
    assert rules(thing, text) == []


def test_the_input_tags_must_reach_a_resource(thing):
    add(thing, "thing.tf", "", "merge(var.tags, {", "merge({}, {")
    assert faults(thing) == [("tags", "the input `tags` reaches no resource")]


def ingress(ports, cidr):
    text = f"  tags = local.tags\n  cidr_ipv4 = {cidr}\n  {ports}\n"
    return f'resource "aws_vpc_security_group_ingress_rule" "x" {{\n{text}}}\n'


@pytest.mark.parametrize(
    ("ports", "cidr", "found"),
    [
        ("from_port = 22\n  to_port = 22", '"0.0.0.0/0"', ["open-ssh"]),
        ("from_port = 0\n  to_port = 1024", '"0.0.0.0/0"', ["open-ssh"]),
        ('ip_protocol = "-1"', '"0.0.0.0/0"', ["open-ssh"]),
        ("from_port = 22\n  to_port = 22", "local.world", ["open-ssh"]),
        ("from_port = 443\n  to_port = 443", '"0.0.0.0/0"', []),
        ("from_port = 22\n  to_port = 22", '"10.0.0.0/8"', []),
    ],
)
def test_ssh_is_not_open_to_the_world(thing, ports, cidr, found):
    add(
        thing,
        "thing-variables.tf",
        'variable "clients" {\n  description = "C."\n  type = list(string)\n  default = ["0.0.0.0/0"]\n}\n',
    )
    assert rules(thing, ingress(ports, cidr) + "locals {\n  world = var.clients[0]\n}\n") == found


def test_administrators_do_not_come_from_everywhere_by_default(thing):
    add(
        thing,
        "thing-variables.tf",
        'variable "admin_cidrs" {\n  description = "A."\n  type = list(string)\n  default = ["::/0"]\n}\n',
    )
    assert [rule for rule, _ in faults(thing)] == ["open-ssh"]


def policy(body):
    return f'data "aws_iam_policy_document" "x" {{\n  statement {{\n    {body}\n  }}\n}}\n'


def encoded(statement):
    return f"locals {{\n  p = jsonencode({{ Statement = [{{ {statement} }}] }})\n}}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (policy('actions = ["*"]\n    resources = ["arn"]'), ["iam-action"]),
        (policy('actions = ["s3:*"]\n    resources = ["arn"]'), ["iam-action"]),
        (policy('actions = ["s3:GetObject"]\n    resources = ["*"]'), ["iam-wildcard"]),
        (policy('actions = ["s3:Get*"]\n    resources = ["*"]'), ["iam-wildcard"]),
        (policy('actions = local.actions\n    resources = ["*"]'), ["iam-wildcard"]),
        (policy('not_actions = ["s3:GetObject"]\n    resources = ["arn"]'), ["iam-action"]),
        (policy('actions = ["s3:GetObject"]\n    resources = ["arn:*"]'), []),
        (policy('actions = ["s3:GetObject"]\n    resources = ["arn:aws:s3:::*"]'), ["iam-wildcard"]),
        (policy('actions = ["s3:GetObject"]\n    resources = ["${local.arn}:s3:::*"]'), ["iam-wildcard"]),
        (policy('actions = ["ecr:GetImage"]\n    resources = ["arn:aws:ecr:*:*:repository/*"]'), ["iam-wildcard"]),
        (policy('actions = ["ecr:GetImage"]\n    resources = ["arn:aws:ecr:*:${local.id}:repository/*"]'), []),
        (policy('actions = ["iam:PassRole"]\n    resources = ["${local.roles}/x-*"]'), ["iam-escalation"]),
        (policy('actions = ["iam:Put*"]\n    resources = ["${local.roles}/x-*"]'), ["iam-escalation"] * 2),
        (policy('actions = ["iam:PassRole"]\n    resources = [aws_iam_role.x.arn]'), []),
        (policy('actions = ["iam:PassRole"]\n    resources = ["${local.roles}/*"]\n    condition {\n'
                '      variable = "iam:PassedToService"\n    }'), []),
        (policy('actions = ["sts:AssumeRoleWithWebIdentity"]'), ["iam-escalation"]),
        (policy('actions = ["sts:AssumeRoleWithWebIdentity"]\n    condition {\n'
                '      variable = "${local.issuer}:sub"\n    }'), []),
        (encoded('Effect = "Allow", Action = "iam:PassRole", Resource = "${local.roles}/*"'), ["iam-escalation"]),
        (policy('effect = "Deny"\n    actions = ["*"]\n    resources = ["*"]'), []),
        (policy('actions = ["ec2:DescribeInstances"]\n    resources = ["*"]'), []),
        (encoded('Effect = "Allow", Action = "s3:*", Resource = "arn"'), ["iam-action"]),
        (encoded('"Action" = ["s3:GetObject"], "Resource" = "*"'), ["iam-wildcard"]),
        (encoded('Effect = "Deny", Action = "*", Resource = "*"'), []),
        (encoded('Effect = "Allow", NotAction = "iam:*", Resource = "arn"'), ["iam-action"]),
        (encoded('Effect = "Deny", NotAction = "iam:*", Resource = "*"'), []),
        (policy('effect = "Deny"\n    not_actions = ["iam:*"]\n    resources = ["*"]'), []),
        (policy('actions = ["s3:GetObject"]\n    not_resources = ["arn"]'), ["iam-action"]),
        ('locals {\n  p = "{\\"Action\\": \\"*\\"}"\n}\n', ["iam-text"]),
        ('locals {\n  p = "arn:aws:iam::aws:policy/AdministratorAccess"\n}\n', ["iam-action"]),
        ('locals {\n  p = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"\n}\n', ["iam-action"]),
        ('locals {\n  p = toset(["AmazonSSMManagedInstanceCore"])\n}\n', ["iam-action"]),
        ('locals {\n  p = "AmazonSSMManagedInstanceCore is not attached"\n}\n', []),
    ],
)  # fmt: skip
def test_policies_allow_only_what_has_a_reason(thing, text, found):
    add(thing, "module.yaml", "", "wildcards: {}", 'wildcards: {"ec2:Describe*": knows no resources}')
    add(thing, "more.tf", policy('actions = ["ec2:DescribeTags"]\n    resources = ["*"]').replace('"x"', '"used"'))
    assert rules(thing, text) == found


def test_no_policy_hides_in_a_file(thing):
    (thing / "files").mkdir()
    (thing / "files" / "policy.json.tftpl").write_text('{\n  "Statement": [{"Action" : "*"}]\n}\n')
    (thing / "files" / "page.json").write_text('{"actions": []}\n')
    (fault,) = checks.check(thing.parent)
    assert (fault.rule, fault.finding.where) == ("iam-text", str(thing / "files" / "policy.json.tftpl"))


def test_a_wildcard_that_no_policy_needs_is_a_fault_in_the_line_of_the_manifest(thing):
    add(thing, "module.yaml", "", "wildcards: {}", 'wildcards:\n  "ec2:Describe*": knows no resources')
    (fault,) = checks.check(thing.parent)
    assert (fault.rule, fault.finding.where) == ("iam-wildcard", f"{thing / 'module.yaml'}:10")


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("length(var.subnet_ids)", []),
        ("length(concat(var.subnet_ids, [var.vpc_id])) > 0 ? 1 : 0", []),
        ("local.many", []),
        ('var.vpc_id == "" ? 0 : 1', ["wired-count"]),
        ("length(var.subnet_ids) + (local.has ? 1 : 0)", ["wired-count"]),
        ('"${var.vpc_id}" == "" ? 0 : 1', ["wired-count"]),
        ("var.message == null ? 0 : 1", []),
    ],
)
def test_nothing_wired_decides_how_many(thing, expression, found):
    text = f'resource "aws_ssm_parameter" "x" {{\n  count = {expression}\n  tags  = local.tags\n}}\n'
    text += 'locals {\n  many = length(var.subnet_ids)\n  has  = local.vpc != ""\n  vpc  = var.vpc_id\n}\n'
    assert rules(thing, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('data "aws_vpc" "x" {\n  id = var.vpc_id\n}\n', []),
        ('data "aws_vpc" "x" {\n  tags = { Name = "x" }\n}\n', ["lookup"]),
        ('data "aws_subnets" "x" {\n  filter {\n    name = "vpc-id"\n    values = [var.vpc_id]\n  }\n}\n', ["lookup"]),
        ('data "aws_security_group" "x" {\n  name = "${var.pre_tag}-x"\n}\n', ["lookup"]),
        ('data "aws_s3_bucket" "x" {\n  bucket = var.message\n}\n', []),
        ('data "aws_ssm_parameter" "x" {\n  name = "/aws/service/ami"\n}\n', []),
        ('data "aws_ssm_parameter" "x" {\n  name = "/ngp/x"\n}\n', ["lookup"]),
        ('data "aws_instances" "x" {\n  instance_tags = { Group = "x" }\n}\n', ["lookup"]),
        ('data "aws_instances" "x" {\n  instance_tags = { Group = data.aws_ssm_parameter.this.name }\n}\n', ["lookup"]),
        ('data "aws_instances" "x" {\n  instance_tags = { Group = aws_ssm_parameter.this.name }\n}\n', []),
        ('data "aws_ami" "x" {\n  most_recent = true\n}\ndata "aws_route53_zone" "y" {\n  name = "z"\n}\n', []),
    ],
)
def test_nothing_that_another_unit_makes_is_looked_up_by_name(thing, text, found):
    assert rules(thing, text) == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("provides: [parameter_nam]", ("provides", "`provides` names `parameter_nam`, which is no output")),
        ("reveal: {x: y}", ("reveal", "`reveal` names `y`, which is no output")),
        ("show: [y]", ("show", "`show` names `y`, which is no output")),
        ("generated: {message: {}}", ("generated", "`message` is not ephemeral")),
        ("generated: {secret: {}}", ("generated", "`generated` names `secret`, which is no input")),
        ("data: [aws_vpc.x]", ("data", "`data` names `aws_vpc.x`, which is no resource")),
        ("quorum: [aws_vpc.x]", ("quorum", "`quorum` names `aws_vpc.x`, which is no resource")),
        ("upgrade: {mesage: {effect: restart}}", ("upgrade", "`upgrade` names `mesage`, which is no input")),
        (
            "upgrade: {message: {effect: replace, resources: [aws_vpc.x]}}",
            ("upgrade", "`upgrade.message` names `aws_vpc.x`, which is no resource"),
        ),
        ("upgrade: {message: {effect: replace}}", ("upgrade", "`upgrade.message` replaces, and names no resources")),
        ("ready: [{kind: tcp, target: url}]", ("ready", "`ready` names `url`, which is no output")),
        ("ready: [{kind: http, target: 'https://{url}/'}]", ("ready", "`ready` names `url`, which is no output")),
        ("ready: [{kind: command, target: 'dig {url}'}]", ("ready", "`ready` names `url`, which is no output")),
        ("preflight: ['marketplace:engine=x']", ("preflight", "`preflight` names `engine`, which is no input")),
    ],
)
def test_the_manifest_names_what_there_is(thing, line, found):
    key = line.split(":")[0]
    add(thing, "module.yaml", "", "provides: []\n" if key == "provides" else "wildcards: {}\n", f"{line}\n")
    assert faults(thing) == [found]


@pytest.mark.parametrize("kind", ["data", "quorum"])
def test_data_is_replaced_only_with_a_note_that_says_how(thing, kind):
    address = "aws_ssm_parameter.this"
    lines = f"{kind}: [{address}]\nupgrade: {{message: {{effect: replace, resources: [{address}]}}}}\n"
    add(thing, "module.yaml", lines)
    assert faults(thing) == [("upgrade", f"`upgrade.message` replaces `{address}`")]
    add(thing, "module.yaml", "", "effect: replace", "effect: replace, note: Copy it first")
    assert faults(thing) == []


def test_a_required_input_must_be_there(thing):
    add(thing, "module.yaml", "", "[vpc_id,", "[vpc_id, vpc_ids,")
    (fault,) = checks.check(thing.parent)
    assert fault.finding.what == "`requires` names `vpc_ids`, which is no input"
    assert fault.finding.todo == "did you mean `vpc_id`?"


@pytest.mark.parametrize("key", ["provides", "show"])
def test_a_sensitive_output_is_neither_provided_nor_shown(thing, key):
    add(thing, "module.yaml", "", "provides: []\n", f"{key}: [parameter_name]\n")
    add(
        thing,
        "thing-output.tf",
        "",
        "= aws_ssm_parameter.this.name",
        "= aws_ssm_parameter.this.name\n  sensitive = true",
    )
    assert faults(thing) == [(key, "`parameter_name` is sensitive")]


def test_the_shipped_modules_break_no_rule():
    modules = Path(checks.__file__).parents[2] / "modules"
    found = checks.check(modules, more=[module_pages.freshness(modules)])
    assert [str(fault.finding) for fault in found] == []
