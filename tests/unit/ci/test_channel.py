import pytest

from ngp.ci import comment
from ngp.ci.channel import Channel
from ngp.ci.comment import Marker
from ngp.ci.events import Event, Kind, System
from ngp.forges.forge import ForgeError, State, Status
from ngp.forges.github import GitHub
from ngp.forges.rest import Patience
from tests.doubles.forge import TOKEN, serve

OLD, HEAD, NEWER = "a" * 40, "b" * 40, "c" * 40
DONE = Status("ngp/plan/dev", State.SUCCESS)


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
    def make(head=HEAD):
        waits = Patience(total_s=2, sleep=lambda _: None, clock=iter(range(10_000)).__next__)
        forge = GitHub(fake.url, "team/platform", TOKEN, {}, waits)
        event = Event(System.GITHUB, Kind.PULL_REQUEST, 12, head)
        return Channel(forge, event, "plan", 12, head, warnings.append)

    return make


def body(head, text="text"):
    return f"{Marker('dev', '', head)}\n{text}"


def tell(channel, text="text"):
    channel.begin(["dev"])
    channel.tell("dev", body(channel.head, text), DONE)
    channel.finish(["dev"])


def test_there_is_one_comment_for_all_heads(open_channel, fake, warnings):
    tell(open_channel())
    fake.pulls[12]["head"] = NEWER
    tell(open_channel(NEWER), "newer")
    assert [one["body"] for one in fake.comments] == [body(NEWER, "newer")]
    assert warnings == []


def test_a_comment_about_another_head_is_outdated_while_a_plan_runs(open_channel, fake):
    fake.comments = [{"id": 1, "body": body(OLD), "login": fake.login}]
    open_channel().begin(["dev"])
    assert fake.comments[0]["body"] == comment.outdate(body(OLD), HEAD)


def test_a_comment_of_somebody_else_is_left_alone(open_channel, fake):
    fake.comments = [{"id": 1, "body": body(OLD), "login": "mallory"}]
    tell(open_channel())
    assert [one["body"] for one in fake.comments] == [body(OLD), body(HEAD)]


def test_a_slow_pipeline_does_not_replace_a_newer_comment(open_channel, fake, warnings):
    slow = open_channel(HEAD)
    slow.begin(["dev"])
    fake.pulls[12]["head"] = NEWER
    tell(open_channel(NEWER), "newer")
    slow.tell("dev", body(HEAD, "slow"), DONE)
    assert [one["body"] for one in fake.comments] == [body(NEWER, "newer")]
    assert "the head moved to cccccccccccc" in warnings[0]


def test_two_pipelines_of_one_head_end_with_one_state(open_channel, fake):
    first, second = open_channel(), open_channel()
    first.begin(["dev"])
    second.begin(["dev"])
    for channel in (first, second):
        channel.tell("dev", body(HEAD), DONE)
        channel.finish(["dev"])
    assert fake.status("ngp/plan") == "success"
    assert len(open_channel().forge.comments(12)) == len(fake.comments)
    tell(open_channel(), "again")
    assert len([one for one in fake.comments if "again" in one["body"]]) == 1


@pytest.mark.parametrize("trouble", [(503, {}, {}), (200, {}, b"[]"), (200, {}, b"[[1]]"), (403, {}, {})])
def test_an_api_in_trouble_is_a_warning(open_channel, fake, warnings, trouble):
    fake.troubles = [trouble] * 1000
    tell(open_channel())
    assert warnings
    assert not any(TOKEN in one for one in warnings)


def test_other_errors_are_not_hidden(open_channel):
    def act():
        raise MemoryError

    with pytest.raises(MemoryError):
        open_channel().attempt("x", act)
    with pytest.raises(ForgeError):
        open_channel().forge.pull_request(99)
