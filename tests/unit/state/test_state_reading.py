import json

import pytest

from ngp.aws.failures import DeniedError
from ngp.errors import MissingError, NgpError
from ngp.state import reading
from ngp.state.locations import StateLocation
from tests.doubles.buckets import Bucket

LOCK = {"ID": "1-2", "Who": "ann@laptop", "Operation": "OperationTypeApply", "Created": "2026-11-01T10:00:00Z"}
REMOTE = StateLocation("s3", "bucket", "environments/dev/network.tfstate", "eu-central-1")


@pytest.fixture
def local(tmp_path):
    return StateLocation("local", "", "", "eu-central-1", tmp_path / "network.tfstate")


class Store:
    """Stands in for a Session: objects by key, or a refusal."""

    def __init__(self, objects=(), refusal=None):
        self.objects, self.refusal = dict(objects), refusal

    def object(self, bucket, key):
        if self.refusal:
            raise self.refusal
        return self.objects.get((bucket, key))


def test_state_that_is_not_there_yet_is_none(local):
    assert reading.read(local, None) is None
    assert reading.read(REMOTE, Store()) is None


def test_state_is_given_as_it_lies_there(local):
    local.path.write_text('{"name": "Zürich"}', encoding="utf-8")
    assert reading.read(local, None) == '{"name": "Zürich"}'
    assert reading.read(REMOTE, Store({("bucket", REMOTE.key): "Zürich".encode()})) == "Zürich"


def test_lock_says_who_holds_it(local):
    local.path.with_name(".network.tfstate.lock.info").write_text(json.dumps(LOCK))
    remote = Store({("bucket", f"{REMOTE.key}.tflock"): json.dumps(LOCK).encode()})
    for holder in (reading.holder(local, None), reading.holder(REMOTE, remote)):
        assert (holder.id, holder.who, holder.operation) == ("1-2", "ann@laptop", "OperationTypeApply")
        assert "ann@laptop since 2026-11-01T10:00:00Z" in str(holder)


def test_without_a_lock_nobody_holds_it(local):
    assert reading.holder(local, None) is None
    assert reading.holder(REMOTE, Store()) is None


@pytest.mark.parametrize("text", [b"no json", b"[]", b"\xff\x00", b"[" * 200_000, b'{"Who": "ann"}'])
def test_lock_that_is_none_is_held_by_somebody_and_names_its_place(text):
    found = reading.holder(REMOTE, Store({("bucket", f"{REMOTE.key}.tflock"): text}))
    assert found.id == ""
    assert "s3://bucket/environments/dev/network.tfstate.tflock" in str(found)


@pytest.mark.parametrize("place", [REMOTE, "local"])
def test_a_state_that_is_no_text_is_told_with_its_place(place, local):
    place = local if place == "local" else place
    local.path.write_bytes(b"\x89PNG\xff")
    with pytest.raises(NgpError, match="not a Terraform state") as caught:
        reading.read(place, Store({("bucket", REMOTE.key): b"\x89PNG\xff"}))
    (finding,) = caught.value.findings
    assert finding.where == str(place)
    assert "restore" in finding.todo


def test_bucket_that_is_not_ours_to_read_is_a_missing_prerequisite():
    refusal = DeniedError("the credentials may not", why="AccessDenied: no")
    with pytest.raises(MissingError, match="exists, but the credentials may not read it") as caught:
        reading.read(REMOTE, Store(refusal=refusal))
    assert caught.value.exit_code == 69
    assert "AccessDenied" in caught.value.findings[0].why


class TestListings:
    """All states beside one, and all of a platform."""

    def test_on_the_disk(self, tmp_path):
        place = StateLocation("local", "", "", "", tmp_path / "dev/app.tfstate")
        assert (reading.beside(place, None), reading.below(place, None)) == ({}, {})
        for name in (
            "dev/app.tfstate",
            "dev/app.tfstate.backup",
            "dev/base.tfstate",
            "prod/app.tfstate",
            "stray.tfstate",
        ):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("{}")
        assert {name: one.path for name, one in reading.beside(place, None).items()} == {
            "app": tmp_path / "dev/app.tfstate",
            "base": tmp_path / "dev/base.tfstate",
        }
        found = reading.below(place, None)
        assert list(found) == [("dev", "app"), ("dev", "base"), ("prod", "app")]
        assert found["prod", "app"].path == tmp_path / "prod/app.tfstate"

    def test_in_s3(self):
        keys = (
            "dev/a.tfstate",
            "dev/a.tfstate.tflock",
            "dev/b.tfstate",
            "dev/x/c.tfstate",
            "prod/a.tfstate",
            "d.tfstate",
        )
        bucket = Bucket()
        bucket.objects = {f"environments/{key}": "{}" for key in keys} | {"bundles/dev/e.tfstate": "{}"}
        place = StateLocation("s3", "states", "environments/dev/a.tfstate", "eu")
        assert {name: one.key for name, one in reading.beside(place, bucket).items()} == {
            "a": "environments/dev/a.tfstate",
            "b": "environments/dev/b.tfstate",
        }
        found = reading.below(place, bucket)
        assert list(found) == [("dev", "a"), ("dev", "b"), ("prod", "a")]
        assert found["prod", "a"].key == "environments/prod/a.tfstate"


@pytest.mark.parametrize("is_local", [True, False])
def test_only_the_lock_that_was_looked_at_is_released(local, is_local):
    bucket, place = Bucket(), local if is_local else REMOTE
    lock = local.path.with_name(".network.tfstate.lock.info")

    def put(number):
        text = json.dumps({**LOCK, "ID": number})
        lock.write_text(text) if is_local else bucket.objects.update({f"{REMOTE.key}.tflock": text})

    put("1-2")
    seen = reading.holder(place, bucket)
    put("3-4")
    with pytest.raises(NgpError, match="the lock has changed"):
        reading.release(place, bucket, seen)
    assert reading.holder(place, bucket).id == "3-4"
    put("1-2")
    reading.release(place, bucket, seen)
    assert reading.holder(place, bucket) is None
    reading.release(place, bucket, seen)


def test_a_state_is_parsed_or_missing(local):
    assert reading.load(local, None) is None
    local.path.write_text('{"version": 4, "terraform_version": "1.14.0", "serial": 7, "lineage": "x", "resources": []}')
    assert reading.load(local, None).serial == 7
