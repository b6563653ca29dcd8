"""What policies allow, by the rules of IAM's user guide."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp_emulator.iam_policies import is_allowed

READ, SECRET = "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-AbCdEf"
BUCKET = "arn:aws:s3:::shop"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action=READ, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action=READ, resource="*", **more):
    return {**allow(action, resource, **more), "Effect": "Deny"}


def met(operator, wanted, context, key="aws:PrincipalTag/Team"):
    return is_allowed([policy(allow(Condition={operator: {key: wanted}}))], READ, SECRET, context)


def test_nothing_is_allowed_unless_a_statement_says_so():
    assert not is_allowed([], READ, SECRET, {})
    assert not is_allowed([policy()], READ, SECRET, {})
    assert not is_allowed([policy(allow("ssm:GetParameter"))], READ, SECRET, {})
    assert is_allowed([policy(allow("ssm:GetParameter")), policy(allow())], READ, SECRET, {})


def test_a_single_statement_may_stand_without_a_list():
    assert is_allowed([{"Statement": allow()}], READ, SECRET, {})


@pytest.mark.parametrize("order", [1, -1])
def test_a_denial_wins_wherever_it_stands(order):
    one = [allow(), deny()][::order]
    assert not is_allowed([policy(*one)], READ, SECRET, {})
    assert not is_allowed([policy(each) for each in one], READ, SECRET, {})


def test_a_denial_of_something_else_changes_nothing():
    assert is_allowed([policy(allow(), deny("ssm:*"), deny(resource=f"{SECRET}x"))], READ, SECRET, {})


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        (READ, True),
        ("SecretsManager:getsecretvalue", True),
        ("secretsmanager:*", True),
        ("*", True),
        ("secretsmanager:Get*", True),
        ("secretsmanager:GetSecretValu?", True),
        ("secretsmanager:GetSecretValue?", False),
        ("secretsmanager:Get", False),
        ("secretsmanager.GetSecretValue", False),
        (["ssm:*", "secretsmanager:G*e"], True),
        ([], False),
    ],
)
def test_action_fits_whatever_its_case_with_wildcards(said, fits):
    assert is_allowed([policy(allow(said))], READ, SECRET, {}) is fits


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        (SECRET, True),
        ("*", True),
        (SECRET.upper(), False),
        (f"{SECRET[:-6]}??????", True),
        (f"{SECRET[:-6]}?????", False),
        (f"{SECRET[:-7]}*", True),
        ("arn:aws:secretsmanager:*:*:secret:*", True),
        ("arn:aws:secretsmanager:eu-west-1:*", False),
        (SECRET.replace("-", "."), False),
        (["arn:aws:s3:::x", SECRET], True),
    ],
)
def test_resource_fits_letter_by_letter_with_wildcards(said, fits):
    assert is_allowed([policy(allow(resource=said))], READ, SECRET, {}) is fits


@given(st.text(max_size=12))
def test_no_character_but_star_and_question_mark_is_special(text):
    plain = text.replace("*", "").replace("?", "").replace("$", "")
    assert is_allowed([policy(allow(resource=plain))], READ, plain, {})
    assert not is_allowed([policy(allow(resource=plain))], READ, f"{plain}x", {})
    assert is_allowed([policy(allow(resource=f"{plain}*"))], READ, f"{plain}\nmore", {})


def test_not_action_covers_all_other_actions():
    statement = {"Effect": "Allow", "NotAction": ["iam:*", "sts:AssumeRole"], "Resource": "*"}
    assert is_allowed([policy(statement)], READ, SECRET, {})
    assert not is_allowed([policy(statement)], "iam:PassRole", "*", {})
    assert not is_allowed([policy(statement)], "sts:assumerole", "*", {})


def test_not_resource_covers_all_other_resources():
    statement = {"Effect": "Deny", "Action": "s3:*", "NotResource": [BUCKET, f"{BUCKET}/*"]}
    policies = [policy(allow("s3:*"), statement)]
    assert is_allowed(policies, "s3:GetObject", f"{BUCKET}/key", {})
    assert not is_allowed(policies, "s3:GetObject", "arn:aws:s3:::other/key", {})


def test_a_statement_without_a_resource_allows_nothing():
    assert not is_allowed([policy({"Effect": "Allow", "Action": "*"})], READ, SECRET, {})


def test_an_allow_whose_condition_is_not_met_is_neutral_and_so_is_such_a_denial():
    team = {"StringEquals": {"aws:PrincipalTag/Team": "a"}}
    assert not is_allowed([policy(allow(Condition=team))], READ, SECRET, {})
    assert is_allowed([policy(allow(Condition=team), allow())], READ, SECRET, {})
    assert is_allowed([policy(deny(Condition=team), allow())], READ, SECRET, {})
    assert not is_allowed([policy(deny(Condition=team), allow())], READ, SECRET, {"aws:PrincipalTag/Team": "a"})


def test_all_operators_and_keys_of_a_condition_must_be_met():
    condition = {"StringEquals": {"aws:a": "1", "aws:b": "2"}, "StringLike": {"aws:c": "x*"}}
    given_ = {"aws:a": "1", "aws:b": "2", "aws:c": "xyz"}
    policies = [policy(allow(Condition=condition))]
    assert is_allowed(policies, READ, SECRET, given_)
    for name in given_:
        assert not is_allowed(policies, READ, SECRET, {**given_, name: "other"})


ARN = "arn:aws:sns:eu-central-1:123456789012:alarms"


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "is_met"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", ["b", "a"], "a", True),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", "a*", "a*", True),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["b", "a"], "a", False),
        ("StringEqualsIgnoreCase", "Ab", "aB", True),
        ("StringNotEqualsIgnoreCase", "Ab", "aB", False),
        ("StringLike", "a*c?", "abbcd", True),
        ("StringLike", "a*c?", "abbc", False),
        ("StringNotLike", ["x*", "a*"], "ab", False),
        ("StringNotLike", "x*", "ab", True),
        ("ArnLike", "arn:aws:sns:*:123456789012:*", ARN, True),
        ("ArnLike", "arn:aws:*:alarms", ARN, False),
        ("ArnEquals", "arn:aws:sns:*:*:alarm?", ARN, True),
        ("ArnNotLike", "arn:aws:sns:*:*:*", ARN, False),
        ("ArnNotEquals", "arn:aws:sqs:*:*:*", ARN, True),
        ("Bool", "true", "true", True),
        ("Bool", True, "true", True),
        ("Bool", "false", "true", False),
        ("NumericLessThan", "10", "9.5", True),
        ("NumericLessThan", 10, "10", False),
        ("NumericLessThanEquals", 10, "10", True),
        ("NumericGreaterThan", 10, "11", True),
        ("NumericGreaterThanEquals", 10, "9", False),
        ("NumericEquals", 10, "10.0", True),
        ("NumericNotEquals", 10, "10.0", False),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", True),
        ("DateLessThan", "2026-01-01T00:00:00Z", "1780000000", False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("ArnLike", "arn:aws:sns", "arn:aws:sns", False),
        ("StringEquals", "${aws:username}", "", False),
        ("IpAddress", "10.9.9.9/8", "10.1.2.3", True),
        ("IpAddress", ["192.0.2.1", "10.0.0.0/8"], "192.0.2.2", False),
        ("NotIpAddress", "10.0.0.0/8", "192.0.2.2", True),
    ],
)
def test_operator_of_a_condition(operator, wanted, value, is_met):
    assert met(operator, wanted, {"aws:PrincipalTag/Team": value}) is is_met


@pytest.mark.parametrize(
    ("operator", "is_met"),
    [
        ("StringEquals", False),
        ("StringLike", False),
        ("Bool", False),
        ("ArnLike", False),
        ("StringNotEquals", True),
        ("StringNotLike", True),
        ("ArnNotLike", True),
        ("StringEqualsIfExists", True),
        ("BoolIfExists", True),
        ("StringNotEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
    ],
)
def test_key_that_the_request_does_not_have(operator, is_met):
    assert met(operator, "a", {}) is is_met


def test_if_exists_asks_where_the_key_is_there():
    assert met("StringEqualsIfExists", "a", {"aws:PrincipalTag/Team": "a"})
    assert not met("StringEqualsIfExists", "a", {"aws:PrincipalTag/Team": "b"})


def test_null_asks_whether_a_key_is_there():
    for wanted, context, is_met in (
        ("true", {}, True),
        ("false", {}, False),
        (True, {"aws:PrincipalTag/Team": "a"}, False),
        ("false", {"aws:PrincipalTag/Team": "a"}, True),
    ):
        assert met("Null", wanted, context) is is_met


@pytest.mark.parametrize(
    ("operator", "given_", "is_met"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "x"], False),
        ("ForAnyValue:StringEquals", ["x", "b"], True),
        ("ForAnyValue:StringEquals", ["x", "y"], False),
        ("ForAllValues:StringNotEquals", ["x", "y"], True),
        ("ForAllValues:StringNotEquals", ["a", "y"], False),
        ("ForAnyValue:StringNotEquals", ["a", "y"], True),
        ("ForAnyValue:StringLike", ["ab"], False),
        ("StringNotEquals", ["a", "y"], False),
        ("StringEquals", ["a", "y"], True),
    ],
)
def test_keys_with_many_values(operator, given_, is_met):
    assert met(operator, ["a", "b"], {"aws:TagKeys": given_}, key="aws:TagKeys") is is_met


def test_name_of_a_key_has_no_case():
    assert met("StringEquals", "a", {"AWS:principaltag/team": "a"})


def test_variable_takes_the_value_of_the_request_as_plain_text():
    policies = [policy(allow("s3:GetObject", f"{BUCKET}/${{aws:PrincipalTag/Team}}/*"))]
    assert is_allowed(policies, "s3:GetObject", f"{BUCKET}/a/key", {"aws:PrincipalTag/Team": "a"})
    assert not is_allowed(policies, "s3:GetObject", f"{BUCKET}/b/key", {"aws:PrincipalTag/Team": "a"})
    assert not is_allowed(policies, "s3:GetObject", f"{BUCKET}/b/key", {"aws:PrincipalTag/Team": "*"})
    assert not is_allowed(policies, "s3:GetObject", f"{BUCKET}//key", {}), "a variable without a value fits nothing"


def test_variable_may_have_a_default_and_stand_for_a_wildcard_that_is_none():
    assert met("StringEquals", "${aws:username, 'nobody'}", {"aws:PrincipalTag/Team": "nobody"})
    assert met("StringLike", "a${*}*", {"aws:PrincipalTag/Team": "a*b"})
    assert not met("StringLike", "a${*}*", {"aws:PrincipalTag/Team": "ab"})
    assert met("ArnLike", "arn:aws:sns:*:*:${aws:username}", {"aws:PrincipalTag/Team": ARN, "aws:username": "alarms"})


@pytest.mark.parametrize("operator", ["StringIs", "ForAnyValue:Str", "StringEqualsIf", ""])
def test_operator_that_iam_does_not_have_is_refused(operator):
    with pytest.raises(ValueError, match="IAM has no operator"):
        met(operator, "a", {"aws:PrincipalTag/Team": "a"})
