"""`ngp ci apply` without a forge, on Jenkins or on a laptop: the folder of `ngp ci plan` says what was reviewed."""

import pytest

from ngp.runs.bundle.uses import UsedError
from tests.harness import Ngp
from tests.unit.ci import made_bundles

TFVARS = "environments/dev/terraform.tfvars"
JENKINS = {"JENKINS_URL": "https://ci", "BRANCH_NAME": "main", "BRANCH_IS_PRIMARY": "true"}


@pytest.fixture
def in_folder(repository):
    """`ngp ci apply dev` where no forge is: on a laptop, or with the variables of Jenkins."""

    def run(**variables):
        environ = {"GITHUB_ACTIONS": "", "GITLAB_CI": "", **variables}
        return Ngp(repository.path).call("ci", "apply", "dev", env=environ)

    return run


def note(repository, digest):
    """Write the comment of `ngp ci plan` into its folder, "-" for one of a plan without a bundle."""
    text = f"<!-- ngp environment=dev bundle={digest} head={repository.head} -->\nwhat was reviewed"
    (repository.path / ".ngp/ci/comment-1.md").write_text(text)


def test_a_bundle_of_an_earlier_change_that_is_applied_already_is_no_good_news(repository, bundle, applied, in_folder):
    """An earlier pipeline left it with its comment, and what was merged since is not in it."""
    digest, base = bundle(**made_bundles.of_files(repository.path)), repository.head
    note(repository, digest)
    applied.error = UsedError(made_bundles.NOTE, is_complete=True)
    assert in_folder().exit_code == 0
    head = repository.commit(TFVARS, "10.0.0.0", "10.1.0.0")
    done = in_folder(**JENKINS, GIT_COMMIT=head, GIT_PREVIOUS_SUCCESSFUL_COMMIT=base)
    assert done.exit_code == 4
    assert (
        "environments/dev/units/base/values.auto.tfvars.json: this file changed since the bundle was made"
        in done.stderr
    )


def test_a_branch_of_jenkins_without_a_good_build_is_compared_with_nothing(repository, bundle, applied, in_folder):
    done = in_folder(**JENKINS, GIT_COMMIT=repository.head)
    assert done.exit_code == 69
    assert "the change to dev was merged without a plan" in done.stderr
    note(repository, bundle(chosen=("app",)))
    done = in_folder(**JENKINS, GIT_COMMIT=repository.head)
    assert (done.exit_code, applied.paths) == (69, [])
    assert "the bundle of dev lacks units that were merged with it: base" in done.stderr
    note(repository, bundle())
    assert in_folder(**JENKINS, GIT_COMMIT=repository.head).exit_code == 4
    assert applied.paths == ["dev.bundle"]


def test_a_comment_in_the_folder_names_the_bundle(repository, bundle, applied, in_folder):
    note(repository, bundle())
    done = in_folder()
    assert (done.exit_code, applied.paths) == (4, ["dev.bundle"])
    assert "error: dev: it moved" in done.stderr


@pytest.mark.parametrize("has_comment", [True, False])
def test_a_bundle_that_an_earlier_plan_left_in_the_folder_is_not_applied(
    repository, bundle, applied, in_folder, has_comment
):
    bundle()
    if has_comment:
        note(repository, "-")
    base = repository.head
    done = in_folder(**JENKINS, GIT_PREVIOUS_SUCCESSFUL_COMMIT=base, GIT_COMMIT=repository.commit())
    assert (done.exit_code, applied.paths) == (4, [])
    assert "no comment names it" in done.stderr


def test_another_branch_of_jenkins_applies_nothing(repository, bundle, applied, in_folder):
    note(repository, bundle())
    for more in ({"BRANCH_NAME": "topic", "BRANCH_IS_PRIMARY": ""}, {"TAG_NAME": "v1"}):
        done = in_folder(**{**JENKINS, **more}, GIT_COMMIT=repository.head)
        assert (done.exit_code, applied.paths) == (3, [])
        assert "this pipeline does not run on the default branch" in done.stderr
