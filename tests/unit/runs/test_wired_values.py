"""The var file of upstream outputs: real values, or an error that says what is missing."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from ngp.catalogue.types import STRING
from ngp.environments.environment import OutputRef
from ngp.errors import NgpError
from ngp.runs import wires
from ngp.runs.units import Unit, Wire
from ngp.state.locations import StateLocation
from ngp.terraform import states

WIRE = Wire("vpc_id", STRING, OutputRef("base", "vpc_id"))


def unit(root=Path()):
    return Unit("app", "app", root, StateLocation("local", "", "", ""), {}, (WIRE,))


def state(outputs):
    text = json.dumps({"version": 4, "serial": 3, "resources": [], "outputs": outputs})
    return states.parse(text.replace('"@"', "1.00000000000000000000001"))


@pytest.mark.parametrize("found", [None, state({})])
def test_a_state_that_holds_nothing_hands_on_no_null(found):
    with pytest.raises(NgpError, match="uses base.vpc_id, which does not exist yet") as caught:
        wires.values(unit(), lambda _: found)
    assert caught.value.findings[0].todo == "apply `base` first"


def test_what_a_state_lacks_is_null_only_where_that_is_known():
    found = state({"name": {"value": "x"}})
    assert wires.values(unit(), lambda _: found, lambda wire: wire == WIRE) == {"vpc_id": None}
    with pytest.raises(NgpError, match="does not exist yet"):
        wires.values(unit(), lambda _: found, lambda _: False)


def test_a_sensitive_output_is_not_handed_on():
    with pytest.raises(NgpError, match="sensitive"):
        wires.values(unit(), lambda _: state({"vpc_id": {"value": "hunter", "sensitive": True}}))


def test_a_number_keeps_every_digit(tmp_path):
    found = state({"vpc_id": {"value": "@"}})
    assert found.outputs["vpc_id"].value == Decimal("1.00000000000000000000001")
    assert wires.put(unit(tmp_path), lambda _: found)
    assert "1.00000000000000000000001" in (tmp_path / wires.FILE).read_text()
    assert (tmp_path / wires.FILE).stat().st_mode & 0o777 == 0o600
