"""Plans as values: actions, masking, and what is kept of what is not known."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.errors import NgpError, RefusedError
from ngp.terraform import plans
from ngp.terraform.plans import SENSITIVE, Action, Change, Invocation, OutputChange


def document(**more):
    return {"format_version": "1.2", "terraform_version": "1.11.4", **more}


def resource(*actions: str, **change):
    more = {key: change.pop(key) for key in ("previous_address", "action_reason", "deposed", "mode") if key in change}
    return {
        "address": "aws_vpc.a",
        "mode": "managed",
        "type": "aws_vpc",
        "change": {"actions": list(actions), **change},
    } | more


@pytest.mark.parametrize(
    ("actions", "action"),
    [
        (("no-op",), Action.NO_OP),
        (("create",), Action.CREATE),
        (("read",), Action.READ),
        (("update",), Action.UPDATE),
        (("delete",), Action.DELETE),
        (("forget",), Action.FORGET),
        (("delete", "create"), Action.REPLACE),
        (("create", "delete"), Action.REPLACE),
        (("create", "forget"), Action.UNKNOWN),
        (("of tomorrow",), Action.UNKNOWN),
        ((), Action.UNKNOWN),
    ],
)
def test_action(actions, action):
    (change,) = plans.parse(document(resource_changes=[resource(*actions)])).changes
    assert change.action is action
    assert change.actions == actions


def test_change_has_all_that_is_said_of_it():
    entry = resource(
        "delete",
        "create",
        before={"a": 1},
        after={"a": 2},
        after_unknown={"id": True},
        replace_paths=[["a"], ["b", 0]],
        importing={"id": "x"},
        previous_address="aws_vpc.old",
        action_reason="replace_because_cannot_update",
    )
    assert plans.parse(document(resource_changes=[entry])).changes == (
        Change(
            "aws_vpc.a",
            "aws_vpc",
            Action.REPLACE,
            before={"a": 1},
            after={"a": 2},
            after_unknown={"id": True},
            replace_paths=(("a",), ("b", 0)),
            reason="replace_because_cannot_update",
            actions=("delete", "create"),
            previous_address="aws_vpc.old",
            importing=True,
            import_id="x",
        ),
    )


def test_deposed_object_is_told_apart_from_the_current_one():
    found = plans.parse(document(resource_changes=[resource("no-op"), resource("delete", deposed="a1b2")])).changes
    assert [change.address for change in found] == ["aws_vpc.a", "aws_vpc.a (deposed object a1b2)"]


def test_data_source_keeps_its_mode():
    assert plans.parse(document(resource_changes=[resource("read", mode="data")])).changes[0].mode == "data"


def test_sensitive_leaves_are_masked_before_and_after():
    entry = resource(
        "update",
        before={"password": "old", "tags": {"a": "x", "b": "y"}, "rules": [{"key": "k1"}, {"key": "k2"}]},
        after={"password": "new", "tags": {"a": "x", "b": "z"}, "rules": [{"key": "k1"}, {"key": "k3"}]},
        before_sensitive={"password": True, "tags": {"b": True}, "rules": [{}, {"key": True}]},
        after_sensitive={"password": True, "tags": {"b": True}, "rules": [{}, {"key": True}]},
    )
    (change,) = plans.parse(document(resource_changes=[entry])).changes
    expected = {"password": SENSITIVE, "tags": {"a": "x", "b": SENSITIVE}, "rules": [{"key": "k1"}, {"key": SENSITIVE}]}
    assert change.before == change.after == expected


def test_wholly_sensitive_value_is_masked_and_none_stays_none():
    (change,) = plans.parse(
        document(
            resource_changes=[
                resource("create", before=None, before_sensitive=True, after={"a": 1}, after_sensitive=True)
            ]
        )
    ).changes
    assert (change.before, change.after) == (None, SENSITIVE)


def test_outputs():
    plan = plans.parse(
        document(
            output_changes={
                "known": {"actions": ["no-op"], "before": [1], "after": [1], "after_unknown": False,
                          "before_sensitive": False, "after_sensitive": False},
                "unknown": {"actions": ["create"], "before": None, "after_unknown": True},
                "partly": {"actions": ["update"], "after": ["a", None], "after_unknown": [False, True]},
                "secret": {"actions": ["update"], "before": "o", "after": "n", "after_unknown": False,
                           "before_sensitive": True, "after_sensitive": True},
                "was_secret": {"actions": ["update"], "before": "o", "after": "n", "before_sensitive": True},
            }
        )
    )  # fmt: skip
    assert plan.outputs == {
        "known": OutputChange("known", Action.NO_OP, [1], [1]),
        "unknown": OutputChange("unknown", Action.CREATE, None, None, after_unknown=True),
        "partly": OutputChange("partly", Action.UPDATE, None, ["a", None], after_unknown=[False, True]),
        "secret": OutputChange("secret", Action.UPDATE, SENSITIVE, SENSITIVE, sensitive=True),
        "was_secret": OutputChange("was_secret", Action.UPDATE, SENSITIVE, "n", sensitive=True),
    }


def test_drift_and_unknown_parts_are_kept():
    plan = plans.parse(
        document(
            resource_drift=[resource("update")],
            deferred_changes=[{"reason": "x"}],
            of_tomorrow=1,
            errored=True,
            complete=False,
        )
    )
    assert [change.action for change in plan.drift] == [Action.UPDATE]
    assert plan.extra == {"deferred_changes": [{"reason": "x"}], "of_tomorrow": 1, "complete": False}
    assert plan.errored
    assert plan.terraform_version == "1.11.4"


def test_parts_that_hold_values_in_clear_are_left_behind():
    held = dict.fromkeys(["variables", "planned_values", "prior_state", "configuration"], {"password": "hush"})
    assert "hush" not in repr(plans.parse(document(**held)))


@pytest.mark.parametrize("format_version", ["2.0", "0.1", None])
def test_plan_of_another_format_is_refused(format_version):
    with pytest.raises(NgpError, match="format"):
        plans.parse({"format_version": format_version})


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


def secret_marks(value):
    if isinstance(value, dict):
        return {key: secret_marks(leaf) for key, leaf in value.items()}
    if isinstance(value, list):
        return [secret_marks(leaf) for leaf in value]
    return value == "hush"


@given(
    st.recursive(
        values | st.just("hush"),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=8,
    )
)
def test_no_marked_leaf_is_left_and_no_other_is_touched(value):
    masked = plans.mask(value, secret_marks(value))
    assert "hush" not in json.dumps(masked)
    assert json.dumps(masked) == json.dumps(value).replace('"hush"', json.dumps(SENSITIVE))


@given(values, values)
def test_marks_of_another_shape_crash_nothing(value, marks):
    plans.mask(value, marks)


def invocation(**more):
    return {
        "address": "module.a.action.aws_lambda_invoke.x",
        "lifecycle_action_trigger": {
            "triggering_resource_address": "module.a.aws_vpc.main",
            "action_trigger_event": "AfterCreate",
        },
        **more,
    }


def test_actions_are_read_with_what_triggers_them_and_without_secrets():
    values = {"config_values": {"payload": "p", "key": "hush"}, "config_sensitive": {"key": True}}
    (one,) = plans.parse(document(action_invocations=[invocation(**values)])).invocations
    assert str(one) == "module.a.action.aws_lambda_invoke.x (AfterCreate module.a.aws_vpc.main)"
    assert one.values == {"payload": "p", "key": SENSITIVE}


def test_an_action_that_nothing_in_the_plan_triggers_is_read_too():
    (one,) = plans.parse(
        document(action_invocations=[{"address": "action.x.y", "invoke_action_trigger": {}}])
    ).invocations
    assert one == Invocation("action.x.y", "", None, False)


@pytest.mark.parametrize(
    ("importing", "expected"),
    [({"id": "x"}, "x"), ({"identity": {"b": 1, "a": 2}}, '{"a": 2, "b": 1}'), ({"unknown": True}, "")],
)
def test_what_is_imported_is_read(importing, expected):
    (change,) = plans.parse(document(resource_changes=[resource("no-op", importing=importing)])).changes
    assert (change.importing, change.import_id) == (True, expected)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"resource_changes": [resource("create", "forget")]}, "says create and forget"),
        ({"resource_changes": [resource()]}, "says nothing"),
        ({"deferred_changes": [{"reason": "x", "resource_change": resource("create")}]}, "aws_vpc.*deferred_changes"),
        ({"deferred_action_invocations": [{"action_invocation": invocation()}]}, "aws_lambda_invoke.x: .*deferred"),
        ({"of_tomorrow": {"some": "thing"}}, "something: the plan has it in `of_tomorrow`"),
    ],
)
def test_a_kind_of_change_that_is_not_known_is_refused_by_name(parts, says):
    with pytest.raises(RefusedError, match=says):
        plans.require_known(plans.parse(document(**parts)))


def test_parts_that_change_nothing_are_no_reason_to_refuse():
    harmless = {"applyable": True, "checks": [{"status": "pass"}], "complete": False, "timestamp": "2026"}
    changes = [resource("create"), resource("no-op", importing={"id": "x"}), resource("forget")]
    plans.require_known(
        plans.parse(
            document(resource_changes=changes, action_invocations=[invocation()], deferred_changes=[], **harmless)
        )
    )


@pytest.mark.parametrize(
    ("before", "after", "was", "is_", "paths"),
    [
        ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": True, "b": True}, {"a": True, "b": True}, [("a",)]),
        ({"a": 1}, {"a": 2}, {"a": True}, {}, [("a",)]),
        ({"a": 1}, {"a": 2}, {}, {"a": True}, [("a",)]),
        ({"a": 1}, {"a": 2}, {}, {}, []),
        ({"a": None}, {"a": 2}, {}, {"a": True}, []),
        ({"a": [1, {"k": 1}]}, {"a": [2, {"k": 2}]}, {"a": [False, {"k": True}]}, {}, [("a", 1, "k")]),
        ({"a": [1, 2]}, {"a": [3, 4]}, {"a": [True]}, {"a": [True]}, [("a", 0)]),
        ({"a": [1]}, {"a": {"k": 2}}, {"a": [True]}, {"a": {"k": True}}, []),
        ({"a": {"k": 1}}, {"a": [2]}, {"a": {"k": True}}, {"a": [True]}, []),
    ],
)
def test_a_secret_that_changes_is_named_where_either_side_is_sensitive(before, after, was, is_, paths):
    entry = resource("update", before=before, after=after, before_sensitive=was, after_sensitive=is_)
    (change,) = plans.parse(document(resource_changes=[entry])).changes
    assert list(change.sensitive_changes) == paths


def test_an_element_without_a_mark_is_shown_and_its_neighbour_is_not():
    entry = resource("create", after={"rules": ["secret", "open"]}, after_sensitive={"rules": [True]})
    (change,) = plans.parse(document(resource_changes=[entry])).changes
    assert change.after == {"rules": [SENSITIVE, "open"]}
