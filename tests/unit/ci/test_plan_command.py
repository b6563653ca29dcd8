"""`ngp ci plan` of what strangers send: nothing here starts Terraform."""

import pytest

TFVARS = "environments/{}/terraform.tfvars"


def order(body, by):
    about = {"action": "created", "issue": {"number": 12, "pull_request": {}}}
    return {**about, "comment": {"body": body, "user": {"login": by}}}


@pytest.fixture
def change(repository):
    """Pull request 12 of a fork, which changes both environments."""
    base = repository.head
    for name in ("dev", "prod"):
        repository.commit(TFVARS.format(name), "10.0.0.0", "10.1.0.0")
    return repository.pull(base)


@pytest.mark.parametrize(
    ("body", "by", "code"),
    [("/ngp plan {head}", "mallory", 3), ("/ngp plan {other}", "anna", 3), ("looks good", "mallory", 0)],
)
def test_a_comment_that_orders_no_plan_changes_nothing(repository, change, body, by, code):
    repository.run("plan", event=change)
    repository.forge.writers = {"anna"}
    comments, statuses = [dict(one) for one in repository.forge.comments], list(repository.forge.statuses)
    event = order(body.format(head=repository.head, other="e" * 40), by)
    done = repository.run("plan", event=event, name="issue_comment")
    assert done.exit_code == code, done.stderr
    assert (repository.forge.comments, repository.forge.statuses) == (comments, statuses)


def test_an_edited_comment_changes_nothing(repository, change):
    event = {**order(f"/ngp plan {repository.head}", "anna"), "action": "edited"}
    done = repository.run("plan", "--json", event=event, name="issue_comment")
    assert (done.exit_code, done.document["environments"]) == (0, [])
    assert (repository.forge.comments, repository.forge.statuses) == ([], [])


def test_one_job_of_a_matrix_does_not_speak_for_the_others(repository, change):
    repository.run("plan", "dev", event=change)
    assert repository.forge.status("ngp/plan/dev") == "pending"
    repository.forge.statuses.append((repository.head, "ngp/plan/dev", "success", ""))
    repository.run("plan", "prod", event=change)
    assert [about for _, name, _, about in repository.forge.statuses if name == "ngp/plan"][-1] == (
        "1 of 2 environments to come"
    )
