import copy
import json
import pickle

import pytest

from ngp.runs.envelope import surplus, unpreviewed
from ngp.terraform import plans
from ngp.terraform.plans import Action, Change, Invocation


def change(action, address="module.a.aws_vpc.x", **more):
    return Change(address, "aws_vpc", action, **more)


@pytest.mark.parametrize(
    ("previewed", "real", "fits"),
    [
        (Action.CREATE, Action.CREATE, True),
        (Action.CREATE, Action.NO_OP, True),
        (Action.UPDATE, Action.UPDATE, True),
        (Action.UPDATE, Action.NO_OP, True),
        (Action.REPLACE, Action.REPLACE, True),
        (Action.REPLACE, Action.UPDATE, True),
        (Action.REPLACE, Action.NO_OP, True),
        (Action.DELETE, Action.DELETE, True),
        (Action.FORGET, Action.FORGET, True),
        (Action.NO_OP, Action.UPDATE, False),
        (Action.NO_OP, Action.CREATE, False),
        (Action.UPDATE, Action.REPLACE, False),
        (Action.UPDATE, Action.DELETE, False),
        (Action.CREATE, Action.UPDATE, False),
        (Action.CREATE, Action.REPLACE, False),
        (Action.REPLACE, Action.CREATE, False),
        (Action.REPLACE, Action.DELETE, False),
        (Action.DELETE, Action.FORGET, False),
        (Action.UNKNOWN, Action.UNKNOWN, False),
        (Action.CREATE, Action.UNKNOWN, False),
    ],
)
def test_a_real_plan_may_do_less_but_never_more(previewed, real, fits):
    assert (surplus([change(previewed)], [change(real)]) == ()) is fits


def test_an_address_may_drop_out():
    assert surplus([change(Action.CREATE), change(Action.DELETE, "b")], []) == ()


def test_a_new_address_is_told_with_what_it_would_do():
    (one,) = surplus([], [change(Action.DELETE)])
    assert str(one) == "module.a.aws_vpc.x: delete was not previewed"


def test_a_stronger_action_names_what_was_previewed():
    (one,) = surplus([change(Action.UPDATE)], [change(Action.REPLACE)])
    assert str(one) == "module.a.aws_vpc.x: replace was previewed as update"


def test_reads_of_data_do_not_count():
    assert surplus([], [change(Action.READ, "data.aws_ami.x", mode="data")]) == ()


def test_an_import_must_have_been_previewed():
    assert surplus([change(Action.NO_OP)], [change(Action.NO_OP, importing=True)])
    assert surplus([change(Action.NO_OP, importing=True)], [change(Action.NO_OP, importing=True)]) == ()


@pytest.mark.parametrize(
    ("seen", "real", "says"),
    [
        ({}, {"importing": True, "import_id": "x"}, "the import of x was not previewed"),
        ({"importing": True, "import_id": "x"}, {"importing": True, "import_id": "x"}, ""),
        ({"importing": True}, {"importing": True, "import_id": "x"}, ""),
        ({"importing": True, "import_id": "x"}, {"importing": True, "import_id": "y"}, "the import of y"),
        ({"importing": True, "import_id": "x"}, {}, ""),
        ({}, {"previous_address": "b"}, "the move from b was not previewed"),
        ({"previous_address": "c"}, {"previous_address": "b"}, "the move from b"),
        ({"previous_address": "b"}, {"previous_address": "b"}, ""),
    ],
)
def test_imports_and_moves_are_those_of_the_preview(seen, real, says):
    found = surplus([change(Action.NO_OP, **seen)], [change(Action.NO_OP, **real)])
    assert says in "".join(map(str, found))
    assert bool(found) is bool(says)


def test_a_move_that_was_not_previewed_at_all_counts():
    assert surplus([], [change(Action.NO_OP, previous_address="b")])


@pytest.mark.parametrize(
    ("seen", "real", "fits"),
    [
        ([], [Invocation("a")], False),
        ([Invocation("a")], [], True),
        ([Invocation("a")], [Invocation("a")], True),
        ([Invocation("a")], [Invocation("a"), Invocation("a")], False),
        ([Invocation("a", "AfterCreate x")], [Invocation("a", "AfterCreate y")], False),
        ([Invocation("a", values={"n": 1})], [Invocation("a", values={"n": 2})], False),
        ([Invocation("a", values={}, unknown={"n": True})], [Invocation("a", values={"n": 2})], True),
    ],
)
def test_only_the_actions_that_were_previewed_are_invoked(seen, real, fits):
    assert (unpreviewed(seen, real) == ()) is fits


def real(action=Action.CREATE, after=None, **more):
    return [change(action, after=after, **more)]


@pytest.mark.parametrize(
    ("value", "unknown", "other", "fits"),
    [
        ("a", False, "a", True),
        ("a", False, "b", False),
        (None, True, "b", True),
        ({"k": "a"}, {"l": True}, {"k": "a", "l": "b"}, True),
        ({"k": "a"}, {"l": True}, {"k": "b", "l": "b"}, False),
        ({"k": "a"}, {"l": True}, {"k": "a", "l": "b", "m": "c"}, False),
        (["a", None], [False, True], ["b", "a"], True),  # a set
        (["a", None], [False, True], ["a"], True),
        (["a", None], [False, True], ["b", "c"], False),
        (["a", None], [False, True], ["a", "b", "c"], False),
        (["a"], False, ["a", "b"], False),
    ],
)
def test_an_attribute_that_was_previewed_keeps_its_value(value, unknown, other, fits):
    previewed = [change(Action.CREATE, after={"policy": value}, after_unknown={"policy": unknown})]
    assert (surplus(previewed, real(after={"policy": other})) == ()) is fits


def test_an_attribute_with_another_value_is_named():
    (one,) = surplus([change(Action.CREATE, after={"policy": "read", "name": "x"})], real(after={"policy": "all"}))
    assert str(one) == "module.a.aws_vpc.x: create sets `policy` to another value than previewed"


def test_an_update_may_leave_an_attribute_as_it_is():
    previewed = [change(Action.UPDATE, before={"size": 1, "name": "x"}, after={"size": 2, "name": "y"})]
    less = real(Action.UPDATE, before={"size": 1, "name": "x"}, after={"size": 1, "name": "y"})
    more = real(Action.UPDATE, before={"size": 1, "name": "x"}, after={"size": 3, "name": "y"})
    assert surplus(previewed, less) == ()
    assert surplus(previewed, more)[0].attributes == ("size",)


def test_an_import_of_an_address_that_was_not_previewed_is_told():
    (found,) = surplus([], [change(Action.NO_OP, importing=True, import_id="x")])
    assert "the import of x" in str(found)


class TestSensitiveValues:
    """They are masked in what people see, and compared by a digest that stays in memory."""

    def planned(self, value, before=None, unknown=False, marks=True):
        entry = {
            "address": "module.a.aws_vpc.x",
            "change": {
                "actions": ["update"] if before else ["create"],
                "before": {"secret": before} if before else None,
                "before_sensitive": {"secret": marks},
                "after": {"secret": value},
                "after_sensitive": {"secret": marks},
                "after_unknown": {"secret": unknown},
            },
        }
        return plans.parse({"format_version": "1.2", "resource_changes": [entry]}).changes

    def test_one_that_changed_is_named_and_not_shown(self):
        (one,) = surplus(self.planned("first"), self.planned("second"))
        assert str(one) == "module.a.aws_vpc.x: create sets `secret` to another value than previewed"
        assert surplus(self.planned("first"), self.planned("first")) == ()

    def test_one_that_is_set_though_it_was_to_stay_is_named(self):
        assert surplus(self.planned("old", before="old"), self.planned("new", before="old"))
        assert surplus(self.planned("new", before="old"), self.planned("new", before="old")) == ()

    def test_one_inside_of_a_value_counts_too(self):
        marks = [{"key": True}]
        seen = self.planned([{"key": "a", "name": "n"}], marks=marks)
        assert surplus(seen, self.planned([{"key": "b", "name": "n"}], marks=marks))
        assert surplus(seen, self.planned([{"key": "a", "name": "n"}], marks=marks)) == ()

    def test_one_that_is_partly_unknown_may_become_anything(self):
        seen = self.planned({"a": 1}, unknown={"b": True})
        assert surplus(seen, self.planned({"a": 1, "b": 2})) == ()

    def test_nothing_of_it_is_in_a_copy_or_in_what_is_written(self):
        (secret,) = (one.after["secret"] for one in self.planned("first"))
        for made in (copy.deepcopy(secret), pickle.loads(pickle.dumps(secret)), json.loads(json.dumps(secret))):
            assert (type(made), made) == (str, plans.SENSITIVE)
        assert secret == plans.SENSITIVE
        assert "first" not in repr(secret) + str(vars(plans.Masked))


def test_a_replacement_may_not_keep_a_value_that_the_preview_changes():
    previewed = [change(Action.REPLACE, before={"size": 1}, after={"size": 2})]
    found = surplus(previewed, real(Action.REPLACE, before={"size": 1}, after={"size": 1}))
    assert [one.attributes for one in found] == [("size",)]


@pytest.mark.parametrize("other", ["text", ["element"], None])
def test_a_value_that_takes_another_shape_is_another_value(other):
    previewed = [change(Action.CREATE, after={"policy": {"k": "a"}})]
    assert surplus(previewed, real(after={"policy": other}))
    assert surplus([change(Action.CREATE, after={"policy": other})], real(after={"policy": {"k": "a"}}))
