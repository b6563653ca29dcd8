"""The note that a bundle was applied, beside states on the disk."""

import pytest

from ngp.runs.bundle.uses import UsedError, Uses
from ngp.state.locations import StateLocation

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
