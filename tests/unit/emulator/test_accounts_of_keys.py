"""The account of a request: named by its access key, or the one that holds the key."""

import json

TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}
OTHER = "210987654321"


def test_key_of_a_session_leads_to_its_account_and_makes_nothing_in_the_others(client):
    from moto.iam.models import iam_backends

    client("s3", aws_access_key_id=OTHER).list_buckets()
    made = client("iam").create_role(RoleName="node", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    taken = client("sts").assume_role(RoleArn=made["Arn"], RoleSessionName="one")["Credentials"]
    before = {account: sorted(backends) for account, backends in iam_backends.items()}
    session = {
        "aws_access_key_id": taken["AccessKeyId"],
        "aws_secret_access_key": taken["SecretAccessKey"],
        "aws_session_token": taken["SessionToken"],
    }
    assert client("sts", **session).get_caller_identity()["Account"] == "123456789012"
    assert {account: sorted(backends) for account, backends in iam_backends.items()} == before
    assert OTHER in before


def test_key_that_nobody_has_is_of_the_default_account(client):
    assert client("sts", aws_access_key_id="AKIAIOSFODNN7EXAMPLE").get_caller_identity()["Account"] == "123456789012"
