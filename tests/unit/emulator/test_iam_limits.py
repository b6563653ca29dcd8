"""Policies above IAM's quotas: asked of the patched moto in this process."""

import json

import pytest
from botocore.exceptions import ClientError


def document(size, **more):
    """A policy of so many characters, and of white space that does not count."""
    statement = {"Effect": "Allow", "Action": "s3:Get", **more}
    statement["Sid"] = ""
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
    filler = "a" * (size - len(text))
    statement["Sid"] = filler
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=8)


def policy(size):
    return document(size, Resource="*")


def trust(size):
    return document(size, Action="sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"})


def make_role(iam, size=300):
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(size))


def put(iam, size, name="one"):
    iam.put_role_policy(RoleName="r", PolicyName=name, PolicyDocument=policy(size))


def test_policies_within_the_quotas_are_taken(client):
    iam = client("iam")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=policy(6144))["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(6144))
    make_role(iam, 8192)
    put(iam, 10240)
    put(iam, 10240)  # in place of itself


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda iam: iam.create_policy(PolicyName="p", PolicyDocument=policy(6145)), "PolicySize: 6144"),
        (lambda iam: make_role(iam, 8193), "ACLSizePerRole: 8192"),
        (lambda iam: (make_role(iam), put(iam, 10241)), "10240 bytes exceeded for role r"),
        (lambda iam: (make_role(iam), put(iam, 5120), put(iam, 5121, "two")), "10240 bytes exceeded for role r"),
    ],
)
def test_larger_ones_are_refused(client, call, said):
    with pytest.raises(ClientError, match=said) as caught:
        call(client("iam"))
    assert caught.value.response["Error"]["Code"] == "LimitExceeded"


def test_inline_policies_of_users_and_groups_have_their_own_quotas(client):
    iam = client("iam")
    iam.create_user(UserName="u")
    iam.create_group(GroupName="g")
    iam.put_user_policy(UserName="u", PolicyName="one", PolicyDocument=policy(2048))
    iam.put_group_policy(GroupName="g", PolicyName="one", PolicyDocument=policy(5120))
    with pytest.raises(ClientError, match="2048 bytes exceeded for user u"):
        iam.put_user_policy(UserName="u", PolicyName="two", PolicyDocument=policy(200))
    with pytest.raises(ClientError, match="5120 bytes exceeded for group g"):
        iam.put_group_policy(GroupName="g", PolicyName="two", PolicyDocument=policy(200))


def test_a_later_version_is_held_to_the_same(client):
    iam = client("iam")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=policy(200))["Policy"]["Arn"]
    with pytest.raises(ClientError, match="PolicySize"):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(6145))
    make_role(iam)
    with pytest.raises(ClientError, match="ACLSizePerRole"):
        iam.update_assume_role_policy(RoleName="r", PolicyDocument=trust(8193))
