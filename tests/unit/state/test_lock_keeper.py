"""The process that holds the locks of local states, with real locks."""

import fcntl
import json
import os

import pytest

from ngp import files
from ngp.errors import LockHeldError, NgpError
from ngp.state import keeping, locks
from ngp.state.locations import StateLocation
from ngp.state.waiting import Wait
from tests.doubles.buckets import Bucket

IDS = {"a": "id-of-a", "b": "id-of-b"}


@pytest.fixture
def places(tmp_path):
    return {name: StateLocation("local", "", "", "", tmp_path / "dev" / f"{name}.tfstate") for name in IDS}


@pytest.fixture
def take(tmp_path):
    purpose = locks.Purpose("OperationTypeApply", "1.14.0", tmp_path / "calls")
    held = []

    def call(places, ids=IDS):
        held.append(locks.take(places, ids, Bucket(), purpose))
        return held[-1]

    yield call
    for one in held:
        if one.keeper is not None and one.keeper.process.poll() is None:
            one.keeper.release()


def is_locked(place):
    """As Terraform asks: by trying."""
    handle = os.open(place.path, os.O_RDWR)
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def names(place):
    return sorted(path.name for path in place.path.parent.iterdir())


def test_local_states_are_locked_with_terraforms_text_beside_them(places, take):
    take(places)
    assert all(map(is_locked, places.values()))
    written = json.loads(places["a"].path.with_name(".a.tfstate.lock.info").read_text())
    assert (written["ID"], written["Path"]) == ("id-of-a", str(places["a"].path))
    assert places["a"].path.stat().st_mode & 0o777 == 0o600
    assert places["a"].path.parent.stat().st_mode & 0o777 == 0o700


def test_a_released_state_that_was_never_written_is_gone_and_a_written_one_stays(places, take):
    held = take(places)
    places["b"].path.write_text("{}")
    assert locks.release(held, None) == []
    assert names(places["a"]) == ["b.tfstate"]
    assert not is_locked(places["b"])


def test_an_empty_state_that_was_there_before_stays(places, take):
    files.private_folder(places["a"].path.parent)
    places["a"].path.touch()
    locks.release(take(places), None)
    assert names(places["a"]) == ["a.tfstate"]


def test_where_one_is_locked_none_is_taken_and_its_holder_is_named(places, take):
    theirs = take({"b": places["b"]}, {"b": "theirs"})
    with pytest.raises(LockHeldError, match=r"the state of `b` is locked by .*, lock theirs\)") as caught:
        take(places)
    assert caught.value.findings[0].where == str(places["b"].path)
    assert names(places["a"]) == [".b.tfstate.lock.info", "b.tfstate"], "what it had made of `a` is gone"
    locks.release(theirs, None)
    take(places)


def test_a_lock_without_a_text_is_of_an_unknown_process(places, take):
    take({"b": places["b"]})
    places["b"].path.with_name(".b.tfstate.lock.info").unlink()
    with pytest.raises(LockHeldError, match="locked by an unknown process"):
        take(places)


def test_a_lock_that_becomes_free_is_taken(places, take, tmp_path, monkeypatch):
    monkeypatch.setattr("ngp.state.waiting._AGAIN_S", 0.01)
    theirs = take({"a": places["a"]}, {"a": "theirs"})
    said = []

    def emit(text):
        said.append(text)
        locks.release(theirs, None)

    keeper = keeping.start({places["a"].path: "{}"}, tmp_path / "calls", Wait(60.0, emit=emit))
    assert is_locked(places["a"])
    keeper.release()
    assert len(said) == 1


def test_some_locks_can_be_released_before_the_others(places, take):
    kept, freed = take(places).split({"b"})
    assert (list(kept.places), list(freed.places)) == (["b"], ["a"])
    assert names(places["b"]) == [".b.tfstate.lock.info", "b.tfstate"]
    assert is_locked(places["b"])
    locks.release(freed, None)
    assert is_locked(places["b"])
    locks.release(kept, None)
    assert not places["b"].path.exists()


def test_locks_of_units_that_are_all_kept_stay(places, take):
    kept, freed = take(places).split(set(places))
    assert (set(kept.places), dict(freed.places)) == (set(places), {})
    assert all(map(is_locked, places.values()))


def test_the_locks_of_a_killed_ngp_stay_while_its_terraform_works(places, take, tmp_path):
    call = tmp_path / "calls" / "one"
    call.mkdir(parents=True)
    held = take(places)
    with files.lock_folder(call):
        held.keeper.process.stdin.close()  # as if ngp were killed
        assert held.keeper.process.poll() is None
        assert is_locked(places["a"])
    held.keeper.process.wait(10)
    assert not places["a"].path.exists()


def test_a_keeper_that_ended_answers_nothing_and_can_be_released(places, take):
    held = take(places)
    held.keeper.process.kill()
    held.keeper.process.wait(10)
    assert held.keeper.ask("[]") == ""
    assert locks.release(held, None) == []


def test_a_keeper_that_cannot_start_says_why(places, tmp_path):
    places["a"].path.parent.mkdir(mode=0o700)
    places["a"].path.mkdir()
    with pytest.raises(NgpError, match="cannot hold the locks of the local states") as caught:
        keeping.start({places["a"].path: "{}"}, tmp_path / "calls", Wait())
    assert "IsADirectoryError" in caught.value.findings[0].why
    assert not isinstance(caught.value, LockHeldError)
