"""`approving`: who is asked before a bundle is signed, and what is known of it afterwards."""

from datetime import UTC, datetime, timedelta

import pytest

from ngp.errors import NgpError, StaleError, UsageError
from ngp.runs.bundle import approving, archive, opening, statement
from ngp.runs.bundle.approving import Approver
from tests import statements


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


def test_an_expired_bundle_is_not_signed(tmp_path, content, anna):
    past = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
    made = statements.make(expires=past, members={name: one.member(name) for name, one in content.items()})
    path = tmp_path / "old.bundle"
    archive.write(path, statement.dump(made), content)
    with pytest.raises(StaleError, match="the bundle expired at"):
        approving.approve(opening.read_statement(path), anna, pytest.fail)
    assert archive.read(path).approvals == []


def test_a_platform_that_keeps_bundles_keeps_an_approved_one(bundle, two, anna, mocker):
    (two.clone / "ngp.yaml").write_text(f"{two.PLAIN}bundles: state\n")
    resolved = mocker.patch("ngp.environments.resolving.resolve").return_value
    reach = mocker.patch("ngp.runs.access.open_states").return_value
    kept = mocker.patch("ngp.runs.bundle.library.keep", return_value="s3://states/x")
    assert approving.keep(opening.read_statement(bundle), anna, pytest.fail) == "s3://states/x"
    kept.assert_called_once_with(resolved, reach.session, bundle)
