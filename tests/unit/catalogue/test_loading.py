import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from ngp.catalogue import loading, types
from ngp.errors import UsageError

TF = """terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source                = "hashicorp/aws"
      version               = ">= 5.100, < 6"
      configuration_aliases = [aws.east]
    }
  }
}
"""
VARIABLES = """variable "size" {
  description = "How big."
  type        = object({ a = optional(number, 1) })
  default     = { a = 1.5 }
  validation {
    condition     = var.size.a > 0
    error_message = "size must be ${"positive"}."
  }
}

variable "password" {
  type      = string
  ephemeral = true
  sensitive = true
  nullable  = false
}

variable "anything" {
  default = null
}
"""
OUTPUT = """output "arn" {
  description = "Its ARN."
  value       = "x"
  sensitive   = true
}
"""
DUMMY = """# How big it is,
# in the end.
size = { a = 2 }
"""
MANIFEST = 'title: Thing\nsummary: A thing.\ncategory: base\nwildcards: {"ec2:DescribeInstances": knows no resources}\n'


@pytest.fixture
def thing(tmp_path):
    folder = tmp_path / "modules" / "thing"
    folder.mkdir(parents=True)
    for name, text in {
        "thing.tf": TF,
        "thing-variables.tf": VARIABLES,
        "thing-output.tf": OUTPUT,
        "thing.dummy": DUMMY,
        "module.yaml": MANIFEST,
    }.items():
        (folder / name).write_text(text)
    return folder


def messages(path):
    with pytest.raises(UsageError) as caught:
        loading.load(path).require()
    return [str(finding).replace(f"{path}/", "") for finding in caught.value.findings]


def read(path, cache):
    """Every module, which is read when it is asked for."""
    return dict(loading.load(path, cache).modules)


@pytest.mark.parametrize("is_cached", [False, True])
def test_a_module_is_its_manifest_and_the_facts_of_its_files(thing, tmp_path, is_cached):
    cache = tmp_path / "cache"
    if is_cached:
        read(thing.parent, cache)
        assert any(cache.iterdir())
    (module,) = loading.load(thing.parent, cache).modules.values()
    size, password, anything = module.variables.values()
    assert size.type == types.parse("object({ a = optional(number, 1) })")
    assert (size.description, size.has_default, size.default) == ("How big.", True, {"a": Decimal("1.5")})
    assert [each.message for each in size.validations] == ['size must be ${"positive"}.']
    assert (password.ephemeral, password.sensitive, password.nullable, password.has_default) == (
        True,
        True,
        False,
        False,
    )
    assert (anything.type_text, anything.has_default, anything.default, anything.nullable) == ("any", True, None, True)
    assert str(password.place) == f"{thing / 'thing-variables.tf'}:11"
    assert module.outputs["arn"].sensitive
    assert module.dummies["size"].text == "{ a = 2 }"
    assert module.dummies["size"].comment == ("How big it is,", "in the end.")
    assert module.dummies["size"].place.line == 3
    assert module.required_version == ">= 1.11"
    assert module.required_providers == {"aws": {"source": "hashicorp/aws", "version": ">= 5.100, < 6"}}
    assert module.manifest.wildcards == {"ec2:DescribeInstances": "knows no resources"}


def test_a_broken_cache_is_ignored_and_made_again(thing, tmp_path):
    cache = tmp_path / "cache"
    before = read(thing.parent, cache)
    for number, path in enumerate(sorted(cache.iterdir())):
        path.write_text(["{", "[]", '{"kind": "else"}', "\0"][number % 4])
    assert read(thing.parent, cache) == before
    assert read(thing.parent, cache) == before


def test_a_changed_file_is_read_anew(thing, tmp_path):
    read(thing.parent, tmp_path / "cache")
    (thing / "thing-output.tf").write_text(OUTPUT.replace("arn", "id"))
    assert list(loading.load(thing.parent, tmp_path / "cache").modules["thing"].outputs) == ["id"]


def test_a_cached_catalogue_is_loaded_without_parsers(thing, tmp_path):
    cache = tmp_path / "cache"
    read(thing.parent, cache)
    code = (
        "import sys; from pathlib import Path; from ngp.catalogue import loading;"
        f"print(*loading.load(Path({str(thing.parent)!r}), Path({str(cache)!r})).modules);"
        "print(sorted({'hcl2', 'lark', 'pydantic', 'yaml'} & set(sys.modules)))"
    )
    root = Path(loading.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "thing\n[]\n"


def test_all_findings_of_all_modules_come_at_once(thing):
    (thing / "thing-variables.tf").write_text('variable "a" {\n  type = strin\n}\nvariable "b" {\n  nullable = 1\n}\n')
    (thing / "thing.dummy").write_text("a = var.x\nb {\n}\n")
    (thing / "module.yaml").write_text(
        "title: T\nsumary: S\ncategory: c\nready: [{kind: http, targt: x}]\nversion: 1\n"
    )
    other = thing.parent / "other"
    other.mkdir()
    (other / "other.tf").write_text("locals {\n")
    (thing.parent / "Big").mkdir()
    (thing.parent / "Big/Big.tf").touch()
    (thing.parent / ".hidden").mkdir()
    (thing.parent / "README.md").touch()
    found = messages(thing.parent)
    assert [text.split("; ")[0] for text in found] == [
        "Big: `Big` is not a valid module name",
        "other: the module `other` has no module.yaml",
        "other/other.tf:1: this is not HCL",
        "thing/module.yaml:1: `summary` is missing",
        "thing/module.yaml:2: unknown key `sumary`",
        "thing/module.yaml:4: `ready.0.target` is missing",
        "thing/module.yaml:4: unknown key `ready.0.targt`",
        "thing/module.yaml:5: `version` is invalid",
        "thing/thing-variables.tf:2: `strin` is not a type",
        "thing/thing-variables.tf:5: `nullable` must be true or false",
        "thing/thing.dummy:2: a dummy file may contain `name = value` only",
        "thing/thing.dummy:1: only a literal value is allowed here",
    ]
    with pytest.raises(UsageError) as caught:
        loading.load(thing.parent).require()
    assert {"did you mean `summary`?", "did you mean `target`?"} <= {each.todo for each in caught.value.findings}
    assert 'thing/module.yaml:5: `version` is invalid; it must be a text: quote it, "1"' in found


def test_one_variable_in_two_files_is_told_with_both_places(thing):
    (thing / "more.tf").write_text('\nvariable "size" {\n}\n')
    (text,) = messages(thing.parent)
    assert text.startswith("thing/more.tf:2: `size` is defined twice; the first is at ")
    assert text.endswith("thing-variables.tf:1")


def test_there_must_be_a_catalogue(tmp_path):
    with pytest.raises(UsageError, match="is missing"):
        loading.load(tmp_path / "modules")


@pytest.mark.parametrize(
    "name", ["source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"]
)
def test_a_variable_that_terraform_would_refuse_is_told_with_its_line(tmp_path, name):
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "module.yaml").write_text("title: Odd\nsummary: Odd.\ncategory: test\n")
    (folder / "odd-variables.tf").write_text(f'\nvariable "{name}" {{}}\n')
    with pytest.raises(UsageError, match=f"odd-variables.tf:2: `{name}` is not a valid variable name"):
        loading.load_module(folder)


def test_what_git_leaves_of_another_branchs_module_is_no_module(tmp_path):
    (tmp_path / "gone/.terraform").mkdir(parents=True)
    (tmp_path / "gone/.terraform.lock.hcl").write_text("")
    (tmp_path / "kept/files").mkdir(parents=True)
    assert loading.folders(tmp_path) == [tmp_path / "kept"]


def test_what_terraform_converts_and_once_wrote_is_read(thing):
    text = 'variable "a" {\n  sensitive = "true"\n  nullable = "0"\n}\nvariable "b" {\n  ephemeral = "false"\n}\n'
    (thing / "thing-variables.tf").write_text(text)
    (thing / "thing.dummy").write_text("")
    old = 'terraform {\n  required_providers {\n    aws = "~> 5.0"\n    tls = { version = "4" }\n  }\n}\n'
    (thing / "thing.tf").write_text(f'{old}locals {{\n  x = core::upper("a")\n}}\n')
    module = loading.load(thing.parent).modules["thing"]
    assert (module.variables["a"].sensitive, module.variables["a"].nullable) == (True, False)
    assert not module.variables["b"].ephemeral
    assert module.required_providers == {"aws": {"version": "~> 5.0"}, "tls": {"version": "4"}}


def test_a_module_that_cannot_be_read_spoils_no_other(thing):
    broken = thing.parent / "broken"
    broken.mkdir()
    (broken / "broken.tf").write_text("x = = 1\n")
    (broken / "module.yaml").write_text(MANIFEST)
    catalogue = loading.load(thing.parent)
    assert list(catalogue.modules) == ["thing"]
    (finding,) = catalogue.missing("broken")
    assert str(finding) == f"{broken}/broken.tf:1: this is not HCL; unexpected `= 1`"
    assert "the module `thin` does not exist" in str(catalogue.missing("thin")[0])
    catalogue.require(["thing"])
    with pytest.raises(UsageError, match="this is not HCL"):
        catalogue.require()
