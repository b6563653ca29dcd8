"""What ngp reads in HCL, and writes as HCL, is what Terraform reads."""

import base64
import json
import unicodedata
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ngp.catalogue import hcl, types
from ngp.errors import NgpError
from ngp.terraform import binary, child_environ, driver

pytestmark = pytest.mark.terraform
HOSTILE = [
    "${",
    "%{",
    "$${",
    "%%{",
    "$",
    "%",
    '"',
    "\\",
    "\n",
    "\r",
    "{",
    "}",
    "<<EOT\n",
    "EOT\n",
    "#",
    "//",
    "a",
    "é",
    "\x00",
]
TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=20), st.lists(st.sampled_from(HOSTILE), max_size=8).map("".join)
).map(lambda text: unicodedata.normalize("NFC", text))  # as Terraform does
NUMBERS = st.one_of(st.integers(-(10**30), 10**30), st.decimals(-(10**6), 10**6, places=12))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=10,
)
LITERALS = [
    r'"a\n\t\"\\\r\u00e9\U0001F600"', '"$${a} %%{b} $$$${c} $ % $$"', "<<E\n  a\\n $${b}\n\n E\n", "<<E\nE\n",
    "<<-E\n    a\n\n   \n  b\n      E  \n", "<<-E\n\ta\n\t  $$${b}\n  E\n", "<<-E\n  a\r\n   b\r\n  E\r\n",
    "-55", "- 5", "-1.50e3", "00012.50", "(((5)))", "null", "[1, # one\n 2,\n]", "[\n\n]", "{}",
    '{ a = 1, "b c" : 2, (true) = 3\n 5 = 6\n null = 7, ("d") = 9 }', '{\n  # c\n  a = "#" // d\n  b = /* e */ "//"\n}',
]  # fmt: skip


@pytest.fixture(scope="module")
def terraform(tmp_path_factory):
    import os

    folder = tmp_path_factory.mktemp("console")
    (folder / "main.tf").write_text('variable "x" {}\n')
    found = binary.find("", ">= 1.10", dict(os.environ), cwd=folder, cache=folder / "cache")
    return driver.Terraform(found, child_environ.build(dict(os.environ), {})), driver.Root(folder, folder / "data")


def ask(terraform, text):
    """What Terraform reads in `x` of a var file; the console's line is too short for it to be typed in."""
    engine, root = terraform
    path = root.path / "values.tfvars"
    path.write_bytes(text.encode())
    said = engine.console(root, "base64encode(jsonencode(var.x))", var_files=[path])
    return json.loads(base64.b64decode(said.strip().strip('"')), parse_float=Decimal)


@given(st.lists(VALUES, min_size=20, max_size=20))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_terraform_reads_what_is_rendered(terraform, values):
    assert ask(terraform, f"x = {hcl.render(values)}\n") == values


@pytest.mark.parametrize("literal", LITERALS)
def test_ngp_reads_what_terraform_reads(terraform, literal):
    text = f"x = [\n{literal}\n]\n"
    ours = hcl.literal(hcl.parse(text, Path("x.tfvars")).attributes["x"])
    assert ask(terraform, text) == ours


def test_rendered_objects_are_formatted_as_terraform_does(terraform):
    value = {
        "a": 1,
        "long-name": [1],
        "sub": {"x": 1, "yy": ["z" * 60, "w" * 60]},
        "b c": None,
        "é": [],
        "d": [{"a": 1}],
    }
    text = f"x = {hcl.render(value)}\n"
    assert terraform[0].format(terraform[1], text) == text


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("number", "5"), ("number", "five"), ("number", " 5"), ("number", True), ("number", ".5"), ("number", "1."),
        ("number", "+5"), ("bool", "1"), ("bool", "yes"), ("bool", 1), ("bool", "True"), ("string", 1), ("string", []),
        ("list(any)", [1, "a", True]), ("list(any)", [1, True]), ("list(any)", [{"a": 1}, {"b": "x"}]),
        ("list(any)", [1, [2]]), ("list(any)", [[1], ["a", 2]]), ("map(any)", {"a": 1, "b": "x"}),
        ("map(any)", {"a": [1], "b": {"c": 1}}), ("list(string)", {"a": 1}), ("set(number)", ["1", 1]),
        ("object({ a = string, b = optional(number) })", {"a": 1, "c": 2}), ("object({ a = string })", {}),
        ("tuple([string, number])", ["a", "1"]), ("tuple([string])", []), ("map(number)", {"a": "x"}),
        ("list(object({ a = list(bool) }))", [{"a": ["true", False]}]), ("map(string)", []), ("set(string)", {}),
    ],
)  # fmt: skip
def test_a_value_fits_a_type_where_terraform_converts_it(terraform, tmp_path, type_, value):
    (tmp_path / "main.tf").write_text(f'variable "x" {{\n  type = {type_}\n}}\n')
    root = driver.Root(tmp_path, tmp_path / "data")
    try:
        ask((terraform[0], root), f"x = {hcl.render(value)}\n")
        fits = True
    except NgpError as error:
        fits = False
        assert "Invalid value for" in str(error)  # noqa: PT017
    assert (types.check(types.parse(type_), value, "x") == []) is fits
