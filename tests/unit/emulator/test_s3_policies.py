import json

import pytest

from ngp_emulator.s3 import without_tls_denials

TLS = {"Sid": "T", "Effect": "Deny", "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
SPELLED = {**TLS, "Condition": {"BoolIfExists": {"AWS:securetransport": [False]}}}
OTHERS = (
    {**TLS, "Effect": "Allow"},
    {**TLS, "Condition": {}},
    {"Sid": "N", "Effect": "Deny", "Action": "s3:*"},
    {**TLS, "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
    {**TLS, "Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:x": "y"}}},
)


def kept(statement):
    return json.loads(without_tls_denials(json.dumps({"Version": "2012-10-17", "Statement": statement})))


@pytest.mark.parametrize("statement", [TLS, SPELLED])
def test_denial_of_plain_http_does_not_count_in_the_sandbox(statement):
    assert kept([statement, OTHERS[2]])["Statement"] == [OTHERS[2]]
    assert kept(statement)["Statement"] == []


@pytest.mark.parametrize("statement", OTHERS)
def test_every_other_statement_counts(statement):
    assert kept([statement]) == {"Version": "2012-10-17", "Statement": [statement]}
