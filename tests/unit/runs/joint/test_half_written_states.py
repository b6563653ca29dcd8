"""A local state that a killed ngp was in the middle of writing counts as the one before."""

import hashlib

import pytest

from ngp.runs.joint import recovery
from ngp.runs.joint.record import UnitRecord
from ngp.state import storing

OLD, HALF = '{"serial": 3}', '{"serial": 4, "out'


@pytest.fixture
def left(tmp_path):
    """`left(text, backup)` is what lies at a unit's place after the kill, as recovery takes it."""

    def take(text, backup=OLD, writing="digest"):
        path = tmp_path / "a.tfstate"
        path.write_text(text)
        path.with_name("a.tfstate.backup").write_text(backup)
        version = hashlib.sha256(OLD.encode()).hexdigest()
        one = UnitRecord("", "", "", str(path), serial=3, version=version, writing=writing)
        return recovery._repaired(one, storing.fetch(one.place, None), None).text

    return take


def test_the_backup_stands_in_for_what_was_cut_off(left):
    assert left(HALF) == OLD


@pytest.mark.parametrize(
    ("text", "more"), [('{"serial": 9}', {}), (HALF, {"backup": "other"}), (HALF, {"writing": ""})]
)
def test_nothing_else_is_taken_for_it(left, text, more):
    assert left(text, **more) == text
