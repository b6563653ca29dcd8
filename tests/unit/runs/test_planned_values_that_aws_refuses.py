"""Planned values that AWS would refuse are told: those that the plan sets, and no secret."""

from types import SimpleNamespace

import pytest

from ngp.runs import acceptance
from ngp.runs.results import Outcome, UnitResult
from ngp.terraform.plans import SENSITIVE, Action, Change

BAD = {"name": "shop", "description": "it's", "tags": {"Name": "x"}}


@pytest.fixture
def told(tmp_path):
    """`told(change, accepted)`: what a plan with this change, or these, tells; the module accepts `accepted`."""

    def emit(change, accepted=()):
        changes = change if isinstance(change, tuple) else (change,)
        notes = []
        manifest = SimpleNamespace(exceptions=dict.fromkeys(accepted, "A reason."))
        module = SimpleNamespace(manifest=manifest, path=tmp_path)
        resolved = SimpleNamespace(
            platform=SimpleNamespace(cache=None), catalogue=SimpleNamespace(modules={"alb": module})
        )
        context = SimpleNamespace(resolved=resolved, emit=notes.append)
        shown = tuple(each for each in changes if each.action is not Action.NO_OP)  # as results describe plans
        acceptance.emit_warnings(context, UnitResult("web", "alb", 1, Outcome.PLANNED, changes=shown), changes)
        return [note.text for note in notes]

    return emit


def change(action, before=None, after=None, type_="aws_security_group"):
    return Change(f"module.web.{type_}.x", type_, action, before, after)


def test_new_value_is_told_with_its_rule_and_source(told):
    [text] = told(change(Action.CREATE, after=BAD))
    assert text.startswith(
        '`web`: AWS would refuse module.web.aws_security_group.x description = "it\'s": it holds only'
    )
    assert text.endswith("(AWS documentation: EC2 SecurityGroup)")


def test_what_the_module_accepts_with_a_reason_is_not_told(told):
    every = Change('module.web.aws_security_group.x["a"]', "aws_security_group", Action.CREATE, None, BAD)
    assert told(every, ["aws-accepts aws_security_group.x"]) == []
    assert len(told(every, ["aws-accepts aws_security_group.y", "open-ssh aws_security_group.x"])) == 1


def test_version_that_aws_raises_is_told_in_its_own_words(told):
    pair = {"engine_version": "7.1", "auto_minor_version_upgrade": "true"}
    [text] = told(change(Action.CREATE, after=pair, type_="aws_elasticache_replication_group"))
    assert text.startswith("`web`: later plans would ask for an older version with module.web.aws_elasticache_")
    assert "names a minor version (7.1)" in text


@pytest.mark.parametrize(
    ("type_", "before", "changed"),
    [
        (
            "aws_db_instance",
            {"engine": "postgres", "engine_version": "17", "auto_minor_version_upgrade": True},
            {"engine_version": "17.4"},
        ),
        (
            "aws_elasticache_replication_group",
            {"engine_version": "7.1", "auto_minor_version_upgrade": "false"},
            {"auto_minor_version_upgrade": "true"},
        ),
        ("aws_autoscaling_group", {"min_size": 1, "desired_capacity": 1, "max_size": 2}, {"min_size": 3}),
        (
            "aws_eks_node_group",
            {"scaling_config": [{"min_size": 1, "desired_size": 2, "max_size": 3}]},
            {"scaling_config": [{"min_size": 1, "desired_size": 2, "max_size": 1}]},
        ),
    ],
)
def test_update_of_one_of_several_arguments_is_held_against_the_others(told, type_, before, changed):
    """The others are unchanged; where all are, and where another argument changes, it is not this plan's doing."""
    assert len(told(change(Action.UPDATE, before=before, after=before | changed, type_=type_))) == 1
    there = before | changed
    assert told(change(Action.UPDATE, before=there, after=there | {"other": "new"}, type_=type_)) == []


def test_capacity_that_aws_moves_between_new_sizes_is_not_told(told):
    before = {"min_size": 1, "desired_capacity": 3, "max_size": 4}
    group = change(Action.UPDATE, before=before, after=before | {"max_size": 2}, type_="aws_autoscaling_group")
    assert told(group) == []


def test_value_that_is_there_already_is_not_told(told):
    assert told(change(Action.UPDATE, before=BAD, after={**BAD, "tags": {"Name": "y"}})) == []
    assert len(told(change(Action.UPDATE, before={**BAD, "description": "fine"}, after=BAD))) == 1


@pytest.mark.parametrize("action", [Action.DELETE, Action.NO_OP, Action.FORGET])
def test_what_is_not_set_is_not_told(told, action):
    assert told(change(action, before=BAD, after=BAD)) == []


def test_secret_is_held_against_nothing(told):
    assert told(change(Action.CREATE, after={"name": SENSITIVE}, type_="aws_iam_role")) == []
    assert len(told(change(Action.CREATE, after={"name": "a b"}, type_="aws_iam_role"))) == 1


def test_only_resources_of_aws_are_looked_at(told, monkeypatch):
    from ngp.catalogue.constraints import parameters

    loaded = []
    monkeypatch.setattr(parameters, "load", lambda cache: loaded.append(cache) or {})
    for type_ in ("terraform_data", "random_password"):
        assert told(change(Action.CREATE, after=BAD, type_=type_)) == []
    told(change(Action.DELETE, before=BAD, after=BAD))
    assert loaded == [], "the tables of AWS are not even read"


@pytest.mark.parametrize(("length", "shown"), [(120, "'" * 120), (121, "'" * 120 + "…")])
def test_a_long_value_is_cut(told, length, shown):
    [text] = told(change(Action.CREATE, after={**BAD, "description": "'" * length}))
    assert f'description = "{shown}":' in text


@pytest.mark.parametrize(
    ("kind", "action", "before", "lock"),
    [
        ("aws_lb", Action.REPLACE, {"enable_deletion_protection": True}, "enable_deletion_protection"),
        ("aws_db_instance", Action.DELETE, {"deletion_protection": True}, "deletion_protection"),
        ("aws_cognito_user_pool", Action.DELETE, {"deletion_protection": "ACTIVE"}, "deletion_protection"),
        ("aws_lb", Action.UPDATE, {"enable_deletion_protection": True}, ""),
        ("aws_lb", Action.REPLACE, {"enable_deletion_protection": False}, ""),
        ("aws_lb", Action.CREATE, None, ""),
        ("aws_s3_bucket", Action.DELETE, {"deletion_protection": True}, ""),
    ],
)
def test_deletion_that_a_lock_refuses_is_known(kind, action, before, lock):
    """Terraform asks AWS last: what depends on it is gone by then."""
    assert acceptance.locked(Change("module.a.b.c", kind, action, before, {})) == lock


def test_trust_policy_that_needs_a_raised_quota_is_told(told):
    role = change(Action.CREATE, after={"assume_role_policy": "x" * 2049}, type_="aws_iam_role")
    [text] = told(role)
    assert text.startswith("`web`: only an account with a raised quota accepts module.web.aws_iam_role.x assume_role")
    assert "it has at most 2048 characters" in text


def test_inline_policies_of_one_role_are_told_together(told):
    def policy(name, role):
        after = {"role": role, "policy": "x" * 6000}
        return Change(f"module.web.aws_iam_role_policy.{name}", "aws_iam_role_policy", Action.CREATE, None, after)

    [text] = told((policy("a", "one"), policy("b", "two"), policy("c", "one")))
    assert text.startswith("`web`: AWS would refuse module.web.aws_iam_role_policy.c policy: it has at most 10240")
    assert "these 2 have 12000" in text
    same = (policy("a", "one"), policy("c", "one"))
    assert told(same, ["aws-accepts aws_iam_role_policy.c"]) == []
    unknown = {"policy": "x" * 6000}  # the name of a new role
    each = [Change(f"module.web.{n}", "aws_iam_role_policy", Action.CREATE, None, unknown) for n in "ab"]
    assert told(tuple(each)) == []


def inline(name, action=Action.CREATE, role="deploy", size=6000):
    after = {"role": role, "policy": "x" * size}
    return Change(f"module.web.aws_iam_role_policy.{name}", "aws_iam_role_policy", action, None, after)


def test_inline_policies_of_two_accounts_are_not_told_together(told, tmp_path):
    code = 'resource "aws_iam_role_policy" "NAME" {\n  PROVIDER\n}\n'
    other = code.replace("NAME", "b").replace("PROVIDER", "provider = aws.other")
    (tmp_path / "web.tf").write_text(code.replace("NAME", "a").replace("PROVIDER", "") + other)
    assert told((inline("a"), inline('b["x"]'))) == []
    assert len(told((inline("a"), inline('b["x"]'), inline('b["y"]')))) == 1


def test_inline_policies_that_stay_count_too(told):
    [text] = told((inline("a"), inline("b", Action.NO_OP)))
    assert "module.web.aws_iam_role_policy.a policy" in text
    assert "these 2 have 12000" in text
    assert told((inline("a"), inline("b", Action.DELETE))) == []
    assert told((inline("a", Action.NO_OP), inline("b", Action.NO_OP))) == []


@pytest.mark.parametrize(("action", "number"), [(Action.CREATE, 1), (Action.NO_OP, 0)])
def test_blocks_of_inline_policies_are_told_together(told, action, number):
    role = {"name": "one", "inline_policy": [{"name": "a", "policy": "x" * 6000}, {"name": "b", "policy": "x" * 6000}]}
    found = told((change(action, after=role, type_="aws_iam_role"), inline("c", role="one")))
    assert len(found) == number, "the state of a role has the policies of other resources in its blocks, too"
    assert all("module.web.aws_iam_role.x inline_policy.policy: it has at most 10240" in text for text in found)
