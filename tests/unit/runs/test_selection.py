"""Selection of units: the grammar, what it matches in a graph, and what never turns into "all units"."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.environments.environment import UnitChoice
from ngp.errors import UsageError
from ngp.runs import selection

EDGES = {
    "network": (),
    "vpn": ("network",),
    "swarm": ("network",),
    "registry": ("swarm",),
    "monitoring-a": ("swarm", "registry"),
    "monitoring-b": ("network",),
    "mailbox": (),
}
TAGS = {"swarm": ("apps",), "registry": ("apps", "data"), "mailbox": ("data",)}


def _resolved(edges=EDGES, tags=TAGS, name="dev"):
    units = {unit: UnitChoice(unit, unit, tags.get(unit, ())) for unit in edges}
    return SimpleNamespace(environment=SimpleNamespace(name=name, units=units), edges=edges)


@pytest.mark.parametrize(
    ("words", "units"),
    [
        ("swarm", "swarm"),
        ("swarm network", "network swarm"),
        ("monitoring-*", "monitoring-a monitoring-b"),
        ("*", " ".join(EDGES)),
        ("[mv]*", "vpn monitoring-a monitoring-b mailbox"),
        ("tag:data", "registry mailbox"),
        ("tag:*", "swarm registry mailbox"),
        ("swarm...", "network swarm"),
        ("monitoring-a...", "network swarm registry monitoring-a"),
        ("...swarm", "swarm registry monitoring-a"),
        ("...swarm...", "network swarm registry monitoring-a"),
        ("...monitoring-*", "monitoring-a monitoring-b"),
        ("tag:apps...", "network swarm registry"),
        ("!swarm", "network vpn registry monitoring-a monitoring-b mailbox"),
        ("!...swarm", "network vpn monitoring-b mailbox"),
        ("* !tag:data", "network vpn swarm monitoring-a monitoring-b"),
        ("!swarm ...swarm", "registry monitoring-a"),
    ],
)
def test_words_select_units_in_the_order_of_the_file(words, units):
    assert selection.expand(words.split(), _resolved()) == tuple(units.split())


@pytest.mark.parametrize("words", [None, [], ()])
def test_no_words_mean_all_units(words):
    assert selection.expand(words, _resolved()) == ()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("swrm", "`dev` has no unit `swrm`"),
        ("swrm...", "`dev` has no unit `swrm`"),
        ("!swrm", "`dev` has no unit `swrm`"),
        ("x-*", "`dev` has no unit that matches `x-*`"),
        ("tag:dat", "`dev` has no unit with the tag `dat`"),
        ("...", "`...` selects no unit"),
        ("!", "`!` selects no unit"),
        ("tag:", "`tag:` selects no unit"),
    ],
)
def test_a_term_without_a_match_is_an_error(word, said):
    with pytest.raises(UsageError) as caught:
        selection.expand(["network", word], _resolved())
    assert caught.value.findings[0].what == said


def test_misspelt_names_and_tags_get_the_nearest():
    for word, near in (("swrm", "swarm"), ("tag:dat", "data")):
        with pytest.raises(UsageError) as caught:
            selection.expand([word], _resolved())
        assert caught.value.findings[0].todo == f"did you mean `{near}`?"


def test_a_selection_that_leaves_nothing_over_never_means_all():
    with pytest.raises(UsageError, match="selects no unit"):
        selection.expand(["swarm", "!swarm"], _resolved())


def test_in_several_environments_a_term_may_match_in_any():
    both = [_resolved(), _resolved({"alb": ()}, {}, "stage")]
    assert selection.expand_each(["alb"], both) == {"dev": (), "stage": ("alb",)}
    assert selection.expand_each([], both) == {}
    with pytest.raises(UsageError, match="no environment has a unit `x`"):
        selection.expand_each(["x"], both)


@st.composite
def graphs(draw):
    names = [f"u{number}" for number in range(draw(st.integers(1, 8)))]
    return {name: tuple(draw(st.sets(st.sampled_from(names[:at])))) if at else () for at, name in enumerate(names)}


@given(graphs(), st.data())
def test_dependants_are_the_mirror_of_needs(edges, data):
    unit, other = data.draw(st.sampled_from([*edges])), data.draw(st.sampled_from([*edges]))
    resolved = _resolved(edges, {})
    assert (other in selection.expand([f"{unit}..."], resolved)) == (
        unit in selection.expand([f"...{other}"], resolved)
    )


def test_feeders_are_the_upstreams_beyond_a_run_that_nobody_has_applied():
    def unit(name, *origins):
        return SimpleNamespace(unit=name, unknowns=[SimpleNamespace(origin=origin) for origin in origins])

    result = SimpleNamespace(units=[unit("app", "base.vpc_id", "db.arn"), unit("db", "base.id"), unit("lone")])
    assert selection.feeders(result) == {"base"}
    assert selection.feeders(SimpleNamespace(units=[unit("lone")])) == set()


@pytest.mark.parametrize("word", ["network", "net*"])
def test_a_unit_of_an_environment_without_units_leads_to_configure(word):
    with pytest.raises(UsageError) as caught:
        selection.expand([word], _resolved(edges={}))
    assert caught.value.findings[0].todo == "choose modules first: ngp configure dev"
    with pytest.raises(UsageError) as caught:
        selection.expand_each([word], [_resolved(edges={}), _resolved(edges={}, name="stage")])
    assert caught.value.findings[0].todo == "choose modules first: ngp configure ENV"
