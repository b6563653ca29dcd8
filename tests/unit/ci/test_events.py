import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.ci.events import CISystem, Event, EventKind, read
from ngp.errors import UsageError

HEAD, BASE = "a" * 40, "b" * 40


@pytest.fixture
def github(tmp_path):
    def event(name, found, **more):
        path = tmp_path / "event.json"
        path.write_text(found if isinstance(found, str) else json.dumps(found))
        variables = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path)}
        return read({**variables, "GITHUB_SHA": HEAD, **more})

    return event


def pull(head=1, base=1, **more):
    repo = None if head is None else {"id": head}
    return {
        "sender": {"login": "mia"},
        "pull_request": {
            "number": 12,
            "head": {"sha": HEAD, "repo": repo},
            "base": {"sha": BASE, "repo": {"id": base}},
            **more,
        },
    }


def test_a_laptop_has_no_event():
    assert read({}) == Event(CISystem.NONE, EventKind.OTHER)


@pytest.mark.parametrize(("head", "is_fork"), [(1, False), (2, True), (None, True)])
def test_a_pull_request_is_a_forks_where_its_head_is_elsewhere_or_gone(github, head, is_fork):
    found = github("pull_request", pull(head))
    assert (found.kind, found.number, found.head, found.base) == (EventKind.PULL_REQUEST, 12, HEAD, BASE)
    assert (found.is_fork, found.actor) == (is_fork, "mia")


def test_a_change_names_the_branch_that_it_goes_into(github):
    event = pull()
    event["pull_request"]["base"]["ref"] = "release/1"
    assert github("pull_request", event).target == "release/1"
    event["pull_request"]["base"]["ref"] = "--upload-pack=x"
    with pytest.raises(UsageError):
        github("pull_request", event)


def test_a_merge_queue_compares_with_the_base_of_its_group(github):
    found = github("merge_group", {"merge_group": {"head_sha": HEAD, "base_sha": BASE}})
    assert (found.kind, found.head, found.base, found.is_fork) == (EventKind.MERGE_QUEUE, HEAD, BASE, False)


def test_a_schedule_plans_everything(github):
    found = github("schedule", {}, GITHUB_SERVER_URL="https://github.com", GITHUB_RUN_ID="7", GITHUB_REPOSITORY="a/b")
    assert found.is_whole
    assert found.run_url == "https://github.com/a/b/actions/runs/7"


def test_the_first_push_of_a_branch_has_no_base(github):
    assert github("push", {"before": "0" * 40, "after": HEAD}).base == ""
    assert github("push", {"before": BASE, "after": HEAD}).base == BASE


@pytest.mark.parametrize(
    ("body", "ordered"),
    [
        (f"/ngp plan {HEAD}", HEAD),
        (f"/ngp plan {HEAD}\r\n", HEAD),
        (f"/ngp plan {HEAD[:12]}", ""),
        (f"/ngp plan {HEAD} please", ""),
        (f"> /ngp plan {HEAD}", ""),
        (f"/ngp apply {HEAD}", ""),
        (f"/ngp plan {HEAD.upper()}", ""),
    ],
)
def test_only_a_line_of_its_own_with_a_whole_commit_orders_a_plan(github, body, ordered):
    about = {"action": "created", "issue": {"number": 12, "pull_request": {}}}
    found = github("issue_comment", {**about, "comment": {"body": body, "user": {"login": "anna"}}})
    assert (found.kind, found.ordered, found.actor, found.is_fork) == (EventKind.COMMENT, ordered, "anna", True)


def test_an_edited_comment_orders_nothing(github):
    about = {"action": "edited", "issue": {"number": 12, "pull_request": {}}}
    found = github("issue_comment", {**about, "comment": {"body": f"/ngp plan {HEAD}", "user": {"login": "anna"}}})
    assert found.ordered == ""
    assert found.is_fork


def test_an_unknown_event_is_a_strangers(github):
    assert github("fork", {}).is_fork
    assert not github("workflow_dispatch", {}).is_fork


@pytest.mark.parametrize(
    "found",
    [
        "",
        "[",
        "[]",
        "{}",
        "[" * 100_000,
        {"pull_request": None},
        pull(number="12"),
        pull(number=True),
        pull(number=-1),
        pull(head="x"),
        pull(base=None),
        {"pull_request": {"number": 1, "head": {"sha": "--upload-pack=x", "repo": None}, "base": {}}},
    ],
)
def test_a_malformed_event_is_refused(github, found):
    with pytest.raises(UsageError):
        github("pull_request", found)


KEYS = st.sampled_from(["pull_request", "head", "base", "repo", "id", "sha", "number", "sender"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20))
def test_any_event_is_read_or_refused(tmp_path_factory, found):
    path = tmp_path_factory.getbasetemp() / "event.json"
    path.write_text(json.dumps(found))
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(path)}
    try:
        read(variables)
    except UsageError:
        return


def test_merge_requests_of_gitlab():
    variables = {
        "GITLAB_CI": "true",
        "CI_COMMIT_SHA": "c" * 40,
        "CI_MERGE_REQUEST_IID": "5",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": BASE,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD,
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2",
        "CI_MERGE_REQUEST_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }
    found = read(variables)
    assert (found.kind, found.number, found.head, found.base) == (EventKind.PULL_REQUEST, 5, HEAD, BASE)
    assert (found.is_fork, found.target) == (True, "")  # its pipeline may run in the fork, whose branches are its own
    branch = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1"}
    assert read({**variables, **branch}).target == "main"
    train = read({**variables, "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train"})
    assert (train.kind, train.head) == (EventKind.MERGE_QUEUE, "c" * 40)
    with pytest.raises(UsageError):
        read({**variables, "CI_MERGE_REQUEST_IID": "5; rm"})
    with pytest.raises(UsageError):
        read({"GITLAB_CI": "true"})


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"CI_COMMIT_REF_NAME": "topic"}, True),
        ({"CI_COMMIT_REF_NAME": "main"}, False),
        ({"CI_COMMIT_REF_NAME": "main", "CI_COMMIT_TAG": "main"}, True),
    ],
)
@pytest.mark.parametrize("source", ["push", "web"])
def test_a_pipeline_of_another_branch_of_gitlab_is_elsewhere(source, more, expected):
    variables = {"GITLAB_CI": "true", "CI_COMMIT_SHA": HEAD, "CI_PIPELINE_SOURCE": source, "CI_DEFAULT_BRANCH": "main"}
    found = read({**variables, **more})
    assert (found.is_elsewhere, found.default_branch) == (expected, "main")


def test_changes_of_jenkins():
    found = read({"JENKINS_URL": "https://ci", "CHANGE_ID": "9", "GIT_COMMIT": HEAD, "CHANGE_FORK": "mallory"})
    assert (found.system, found.number, found.head, found.is_fork) == (CISystem.JENKINS, 9, HEAD, True)
    assert read({"JENKINS_URL": "https://ci", "CHANGE_ID": "9", "CHANGE_TARGET": "release/1"}).target == "release/1"


@pytest.mark.parametrize(
    "name", ["--upload-pack=x", "a:b", "a..b", "a b", "/a", "a/", "a.lock", "a@{1}", "a\n", "a\\b", "a*"]
)
def test_what_is_no_branch_is_not_given_to_git(name):
    with pytest.raises(UsageError, match="cannot read the event|cannot read .* variables"):
        read({"JENKINS_URL": "https://ci", "CHANGE_ID": "9", "CHANGE_TARGET": name})


def test_a_branch_of_jenkins_is_compared_with_its_last_good_build():
    branch = {"JENKINS_URL": "https://ci", "BRANCH_NAME": "main", "BRANCH_IS_PRIMARY": "true", "GIT_COMMIT": HEAD}
    assert (read(branch).kind, read(branch).base) == (EventKind.PUSH, "")
    found = read({**branch, "GIT_PREVIOUS_SUCCESSFUL_COMMIT": BASE})
    assert (found.kind, found.head, found.base, found.is_elsewhere) == (EventKind.PUSH, HEAD, BASE, False)
    assert read({**branch, "TAG_NAME": "v1"}).is_elsewhere
    assert read({**branch, "BRANCH_IS_PRIMARY": ""}).is_elsewhere
    assert not read({"JENKINS_URL": "https://ci", "GIT_COMMIT": HEAD}).is_elsewhere  # no multibranch pipeline
