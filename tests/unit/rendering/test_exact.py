from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.rendering import exact

DECIMALS = st.builds("{}E{}".format, st.integers(), st.integers(-400, 400)).map(Decimal) | st.just(Decimal("-0"))
SCALARS = st.none() | st.booleans() | st.integers() | DECIMALS | st.text()
PLAIN = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(st.dictionaries(st.text(), PLAIN))
def test_what_is_written_is_read_back_with_every_digit(data):
    def decimal(value):
        return Decimal(value)

    def decimals(value):
        if isinstance(value, dict):
            return {key: decimals(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [decimals(inner) for inner in value]
        return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value

    assert json.loads(exact.dump(data), parse_float=decimal, parse_int=decimal) == decimals(data)


def test_keys_are_sorted_and_items_stand_on_lines_of_their_own():
    assert exact.dump({"b": [1, {}], "a": {"y": "ü\n", "x": []}}) == (
        '{\n  "a": {\n    "x": [],\n    "y": "ü\\n"\n  },\n  "b": [\n    1,\n    {}\n  ]\n}\n'
    )


def test_numbers_keep_their_digits():
    assert "0.10000000000000000000000000001" in exact.dump({"x": Decimal("0.10000000000000000000000000001")})
    assert exact.dump({"x": 10**5000}).count("0") == 5000


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), float("inf")])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="not a number"):
        exact.dump({"x": value})


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="object has no JSON form"):
        exact.dump({"x": object()})
