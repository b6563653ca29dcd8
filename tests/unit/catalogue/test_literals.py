from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ngp.catalogue import hcl
from ngp.errors import UsageError

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
    "\t",
    "{",
    "}",
    "<<EOT\n",
    "EOT\n",
    "#",
    "//",
    "/*",
]
TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8")), st.lists(st.sampled_from([*HOSTILE, "a", "é", "\u2028"])).map("".join)
)
NUMBERS = st.one_of(
    st.integers(-(10**40), 10**40), st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9))
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def read(text):
    return hcl.literal(hcl.parse(text, Path("x.tf")).attributes["x"])


@given(VALUES)
@example(["x" * 60, "y" * 60])
@example({"for": 1, "null": 2, "a b": 3, "é": {"${a}": [[]]}})
@example("$${" * 3)
@settings(max_examples=150, deadline=None)
def test_what_is_rendered_reads_the_same(value):
    assert read(f"x = {hcl.render(value)}\n") == value
    nested = f"x = {{\n  y = {hcl.render(value, 2)}\n  z = 1\n}}\n"
    assert read(nested) == {"y": value, "z": 1}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\n\t\"\\\r\u00e9\U0001F600"', 'a\n\t"\\\ré😀'),
        ('"$${a} %%{b} $$$${c} $ % $$"', "${a} %{b} $$${c} $ % $$"),
        ("<<E\n  a\\n $${b}\n\n E\n", "  a\\n ${b}\n\n"),
        ("<<-E\n    a\n\n   \n  b\n      E  \n", "  a\n\n   \nb\n"),
        ("<<E\nE\n", ""),
        ("-55", -55),
        ("- 5", -5),
        ("-1.50e3", Decimal("-1500")),
        ("12345678901234567890123456789012345678901234", 12345678901234567890123456789012345678901234),
        ("0.1000000000000000000000000000000000000000001", Decimal("0.1000000000000000000000000000000000000000001")),
        ("(((5)))", 5),
        ("null", None),
        ("[1, # one\n 2,\n]", [1, 2]),
        ('{ a = 1, "b c" : 2, (true) = 3\n 5 = 6\n null = 7, for = 8, ("d") = 9 }',
         {"a": 1, "b c": 2, "true": 3, "5": 6, "null": 7, "for": 8, "d": 9}),
    ],
)  # fmt: skip
def test_literals_say_what_terraform_reads_in_them(text, value):
    found = read(f"x = {text}\n")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    ["var.a", "f(1)", "1 + 1", "!true", "[a]", "{a = b}", "{(a) = 1}", "{a.b = 1}", "[for a in [] : a]", "-1-2.5"]
    + ['"${a}"', '"%{if true}a%{endif}"', "true ? 1 : 2", "[1][0]"],
)
def test_an_expression_is_no_literal_and_told_with_its_line(text):
    with pytest.raises(UsageError) as caught:
        read(f"\nx = {text}\n")
    assert str(caught.value).startswith("x.tf:2: only a literal value is allowed here")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r'"\x"', "is not an escape sequence"),
        (r'"\ud800"', "is not an escape sequence"),
        (r'"\U00110000"', "is not an escape sequence"),
        ('{a = 1\n "a" = 2}', "x.tf:2: `a` is defined twice"),
        ("{a = 1 b = 2}", "a comma or a new line is missing"),
        ("{(null) = 2}", "this cannot be a key"),
    ],
)
def test_a_broken_literal_is_told(text, message):
    with pytest.raises(UsageError, match=message):
        read(f"x = {text}\n")


def test_a_line_parts_elements_also_after_an_operation():
    body = hcl.parse("x = {\n  a = b == 1\n  c = 2\n}\n", Path("x.tf"))
    assert list(hcl.elements(body.attributes["x"])) == ["a", "c"]
    body = hcl.parse("x = {a = b == 1 c = 2}\n", Path("x.tf"))
    with pytest.raises(UsageError, match="a comma or a new line is missing"):
        hcl.elements(body.attributes["x"])


@pytest.mark.parametrize("value", [Decimal("NaN"), float("inf"), "\ud800", {"\udfff": 1}])
def test_what_hcl_cannot_say_is_not_rendered(value):
    with pytest.raises(ValueError, match="is not a|has no form"):
        hcl.render(value)


@pytest.mark.parametrize("value", [object(), {1: 2}, b"x"])
def test_other_types_are_not_rendered(value):
    with pytest.raises(TypeError):
        hcl.render(value)


def test_what_an_editor_would_not_show_is_escaped():
    assert hcl.render("\x00\x7f\u202e\ufeff\U000e0001é") == r'"\u0000\u007f\u202e\ufeff\U000e0001é"'


def test_numbers_keep_their_digits():
    assert hcl.render(Decimal("1E+5")) == "100000"
    assert hcl.render(Decimal("1.10")) == "1.10"
    assert hcl.render(Decimal("1E-400")) == "1E-400"
    assert hcl.render(10**5000) == "1" + "0" * 5000
    assert hcl.render(0.1) == "0.1"


def test_objects_are_aligned_as_terraform_fmt_does():
    value = {"a": 1, "long-name": [1], "sub": {"x": 1, "yy": "2"}, "b c": None, "d": []}
    lines = ["{", "  a         = 1", "  long-name = [1]", "  sub = {", "    x  = 1", '    yy = "2"', "  }"]
    assert hcl.render(value) == "\n".join([*lines, '  "b c" = null', "  d     = []", "}"])
