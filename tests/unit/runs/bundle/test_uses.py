"""The note that a bundle was applied, beside states on the disk."""

import json

import pytest

from ngp.runs.bundle.uses import UsedError, Uses
from ngp.state.locations import StateLocation
from ngp.state.storing import Encryption
from tests.doubles.buckets import Bucket

DIGEST, FIRST, SECOND = "a" * 64, "20261130-080000-apply-dev-a1f4", "20261130-090000-apply-dev-b2e5"


@pytest.fixture
def uses(tmp_path):
    place = StateLocation("local", "", "", "eu-central-1", tmp_path / "state" / "dev" / "app.tfstate")
    return Uses(place, "dev", session=None)


def used(act):
    with pytest.raises(UsedError, match=f"applied already, by run {FIRST} at 20") as caught:
        act()
    return caught.value


def test_a_bundle_is_taken_once(uses):
    uses.require_none(DIGEST)
    uses.note(DIGEST, FIRST)
    assert not used(lambda: uses.require_none(DIGEST)).is_complete
    assert not used(lambda: uses.note(DIGEST, SECOND)).is_complete


def test_it_is_complete_when_its_run_did_all_of_it(uses):
    uses.note(DIGEST, FIRST)
    uses.complete(DIGEST, FIRST)
    error = used(lambda: uses.require_none(DIGEST))
    assert error.is_complete
    assert error.exit_code == 4
    assert error.findings[0].todo == ""


def test_another_run_cannot_complete_it(uses):
    uses.complete(DIGEST, FIRST)
    uses.require_none(DIGEST)
    uses.note(DIGEST, FIRST)
    uses.complete(DIGEST, SECOND)
    assert not used(lambda: uses.require_none(DIGEST)).is_complete


class TestInS3:
    @pytest.fixture
    def bucket(self):
        return Bucket()

    @pytest.fixture
    def uses(self, bucket):
        place = StateLocation("s3", "states", "environments/dev/app.tfstate", "eu-central-1")
        return Uses(place, "dev", bucket, Encryption("alias/key"))

    def test_it_lies_beside_the_bundle_and_is_encrypted_as_the_states(self, uses, bucket):
        uses.note(DIGEST, FIRST)
        uses.complete(DIGEST, FIRST)
        assert sorted(bucket.objects) == [f"bundles/dev/{DIGEST}.applied", f"bundles/dev/{DIGEST}.complete"]
        written = [one for one in bucket.parameters if "Body" in one]
        assert {one["SSEKMSKeyId"] for one in written} == {"alias/key"}

    def test_of_two_machines_at_once_one_applies_it(self, uses, bucket):
        uses.require_none(DIGEST)
        uses.note(DIGEST, FIRST)
        assert not used(lambda: uses.note(DIGEST, SECOND)).is_complete
        assert json.loads(bucket.objects[f"bundles/dev/{DIGEST}.applied"])["run"] == FIRST

    def test_a_note_that_cannot_be_read_counts(self, uses, bucket):
        bucket.objects[f"bundles/dev/{DIGEST}.applied"] = '{"run'
        with pytest.raises(UsedError, match="applied already$|applied already;"):
            uses.require_none(DIGEST)
