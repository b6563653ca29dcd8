"""Comments, statuses and rights on a forge, through HTTP to a fake of the endpoints."""

import socket
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from threading import Thread

import pytest

from ngp.forges.folder import Folder
from ngp.forges.forge import CommitState, CommitStatus, ForgeError, NotFoundError
from ngp.forges.github import GitHub
from ngp.forges.gitlab import GitLab
from ngp.forges.rest import Client, Patience, Route
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
        return GitHub(fake.url, "team/platform", TOKEN, Route(), clock.patience())
    return GitLab(f"{fake.url}/api/v4", "12", TOKEN, Route(), clock.patience())


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


def test_the_newest_status_comes_first(forge, fake):
    forge.set_status(COMMIT, CommitStatus("ngp/plan", CommitState.PENDING, "x" * 500))
    forge.set_status(COMMIT, CommitStatus("ngp/plan/dev", CommitState.FAILURE))
    forge.set_status(COMMIT, CommitStatus("ngp/plan/dev", CommitState.SUCCESS))
    if isinstance(forge, GitHub):  # the fake keeps GitHub's words
        assert [(one.context, one.state) for one in forge.statuses(COMMIT)] == [
            ("ngp/plan/dev", CommitState.SUCCESS),
            ("ngp/plan/dev", CommitState.FAILURE),
            ("ngp/plan", CommitState.PENDING),
        ]
    assert [one.context for one in forge.statuses(COMMIT)] == ["ngp/plan/dev", "ngp/plan/dev", "ngp/plan"]
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
    with pytest.raises(ForgeError, match="gave up after 6 attempts"):
        forge.pull_request(3)
    assert clock.now - start <= 60
    sent = len(fake.requests)
    with pytest.raises(ForgeError, match="did not answer the last request"):
        forge.pull_request(3)
    assert len(fake.requests) == sent


def test_an_api_that_was_down_is_asked_again_after_a_while(forge, fake, clock):
    """It costs one request a minute while it is down, and a comment at the end of a long plan is written."""
    fake.pulls = {3: {"head": COMMIT, "base": BASE}}
    fake.troubles = [(503, {}, {})] * 7
    with pytest.raises(ForgeError, match="gave up after 6 attempts"):
        forge.pull_request(3)
    waited, clock.now = list(clock.waits), clock.now + 61
    with pytest.raises(ForgeError, match="gave up after one attempt"):
        forge.pull_request(3)
    with pytest.raises(ForgeError, match="did not answer the last request"):
        forge.pull_request(3)
    clock.now += 61
    assert forge.pull_request(3).number == forge.pull_request(3).number == 3
    assert (clock.waits, len(fake.requests)) == (waited, 9)


def test_a_wait_that_is_too_long_is_not_begun(forge, fake, clock):
    fake.troubles = [(429, {"Retry-After": "600"}, {})]
    with pytest.raises(ForgeError, match="HTTP 429"):
        forge.pull_request(3)
    assert clock.waits == []


def test_the_time_that_a_server_names_is_kept_also_by_the_calls_that_follow(forge, fake, clock):
    fake.pulls = {3: {"head": COMMIT, "base": BASE}}
    fake.troubles = [(429, {"Retry-After": "600"}, {})]
    with pytest.raises(ForgeError, match="HTTP 429"):
        forge.pull_request(3)
    clock.now += 599
    with pytest.raises(ForgeError, match="did not answer the last request"):
        forge.pull_request(3)
    clock.now += 1
    assert forge.pull_request(3).number == 3
    assert len(fake.requests) == 2


def test_a_rate_limit_without_a_time_waits_a_minute_and_one_with_a_date_until_then(forge, fake, clock):
    fake.pulls = {3: {"head": COMMIT, "base": BASE}}
    fake.troubles = [
        (503, {"Retry-After": formatdate(clock.now + 9, usegmt=True)}, {}),
        (503, {"Retry-After": "soon"}, {}),
        (403, {}, {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}),
        (502, {}, {}),
    ]
    assert forge.pull_request(3).number == 3
    assert clock.waits == [9, 2, 60, 8]


def test_a_missing_right_is_not_tried_again(forge, fake, clock):
    fake.is_read_only = True
    with pytest.raises(ForgeError, match="HTTP 403: Resource not accessible"):
        forge.write_comment(3, "text")
    assert clock.waits == []


@pytest.mark.parametrize("answer", [b"not json", b"{}", b"\xff\xfe", b"[" * 200_000])
def test_an_answer_that_is_no_list_is_an_error(fake, clock, answer):
    fake.troubles = [(200, {}, answer)] * 100
    with pytest.raises(ForgeError):
        list(Client(fake.url, {}, Route(), clock.patience()).pages("/x"))


def test_a_redirect_does_not_get_the_token(fake, clock):
    with serve() as other:
        fake.troubles = [(302, {"Location": f"{other.url}/user"}, b"")]
        with pytest.raises(ForgeError, match="HTTP 302"):
            Client(fake.url, {"Authorization": f"Bearer {TOKEN}"}, Route(), clock.patience()).get("/x")
        assert other.requests == []


def test_no_message_holds_the_token(fake, clock):
    fake.troubles = [(422, {}, {"message": f"bad header Bearer {TOKEN}"})]
    client = Client(fake.url, {"Authorization": f"Bearer {TOKEN}"}, Route(), clock.patience())
    with pytest.raises(ForgeError) as caught:
        client.get("/x")
    assert TOKEN not in str(caught.value)
    assert TOKEN not in repr(client)


def test_an_address_without_tls_is_refused():
    with pytest.raises(ForgeError, match="must begin with https"):
        Client("http://api.example.com", {})


def test_a_post_whose_answer_was_lost_is_not_sent_twice(clock):
    """The server takes the request, and hangs up without a word."""
    taken = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            connection, _ = server.accept()
            taken.append(connection.recv(10_000))
            connection.close()

        thread = Thread(target=hang_up)
        thread.start()
        client = Client(f"http://127.0.0.1:{server.getsockname()[1]}", {}, Route(), clock.patience())
        with pytest.raises(ForgeError, match="does not send it again"):
            client.send("POST", "/x", {})
        thread.join()
    assert len(taken) == 1
    assert clock.waits == []


def test_after_a_post_without_an_answer_in_time_calls_fail_at_once(clock):
    with socket.create_server(("127.0.0.1", 0)) as server:  # it takes connections, and says nothing
        patience = replace(clock.patience(), request_s=0.2)
        client = Client(f"http://127.0.0.1:{server.getsockname()[1]}", {}, Route(), patience)
        with pytest.raises(ForgeError, match="does not send it again"):
            client.send("POST", "/x", {})
        with pytest.raises(ForgeError, match="it did not answer the last request"):
            client.send("POST", "/x", {})


def test_a_post_that_cannot_have_arrived_is_sent_again(clock):
    client = Client("http://127.0.0.1:9", {}, Route(), clock.patience())  # nothing listens there
    with pytest.raises(ForgeError, match="gave up after 6 attempts"):
        client.send("POST", "/x", {})
    assert clock.waits == [1, 2, 4, 8, 16]


def test_a_folder_keeps_comments_and_statuses(tmp_path):
    folder = Folder(tmp_path / "out")
    folder.write_comment(0, "dev")
    folder.write_comment(0, "stage")
    folder.write_comment(0, "stage again", "2")
    folder.set_status(COMMIT, CommitStatus("ngp/plan", CommitState.PENDING))
    folder.set_status(COMMIT, CommitStatus("ngp/plan", CommitState.SUCCESS, "all well"))
    assert [(one.id, one.body) for one in folder.comments(0)] == [("1", "dev"), ("2", "stage again")]
    assert folder.statuses(COMMIT) == [CommitStatus("ngp/plan", CommitState.SUCCESS, "all well")]
    assert not folder.may_write("anna")
    folder.delete_comment(0, "1")
    assert folder.write_comment(0, "third") == "3"
    assert [one.id for one in folder.comments(0)] == ["2", "3"]
    (tmp_path / "out" / "status.json").write_text("{")
    with pytest.raises(ForgeError, match="cannot read"):
        folder.statuses(COMMIT)


def test_jobs_that_share_a_folder_lose_nothing(tmp_path):
    def work(number):
        Folder(tmp_path).write_comment(0, f"comment {number}")
        Folder(tmp_path).set_status(COMMIT, CommitStatus(f"ngp/plan/{number}", CommitState.SUCCESS))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert {one.body for one in Folder(tmp_path).comments(0)} == {f"comment {number}" for number in range(40)}
    assert len(Folder(tmp_path).statuses(COMMIT)) == 40


def test_a_comment_whose_author_is_gone_is_nobodys(fake, clock):
    ghost = [{"id": 1, "body": "x", "user": None}]
    fake.troubles = [(403, {}, {}), (200, {}, ghost)]
    assert not GitHub(fake.url, "team/platform", TOKEN, Route(), clock.patience()).comments(3)[0].is_own


@pytest.mark.parametrize("body", [b"[" * 9_000, b"5\r\nhalf"])
def test_a_refusal_that_cannot_be_read_is_an_error_like_any_other(fake, clock, body):
    headers = {"Transfer-Encoding": "chunked"} if body.endswith(b"half") else {}
    fake.troubles = [(422, headers, body)] * 3
    with pytest.raises(ForgeError, match="HTTP 422"):
        Client(fake.url, {}, Route(), clock.patience()).get("/x")


def test_a_waiting_time_of_nothing_is_a_second(fake, clock):
    fake.troubles = [(503, {"Retry-After": "0"}, {})] * 100
    with pytest.raises(ForgeError, match="gave up"):
        Client(fake.url, {}, Route(), clock.patience(5)).get("/x")
    assert clock.waits == [1.0] * 5


def test_a_status_that_gitlab_has_already_is_no_trouble(fake, clock):
    forge = GitLab(f"{fake.url}/api/v4", "12", TOKEN, Route(), clock.patience())
    fake.troubles = [
        (400, {}, {"message": "Cannot transition status via :run from :running"}),
        (400, {}, {"message": "ref is missing"}),
        (400, {}, {"message": "Cannot transition status via :drop from :success"}),
    ]
    forge.set_status(COMMIT, CommitStatus("ngp/plan", CommitState.PENDING))
    with pytest.raises(ForgeError, match="ref is missing"):
        forge.set_status(COMMIT, CommitStatus("ngp/plan", CommitState.PENDING))
    with pytest.raises(ForgeError, match="from :success"):
        forge.set_status(COMMIT, CommitStatus("ngp/plan", CommitState.FAILURE))


def test_what_is_not_there_is_told_from_a_refusal(forge, fake):
    with pytest.raises(NotFoundError):
        forge.write_comment(3, "text", "99")
    fake.is_read_only = True
    with pytest.raises(ForgeError) as caught:
        forge.write_comment(3, "text", "99")
    assert not isinstance(caught.value, NotFoundError)


def test_whose_a_status_is_is_known(forge, fake):
    forge.set_status(COMMIT, CommitStatus("ngp/plan/dev", CommitState.SUCCESS, "ours"))
    fake.statuses.append((COMMIT, "ngp/plan/prod", "success", "theirs"))
    fake.foreign = {"ngp/plan/prod"}
    assert {one.description: one.is_own for one in forge.statuses(COMMIT)} == {"ours": True, "theirs": False}


def test_no_status_is_its_own_while_nothing_tells_who_it_is(fake, clock):
    """A bot's comment counts as its own then; a status is evidence of what was reviewed."""
    fake.statuses.append((COMMIT, "ngp/plan/dev", "success", "of another bot"))
    [found] = GitHub(fake.url, "team/platform", TOKEN, Route(), clock.patience()).statuses(COMMIT)
    assert not found.is_own


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that signs itself, as that of a private CA, with its key."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost"
    names = ("-addext", "subjectAltName=DNS:localhost", "-keyout", path, "-out", f"{path}.crt")
    subprocess.run(["openssl", *words.split(), *names], check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def test_a_private_ca_is_trusted_where_it_is_named_and_nothing_is_tried_twice_where_it_is_not(certificate, clock):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with serve(tls) as there:
        there.pulls = {3: {"head": COMMIT, "base": BASE}}
        named = Route(authority=f"{certificate}.crt")
        assert GitHub(there.url, "team/platform", TOKEN, named, clock.patience()).pull_request(3).number == 3
        with pytest.raises(ForgeError, match=r"certificate is not trusted: self.signed.*SSL_CERT_FILE"):
            GitHub(there.url, "team/platform", TOKEN, Route(), clock.patience()).pull_request(3)
    assert clock.waits == []
    with pytest.raises(ForgeError, match="cannot read the CA file"):
        Client("https://localhost", {}, Route(authority=f"{certificate}.no"))


def test_a_proxy_is_asked_unless_no_proxy_names_the_host(fake, clock, monkeypatch):
    """A proxy gets the whole address in the request: here it is a forge that answers by itself."""
    fake.pulls = {3: {"head": COMMIT, "base": BASE}}
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with serve() as there:
        there.pulls = {3: {"head": BASE, "base": BASE}}
        route = Route({"http": fake.url.removeprefix("http://")})
        forge = GitHub(there.url, "team/platform", TOKEN, route, clock.patience())
        assert forge.pull_request(3).head == COMMIT
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert forge.pull_request(3).head == BASE


@pytest.mark.parametrize("place", ["http://{}@api.example.test", "https://{}@127.0.0.1:9"])
def test_a_password_in_the_address_of_an_api_is_not_told(place):
    """Such an address is refused at once: no request could be made by it."""
    with pytest.raises(ForgeError) as raised:
        Client(place.format("anna:canary"), {})
    assert "canary" not in str(raised.value)
    assert place.rpartition("@")[2] in str(raised.value)
