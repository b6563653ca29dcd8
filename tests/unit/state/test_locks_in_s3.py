"""Locks in S3: all of them or none, never somebody else's, and nothing is left where an answer is lost."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ngp.aws.failures import DeniedError
from ngp.errors import LockHeldError, MissingError, NgpError, StoppedError
from ngp.state import locks
from ngp.state.locations import StateLocation
from tests.doubles.buckets import Bucket

PURPOSE = locks.Purpose("OperationTypeApply", "1.14.0", Path("/nowhere"))
PLACES = {name: StateLocation("s3", "states", f"environments/dev/{name}.tfstate", "eu-central-1") for name in "abc"}
IDS = {name: f"id-of-{name}" for name in PLACES}
THEIRS = json.dumps({"ID": "theirs", "Who": "ann@host", "Operation": "OperationTypePlan", "Created": "today"})
BROKEN = NgpError("the connection broke")


def key(name):
    return f"environments/dev/{name}.tfstate.tflock"


@pytest.fixture
def bucket():
    return Bucket()


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr("ngp.state.waiting._AGAIN_S", 0.01)


def take(bucket, purpose=PURPOSE, **places):
    return locks.take(places or PLACES, IDS, bucket, purpose)


def test_a_lock_is_terraforms_document_beside_the_state(bucket):
    take(bucket, a=PLACES["a"])
    written = json.loads(bucket.objects[key("a")])
    assert (written["ID"], written["Operation"], written["Version"]) == ("id-of-a", "OperationTypeApply", "1.14.0")
    assert written["Path"] == "states/environments/dev/a.tfstate"
    assert "@" in written["Who"]
    assert written["Created"].endswith("Z")


def test_locks_are_taken_in_the_order_of_their_names_and_all_given_back(bucket):
    held = take(bucket, **{name: PLACES[name] for name in "cab"})
    assert bucket.calls == [("put_object", key(name)) for name in "abc"]
    assert locks.release(held, bucket) == []
    assert bucket.objects == {}


def test_ids_are_new_for_every_lock():
    made = [*locks.new_ids(PLACES).values(), *locks.new_ids(PLACES).values()]
    assert len(set(made)) == 6


def test_where_one_lock_is_taken_none_is_kept_and_its_holder_is_named(bucket):
    bucket.objects[key("b")] = THEIRS
    with pytest.raises(LockHeldError, match="the state of `b` is locked by ann@host since today") as caught:
        take(bucket)
    assert caught.value.findings[0].where == "s3://states/environments/dev/b.tfstate"
    assert bucket.objects == {key("b"): THEIRS}
    assert ("put_object", key("c")) not in bucket.calls


def test_a_holder_that_cannot_be_read_is_somebody(bucket):
    bucket.objects[key("a")] = THEIRS
    bucket.refusals["get_object"] = [None, BROKEN]
    with pytest.raises(LockHeldError, match="the state of `a` is locked by somebody$"):
        take(bucket)


def test_a_lock_whose_answer_was_lost_is_ours(bucket):
    bucket.lost["put_object"] = [BROKEN]
    held = take(bucket, a=PLACES["a"])
    assert list(held.places) == ["a"]
    assert json.loads(bucket.objects[key("a")])["ID"] == "id-of-a"


def test_a_lock_that_was_not_written_is_an_error_and_the_others_are_given_back(bucket):
    bucket.refusals["put_object"] = [None, BROKEN]
    with pytest.raises(NgpError, match="the connection broke"):
        take(bucket)
    assert bucket.objects == {}


def test_a_lock_whose_answer_was_lost_twice_is_given_back(bucket):
    """It was written, and the call that reads it back fails too."""
    bucket.lost["put_object"], bucket.refusals["get_object"] = [BROKEN], [BROKEN]
    with pytest.raises(NgpError, match="the connection broke"):
        take(bucket, a=PLACES["a"])
    assert bucket.objects == {}


def test_credentials_that_may_not_write_are_told_at_once(bucket):
    bucket.refusals["put_object"] = [DeniedError("no")]
    with pytest.raises(DeniedError):
        take(bucket, a=PLACES["a"])
    assert ("get_object", key("a")) in bucket.calls, "what may have been written is given back"


def test_a_missing_bucket_has_its_fix(bucket):
    bucket.refusals["put_object"] = [NgpError("AWS refuses a call", why="NoSuchBucket: gone")]
    with pytest.raises(MissingError) as caught:
        take(bucket, a=PLACES["a"])
    assert "ngp state bootstrap" in caught.value.findings[0].todo


def test_a_lock_that_cannot_be_given_back_is_told_beside_the_first_error(bucket):
    bucket.objects[key("b")] = THEIRS
    bucket.refusals["delete_object"] = [BROKEN]
    with pytest.raises(LockHeldError) as caught:
        take(bucket)
    held, left = caught.value.findings
    assert "locked by ann@host" in held.what
    assert left.what == "cannot release a lock: the connection broke"
    assert left.todo == "`ngp unlock` removes it"


def test_an_interrupted_wait_gives_back_what_was_taken(bucket, soon):
    bucket.objects[key("b")] = THEIRS
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        take(bucket, replace(PURPOSE, timeout_s=60.0, stop=stop))
    assert bucket.objects == {key("b"): THEIRS}


def test_a_lock_that_becomes_free_is_taken_and_its_holder_was_named_once(bucket, soon):
    bucket.objects[key("a")] = THEIRS
    said = []

    def emit(text):
        said.append(text)
        del bucket.objects[key("a")]

    take(bucket, replace(PURPOSE, timeout_s=60.0, emit=emit), a=PLACES["a"])
    assert json.loads(bucket.objects[key("a")])["ID"] == "id-of-a"
    (line,) = said
    assert line.startswith("waiting for at most 60 s: the state of `a` is locked by ann@host")


def test_a_wait_has_an_end_and_names_the_holder_once(bucket, soon):
    bucket.objects[key("a")] = THEIRS
    said = []
    with pytest.raises(LockHeldError):
        take(bucket, replace(PURPOSE, timeout_s=0.2, emit=said.append), a=PLACES["a"])
    assert len(said) == 1
    assert len([one for one in bucket.calls if one[0] == "put_object"]) > 2


@pytest.mark.parametrize("there", [THEIRS, "not JSON", "[1]", None])
def test_only_the_lock_with_the_own_id_is_deleted(bucket, there):
    if there is not None:
        bucket.objects[key("a")] = there
    before = dict(bucket.objects)
    assert locks.drop(PLACES["a"], "id-of-a", bucket) is False
    assert bucket.objects == before


def test_a_lock_that_somebody_takes_between_reading_and_deleting_stays(bucket):
    take(bucket, a=PLACES["a"])
    read = bucket._get_object

    def change_after(name):
        found = read(name)
        bucket.objects[key("a")] = THEIRS
        return found

    bucket._get_object = change_after
    assert locks.drop(PLACES["a"], "id-of-a", bucket) is False
    assert bucket.objects == {key("a"): THEIRS}


def test_what_cannot_be_released_is_returned_and_the_others_are_released(bucket):
    held = take(bucket)
    bucket.refusals["delete_object"] = [BROKEN]
    assert locks.release(held, bucket) == [BROKEN]
    assert list(bucket.objects) == [key("a")]


def test_a_later_process_keeps_the_locks_that_are_held_and_takes_the_others_again(bucket):
    take(bucket, a=PLACES["a"], b=PLACES["b"])
    del bucket.objects[key("b")]
    assert locks.renew(PLACES, IDS, bucket, PURPOSE) == ["b", "c"]
    assert {name: json.loads(text)["ID"] for name, text in bucket.objects.items()} == {
        key(name): IDS[name] for name in "abc"
    }
    assert locks.renew(PLACES, IDS, bucket, PURPOSE) == []


def test_a_later_process_does_not_take_a_lock_that_somebody_else_holds(bucket):
    take(bucket, a=PLACES["a"])
    bucket.objects[key("b")] = THEIRS
    before = dict(bucket.objects)
    with pytest.raises(LockHeldError, match="`b` is locked by ann@host"):
        locks.renew(PLACES, IDS, bucket, PURPOSE)
    assert bucket.objects == before


def test_some_locks_can_be_released_before_the_others(bucket):
    kept, freed = take(bucket).split({"b"})
    assert (list(kept.places), list(freed.places)) == (["b"], ["a", "c"])
    assert locks.release(freed, bucket) == []
    assert list(bucket.objects) == [key("b")]
