"""Saving from and restoring to the double of Marathon, and the double beside what Marathon's documentation says."""

import json
from pathlib import Path

import pytest

from tests.doubles.marathon import Marathon

CONTRACT = Path(__file__).parents[2] / "doubles/marathon-contract.jsonl"
ROWS = [json.loads(line) for line in CONTRACT.read_text().splitlines()]
REGISTRY = {"id": "/tools/registry", "instances": 1, "cmd": "registry serve", "portDefinitions": [{"port": 5000}]}
WEB = {"id": "/shop/web", "instances": 2, "cmd": "web", "dependencies": ["/shop/data"]}
DATA = {"id": "/shop/data", "instances": 1, "cmd": "data", "env": {"SIZE": "1"}}


@pytest.fixture
def double():
    made = Marathon(REGISTRY, WEB, DATA)
    yield made
    made.stop()


@pytest.fixture
def client(code, double, monkeypatch):
    monkeypatch.setattr(code.marathon.time, "sleep", lambda _seconds: None)
    return code.marathon.Marathon(double.url)


def is_like(said, wanted):
    """Whether an answer has the shape that was written down; "*" stands for anything."""
    if wanted == "*":
        return True
    if isinstance(wanted, dict):
        return said.keys() == wanted.keys() and all(is_like(said[name], each) for name, each in wanted.items())
    if isinstance(wanted, list):
        return len(said) == len(wanted) and all(map(is_like, said, wanted))
    return said == wanted


@pytest.mark.parametrize("row", ROWS, ids=[row["what"] for row in ROWS])
def test_the_double_answers_as_marathon_is_documented(row):
    double = Marathon(REGISTRY, authorization=row.get("authorization", ""))
    double.locked = dict.fromkeys(row.get("locked", ()), 1)
    status, body = double.answer(*row["request"])
    double.stop()
    assert status == row["response"][0]
    assert is_like(body, row["response"][1]), body


def test_what_marathon_owns_is_stripped_at_every_depth(code):
    app = {**REGISTRY, "version": "1", "tasksRunning": 3, "lastTaskFailure": {}, "ports": [5000], "uris": []}
    tree = {"id": "/", "version": "1", "apps": [], "groups": [{"id": "/tools", "version": "1", "apps": [app]}]}
    group = {"id": "/tools", "apps": [{**REGISTRY, "uris": []}]}
    assert code.marathon.strip(tree) == {"id": "/", "apps": [], "groups": [group]}


def test_merge_puts_back_what_is_gone_or_differs_and_leaves_the_rest(code, client, double):
    saved = client.groups()
    del double.apps["/shop/web"]
    double.apps["/shop/data"] = {"id": "/shop/data", "instances": 1, "cmd": "data", "user": "root"}
    double.apps["/new"] = {"id": "/new", "cmd": "new"}
    changes = code.marathon.merge(client, saved)
    told = {each["id"]: (each["action"], each["fields"], each.get("outcome")) for each in changes}
    assert told == {
        "/shop/data": ("update", ["env", "user"], "done"),
        "/shop/web": ("create", [], "done"),
        "/tools/registry": ("none", [], None),
    }
    assert [path for method, path, _ in double.calls if method == "PUT"] == ["/v2/apps/shop/data", "/v2/apps/shop/web"]
    assert "user" not in double.apps["/shop/data"], "a field that the snapshot has not is kept"
    assert "/new" in double.apps


def test_merge_that_is_dry_changes_nothing(code, client, double):
    saved = client.groups()
    del double.apps["/shop/web"]
    changes = code.marathon.merge(client, saved, dry_run=True)
    assert [each["id"] for each in changes if each["action"] == "create"] == ["/shop/web"]
    assert {method for method, _, _ in double.calls} == {"GET"}


def test_merge_waits_for_a_deployment_and_then_goes_on(code, client, double):
    saved = client.groups()
    double.apps["/shop/data"] = {**DATA, "instances": 5}
    double.locked = {"/shop/data": 2}
    [change] = [each for each in code.marathon.merge(client, saved) if each["action"] == "update"]
    assert change["outcome"] == "done"
    assert double.apps["/shop/data"]["instances"] == 1


def test_what_stays_locked_is_told_with_its_deployment(code, client, double):
    saved = client.groups()
    double.apps = {id_: {**app, "instances": 7} for id_, app in double.apps.items()}
    double.locked = {"/shop/data": 99}
    changes = {each["id"]: each for each in code.marathon.merge(client, saved)}
    assert changes["/shop/data"]["outcome"] == "locked"
    assert changes["/shop/data"]["deployments"] == ["97c136bf-5a28-4821-9d94-480d9fbb01c8"]
    assert changes["/shop/web"]["outcome"] == changes["/tools/registry"]["outcome"] == "done"


def test_a_lock_is_broken_on_demand_only(code, client, double):
    saved = client.groups()
    double.apps["/shop/data"] = {**DATA, "instances": 5}
    double.locked = {"/shop/data": 99}
    code.marathon.merge(client, saved, force=True)
    assert double.apps["/shop/data"]["instances"] == 1


def test_one_that_is_refused_keeps_no_other_back(code, client, double):
    saved = client.groups()
    double.apps = {}
    saved["apps"] = [{"id": "/Not Valid", "cmd": "x"}]
    changes = {each["id"]: each for each in code.marathon.merge(client, saved)}
    assert changes["/Not Valid"]["outcome"] == "failed"
    assert "422 Object is not valid" in changes["/Not Valid"]["reason"]
    assert double.apps.keys() == {"/shop/web", "/shop/data", "/tools/registry"}


def test_replace_stops_what_the_snapshot_has_not(code, client, double):
    saved = client.groups()
    del double.apps["/shop/web"]
    double.apps["/new"] = {"id": "/new", "cmd": "new"}
    changes = code.marathon.replace(client, saved)
    assert [(each["id"], each["action"], each["outcome"]) for each in changes] == [
        ("/new", "StopApplication", "done"),
        ("/shop/web", "StartApplication", "done"),
    ]
    assert double.apps.keys() == {"/shop/web", "/shop/data", "/tools/registry"}


def test_replace_that_is_dry_tells_marathons_own_plan(code, client, double):
    saved = client.groups()
    double.apps["/new"] = {"id": "/new", "cmd": "new"}
    assert code.marathon.replace(client, saved, dry_run=True) == [{"id": "/new", "action": "StopApplication"}]
    assert "/new" in double.apps


def test_replace_does_nothing_where_a_deployment_is_in_the_way(code, client, double):
    saved = client.groups()
    double.apps["/new"] = {"id": "/new", "cmd": "new"}
    double.locked = {"/new": 9}
    assert [each["outcome"] for each in code.marathon.replace(client, saved)] == ["locked"]
    assert "/new" in double.apps
    assert [each["outcome"] for each in code.marathon.replace(client, saved, force=True)] == ["done"]


def test_replace_tells_what_marathon_finds_wrong_before_it_changes_anything(code, client, double):
    saved = client.groups()
    saved["apps"] = [{"id": "/Not Valid", "cmd": "x"}]
    [change] = code.marathon.replace(client, saved)
    assert (change["outcome"], change["reason"][:3]) == ("failed", "422")
    assert "/Not Valid" not in double.apps


def test_dependencies_in_a_circle_are_left_to_marathon(code, client, double):
    saved = client.groups()
    double.apps = {}
    saved["apps"] = [{"id": "/a", "dependencies": ["/b"]}, {"id": "/b", "dependencies": ["/a"]}]
    assert {each["outcome"] for each in code.marathon.merge(client, saved)} == {"done"}


def test_a_marathon_that_refuses_or_is_away_is_told(code, double):
    double.authorization = "token=t"
    with pytest.raises(code.marathon.MarathonError, match="401 Invalid username"):
        code.marathon.Marathon(double.url).groups()
    assert code.marathon.Marathon(double.url, authorization="token=t").groups()["id"] == "/"
    double.stop()
    with pytest.raises(code.marathon.MarathonError, match="does not answer"):
        code.marathon.Marathon(double.url).groups()


def test_the_header_follows_no_redirect(code, double, monkeypatch):
    def answer(_method, target, *_):
        return (200, {"id": "/"}) if target == "/elsewhere" else (302, {"location": "/elsewhere"})

    monkeypatch.setattr(double, "answer", answer)
    with pytest.raises(code.marathon.MarathonError, match="302"):
        code.marathon.Marathon(double.url, authorization="token=t").groups()
