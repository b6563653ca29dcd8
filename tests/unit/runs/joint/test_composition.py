"""What a joint root is made of: the states of its units, and the outputs of units outside of it."""

import json
from types import SimpleNamespace

import pytest

from ngp.catalogue.types import parse as parse_type
from ngp.environments.environment import OutputRef
from ngp.runs.joint import composition
from ngp.runs.joint.composition import ApartError
from ngp.runs.units import Wire
from tests.unit.runs.joint import joint_runs
from tests.unit.runs.joint.killed_runs import resource, state


@pytest.fixture
def context(tmp_path, monkeypatch):
    return joint_runs.context(tmp_path, joint_runs.bucket(), monkeypatch)


def test_every_state_with_a_resource_of_others_is_planned_separately(context):
    documents = {name: json.loads(state("x", 1, resource("other", "x"))) for name in "ab"}
    documents["c"] = json.loads(state("x", 1, resource("c", "x")))
    with pytest.raises(ApartError) as caught:
        composition.join(context, documents, "ours", {})
    assert set(caught.value.reasons) == {"a", "b"}
    assert "holds module.other.t.x, which is outside of module.a" in caught.value.reasons["a"]


class TestConstants:
    """Outputs of `c`, which is not in the root, become values of its variables."""

    def constants(self, context, *, joined="ab", sensitive=False, unknown=False):
        wire = Wire("vpc_id", parse_type("string"), OutputRef("c", "id"))
        units = {name: SimpleNamespace(place=context.units[name].place, wires=(wire,)) for name in joined}
        expected = SimpleNamespace(sensitive=sensitive, unknown=unknown, value="vpc-1")
        known = SimpleNamespace(learn=list, get=lambda _: expected)
        return composition._constants(context, units, known)

    def test_known_ones(self, context):
        context.access.session.objects["environments/dev/c.tfstate"] = state("line-c", 2)
        values, versions = self.constants(context)
        assert values == {"a__vpc_id": "vpc-1", "b__vpc_id": "vpc-1"}
        assert versions == {"c": context.access.session.etag("environments/dev/c.tfstate")}

    def test_units_of_the_root_itself_are_none(self, context):
        assert self.constants(context, joined="c") == ({}, {})

    @pytest.mark.parametrize(
        ("what", "says"),
        [
            ({"sensitive": True}, "c.id is sensitive"),
            ({"unknown": True}, "not known"),
            ({"unknown": [False]}, "not known"),
        ],
    )
    def test_what_must_not_be_written_or_is_not_known_keeps_units_apart(self, context, what, says):
        with pytest.raises(ApartError) as caught:
            self.constants(context, **what)
        assert set(caught.value.reasons) == {"a", "b"}
        assert says in caught.value.reasons["a"]
