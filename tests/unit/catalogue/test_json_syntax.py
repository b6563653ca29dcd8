"""Files of Terraform's JSON syntax, and override files, say what they say to Terraform."""

from pathlib import Path

import pytest

from ngp.catalogue import hcl, loading
from ngp.catalogue.rules import source
from ngp.errors import UsageError
from ngp.terraform import fingerprints

PATH = Path("x.tf.json")
TEXT = r"""{
  "//": "a comment",
  "variable": {
    "size": {
      "type": "object({ a = number })",
      "default": {"a": 1.50, "b c": null},
      "validation": [
        {"condition": "${var.size.a > 0}", "error_message": "not \"${var.size.a}\"\\n"}
      ]
    },
    "plain": [{"default": "$${x} \"q\" %"}]
  },
  "locals": {"x": "${var.size}", "y": ["a-${file(\"b\")}", true, -1e3]},
  "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "~> 5.0"}}},
  "resource": {
    "aws_ssm_parameter": {
      "p": {
        "type": "String",
        "provider": "aws.other",
        "tags": {"ngp:unit": "x"},
        "lifecycle": {"ignore_changes": ["value"]},
        "provisioner": [{"local-exec": {"command": "id"}}]
      }
    }
  },
  "output": {"o": {"value": "${local.x}", "sensitive": true}}
}
"""


def test_json_is_read_with_its_lines():
    body = hcl.parse(TEXT, PATH)
    size, plain = body.of("variable")
    assert (size.labels, size.line, plain.labels, plain.line) == (("size",), 4, ("plain",), 11)
    assert size.body.attributes["type"].text == "object({ a = number })"
    assert hcl.literal(plain.body.attributes["default"]) == '${x} "q" %'
    assert str(hcl.literal(size.body.attributes["default"])["a"]) == "1.50"
    (rule,) = size.body.of("validation")
    assert (rule.line, rule.body.attributes["condition"].text) == (8, "var.size.a > 0")
    assert rule.body.attributes["condition"].where == "x.tf.json:8"
    (own,) = body.of("locals")
    assert own.body.attributes["x"].text == "var.size"
    assert 'file("b")' in own.body.attributes["y"].text
    (resource,) = body.of("resource")
    assert resource.labels == ("aws_ssm_parameter", "p")
    value = resource.body.attributes
    assert (value["type"].text, value["provider"].text) == (
        '"String"',
        "aws.other",
    )
    assert hcl.literal(resource.body.attributes["tags"]) == {"ngp:unit": "x"}
    assert resource.body.of("provisioner")[0].labels == ("local-exec",)
    assert resource.body.of("lifecycle")[0].body.attributes["ignore_changes"].text == "[value]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"variable": {}\n,}', "x.tf.json:2: this is not JSON"),
        ("[1", "x.tf.json:1: this is not JSON"),
        ('"x"', "x.tf.json:1: this is not JSON"),
        ('{"a" 1}', "x.tf.json:1: this is not JSON"),
        ('{"locals":\n {"a": tru}}', "x.tf.json:2: this is not JSON"),
        ('{\n "wrong": {}}', "x.tf.json:2: `wrong` is not a block type"),
        ('{"locals": {\n "a b": 1}}', "x.tf.json:2: `a b` is not a valid name"),
        ('{"locals": {\n "a": "${"}}', "x.tf.json:2: an interpolation has no end"),
        ("[" * 5000, "x.tf.json: this is nested too deeply"),
    ],
)
def test_what_is_not_json_is_told_with_file_and_line(text, message):
    with pytest.raises(UsageError) as caught:
        hcl.parse(text, PATH)
    assert str(caught.value) == message


@pytest.fixture
def thing(tmp_path):
    folder = tmp_path / "modules" / "thing"
    folder.mkdir(parents=True)
    (folder / "module.yaml").write_text("title: T\nsummary: S\ncategory: c\n")
    (folder / "thing.tf").write_text(
        'variable "a" {\n  type = string\n  default = "x"\n}\nlocals {\n  one = 1\n  two = 2\n}\n'
        'terraform {\n  required_providers {\n    aws = { version = "5" }\n    tls = { version = "4" }\n  }\n}\n'
        'resource "aws_vpc" "x" {\n  count = 1\n  lifecycle {\n    prevent_destroy = true\n  }\n  ingress {\n  }\n}\n'
    )
    return folder


def test_inputs_and_outputs_of_json_belong_to_the_module(thing):
    (thing / "more.tf.json").write_text('{"variable": {"b": {}}, "output": {"c": {"value": 1, "sensitive": true}}}')
    module = loading.load_module(thing)
    assert list(module.variables) == ["a", "b"]
    assert module.outputs["c"].sensitive
    assert str(module.variables["b"].place) == f"{thing / 'more.tf.json'}:1"


@pytest.mark.parametrize("is_cached", [False, True])
def test_override_files_are_merged(thing, tmp_path, is_cached):
    (thing / "a_override.tf").write_text('variable "a" {\n  default = "y"\n}\nlocals {\n  two = file("/etc/x")\n}\n')
    (thing / "override.tf.json").write_text(
        '{"variable": {"a": {"description": "D"}}, "resource": {"aws_vpc": {"x": {"count": 2, "egress": {},'
        ' "ingress": [{"a": 1}, {"a": 2}], "lifecycle": {"create_before_destroy": true}}}},'
        ' "terraform": {"required_providers": {"aws": {"version": "6"}}}}'
    )
    for _ in range(1 + is_cached):
        module = loading.load_module(thing, tmp_path / "cache")
    variable = module.variables["a"]
    assert (variable.default, variable.description, variable.type_text) == ("y", "D", "string")
    assert module.required_providers == {"aws": {"version": "6"}, "tls": {"version": "4"}}
    found = source.load(module)
    assert (found.locals["one"].text, found.locals["two"].text) == ("1", 'file("/etc/x")')
    (resource,) = found.of("resource")
    assert resource.body.attributes["count"].text == "2"
    assert [len(resource.body.of(name)) for name in ("ingress", "egress", "lifecycle")] == [2, 1, 1]
    assert set(resource.body.of("lifecycle")[0].body.attributes) == {"prevent_destroy", "create_before_destroy"}
    assert any(scanned.path.name == "a_override.tf" for scanned in found.scanned)


def test_an_override_of_nothing_is_refused(thing):
    (thing / "x_override.tf").write_text('\nvariable "none" {\n}\n')
    with pytest.raises(UsageError, match=r"x_override\.tf:2: `variable none` does not exist"):
        loading.load_module(thing)


def test_an_edit_of_json_asks_for_an_init(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "leaf").mkdir()
    (tmp_path / "root" / "main.tf.json").write_text('{"module": {"leaf": {"source": "../leaf"}}}')
    leaf = tmp_path / "leaf" / "main.tf.json"
    leaf.write_text('{"resource": {"aws_vpc": {"x": {}}}}')
    before = fingerprints.compute(tmp_path / "root", about=())
    leaf.write_text('{"resource": {"random_id": {"x": {}}}}')
    assert fingerprints.compute(tmp_path / "root", about=()) != before
