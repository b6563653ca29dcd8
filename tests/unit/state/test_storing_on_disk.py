"""A local state whose write fails midway is the one that it was."""

import resource

import pytest

from ngp.state import storing
from ngp.state.locations import StateLocation
from ngp.state.storing import Encryption


@pytest.fixture
def place(tmp_path):
    return StateLocation("local", "", "", "", tmp_path / "unit.tfstate")


@pytest.fixture
def room():
    """`room(size)`: no file of this process may become larger, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_state_that_finds_no_room_leaves_the_one_before(place, room):
    old, new = '{"old": 1}' + " " * 5000, '{"new": 2}' * 2000
    version = storing.store(place, None, old, storing.ABSENT, Encryption())
    room(8000)
    with pytest.raises(OSError, match="File too large"):
        storing.store(place, None, new, version, Encryption())
    assert place.path.read_text() == old
    assert storing.fetch(place, None).version == version


def test_the_digest_of_a_text_is_that_of_what_is_stored(place):
    storing.store(place, None, "ä", storing.ABSENT, Encryption())
    assert storing.fetch(place, None).digest == storing.digest("ä")


def test_the_version_before_is_kept_beside_a_local_state(place):
    version = storing.store(place, None, '{"serial": 1}', storing.ABSENT, Encryption())
    backup = place.path.with_name("unit.tfstate.backup")
    assert not backup.exists(), "there was nothing before"
    storing.store(place, None, '{"serial": 2}', version, Encryption())
    assert backup.read_text() == '{"serial": 1}'
    assert backup.stat().st_mode & 0o777 == 0o600
