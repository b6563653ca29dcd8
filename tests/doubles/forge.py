"""The few REST endpoints of GitHub and GitLab that ngp calls, on loopback: one repository, its comments and statuses.

What it answers has the fields that ngp reads. GitHub's OpenAPI description (github-contract.json) holds it to GitHub,
what GitLab says of its API (gitlab-contract.json) to GitLab.
"""

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

TOKEN = "forge-token-canary-51c7"  # ngp:allow-secret of a forge that does not exist


@dataclass
class Forge:
    """What the fake holds. `troubles` are answers to give before any other: (status, headers, body)."""

    login: str = "github-actions[bot]"
    may_ask_who: bool = False
    comments: list = field(default_factory=list)  # {"id", "body", "login"}
    statuses: list = field(default_factory=list)  # (commit, context, state, description), the newest last
    pulls: dict = field(default_factory=dict)  # number → {"head", "base", "is_fork", "merged": commit or ""}
    writers: set = field(default_factory=set)
    foreign: set = field(default_factory=set)  # contexts of statuses that somebody else has set
    troubles: list = field(default_factory=list)
    is_read_only: bool = False
    requests: list = field(default_factory=list)
    exchanges: list = field(default_factory=list)  # (method, path, query, body, status, answer)
    url: str = ""

    def comment(self, text):
        """The comments that hold a text."""
        return [one["body"] for one in self.comments if text in one["body"]]

    def user(self, login):
        """A person, or, by its name, a bot; the one who writes with the token has the id 7."""
        return {"id": 7 if login == self.login else 8, "login": login, "type": "Bot" if "[bot]" in login else "User"}

    def status(self, context):
        """The newest state of a context."""
        return next((state for _, name, state, _ in reversed(self.statuses) if name == context), None)


class _Handler(BaseHTTPRequestHandler):
    forge: Forge

    def _serve(self):
        forge, parts = self.forge, urlsplit(self.path)
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        forge.requests.append((self.command, parts.path, body))
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or self.headers.get("PRIVATE-TOKEN", "")
        if forge.troubles:
            return self._answer(*forge.troubles.pop(0))
        if token != TOKEN:
            return self._answer(401, {}, {"message": "Bad credentials"})
        if self.command != "GET" and forge.is_read_only:
            return self._answer(403, {}, {"message": "Resource not accessible by integration"})
        for method, pattern, act in (*GITHUB, *GITLAB):
            found = re.fullmatch(pattern, parts.path)
            if found and method == self.command:
                code, made = _act(act, forge, body, found.groups())
                query = parse_qs(parts.query)
                made = self._page(made, query)
                forge.exchanges.append((method, parts.path, query, body, code, made))
                return self._answer(code, {}, made)
        return self._answer(404, {}, {"message": "Not Found"})

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815

    def _page(self, made, query):
        if not isinstance(made, list):
            return made
        size, page = int(query.get("per_page", ["30"])[0]), int(query.get("page", ["1"])[0])
        return made[(page - 1) * size : page * size]

    def _answer(self, code, headers, made):
        data = b"" if code == 204 else made if isinstance(made, bytes) else json.dumps(made).encode()
        self.send_response(code)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def _act(act, forge, body, words):
    try:
        return act(forge, body, *words)
    except (KeyError, StopIteration):  # a pull request or a comment that it does not hold
        return 404, {"message": "Not Found"}


def _who(forge, _):
    return (200, forge.user(forge.login)) if forge.may_ask_who else (403, {"message": "not accessible"})


def _pull(forge, number):
    one = forge.pulls[int(number)]
    return {
        "number": int(number),
        "merged_at": "2026-11-30T00:00:00Z" if one.get("merged") else None,
        "head": {"sha": one["head"], "repo": {"id": 2 if one.get("is_fork") else 1}},
        "base": {"sha": one["base"], "ref": one.get("target", "main"), "repo": {"id": 1}},
    }


def _merge_request(forge, number):
    one = forge.pulls[int(number)]
    return {
        "iid": int(number),
        "sha": one["head"],
        "state": "merged" if one.get("merged") else "opened",
        "source_project_id": 2 if one.get("is_fork") else 1,
        "target_project_id": 1,
        "target_branch": one.get("target", "main"),
        "diff_refs": {"base_sha": one["base"], "head_sha": one["head"], "start_sha": one["base"]},
    }


def _of_commit(shape):
    def act(forge, _, commit):
        return 200, [shape(forge, number) for number, one in forge.pulls.items() if one.get("merged") == commit]

    return act


def _add(forge, body, _number):
    made = max((one["id"] for one in forge.comments), default=0) + 1
    forge.comments.append({"id": made, "body": body["body"], "login": forge.login})
    return 201, {"id": made, "body": body["body"], "user": forge.user(forge.login)}


def _find(forge, number):
    return next(one for one in forge.comments if one["id"] == int(number))


def _edit(forge, body, *found):
    one = _find(forge, found[-1])
    if one["login"] != forge.login:
        return 403, {"message": "Must have admin rights"}
    one["body"] = body["body"]
    return 200, {"id": one["id"], "body": one["body"], "user": forge.user(one["login"])}


def _delete(forge, _, *found):
    forge.comments.remove(_find(forge, found[-1]))
    return 204, None


def _setter(forge, context):
    return forge.user("mallory" if context in forge.foreign else forge.login)


def _set(forge, body, commit):
    name = body.get("context") or body.get("name")
    forge.statuses.append((commit, name, body["state"], body.get("description", "")))
    return 201, {"creator": forge.user(forge.login)}


def _author(user):
    """A person as GitLab answers it."""
    return {"id": user["id"], "username": user["login"]}


def _of_gitlab(act):
    """The same answer with GitLab's name and fields for who did it."""

    def made(forge, *words):
        code, answer = act(forge, *words)
        who = (answer or {}).get("user") or (answer or {}).get("creator")
        kept = {key: value for key, value in (answer or {}).items() if key not in ("user", "creator")}
        return code, ({**kept, "author": _author(who)} if who else answer)

    return made


def _statuses(key, word, who, shape=lambda user: user):
    def act(forge, _, commit):
        found = [(at, *one[1:]) for at, one in enumerate(forge.statuses, 1) if one[0] == commit]
        made = [
            {"id": at, key: name, word: state, "description": about, who: shape(_setter(forge, name))}
            for at, name, state, about in found
        ]
        return 200, made if key == "name" else made[::-1]  # GitLab lists the oldest first

    return act


_REPO, _PROJECT, _SHA = "/repos/team/platform", "/api/v4/projects/12", "([0-9a-f]{40})"
GITHUB = (
    ("GET", "/user", _who),
    ("GET", rf"{_REPO}/pulls/(\d+)", lambda forge, _, number: (200, _pull(forge, number))),
    ("GET", rf"{_REPO}/commits/{_SHA}/pulls", _of_commit(_pull)),
    (
        "GET",
        rf"{_REPO}/collaborators/([^/]+)/permission",
        lambda forge, _, user: (200, {"permission": "write" if user in forge.writers else "read"}),
    ),
    (
        "GET",
        rf"{_REPO}/issues/\d+/comments",
        lambda forge, _: (
            200,
            [{"id": one["id"], "body": one["body"], "user": forge.user(one["login"])} for one in forge.comments],
        ),
    ),
    ("POST", rf"{_REPO}/issues/(\d+)/comments", _add),
    ("PATCH", rf"{_REPO}/issues/comments/(\d+)", _edit),
    ("DELETE", rf"{_REPO}/issues/comments/(\d+)", _delete),
    ("GET", rf"{_REPO}/commits/{_SHA}/statuses", _statuses("context", "state", "creator")),
    ("POST", rf"{_REPO}/statuses/{_SHA}", _set),
)
GITLAB = (
    ("GET", "/api/v4/user", lambda forge, _: (200, {"id": 7, "username": forge.login})),
    ("GET", rf"{_PROJECT}/merge_requests/(\d+)", lambda forge, _, number: (200, _merge_request(forge, number))),
    ("GET", rf"{_PROJECT}/repository/commits/{_SHA}/merge_requests", _of_commit(_merge_request)),
    (
        "GET",
        rf"{_PROJECT}/members/all",
        lambda forge, _: (200, [{"username": name, "access_level": 30} for name in sorted(forge.writers)]),
    ),
    (
        "GET",
        rf"{_PROJECT}/merge_requests/\d+/notes",
        lambda forge, _: (
            200,
            [
                {
                    "id": one["id"],
                    "body": one["body"],
                    "system": False,
                    "author": {"id": forge.user(one["login"])["id"]},
                }
                for one in forge.comments
            ],
        ),
    ),
    ("POST", rf"{_PROJECT}/merge_requests/(\d+)/notes", _of_gitlab(_add)),
    ("PUT", rf"{_PROJECT}/merge_requests/(\d+)/notes/(\d+)", _of_gitlab(_edit)),
    ("DELETE", rf"{_PROJECT}/merge_requests/(\d+)/notes/(\d+)", _delete),
    (
        "GET",
        rf"{_PROJECT}/repository/commits/{_SHA}/statuses",
        _statuses("name", "status", "author", _author),
    ),
    ("POST", rf"{_PROJECT}/statuses/{_SHA}", _of_gitlab(_set)),
)


@contextmanager
def serve(tls=None):
    """Run a forge, with a context of `ssl` over TLS; its `url` is the address of the API."""
    forge = Forge()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"forge": forge}))
    forge.url = f"http://127.0.0.1:{server.server_port}"
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        forge.url = f"https://localhost:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
