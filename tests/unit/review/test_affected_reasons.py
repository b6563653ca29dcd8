"""Who is affected through others: exactly those that stand on a changed unit, each with a reason."""

from hypothesis import given
from hypothesis import strategies as st

from ngp.review.affected import CauseKind, Reason, spread

CHANGED = (Reason(CauseKind.MODULE, "its module changed"),)


@st.composite
def _regions(draw):
    """Units that take outputs of earlier ones only, and which of them are changed."""
    number = draw(st.integers(1, 12))
    wires = {
        f"u{at}": {f"u{feeder}": "id" for feeder in draw(st.sets(st.integers(0, at - 1)))} if at else {}
        for at in range(number)
    }
    return wires, draw(st.sets(st.sampled_from(sorted(wires))))


def _reaches_changed(unit, wires, changed):
    return unit in changed or any(_reaches_changed(feeder, wires, changed) for feeder in wires[unit])


@given(_regions())
def test_affected_are_the_changed_and_whoever_stands_on_them_and_nobody_else(region):
    wires, changed = region
    found = spread(dict.fromkeys(changed, CHANGED), wires)
    assert set(found) == {unit for unit in wires if _reaches_changed(unit, wires, changed)}


@given(_regions())
def test_each_has_its_own_reason_and_one_for_each_affected_unit_that_feeds_it(region):
    wires, changed = region
    found = spread(dict.fromkeys(changed, CHANGED), wires)
    for unit, reasons in found.items():
        own = [reason for reason in reasons if reason.cause is not CauseKind.UPSTREAM]
        assert own == list(CHANGED if unit in changed else ())
        texts = [reason.text for reason in reasons if reason.cause is CauseKind.UPSTREAM]
        assert texts == [f"uses id of {feeder}" for feeder in wires[unit] if feeder in found]
        assert reasons
