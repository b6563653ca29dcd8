"""The edges of the last apply, beside those of the wiring."""

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.errors import MissingError, NgpError
from ngp.runs import graph
from ngp.runs.joint import choosing, edges
from ngp.runs.outcomes import Outcome
from ngp.runs.units import SINGLE
from ngp.state.locations import StateLocation
from tests.doubles.buckets import Bucket

NONE = frozenset()


def needs(**units):
    return {unit: frozenset(words.split()) for unit, words in units.items()}


def test_what_was_applied_counts_beside_the_wiring():
    assert edges.combine(needs(a="", b="", c="b"), needs(b="a", c="")) == needs(a="", b="a", c="b")


def test_a_removed_unit_is_passed_through():
    found = edges.combine(needs(a="", c=""), needs(b="a", c="b"))
    assert graph.dependants(found, ["a"]) == {"b", "c"}


def test_an_edge_that_was_turned_around_is_as_the_wiring_says():
    assert edges.combine(needs(a="c", b="a", c=""), needs(c="b", a="")) == needs(a="c", b="a", c="")


GRAPHS = st.dictionaries(st.sampled_from("abcdef"), st.frozensets(st.sampled_from("abcdef")))


@given(GRAPHS, GRAPHS)
def test_both_together_have_no_cycle_and_lose_no_wire(wiring, stored):
    wiring = {unit: frozenset(one for one in needed if one < unit) for unit, needed in wiring.items()}
    found = edges.combine(wiring, stored)
    graph.numbers(found)
    assert all(wiring[unit] <= found[unit] for unit in wiring)


@pytest.mark.parametrize("text", ["[", "[]", '{"needs": {}}', '{"v": 2, "needs": {}}', '{"v": 1, "needs": {"a": 1}}'])
def test_a_file_that_is_none_is_an_error(text):
    with pytest.raises(NgpError, match="not the graph"):
        edges.parse(text, where="s3://bucket/graph.json")


def test_no_file_is_no_edge():
    assert edges.parse("", where="") == {}


class TestTheFile:
    """``graph.json`` beside the states."""

    KEY = "environments/dev/graph.json"

    @pytest.fixture
    def context(self, monkeypatch):
        monkeypatch.setattr(choosing, "has_own_versions", lambda _: False)
        notes, place = [], StateLocation("s3", "states", "environments/dev/app.tfstate", "eu")
        wiring = {"app": frozenset({"base"}), "base": NONE}
        return SimpleNamespace(
            units={name: SimpleNamespace(place=place, needs=needed) for name, needed in wiring.items()},
            access=SimpleNamespace(session=Bucket()),
            request=SimpleNamespace(options=SimpleNamespace(targets=())),
            notes=notes,
            emit=lambda note: notes.append(note.text),
        )

    def put(self, context, **units):
        text = json.dumps({"v": 1, "needs": {unit: words.split() for unit, words in units.items()}})
        context.access.session.objects[self.KEY] = text

    def results(self, **outcomes):
        return {name: SimpleNamespace(outcome=outcome) for name, outcome in outcomes.items()}

    def test_before_an_apply_the_old_edges_stay_beside_the_new(self, context):
        self.put(context, app="old", gone="x")
        edges.begin(context, ["app"])
        assert edges.load(context) == needs(app="base old", gone="x")
        assert context.notes == []

    def test_after_it_only_the_wiring_of_what_was_applied_counts(self, context):
        self.put(context, app="old", base="old")
        edges.settle(context, self.results(app=Outcome.APPLIED, base=Outcome.PARTLY))
        assert edges.load(context) == needs(app="base", base="old")
        edges.settle(context, self.results(app=Outcome.DESTROYED))
        assert edges.load(context) == needs(base="old")

    def test_a_run_of_some_resources_settles_nothing(self, context):
        self.put(context, app="old")
        context.request.options.targets = ("module.app.x",)
        edges.settle(context, self.results(app=Outcome.APPLIED))
        assert edges.load(context) == needs(app="old")

    def test_equal_edges_are_not_written_again(self, context):
        edges.begin(context, ["app"])
        edges.begin(context, ["app"])
        assert [name for name, _ in context.access.session.calls].count("put_object") == 1

    def test_what_another_run_writes_meanwhile_is_not_lost(self, context):
        bucket = context.access.session
        put = bucket._put_object

        def overtaken(key, **parameters):
            bucket._put_object = put
            self.put(context, other="x")
            return put(key, **parameters)

        bucket._put_object = overtaken
        edges.begin(context, ["app"])
        assert edges.load(context) == needs(app="base", other="x")

    def test_a_run_goes_on_where_they_cannot_be_saved_and_says_so(self, context):
        bucket = context.access.session
        bucket._put_object = lambda *_, **__: ("PreconditionFailed", None)
        edges.begin(context, ["app"])
        (note,) = context.notes
        assert note.startswith("cannot save the dependencies of this apply")
        assert [name for name, _ in bucket.calls].count("put_object") == 5

    def test_a_run_goes_on_where_they_cannot_be_read(self, context):
        context.access.session.refusals["get_object"] = [MissingError("no rights")]
        assert edges.load(context) == {}
        (note,) = context.notes
        assert note.startswith("cannot read the dependencies of the last apply")

    @pytest.mark.parametrize("text", ["[", "[]", "{}", '{"v": 2, "needs": {}}', '{"v": 1, "needs": []}'])
    def test_another_file_in_its_place_is_refused_and_not_written_over(self, context, text):
        context.access.session.objects[self.KEY] = text
        with pytest.raises(NgpError, match="not the graph of the last apply"):
            edges.load(context)
        edges.begin(context, ["app"])
        assert context.access.session.objects[self.KEY] == text

    def test_one_state_for_all_units_has_none(self, context):
        context.units = {SINGLE: context.units["app"]}
        edges.begin(context, [SINGLE])
        assert (edges.load(context), context.access.session.calls) == ({}, [])
        context.units = {}
        edges.begin(context, [])
        assert (edges.load(context), context.access.session.calls) == ({}, [])
