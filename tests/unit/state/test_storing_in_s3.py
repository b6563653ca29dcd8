"""A write to S3 whose answer is lost or doubtful is settled by what lies there."""

import io
import time

import pytest

from ngp.errors import NgpError, StaleError
from ngp.state import storing
from ngp.state.locations import StateLocation
from ngp.state.storing import Encryption

PLACE = StateLocation("s3", "bucket", "environments/dev/unit.tfstate", "eu-central-1")
OLD, NEW, OTHER = '{"serial": 1}', '{"serial": 2}', '{"serial": 9}'
LOST = NgpError("the connection broke")


class Bucket:
    """Answers puts one after another: an ETag, None for a refusal, or an error. `there` is text and ETag."""

    def __init__(self, *puts, there):
        self.puts, self.there, self.asked = list(puts), there, []

    def once(self, _service, operation, **parameters):
        if operation == "get_object":
            text, version = self.there
            return None if text is None else {"Body": io.BytesIO(text.encode()), "ETag": version}
        self.asked.append(parameters)
        answer = self.puts.pop(0)
        if isinstance(answer, NgpError):
            raise answer
        return answer and {"ETag": answer}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _: None)


def store(bucket, expected="v1"):
    return storing.store(PLACE, bucket, NEW, expected, Encryption())


def test_a_write_whose_answer_was_lost_went_through():
    assert store(Bucket(LOST, there=(NEW, "v2"))) == "v2"


def test_a_write_that_was_refused_by_its_own_first_attempt_went_through():
    assert store(Bucket(None, there=(NEW, "v2"))) == "v2"


@pytest.mark.parametrize(
    ("answer", "there"), [(LOST, (OTHER, "v9")), (None, (OTHER, "v9")), (None, (OLD, "v1")), (None, (None, ""))]
)
def test_another_version_is_not_written_over(answer, there):
    bucket = Bucket(answer, there=there)
    with pytest.raises(StaleError, match="changed by somebody else"):
        store(bucket)
    assert len(bucket.asked) == 1


@pytest.mark.parametrize(("expected", "there"), [("v1", (OLD, "v1")), (storing.ABSENT, (None, ""))])
def test_a_write_that_did_not_arrive_is_tried_again_and_then_told(expected, there):
    bucket = Bucket(LOST, LOST, LOST, there=there)
    with pytest.raises(NgpError, match="the connection broke"):
        store(bucket, expected)
    assert len(bucket.asked) == 3
    assert store(Bucket(LOST, "v2", there=there), expected) == "v2"


def test_every_attempt_has_its_condition():
    bucket = Bucket(LOST, "v2", there=(OLD, "v1"))
    store(bucket)
    assert [one["IfMatch"] for one in bucket.asked] == ["v1", "v1"]
    bucket = Bucket("v1", there=(None, ""))
    store(bucket, storing.ABSENT)
    assert [one["IfNoneMatch"] for one in bucket.asked] == ["*"]
