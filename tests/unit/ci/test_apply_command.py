"""`ngp ci apply` around the apply itself, which stands in here: nothing starts Terraform."""

import pytest

from ngp.ci import reviewed_bundles
from ngp.forges.forge import ForgeError
from ngp.forges.github import GitHub
from ngp.runs.bundle.uses import UsedError
from tests.unit.ci import made_bundles
from tests.unit.ci.made_bundles import NOTE

TFVARS = "environments/dev/terraform.tfvars"


def planned(repository, digest, state="success", context="ngp/plan/dev"):
    """Add the status that a plan of the merged head sets."""
    repository.forge.statuses.append(
        ("f" * 40, context, state, f"2 units: 2 with changes; +2 · into main · bundle {digest}")
    )


@pytest.fixture
def merged(repository):
    """The event of the push that merges pull request 12, whose comment and status name the bundle."""

    def make(digest):
        marker = f"<!-- ngp environment=dev bundle={digest} head={'f' * 40} -->"
        repository.forge.comments = [{"id": 1, "body": f"{marker}\nwhat was reviewed", "login": repository.forge.login}]
        repository.forge.pulls[12] = {"head": "f" * 40, "base": "e" * 40, "merged": repository.head}
        planned(repository, digest)
        return {"before": repository.head, "after": repository.head}

    return make


def test_a_bundle_that_is_applied_already_is_good_news(repository, bundle, merged, applied):
    event = merged(bundle(**made_bundles.of_files(repository.path)))
    before = [dict(one) for one in repository.forge.comments]
    applied.error = UsedError(NOTE, is_complete=True)
    done = repository.run("apply", "--json", event=event, name="push")
    assert done.exit_code == 0
    assert (
        "applied already, by run 20261130-080000-apply-dev-a1f4 at 2026-11-30T08:00:00Z, so there is nothing left to do"
        in done.stderr
    )
    assert repository.forge.comments == before
    assert repository.forge.status("ngp/apply/dev") == repository.forge.status("ngp/apply") == "success"
    [row] = done.document["environments"]
    assert "applied already" in row["findings"][0]["what"]


def test_a_bundle_whose_apply_failed_is_not_applied_again(repository, bundle, merged, applied):
    event = merged(bundle())
    before = [dict(one) for one in repository.forge.comments]
    applied.error = UsedError(NOTE, is_complete=False)
    assert repository.run("apply", event=event, name="push").exit_code == 4
    assert repository.forge.comments == before
    assert repository.forge.status("ngp/apply/dev") == repository.forge.status("ngp/apply") == "failure"


def test_secrets_are_masked_before_anything_is_applied(repository, bundle, merged, applied):
    done = repository.run("apply", event=merged(bundle()), name="push")
    lines = done.stderr.splitlines()
    assert lines.index("::group::apply dev") < lines.index("::add-mask::hunter2-hunter2") < lines.index("::endgroup::")


def test_a_bundle_that_moved_is_told_in_the_comment(repository, bundle, merged, applied):
    event = merged(bundle())
    assert repository.run("apply", event=event, name="push").exit_code == 4
    assert "`it moved`" in repository.forge.comments[0]["body"]


def test_a_bundle_that_destroys_is_not_applied(repository, bundle, merged, applied):
    done = repository.run("apply", event=merged(bundle(verb="destroy")), name="push")
    assert (done.exit_code, applied.paths) == (3, [])
    assert "the bundle of dev was made by" in done.stderr
    assert repository.forge.status("ngp/apply") == "failure"


def test_a_bundle_of_another_environment_is_not_applied(repository, bundle, merged, applied):
    done = repository.run("apply", event=merged(bundle(environment="prod")), name="push")
    assert (done.exit_code, applied.paths) == (4, [])
    assert "bundle file of dev is for the environment prod" in done.stderr


def test_a_file_that_is_not_the_reviewed_bundle_is_not_applied(repository, bundle, merged, applied):
    event = merged(reviewed := bundle())
    swapped = bundle(options=("-replace=module.base.terraform_data.vpc",))
    done = repository.run("apply", event=event, name="push")
    assert (done.exit_code, applied.paths) == (4, [])
    assert f"its digest is {swapped}, but the reviewed bundle has {reviewed}" in done.stderr
    assert repository.forge.status("ngp/apply") == "failure"


@pytest.mark.parametrize("login", ["mallory", ""])
def test_a_file_that_no_comment_names_is_not_applied(repository, bundle, merged, applied, login):
    event = merged(bundle())
    repository.forge.comments = [{**one, "login": login} for one in repository.forge.comments if login]
    done = repository.run("apply", event=event, name="push")
    assert (done.exit_code, applied.paths) == (4, [])
    assert "no comment names it" in done.stderr


def test_a_comment_about_another_commit_names_no_bundle(repository, bundle, merged, applied):
    event = merged(bundle())
    repository.forge.pulls[12]["head"] = "d" * 40
    done = repository.run("apply", event=event, name="push")
    assert (done.exit_code, applied.paths) == (4, [])
    assert "it is about ffffffffffff, but the last commit of the pull request was dddddddddddd" in done.stderr


def test_an_edited_comment_does_not_choose_the_bundle(repository, bundle, merged, applied):
    """Everybody with write access may edit the comment; it still looks like one of ngp's account."""
    merged(reviewed := bundle(maker="ngp@example.com"))
    repository.forge.statuses, swapped = [], bundle(maker="mallory@example.com")
    event = merged(swapped)
    repository.forge.statuses = []
    planned(repository, reviewed)
    done = repository.run("apply", event=event, name="push")
    assert (done.exit_code, applied.paths) == (4, [])
    assert f"the comment names {swapped[:12]}, but ngp/plan/dev of ffffffffffff names {reviewed[:12]}" in done.stderr
    assert "the last plan could not set its status, or somebody edited the comment" in done.stderr
    assert repository.forge.status("ngp/apply") == "failure"


NO_STATUS = "no plan for a merge set the status ngp/plan/dev on ffffffffffff"


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("none", NO_STATUS),
        ("another context", NO_STATUS),
        ("outside", NO_STATUS),
        ("theirs", "only another account set the status ngp/plan/dev on ffffffffffff"),
        ("failed", "the last plan of ffffffffffff failed"),
        ("failed since", "the last plan of ffffffffffff failed"),
        ("older", "names no bundle that was planned for a merge into a known branch: an older ngp may have set it"),
        ("no account", "ngp cannot tell which account this token belongs to"),
    ],
)
def test_a_comment_alone_is_no_evidence_of_a_plan(repository, bundle, merged, applied, why, said):
    event, statuses = merged(digest := bundle()), repository.forge.statuses
    if why != "failed since":
        statuses.clear()
    if why in ("failed", "failed since"):
        planned(repository, digest, "failure")
    if why == "another context":
        planned(repository, digest, context="ngp/plan/prod")
    if why in ("outside", "older"):
        text = "2 units: 2 with changes" if why == "older" else f"not for a merge: +2 · bundle {digest}"
        statuses.append(("f" * 40, "ngp/plan/dev", "success", text))
    if why in ("theirs", "no account"):
        planned(repository, digest)
        repository.forge.foreign = {"ngp/plan/dev"} if why == "theirs" else set()
    repository.forge.is_read_only = why == "no account"  # a workflow's token learns who it is by what it sets
    done = repository.run("apply", event=event, name="push")
    assert (done.exit_code, applied.paths) == (69, [])
    assert said in " ".join(done.stderr.split())
    assert "review and apply the change by hand: ngp apply dev" in done.stderr


def test_either_bundle_of_two_pipelines_that_planned_a_commit_at_once_counts(repository, bundle, merged, applied):
    event = merged(bundle())
    planned(repository, "b" * 64)
    planned(repository, "", "pending")
    assert repository.run("apply", event=event, name="push").exit_code == 4
    assert applied.paths == ["dev.bundle"]


def test_statuses_that_cannot_be_read_are_not_taken_for_none(repository, bundle, merged, applied, monkeypatch):
    def read(*_):
        raise ForgeError("no")

    monkeypatch.setattr(GitHub, "statuses", read)
    done = repository.run("apply", event=merged(bundle()), name="push")
    assert (done.exit_code, applied.paths) == (69, [])
    assert "run the job again when the API answers" in done.stderr


def test_a_second_run_takes_the_comment_of_the_first(repository, bundle, merged, applied):
    event = merged(bundle())
    for _ in range(2):
        assert repository.run("apply", event=event, name="push").exit_code == 4
    assert f"head={repository.head} -->" in repository.forge.comments[0]["body"]
    assert applied.paths == ["dev.bundle"] * 2


@pytest.mark.parametrize(
    ("who", "state", "code"), [("ours", "success", 4), ("theirs", "success", 69), ("ours", "failure", 69)]
)
def test_the_bundle_of_a_merge_queue_is_found_by_the_status_of_its_commit(
    repository, bundle, merged, applied, monkeypatch, who, state, code
):
    """The pull request has no comment, and the state bucket keeps the bundle: a copy of the file stands for it."""
    event, text = merged(digest := bundle()), f"2 units: 2 with changes; +2 · queue bundle {digest}"
    repository.forge.comments = []
    path = repository.path / ".ngp/ci/dev.bundle"
    path.rename(path.with_suffix(".kept"))
    fetched = []

    def fetch(pipeline, name, wanted):
        fetched.append((name, wanted))
        path.with_suffix(".kept").rename(path)

    monkeypatch.setattr(reviewed_bundles, "_fetch", fetch)
    base = repository.head
    repository.commit(TFVARS, "10.0.0.0", "10.1.0.0")
    event |= {"before": base, "after": repository.head}
    repository.forge.statuses.append((repository.head, "ngp/plan/dev", state, text))
    repository.forge.foreign = {"ngp/plan/dev"} if who == "theirs" else set()
    done = repository.run("apply", "dev", event=event, name="push")
    assert done.exit_code == code, done.stderr
    assert fetched == ([("dev", digest)] if code == 4 else [])
    assert applied.paths == ([path.name] if code == 4 else [])


@pytest.mark.parametrize(("protected", "is_queued"), [("[prod]", True), ("[dev]", False)])
def test_what_people_approved_goes_before_what_the_queue_planned(
    repository, bundle, merged, applied, protected, is_queued
):
    repository.commit("ngp.yaml", "protected: [prod]", f"protected: {protected}")
    event = merged(approved := bundle())
    queued = bundle(maker="queue@example.com")
    repository.forge.statuses.append((repository.head, "ngp/plan/dev", "success", f"+2 · queue bundle {queued}"))
    done = repository.run("apply", "dev", event=event, name="push")
    assert applied.paths == (["dev.bundle"] if is_queued else [])
    assert (approved in done.stderr) is not is_queued


def test_a_bundle_that_leaves_out_what_was_merged_with_it_is_not_applied(repository, bundle, merged, applied):
    base = repository.head
    repository.commit(TFVARS, "10.0.0.0", "10.1.0.0")
    event = {**merged(bundle(chosen=("app",))), "before": base}
    done = repository.run("apply", "dev", event=event, name="push")
    assert (done.exit_code, applied.paths) == (69, [])
    assert "the bundle of dev lacks units that were merged with it: base" in done.stderr


def test_a_file_is_not_applied_where_nobody_can_say_what_was_reviewed(repository, bundle, merged, applied):
    event = merged(bundle())
    done = repository.run("apply", event=event, name="push", env={"GITHUB_TOKEN": ""})
    assert (done.exit_code, applied.paths) == (69, [])
    assert "GITHUB_TOKEN is not set, so ngp cannot read the comment" in done.stderr
    repository.forge.troubles = [(403, {}, {"message": "no"})] * 50
    done = repository.run("apply", event=event, name="push")
    assert (done.exit_code, applied.paths) == (69, [])


def test_an_api_that_is_down_is_not_taken_for_a_change_without_a_bundle(repository, merged, applied):
    event = merged("a" * 64)
    repository.forge.troubles = [(403, {}, {"message": "no"})] * 50
    done = repository.run("apply", event=event, name="push")
    assert done.exit_code == 69
    assert "cannot tell which bundle was reviewed" in done.stderr


def test_a_change_that_nobody_planned_is_not_passed_over(repository, applied):
    base = repository.head
    repository.commit(TFVARS, "10.0.0.0", "10.1.0.0")
    event = {"before": base, "after": repository.head}
    done = repository.run("apply", "--json", event=event, name="push")
    assert done.exit_code == 69
    assert "the change to dev was merged without a plan" in done.stderr
    assert repository.forge.status("ngp/apply") == "failure"
    assert repository.run("apply", "prod", event=event, name="push").exit_code == 0
    assert repository.forge.status("ngp/apply") == "pending"


def test_a_change_of_no_environment_needs_no_bundle(repository, applied):
    base = repository.head
    (repository.path / "README.md").write_text("Read me.\n")
    event = {"before": base, "after": repository.commit()}
    done = repository.run("apply", event=event, name="push")
    assert (done.exit_code, repository.forge.status("ngp/apply")) == (0, "success")


@pytest.mark.parametrize(
    ("line", "more", "code"),
    [
        ((), {"ref": "refs/heads/topic"}, 3),
        ((), {"ref": "refs/tags/v1"}, 3),
        ((), {"ref": "refs/heads/main"}, 4),
        (("--pull-request", "13"), {"ref": "refs/heads/main"}, 3),
        (("--pull-request", "12"), {"ref": "refs/heads/topic"}, 4),
        (("--pull-request", "14"), {"ref": "refs/heads/topic"}, 3),
        (("--pull-request", "14"), {"ref": "refs/heads/main"}, 3),
    ],
)
def test_nothing_is_applied_before_the_merge(repository, bundle, merged, applied, line, more, code):
    event = {**merged(bundle()), "repository": {"default_branch": "main"}, **more}
    repository.forge.pulls[13] = {"head": "f" * 40, "base": "e" * 40}
    repository.forge.pulls[14] = {**repository.forge.pulls[12], "merged": "d" * 40, "target": "release"}
    assert repository.run("apply", *line, event=event, name="push").exit_code == code
    assert applied.paths == ([] if code == 3 else ["dev.bundle"])
