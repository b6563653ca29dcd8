"""Which plan of a commit `ngp ci apply` takes for the reviewed one, by who made it and where its status is."""

import pytest

from ngp.ci import statuses

TFVARS = "environments/dev/terraform.tfvars"
PULL, OTHER = 12, "9" * 64


class Merge:
    """The merge of pull request 12 into what is checked out. `head` is its last commit."""

    def __init__(self, repository, applied, head):
        self.repository, self.applied, self.forge = repository, applied, repository.forge
        self.head = head or repository.head
        self.forge.pulls[PULL] = {"head": self.head, "base": "e" * 40, "merged": repository.head}

    def comment(self, digest, head=""):
        text = f"<!-- ngp environment=dev bundle={digest} head={head or self.head} -->\nreviewed"
        self.forge.comments = [{"id": 1, "body": text, "login": self.forge.login}]

    def status(self, text, commit="", state="success"):
        self.forge.statuses.append((commit or self.head, "ngp/plan/dev", state, text))

    def apply(self):
        event = {"before": self.repository.head, "after": self.repository.head}
        self.applied.paths.clear()
        done = self.repository.run("apply", "dev", event=event, name="push")
        return done, self.applied.paths == ["dev.bundle"]


@pytest.fixture
def merge(repository, applied):
    return lambda head="f" * 40: Merge(repository, applied, head)


@pytest.fixture
def forward(merge):
    """A fast-forward: the merged commit is the head of the pull request."""
    return lambda: merge("")


def refusal(forward_or_merge):
    done, is_applied = forward_or_merge.apply()
    assert not is_applied
    return done.exit_code, " ".join(done.stderr.split())


def test_a_plan_of_a_push_never_authorises_an_apply(repository, bundle, applied):
    """`ngp ci plan`, then `ngp ci apply`, on a push without a pull request: the status and the file are there."""
    base = repository.head
    repository.commit(TFVARS, "10.0.0.0", "10.1.0.0")
    event, digest = {"before": base, "after": repository.head}, bundle()
    for text in (
        f"not for a merge: +2 · bundle {digest}",
        f"+2 · into main · bundle {digest}",
    ):  # the latter of an older ngp
        repository.forge.statuses.append((repository.head, "ngp/plan/dev", "success", text))
        done = repository.run("apply", "dev", event=event, name="push")
        assert (done.exit_code, applied.paths) == (4, [])
        assert "no comment names it" in done.stderr


def test_the_comment_of_a_fast_forward_is_compared_with_the_status(bundle, forward):
    digest, merged = bundle(), forward()
    merged.comment(OTHER)
    merged.status(f"+2 · into main · bundle {digest}")
    code, text = refusal(merged)
    assert code == 4
    assert f"the comment names {OTHER[:12]}, but ngp/plan/dev of {merged.head[:12]} names {digest[:12]}" in text


@pytest.mark.parametrize("comment", ["reviewed", "newest"])
def test_the_comment_chooses_among_the_plans_of_a_fast_forward(bundle, forward, comment):
    reviewed, merged = bundle(), forward()
    merged.comment(reviewed if comment == "reviewed" else OTHER)
    merged.status(f"+2 · into main · bundle {reviewed}")
    merged.status(f"+2 · into main · bundle {OTHER}")
    _, is_applied = merged.apply()
    assert is_applied is (comment == "reviewed")


def test_a_plan_of_another_pull_request_with_the_same_head_is_not_taken(repository, bundle, forward):
    other, merged = bundle(), forward()
    repository.forge.pulls[13] = {"head": merged.head, "base": "e" * 40}
    merged.comment(OTHER)
    merged.status(f"+2 · into main · bundle {OTHER}")
    merged.status(f"+2 · into main · bundle {other}")
    code, text = refusal(merged)
    assert (code, f"its digest is {other}, but the reviewed bundle has {OTHER}" in text) == (4, True)


def protect_dev(repository):
    repository.commit("ngp.yaml", "protected: [prod]", "protected: [dev]")


def test_a_merge_train_has_its_comment_and_its_status_on_its_own_commit(repository, bundle, merge):
    protect_dev(repository)
    digest, merged = bundle(), merge()
    merged.status(f"+2 · into main · bundle {OTHER}")
    merged.comment(digest, repository.head)
    merged.status(f"+2 · queue bundle {digest}", repository.head)
    for _ in range(2):  # the first apply writes the comment again
        assert merged.apply()[1]


def test_a_second_apply_takes_the_comment_that_the_first_one_wrote_after_a_queue(repository, bundle, merge):
    protect_dev(repository)
    digest, merged = bundle(), merge()
    merged.status(f"+2 · queue bundle {digest}", repository.head)
    for _ in range(2):
        assert merged.apply()[1]
        assert f"bundle={digest} head={repository.head}" in repository.forge.comments[0]["body"]


def test_a_plan_at_night_voids_nothing_of_a_queue(repository, bundle, merge):
    digest, merged = bundle(), merge()
    merged.status(f"+2 · queue bundle {digest}", repository.head)
    assert merged.apply()[1]
    merged.status("not for a merge: not planned (exit code 1)", repository.head, "failure")
    assert merged.apply()[1]
    merged.status("not planned (exit code 1)", repository.head, "failure")
    assert refusal(merged)[0] == 69


def test_a_comment_about_the_merged_commit_needs_the_status_of_a_plan_for_the_merge(repository, bundle, merge):
    protect_dev(repository)
    digest, merged = bundle(), merge()
    merged.comment(digest, repository.head)
    merged.status(f"not for a merge: +2 · bundle {digest}", repository.head)
    assert refusal(merged)[0] == 69
    merged.status(f"+2 · into main · bundle {digest}", repository.head)
    code, text = refusal(merged)
    assert (code, "an older ngp may have set it" in text) == (69, True)
    merged.status(f"+2 · queue bundle {OTHER}", repository.head)
    code, text = refusal(merged)
    assert (code, f"{repository.head[:12]} names {OTHER[:12]}: the last plan could not" in text) == (4, True)


@pytest.mark.parametrize("target", ["release", "feature/a-branch-with-a-name-of-its-own", "größe"])
def test_a_plan_into_another_branch_is_no_evidence(bundle, forward, target):
    """As one of a pull request whose target changed: GitHub starts no new plan for that."""
    digest, merged = bundle(), forward()
    merged.comment(digest)
    merged.status(f"+2 · into {statuses.target(target)} · bundle {digest}")
    code, text = refusal(merged)
    assert code == 69
    assert f"only plans into another branch set the status ngp/plan/dev on {merged.head[:12]}" in text
    merged.forge.pulls[PULL]["target"] = target
    assert merged.apply()[1]


def test_a_failed_plan_into_another_branch_voids_nothing(bundle, forward):
    digest, merged = bundle(), forward()
    merged.comment(digest)
    merged.status(f"+2 · into main · bundle {digest}")
    merged.status("not planned (exit code 1) · into release", state="failure")
    merged.status(f"+2 · into release · bundle {OTHER}")
    assert merged.apply()[1]
    merged.status("not planned (exit code 1) · into main", state="failure")
    assert refusal(merged)[0] == 69
