"""What boto3 takes and gives goes through JSON and comes back as it was."""

import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.pool import values

SIMPLE = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.datetimes(timezones=st.just(UTC))
KEYS = st.text() | st.sampled_from(["$bytes", "$map", "$time", "$stream"])
DATA = st.recursive(SIMPLE, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20)


@given(DATA)
def test_every_value_comes_back(value):
    assert values.decode(json.loads(json.dumps(values.encode(value)))) == value


def test_a_stream_comes_back_as_one():
    assert values.decode(values.encode({"Body": io.BytesIO(b"\0state")}))["Body"].read() == b"\0state"


def test_a_time_keeps_its_zone():
    moment = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert values.decode(values.encode(moment)).tzinfo is not None


def test_what_no_call_gives_is_refused():
    with pytest.raises(TypeError, match="object"):
        values.encode({"x": object()})
