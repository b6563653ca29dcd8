"""Comments, statuses and rights on a forge, through HTTP to a fake of the endpoints."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ngp.forges.folder import Folder
from ngp.forges.forge import ForgeError, State, Status
from ngp.forges.github import GitHub
from ngp.forges.gitlab import GitLab
from ngp.forges.rest import Client, Patience
from tests.doubles.forge import TOKEN, serve

COMMIT, BASE = "a" * 40, "b" * 40


class Clock:
    def __init__(self):
        self.now, self.waits = 1000.0, []

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds

    def patience(self, total=60.0):
        return Patience(total, 5.0, 1.0, self.sleep, lambda: self.now, lambda: self.now)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def fake():
    with serve() as made:
        yield made


@pytest.fixture(params=["github", "gitlab"])
def forge(request, fake, clock):
    if request.param == "github":
        return GitHub(fake.url, "team/platform", TOKEN, {}, clock.patience())
    return GitLab(f"{fake.url}/api/v4", "12", TOKEN, {}, clock.patience())


def test_a_comment_is_made_and_replaced(forge, fake):
    forge.write_comment(3, "first")
    [made] = forge.comments(3)
    forge.write_comment(3, "second", made.id)
    assert [(one.body, one.is_own) for one in forge.comments(3)] == [("second", True)]
    assert forge.write_comment(3, "another") == "2"
    forge.delete_comment(3, made.id)
    assert [one.body for one in forge.comments(3)] == ["another"]


def test_comments_of_others_are_not_its_own(forge, fake):
    fake.comments.append({"id": 1, "body": "theirs", "login": "mallory"})
    assert [one.is_own for one in forge.comments(3)] == [False]


def test_all_pages_are_read(forge, fake):
    fake.comments += [{"id": number, "body": str(number), "login": "x"} for number in range(250)]
    assert [one.body for one in forge.comments(3)] == [str(number) for number in range(250)]


def test_the_newest_status_of_a_context_counts(forge, fake):
    forge.set_status(COMMIT, Status("ngp/plan", State.PENDING, "x" * 500))
    forge.set_status(COMMIT, Status("ngp/plan/dev", State.FAILURE))
    forge.set_status(COMMIT, Status("ngp/plan/dev", State.SUCCESS))
    if isinstance(forge, GitHub):  # GitLab lists the newest only
        assert {one.context: one.state for one in forge.statuses(COMMIT)} == {
            "ngp/plan": State.PENDING,
            "ngp/plan/dev": State.SUCCESS,
        }
    assert all(len(about) <= 255 for *_, about in fake.statuses)


def test_pull_requests_and_rights(forge, fake):
    fake.pulls = {
        3: {"head": COMMIT, "base": BASE, "is_fork": True},
        4: {"head": COMMIT, "base": BASE, "merged": "c" * 40},
    }
    fake.writers = {"anna"}
    found = forge.pull_request(3)
    assert (found.number, found.head, found.base, found.is_fork, found.is_merged) == (3, COMMIT, BASE, True, False)
    assert [one.number for one in forge.merged("c" * 40)] == [4]
    assert (forge.may_write("anna"), forge.may_write("ann")) == (True, False)


def test_the_waiting_time_of_the_server_is_kept(forge, fake, clock):
    fake.pulls = {3: {"head": COMMIT, "base": BASE}}
    fake.troubles = [
        (429, {"Retry-After": "7"}, {"message": "slow down"}),
        (502, {}, b"<html>"),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(clock.now) + 20)}, {}),
        (403, {"Retry-After": "3"}, {"message": "You have exceeded a secondary rate limit"}),
    ]
    assert forge.pull_request(3).number == 3
    assert clock.waits[0] == 7
    assert clock.waits[3] == 3
    assert 10 <= clock.waits[2] <= 20


def test_an_api_that_is_down_ends_within_the_total_time(forge, fake, clock):
    fake.troubles = [(503, {}, {})] * 100
    start = clock.now
    with pytest.raises(ForgeError, match="gave up after"):
        forge.pull_request(3)
    assert clock.now - start <= 60
    sent = len(fake.requests)
    with pytest.raises(ForgeError, match="did not answer before"):
        forge.set_status(COMMIT, Status("ngp/plan", State.SUCCESS))
    assert len(fake.requests) == sent


def test_a_wait_that_is_too_long_is_not_begun(forge, fake, clock):
    fake.troubles = [(429, {"Retry-After": "600"}, {})]
    with pytest.raises(ForgeError, match="HTTP 429"):
        forge.pull_request(3)
    assert clock.waits == []


def test_a_missing_right_is_not_tried_again(forge, fake, clock):
    fake.is_read_only = True
    with pytest.raises(ForgeError, match="HTTP 403: Resource not accessible"):
        forge.write_comment(3, "text")
    assert clock.waits == []


@pytest.mark.parametrize("answer", [b"not json", b"{}", b"\xff\xfe", b"[" * 200_000])
def test_an_answer_that_is_no_list_is_an_error(fake, clock, answer):
    fake.troubles = [(200, {}, answer)] * 100
    with pytest.raises(ForgeError):
        list(Client(fake.url, {}, {}, clock.patience()).pages("/x"))


def test_a_redirect_does_not_get_the_token(fake, clock):
    with serve() as other:
        fake.troubles = [(302, {"Location": f"{other.url}/user"}, b"")]
        with pytest.raises(ForgeError, match="HTTP 302"):
            Client(fake.url, {"Authorization": f"Bearer {TOKEN}"}, {}, clock.patience()).get("/x")
        assert other.requests == []


def test_no_message_holds_the_token(fake, clock):
    fake.troubles = [(422, {}, {"message": f"bad header Bearer {TOKEN}"})]
    client = Client(fake.url, {"Authorization": f"Bearer {TOKEN}"}, {}, clock.patience())
    with pytest.raises(ForgeError) as caught:
        client.get("/x")
    assert TOKEN not in str(caught.value)
    assert TOKEN not in repr(client)


def test_an_address_without_tls_is_refused():
    with pytest.raises(ForgeError, match="not https"):
        Client("http://api.example.com", {})


def test_a_post_whose_answer_was_lost_is_not_sent_twice(clock):
    client = Client("http://127.0.0.1:9", {}, {}, clock.patience())
    with pytest.raises(ForgeError, match="not sent twice"):
        client.send("POST", "/x", {})


def test_a_folder_keeps_comments_and_statuses(tmp_path):
    folder = Folder(tmp_path / "out")
    folder.write_comment(0, "dev")
    folder.write_comment(0, "stage")
    folder.write_comment(0, "stage again", "2")
    folder.set_status(COMMIT, Status("ngp/plan", State.PENDING))
    folder.set_status(COMMIT, Status("ngp/plan", State.SUCCESS, "all well"))
    assert [(one.id, one.body) for one in folder.comments(0)] == [("1", "dev"), ("2", "stage again")]
    assert folder.statuses(COMMIT) == [Status("ngp/plan", State.SUCCESS, "all well")]
    assert not folder.may_write("anna")
    folder.delete_comment(0, "1")
    assert folder.write_comment(0, "third") == "3"
    assert [one.id for one in folder.comments(0)] == ["2", "3"]
    (tmp_path / "out" / "status.json").write_text("{")
    with pytest.raises(ForgeError, match="cannot be read"):
        folder.statuses(COMMIT)


def test_jobs_that_share_a_folder_lose_nothing(tmp_path):
    def work(number):
        Folder(tmp_path).write_comment(0, f"comment {number}")
        Folder(tmp_path).set_status(COMMIT, Status(f"ngp/plan/{number}", State.SUCCESS))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert {one.body for one in Folder(tmp_path).comments(0)} == {f"comment {number}" for number in range(40)}
    assert len(Folder(tmp_path).statuses(COMMIT)) == 40


def test_a_comment_whose_author_is_gone_is_nobodys(fake, clock):
    ghost = [{"id": 1, "body": "x", "user": None}]
    fake.troubles = [(403, {}, {}), (200, {}, ghost)]
    assert not GitHub(fake.url, "team/platform", TOKEN, {}, clock.patience()).comments(3)[0].is_own


@pytest.mark.parametrize("body", [b"[" * 9_000, b"5\r\nhalf"])
def test_a_refusal_that_cannot_be_read_is_an_error_like_any_other(fake, clock, body):
    headers = {"Transfer-Encoding": "chunked"} if body.endswith(b"half") else {}
    fake.troubles = [(422, headers, body)] * 3
    with pytest.raises(ForgeError, match="HTTP 422"):
        Client(fake.url, {}, {}, clock.patience()).get("/x")


def test_a_waiting_time_of_nothing_is_a_second(fake, clock):
    fake.troubles = [(503, {"Retry-After": "0"}, {})] * 100
    with pytest.raises(ForgeError, match="gave up"):
        Client(fake.url, {}, {}, clock.patience(5)).get("/x")
    assert clock.waits == [1.0] * 5


def test_a_status_that_gitlab_has_already_is_no_trouble(fake, clock):
    forge = GitLab(f"{fake.url}/api/v4", "12", TOKEN, {}, clock.patience())
    fake.troubles = [
        (400, {}, {"message": "Cannot transition status via :run from :running"}),
        (400, {}, {"message": "ref is missing"}),
        (400, {}, {"message": "Cannot transition status via :drop from :success"}),
    ]
    forge.set_status(COMMIT, Status("ngp/plan", State.PENDING))
    with pytest.raises(ForgeError, match="ref is missing"):
        forge.set_status(COMMIT, Status("ngp/plan", State.PENDING))
    with pytest.raises(ForgeError, match="from :success"):
        forge.set_status(COMMIT, Status("ngp/plan", State.FAILURE))
