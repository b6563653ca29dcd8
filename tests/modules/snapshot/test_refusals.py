"""What the function answers, and the container says, where AWS or the network refuses."""

import http.client
import json

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.proves("scripts", "snapshot")


class Bucket:
    """A client of S3 that refuses to read anything."""

    def __init__(self, code):
        self.code = code

    def get_object(self, **_):
        raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, "GetObject")


@pytest.fixture
def posted(code, monkeypatch):
    """`posted(bucket)` asks for a restore through the API: status and body."""

    def call(bucket):
        monkeypatch.setattr(code.handler, "_store", lambda: code.store.Store(bucket, "snapshots", "dev/"))
        answer = code.handler.handle({"requestContext": {}, "body": '{"snapshot": "dev/2026/01/31/120000.json"}'})
        return answer["statusCode"], json.loads(answer["body"])

    return call


@pytest.mark.parametrize("refusal", ["NoSuchKey", "AccessDenied"])
def test_a_snapshot_that_is_not_there_is_said_also_where_s3_hides_it(posted, refusal):
    status, said = posted(Bucket(refusal))
    assert status == 404
    assert "no dev/2026/01/31/120000" in said["error"]


def test_a_bucket_that_does_not_answer_is_told_by_the_api(posted):
    status, said = posted(Bucket("SlowDown"))
    assert status == 502
    assert "SlowDown" in said["error"]


def test_an_answer_of_marathon_that_breaks_off_is_told(code, monkeypatch):
    client = code.marathon.Marathon("http://marathon.example")

    def open_(*_, **__):
        raise http.client.IncompleteRead(b"{")

    monkeypatch.setattr(client._opener, "open", open_)
    with pytest.raises(code.marathon.MarathonError, match="does not answer"):
        client.groups()
