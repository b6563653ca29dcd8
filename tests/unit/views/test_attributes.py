"""The attributes of a change, as Terraform shows them."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.catalogue import literals
from ngp.runs.results import Counts, Outcome, UnitResult
from ngp.terraform import plans
from ngp.terraform.plans import SENSITIVE, Action, Change, OutputChange
from ngp.views import attributes, runs


def shown(change, **options):
    return [str(line) for line in attributes.lines(change, **options)]


def update(before, after, unknown=None, **more):
    return Change("a.b", "a", Action.UPDATE, before, after, unknown, **more)


POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "a"}]}
WIDER = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": "a"}]}
SCRIPT = "#!/bin/sh\nset -eu\na\nb\nc\nd\ne\nf\nexec {}\n"
COMMON = {"Cluster": "network", "Environment": "dev"}
EVERYTHING = (
    Change(
        "module.network.aws_instance.new",
        "aws_instance",
        Action.CREATE,
        after={
            "ami": "ami-1",
            "monitoring": True,
            "tags": {"Name": "new", **COMMON},
            "tags_all": {"Name": "new", **COMMON},
            "password": SENSITIVE,
            "user_data": SCRIPT.format("a"),
            "ebs": [],
            "ingress": [{"port": 22, "cidrs": ["10.0.0.0/8"]}],
            "nothing": None,
        },
        after_unknown={"arn": True, "id": True, "ingress": [{"id": True}]},
    ),
    Change(
        "module.network.aws_iam_policy.this",
        "aws_iam_policy",
        Action.UPDATE,
        before={"id": "p-1", "name": "reader", "path": "/", "policy": json.dumps(POLICY)},
        after={"id": "p-1", "name": "reader", "path": "/", "policy": json.dumps(WIDER)},
    ),
    Change(
        "module.network.aws_launch_template.this",
        "aws_launch_template",
        Action.UPDATE,
        before={"id": "lt-1", "user_data": SCRIPT.format("old"), "version": 3, "password": SENSITIVE},
        after={"id": "lt-1", "user_data": SCRIPT.format("new"), "version": None, "password": SENSITIVE},
        after_unknown={"version": True},
        sensitive_changes=(("password",),),
    ),
    Change(
        'module.network.aws_subnet.this["a"]',
        "aws_subnet",
        Action.REPLACE,
        before={"arn": "arn:1", "cidr": "10.0.1.0/24", "id": "s-1", "zones": ["a", "b"], "tags": COMMON},
        after={"cidr": "10.0.2.0/24", "zones": ["b", "c"], "tags": COMMON},
        after_unknown={"arn": True, "id": True},
        replace_paths=(("cidr",),),
        reason="replace_because_cannot_update",
    ),
    Change(
        "module.network.aws_security_group.this",
        "aws_security_group",
        Action.UPDATE,
        before={
            "id": "sg-1",
            "tags": {"Name": "old", **COMMON},
            "tags_all": {"Name": "old", "Owner": "x", **COMMON},
            "ingress": [{"port": 22, "cidrs": ["a"]}, {"port": 443, "cidrs": ["a"]}],
        },
        after={
            "id": "sg-1",
            "tags": {"Name": "new", **COMMON},
            "tags_all": {"Name": "new", "Owner": "y", **COMMON},
            "ingress": [{"port": 443, "cidrs": ["a"]}, {"port": 8443, "cidrs": ["a"]}],
        },
    ),
    Change(
        "module.network.aws_instance.old",
        "aws_instance",
        Action.DELETE,
        before={"id": "i-1", "ami": "ami-1", "tags": {"Name": "old", **COMMON}, "tags_all": {"Name": "old", **COMMON}},
        reason="delete_because_no_resource_config",
    ),
    Change("module.network.aws_vpc.kept", "aws_vpc", Action.FORGET, before={"id": "vpc-1", "cidr": "10.0.0.0/16"}),
)
UNIT = UnitResult(
    "network",
    "network",
    1,
    Outcome.PLANNED,
    Counts(1, 3, 1, 1, 1),
    EVERYTHING,
    {
        "vpc_id": OutputChange("vpc_id", Action.UPDATE, "vpc-1", "vpc-2"),
        "ids": OutputChange("ids", Action.CREATE, None, None, True),
        "token": OutputChange("token", Action.UPDATE, "hunter1", "hunter2", sensitive=True),
    },
)


@pytest.mark.parametrize("whole", [False, True])
def test_a_plan_shows_every_kind_of_change(golden, capsys, settings, result, whole):
    runs.show_changes(result(UNIT), settings, whole=whole)
    out = capsys.readouterr().out
    assert "hunter" not in out
    golden(f"changes{'-all' if whole else ''}.txt", out)


def test_tags_are_shown_once():
    tags = {"Name": "a", "Stage": "dev"}
    one = Change("a.b", "a", Action.CREATE, after={"tags": tags, "tags_all": tags})
    assert [line for line in shown(one, whole=True) if "Stage" in line] == ['    + Stage = "dev"']
    more = Change("a.b", "a", Action.CREATE, after={"tags": tags, "tags_all": {**tags, "Owner": "me"}})
    assert "tags_all" in "".join(shown(more))
    assert "".join(shown(more)).count("Stage") == 1
    changed = update({"tags": tags, "tags_all": tags}, {"tags": {"Name": "b"}, "tags_all": {"Name": "b"}})
    assert "tags_all" not in "".join(shown(changed))
    default = update({"tags": tags, "tags_all": {**tags, "o": "1"}}, {"tags": tags, "tags_all": {**tags, "o": "2"}})
    assert '    ~ o = "1" -> "2"' in shown(default)


def test_tags_all_goes_where_tags_are_not_known_yet():
    change = Change(
        "a.b", "a", Action.CREATE, after={"tags": {}}, after_unknown={"tags": {"x": True}, "tags_all": True}
    )
    assert "tags_all" not in "".join(shown(change))
    change = Change("a.b", "a", Action.CREATE, after={"tags": {"x": "y"}}, after_unknown={"tags_all": True})
    assert "tags_all" in "".join(shown(change))


def test_an_unknown_leaf_is_known_after_apply_wherever_it_lies():
    change = update({"x": None, "y": {"z": 1}}, {"y": {"z": 1}}, {"x": {"k": [True]}})
    assert shown(change) == ["+ x = {", "    + k = [(known after apply)]", "  }", "  # (1 unchanged attribute hidden)"]


def test_values_that_differ_late_show_where_they_differ():
    before, after = "a" * 300 + "x", "a" * 300 + "y"
    [line] = shown(update({"k": before}, {"k": after}))
    assert line == f'~ k = …{"a" * 20}x" -> …{"a" * 20}y"'
    assert before in "".join(shown(update({"k": before}, {"k": after}), whole=True))


@given(st.text("ab\n", min_size=60, max_size=300), st.text("ab", max_size=200), st.text("ab", max_size=200))
def test_two_values_that_differ_never_look_the_same(common, one, other):
    if one == other:
        return
    lines = [line for line in shown(update({"k": common + one}, {"k": common + other})) if "hidden" not in line]
    for line in lines:
        before, arrow, after = line.partition(" -> ")
        if arrow:
            assert before.removeprefix("~ k = ") != after
    assert lines


def test_json_that_differs_in_blanks_only_says_so():
    change = update({"policy": json.dumps(POLICY)}, {"policy": json.dumps(POLICY, indent=2)})
    assert shown(change) == ["~ policy = jsonencode(…)  # only blanks or the order of keys differ"]


def test_elements_of_a_set_are_matched_by_what_they_are():
    change = update({"cidrs": ["a", "b", "c"]}, {"cidrs": ["b", "c", "d"]})
    assert shown(change) == [
        "~ cidrs = [",
        '    - "a",',
        '    + "d",',
        "      # (2 unchanged elements hidden)",
        "  ]",
    ]


def test_every_path_that_forces_a_replacement_is_marked_and_comes_first():
    change = Change(
        "a.b",
        "a",
        Action.REPLACE,
        before={"a": 1, "net": [{"id": "x", "n": 1}], "z": 1},
        after={"a": 2, "net": [{"id": "y", "n": 1}], "z": 2},
        replace_paths=(("z",), ("net", 0, "id")),
    )
    lines = shown(change)
    assert lines[0] == "~ z = 1 -> 2  # forces replacement"
    assert '    ~ id = "x" -> "y"  # forces replacement' in lines
    assert "~ a = 1 -> 2" in lines


def test_an_unknown_value_that_forces_the_replacement_has_a_line_of_its_own():
    unknown = {"role": True, "id": True}
    change = Change("a.b", "a", Action.REPLACE, {"role": "r", "id": "x"}, {}, unknown, (("role",),))
    assert shown(change) == ['~ role = "r" -> (known after apply)  # forces replacement', "~ known after apply: id"]


def test_zero_values_that_a_provider_filled_in_are_no_change_of_a_replacement():
    change = Change("a.b", "a", Action.REPLACE, {"a": 1, "b": "", "c": 0, "d": "x"}, {"a": 2}, None, (("a",),))
    assert shown(change) == ["~ a = 1 -> 2  # forces replacement", '- d = "x" -> null']
    assert '- b = "" -> null' in shown(change, whole=True)
    assert shown(update({"b": ""}, {})) == ['- b = "" -> null']


def test_a_secret_that_differs_is_a_change_and_stays_masked():
    entry = {
        "address": "a.b",
        "change": {
            "actions": ["update"],
            "before": {"password": "hunter1", "same": "x", "list": ["k", "old"]},
            "after": {"password": "hunter2", "same": "x", "list": ["k", "new"]},
            "before_sensitive": {"password": True, "same": True, "list": [False, True]},
            "after_sensitive": {"password": True, "same": True, "list": [False, True]},
        },
    }
    (change,) = plans.parse({"format_version": "1.2", "resource_changes": [entry]}).changes
    assert change.sensitive_changes == (("list", 1), ("password",))
    lines = shown(change)
    assert f"~ password = {SENSITIVE}" in lines
    assert lines[-1] == "  # (1 unchanged attribute hidden)"
    assert "hunter" not in str(change)
    assert "    ~ (sensitive value)," in lines


def test_a_deletion_names_the_resource_and_counts_the_rest():
    before = {"arn": "arn:1", "id": "i-1", "size": 3, "tags": {"Name": "x"}, "tags_all": {"Name": "x"}}
    change = Change("a.b", "a", Action.DELETE, before=before)
    assert shown(change) == [
        '- id        = "i-1" -> null',
        '- arn       = "arn:1" -> null',
        '- tags.Name = "x" -> null',
        "  # (1 more attribute; --all shows them)",
    ]
    assert "- size = 3 -> null" in shown(change, whole=True)


def test_long_texts_are_cut_unless_all_is_asked_for():
    change = Change("a.b", "a", Action.CREATE, after={"text": "line\n" * 100})
    assert "      # (70 more lines; --all shows them)" in shown(change)
    assert len(shown(change, whole=True)) == 102


def test_a_unit_with_changed_outputs_only_is_shown(capsys, settings, result):
    changed = {"name": OutputChange("name", Action.UPDATE, "a", "b")}
    unit = UnitResult("network", "network", 1, Outcome.PLANNED, outputs=changed)
    runs.show_changes(result(unit), settings)
    assert capsys.readouterr().out.splitlines() == [
        "network (wave 1): changes",
        "  outputs:",
        '       ~ name = "a" -> "b"',
        "",
    ]


def test_of_many_attributes_the_rest_is_counted_and_all_has_them(capsys, settings, result):
    many = tuple(
        Change(f"a.b[{at}]", "a", Action.CREATE, after={f"k{key}": key for key in range(50)}) for at in range(100)
    )
    unit = UnitResult("network", "network", 1, Outcome.PLANNED, Counts(create=100), many)
    runs.show_changes(result(unit), settings)
    out = capsys.readouterr().out
    assert all(f" a.b[{at}]\n" in out for at in range(100))
    assert "# (the attributes of 60 resources; --all shows them)" in out
    runs.show_changes(result(unit), settings, whole=True)
    assert capsys.readouterr().out.count("k49 = 49") == 100


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=12,
)
documents = st.dictionaries(st.text("abc", min_size=1, max_size=2), json_values, max_size=4)


@given(documents, documents, st.booleans())
def test_any_two_objects_can_be_shown_and_a_difference_is_never_silent(before, after, whole):
    def strip(value):
        if isinstance(value, dict):
            return {key: strip(item) for key, item in value.items() if item is not None}
        return [strip(item) for item in value] if isinstance(value, list) else value

    marks = [line.mark for line in attributes.lines(update(before, after), whole=whole)]
    assert bool({"+", "-", "~"} & set(marks)) == (
        json.dumps(strip(before), sort_keys=True) != json.dumps(strip(after), sort_keys=True)
    )


@pytest.mark.parametrize("text", ["0.5", "1e30", "123456789012345678901234567890.123456789"])
@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.DELETE])
def test_a_fraction_is_shown_with_every_digit(text, action):
    value, other = Decimal(text), Decimal("0.25")
    before = None if action is Action.CREATE else {"rate": other, "deep": {"rates": [other]}}
    after = None if action is Action.DELETE else {"rate": value, "deep": {"rates": [value]}}
    change = Change("module.a.t.x", "t", action, before=before, after=after)
    text = "\n".join(shown(change, whole=True))
    assert "0.25" in text or action is Action.CREATE
    assert literals.number(value) in text or action is Action.DELETE
