"""What is no strict YAML is told with its line; nothing that a file can hold is a bug of ours."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp import yaml
from ngp.errors import UsageError

PATH = Path("x.yaml")


def test_an_alias_says_its_value_again_with_its_own_line():
    found = yaml.parse("a: &it {b: 1}\nc: *it\n", PATH)
    assert found.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert (found.where("c"), found.where("c.b")) == ("x.yaml:2", "x.yaml:1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: \x01\n", "x.yaml:2: this file is not valid YAML"),
        ("ä: ä\nb: \x01\n", "x.yaml:2: this file is not valid YAML"),
        ("a: &a [*a]\n", "x.yaml: this is nested too deeply"),
        ("[" * 3000, "x.yaml"),
        (f"a: {'1' * 1_000_001}\n", "x.yaml:1: `1111"),  # more than the command line allows
        ("a: !!int x\n", "x.yaml:1: `x` cannot be read as int"),
        ("a: !!bool x\n", "x.yaml:1: `x` cannot be read as bool"),
        ("a: !!timestamp x\n", "x.yaml:1: `x` cannot be read as timestamp"),
        ("a: 1\na: 2\n", "x.yaml:2: `a` is defined twice; the first is in line 1"),
        ("? [a]\n: 1\n", "x.yaml:1: a key must be a plain word"),
        ("a: 1\n---\nb: 1\n", "this file is not valid YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text, said):
    with pytest.raises(UsageError) as caught:
        yaml.parse(text, PATH)
    assert str(caught.value).startswith(said) or said in str(caught.value)


def test_aliases_of_aliases_cannot_eat_the_machine():
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 10)}]" for level in range(1, 12)]
    with pytest.raises(UsageError, match="this holds too many values"):
        yaml.parse("\n".join(lines), PATH)


@given(st.text(alphabet="ab:-[]{}&*!|>\"'#\n\t ?,\x01\u2028é0"))
def test_any_text_is_read_or_refused_in_words(text):
    with suppress(UsageError):
        yaml.parse(text, PATH)
