"""What ngp sends to GitLab, and what the fake answers, is as GitLab's own schemas and documentation say."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from ngp.ci import connecting
from ngp.ci.events import Event, Kind, System
from ngp.forges.forge import State, Status
from ngp.forges.gitlab import GitLab
from tests.doubles.forge import TOKEN, serve

CONTRACT = json.loads((Path(__file__).parents[2] / "doubles" / "gitlab-contract.json").read_text())
COMMIT, BASE = "a" * 40, "b" * 40


def operation(method, path):
    for one in CONTRACT["operations"]:
        if one["method"] == method and re.fullmatch("/api/v4" + re.sub(r"\{\w+\}", "[^/]+", one["path"]), path):
            return one
    raise AssertionError(f"GitLab has no {method} {path}")


def errors(schema, value):
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


@pytest.fixture
def exchanges(tmp_path):
    """All that ngp asks of GitLab, with the answers of the fake."""
    with serve() as fake:
        fake.may_ask_who = True
        fake.writers = {"anna"}
        fake.pulls = {
            3: {"head": COMMIT, "base": BASE, "is_fork": True},
            4: {"head": COMMIT, "base": BASE, "merged": COMMIT},
        }
        variables = {"GITLAB_TOKEN": TOKEN, "CI_PROJECT_ID": "12", "CI_API_V4_URL": f"{fake.url}/api/v4"}
        forge, _ = connecting.connect(Event(System.GITLAB, Kind.PULL_REQUEST), variables, tmp_path)
        assert isinstance(forge, GitLab)
        assert forge.comments(3) == []
        forge.write_comment(3, "text")
        forge.write_comment(3, "text", forge.comments(3)[0].id)
        forge.delete_comment(3, forge.write_comment(3, "another"))
        forge.set_status(COMMIT, Status("ngp/plan", State.PENDING, "running " * 100, "https://ci.example"))
        forge.set_status(COMMIT, Status("ngp/plan", State.FAILURE))
        assert len(forge.merged(COMMIT)) == 1
        assert forge.statuses(COMMIT)
        assert forge.pull_request(3).is_fork
        assert forge.may_write("anna")
        return fake.exchanges


def test_every_request_and_answer_is_as_gitlab_describes_it(exchanges):
    seen = set()
    for method, path, query, body, status, answer in exchanges:
        known = operation(method, path)
        seen.add((method, known["path"]))
        assert set(query) <= set(known["query"]), path
        assert status == known["status"], path
        if known["request"] is not None:
            assert errors(known["request"], body) == []
        if known["answer"] is not None:
            assert errors(known["answer"], answer) == []
    assert seen == {(one["method"], one["path"]) for one in CONTRACT["operations"]}
