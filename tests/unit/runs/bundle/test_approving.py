"""`approving`: who is asked before a bundle is signed, and what is known of it afterwards."""

import pytest

from ngp.errors import NgpError, UsageError
from ngp.runs.bundle import approving, archive, opening
from ngp.runs.bundle.approving import Approver


@pytest.fixture
def anna(person, two, approved, surroundings):
    """anna, who may approve, in a clone of the platform."""
    two.merge(approved)
    return Approver(surroundings, two.clone, str(two.clone.parent / "keys" / "anna"))


def test_nothing_is_signed_on_a_no(bundle, anna):
    asked = []
    opened = opening.read_statement(bundle)
    with pytest.raises(NgpError, match="nothing was signed"):
        approving.approve(opened, anna, lambda key, has_signed: asked.append((str(key), has_signed)))
    assert [has_signed for _, has_signed in asked] == [False]
    assert "anna" in asked[0][0]
    assert archive.read(bundle).approvals == []


def test_the_question_knows_of_an_earlier_signature_which_stays_the_only_one(bundle, anna):
    first = approving.approve(opening.read_statement(bundle), anna, lambda *_: True)
    asked = []
    again = approving.approve(opening.read_statement(bundle), anna, lambda *about: asked.append(about) or True)
    assert (first.is_new, again.is_new) == (True, False)
    assert [has_signed for _, has_signed in asked] == [True]
    assert len(archive.read(bundle).approvals) == 1


def test_the_judgement_is_about_the_file_as_it_is_now(bundle, anna):
    before = opening.read_statement(bundle)
    approving.approve(before, anna, lambda *_: True)
    found = approving.judge(before, anna)
    assert found.standing.by == ("anna@example.com",)
    assert found.rules.source == "origin/main"


def test_outside_of_a_platform_nobody_can_judge(bundle, surroundings, tmp_path):
    with pytest.raises(UsageError, match="not a platform"):
        approving.judge(opening.read_statement(bundle), Approver(surroundings, tmp_path))


def test_a_platform_that_keeps_files_keeps_no_bundle_elsewhere(bundle, anna):
    assert approving.keep(opening.read_statement(bundle), anna, pytest.fail) == ""
