from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.catalogue import types
from ngp.catalogue.types import ANY, BOOL, NUMBER, STRING, Collection, ObjectAttribute, Sequence, Structure
from ngp.errors import UsageError

NAMES = st.from_regex(r"[a-z_][a-z0-9_-]{0,8}", fullmatch=True).filter(lambda name: name != "optional")
TYPES = st.recursive(
    st.sampled_from([STRING, NUMBER, BOOL, ANY]),
    lambda inner: st.one_of(
        st.builds(Collection, st.sampled_from(["list", "set", "map"]), inner),
        st.builds(Sequence, st.lists(inner, max_size=3).map(tuple)),
        st.builds(
            Structure,
            st.dictionaries(
                NAMES,
                st.one_of(
                    st.builds(ObjectAttribute, inner),
                    st.builds(ObjectAttribute, inner, st.just(True), st.sampled_from(["", '"a)b"', "{ a = [1] }"])),
                ),
                max_size=3,
            ),
        ),
    ),
    max_leaves=8,
)


@given(TYPES)
def test_a_rendered_type_reads_the_same(type_):
    assert types.parse(types.render(type_)) == type_


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ('"string"', STRING),
        ("list", Collection("list", ANY)),
        ("map(\n  number\n)", Collection("map", NUMBER)),
        ("tuple([string, bool,])", Sequence((STRING, BOOL))),
        (
            'object({\n  # what it is\n  "a" = string // b\n  b : optional(number, 3) /* c */\n})',
            Structure({"a": ObjectAttribute(STRING), "b": ObjectAttribute(NUMBER, optional=True, default="3")}),
        ),
    ],
)
def test_all_spellings_of_a_type_are_read(text, type_):
    assert types.parse(text) == type_


@pytest.mark.parametrize(
    "text",
    ["", "strin", "list(", "list()", "list(string, number)", "string string", "object({a})", "object({a = x})"]
    + ["optional(string)", "foo(string)", "tuple([string", "object({a = string\n a = number})", "object("],
)
def test_what_is_no_type_is_told_with_its_place(text):
    with pytest.raises(UsageError) as caught:
        types.parse(text, "x.tf:3")
    assert "is not a type" in str(caught.value)
    assert str(caught.value).startswith("x.tf:3: ")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("number", "5"),
        ("number", "-1.5e3"),
        ("string", 5),
        ("string", True),
        ("bool", "true"),
        ("bool", "0"),
        ("number", Decimal("0.1")),
        ("list(string)", [1, True, "a", None]),
        ("map(number)", {"a": "1"}),
        ("list(any)", [1, "a", True]),
        ("list(any)", [{"a": 1}, {"b": "x"}]),
        ("list(any)", [[1], ["a", 2]]),
        ("object({a = string, b = optional(number)})", {"a": 1, "more": []}),
        ("tuple([string, number])", ["a", "1"]),
        ("any", [1, [2]]),
        ("object({})", None),
    ],
)
def test_what_terraform_converts_fits(text, value):
    assert types.check(types.parse(text), value, "x") == []


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("number", "five", "x: a number is required, not a string"),
        ("number", "5 ", "x: a number is required, not a string"),
        ("number", True, "x: a number is required, not a bool"),
        ("bool", 1, "x: a bool is required, not a number"),
        ("bool", "yes", "x: a bool is required, not a string"),
        ("string", ["a"], "x: a string is required, not a list"),
        ("list(string)", {"a": 1}, "x: a list is required, not an object"),
        ("map(string)", ["a"], "x: a map is required, not a list"),
        ("map(list(number))", {"k": [1, "b"]}, 'x["k"][1]: a number is required, not a string'),
        ("list(any)", [1, [2]], "x: all elements of a list must be of one type"),
        ("list(any)", [1, True], "x: all elements of a list must be of one type"),
        ("object({a = object({b = bool})})", {"a": {}}, "x.a: the attribute `b` is required"),
        ("object({a = string})", "s", "x: an object is required, not a string"),
        ("tuple([string])", [], "x: 1 element is required, not 0"),
        ("tuple([number])", ["a"], "x[0]: a number is required, not a string"),
        ("tuple([number])", {}, "x: a tuple is required, not an object"),
    ],
)
def test_a_wrong_element_is_named_by_its_path(text, value, reason):
    assert types.check(types.parse(text), value, "x") == [reason]


def test_all_wrong_elements_are_told():
    assert len(types.check(types.parse("list(number)"), ["a", "1", "b"], "x")) == 2


@pytest.mark.parametrize("value", [{}, [], {"a": None}, {"a": [], "b": [1]}, {"a": {}, "b": {}}, {"a": [[], []]}])
def test_collections_of_anything_may_be_empty(value):
    kind = "map" if isinstance(value, dict) else "list"
    assert types.check(Collection(kind, ANY), value, "v") == []
