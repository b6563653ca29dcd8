import pytest

from ngp.ci import comment
from ngp.ci.channel import Channel
from ngp.ci.comment import Marker
from ngp.ci.events import CISystem, Event, EventKind
from ngp.errors import Finding
from ngp.forges.forge import CommitState, CommitStatus, ForgeError
from ngp.forges.github import GitHub
from ngp.forges.rest import Patience, Route
from tests.doubles.forge import TOKEN, serve

OLD, HEAD, NEWER = "a" * 40, "b" * 40, "c" * 40
DONE = CommitStatus("ngp/plan/dev", CommitState.SUCCESS)


@pytest.fixture
def fake():
    with serve() as made:
        made.pulls = {12: {"head": HEAD, "base": "d" * 40}}
        yield made


@pytest.fixture
def warnings():
    return []


@pytest.fixture
def open_channel(fake, warnings):
    def make(head=HEAD, kind=EventKind.PULL_REQUEST):
        waits = Patience(total_s=2, sleep=lambda _: None, clock=iter(range(10_000)).__next__)
        forge = GitHub(fake.url, "team/platform", TOKEN, Route(), waits)
        event = Event(CISystem.GITHUB, kind, 12, head)
        return Channel(forge, event, "plan", 12, head, warnings.append)

    return make


def body(head, text="text"):
    return f"{Marker('dev', '', head)}\n{text}"


def report(channel, text="text"):
    channel.begin(["dev"])
    channel.report("dev", body(channel.head, text), DONE)
    channel.finish(["dev"])


def test_there_is_one_comment_for_all_heads(open_channel, fake, warnings):
    report(open_channel())
    fake.pulls[12]["head"] = NEWER
    report(open_channel(NEWER), "newer")
    assert [one["body"] for one in fake.comments] == [body(NEWER, "newer")]
    assert warnings == []


@pytest.mark.parametrize("kind", [EventKind.PUSH, EventKind.SCHEDULE, EventKind.OTHER])
def test_a_plan_that_is_not_for_a_merge_leaves_the_required_status_alone(open_channel, fake, kind):
    """Its pending status is marked, too: GitLab makes a canceled one of it, which counts as a failure."""
    channel = open_channel(kind=kind)
    report(channel)
    channel.fail([Finding("ngp.yaml is broken")])
    assert {name for _, name, *_ in fake.statuses} == {"ngp/plan/dev"}
    assert fake.statuses[0] == (HEAD, "ngp/plan/dev", "pending", "not for a merge: waiting")


def test_an_apply_after_a_push_sets_its_own_status_over_all(open_channel, fake):
    channel = open_channel(kind=EventKind.PUSH)
    channel.verb = "apply"
    channel.begin(["dev"])
    assert fake.statuses == [
        (HEAD, "ngp/apply", "pending", "waiting"),
        (HEAD, "ngp/apply/dev", "pending", "waiting"),
    ]


def test_a_comment_about_another_head_is_outdated_while_a_plan_runs(open_channel, fake):
    fake.comments = [{"id": 1, "body": body(OLD), "login": fake.login}]
    open_channel().begin(["dev"])
    assert fake.comments[0]["body"] == comment.outdate(body(OLD), HEAD)


def test_a_comment_of_somebody_else_is_left_alone(open_channel, fake):
    fake.comments = [{"id": 1, "body": body(OLD), "login": "mallory"}]
    report(open_channel())
    assert [one["body"] for one in fake.comments] == [body(OLD), body(HEAD)]


@pytest.mark.parametrize("kind", [EventKind.PULL_REQUEST, EventKind.COMMENT])
def test_a_slow_pipeline_does_not_replace_a_newer_comment(open_channel, fake, warnings, kind):
    slow = open_channel(HEAD, kind)
    slow.begin(["dev"])
    fake.pulls[12]["head"] = NEWER
    report(open_channel(NEWER), "newer")
    slow.report("dev", body(HEAD, "slow"), DONE)
    assert [one["body"] for one in fake.comments] == [body(NEWER, "newer")]
    assert "the pull request has a newer commit, cccccccccccc" in warnings[0]


def test_two_pipelines_that_begin_at_once_end_with_one_comment_and_one_state(open_channel, fake):
    first, second = open_channel(), open_channel()
    first.begin(["dev"])
    second.begin(["dev"])
    for channel, text in ((first, "first"), (second, "second")):
        channel.report("dev", body(HEAD, text), DONE)
        channel.finish(["dev"])
    assert fake.status("ngp/plan") == "success"
    assert [(one["id"], one["body"]) for one in fake.comments] == [(1, body(HEAD, "second"))]
    second.report("dev", body(HEAD, "again"), DONE)
    assert [(one["id"], one["body"]) for one in fake.comments] == [(1, body(HEAD, "again"))]


def test_a_slow_first_comment_goes_without_replacing_a_newer_one(open_channel, fake):
    slow, quick = open_channel(HEAD), open_channel(NEWER)
    slow.begin(["dev"])
    fake.pulls[12]["head"] = NEWER
    quick.begin(["dev"])
    quick.report("dev", body(NEWER, "newer"), DONE)
    slow._write("dev", body(HEAD, "slow"))  # it asked for the head before that moved
    assert [one["body"] for one in fake.comments] == [body(NEWER, "newer")]


def test_a_comment_that_somebody_deleted_is_made_again(open_channel, fake, warnings):
    fake.comments = [{"id": 1, "body": body(OLD), "login": fake.login}]
    channel = open_channel()
    channel.begin(["dev"])
    fake.comments.clear()
    channel.report("dev", body(HEAD), DONE)
    assert [one["body"] for one in fake.comments] == [body(HEAD)]
    fake.comments.clear()
    channel.report("dev", body(HEAD, "again"), DONE)
    assert [one["body"] for one in fake.comments] == [body(HEAD, "again")]
    fake.comments.clear()
    channel.begin(["dev"])
    channel._delete("1")  # somebody was quicker
    assert warnings == []


def test_checks_alone_replace_no_plan_of_the_same_commit(open_channel, fake):
    plan, checks = body(HEAD, "### Plan for `dev`"), body(HEAD, "### Checks of `dev`")

    def check(head, state=CommitState.PENDING):
        channel = open_channel(head)
        channel.checks_only = True
        channel.begin(["dev"], ["dev"])
        channel.report("dev", checks.replace(HEAD, head), CommitStatus("ngp/plan/dev", state))
        channel.finish(["dev"])
        return [one["body"] for one in fake.comments], fake.status("ngp/plan/dev"), fake.status("ngp/plan")

    assert check(HEAD) == ([checks], "pending", "pending")
    report(open_channel(), "### Plan for `dev`")
    assert check(HEAD) == ([plan], "success", "success")
    assert check(HEAD, CommitState.FAILURE) == ([plan], "failure", "failure")
    fake.pulls[12]["head"] = NEWER
    assert check(NEWER) == ([checks.replace(HEAD, NEWER)], "pending", "pending")


def test_a_head_that_moves_back_has_its_plan_again(open_channel, fake):
    plan = "### Plan for `dev`"
    report(open_channel(), plan)
    fake.pulls[12]["head"] = NEWER
    open_channel(NEWER).begin(["dev"], ["dev"])  # its pipeline ends early
    assert "**Outdated**" in fake.comments[0]["body"]
    fake.pulls[12]["head"] = HEAD
    channel = open_channel()
    channel.checks_only = True
    channel.begin(["dev"], ["dev"])
    channel.report("dev", body(HEAD, "### Checks of `dev`"), CommitStatus("ngp/plan/dev", CommitState.PENDING))
    assert [one["body"] for one in fake.comments] == [body(HEAD, plan)]
    states = [state for commit, name, state, _ in fake.statuses if (commit, name) == (HEAD, "ngp/plan/dev")]
    assert states[-1] == "success"


def test_the_comment_of_an_environment_goes_when_the_change_leaves_it(open_channel, fake):
    prod = f"{Marker('prod', '', OLD)}\ntext"
    fake.comments = [
        {"id": 1, "body": body(OLD), "login": fake.login},
        {"id": 2, "body": prod, "login": fake.login},
        {"id": 3, "body": prod, "login": "mallory"},
    ]
    open_channel().begin(["dev"], ["dev"])
    assert [one["id"] for one in fake.comments] == [1, 3]


def test_the_comment_of_another_job_stays(open_channel, fake):
    fake.comments = [{"id": 2, "body": f"{Marker('prod', '', HEAD)}\ntext", "login": fake.login}]
    open_channel().begin(["dev"], ["dev", "prod"])
    assert len(fake.comments) == 1


@pytest.mark.parametrize("login", ["our-app[bot]", "github-actions[bot]", "a-person"])
def test_the_comments_of_any_token_are_its_own(open_channel, fake, login):
    fake.login = login
    report(open_channel())
    fake.comments.insert(0, {"id": 90, "body": body(OLD), "login": "other-app[bot]"})
    report(open_channel(), "again")
    assert [one["body"] for one in fake.comments] == [body(OLD), body(HEAD, "again")]


def test_no_value_disguises_itself_in_a_status(open_channel, fake):
    open_channel().fail([Finding("unknown key `\u202egpj.exe`\n\udce9")])
    [text] = [about for _, name, _, about in fake.statuses if name == "ngp/plan"]
    assert text == "unknown key `\\u202egpj.exe`\\n\\udce9"


def test_without_a_right_to_set_statuses_a_bot_knows_its_comments(open_channel, fake):
    fake.comments = [
        {"id": 1, "body": body(OLD), "login": "mallory"},
        {"id": 2, "body": body(OLD), "login": fake.login},
    ]
    fake.troubles = [(403, {}, {})] * 2
    channel = open_channel()
    channel.begin(["dev"])
    channel.report("dev", body(HEAD), DONE)
    assert [one["body"] for one in fake.comments] == [body(OLD), body(HEAD)]


@pytest.mark.parametrize("trouble", [(503, {}, {}), (200, {}, b"[]"), (200, {}, b"[[1]]"), (403, {}, {})])
def test_an_api_in_trouble_is_a_warning(open_channel, fake, warnings, trouble):
    fake.troubles = [trouble] * 1000
    report(open_channel())
    assert warnings
    assert not any(TOKEN in one for one in warnings)


def test_other_errors_are_not_hidden(open_channel):
    def act():
        raise MemoryError

    with pytest.raises(MemoryError):
        open_channel().attempt("x", act)
    with pytest.raises(ForgeError):
        open_channel().forge.pull_request(99)
