"""What ngp sends to GitHub, and what the fake answers, is as GitHub's OpenAPI description says."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from ngp.forges.forge import State, Status
from ngp.forges.github import GitHub
from ngp.forges.rest import Route
from tests.doubles.forge import TOKEN, serve

CONTRACT = json.loads((Path(__file__).parents[2] / "doubles" / "github-contract.json").read_text())
COMMIT, BASE = "a" * 40, "b" * 40


def operation(method, path):
    for one in CONTRACT["operations"]:
        if one["method"] == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one["path"]), path):
            return one
    raise AssertionError(f"GitHub has no {method} {path}")


def errors(schema, value):
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


@pytest.fixture
def exchanges():
    """All that ngp asks of GitHub, with the answers of the fake."""
    with serve() as fake:
        fake.may_ask_who = True
        fake.writers = {"anna"}
        fake.pulls = {
            3: {"head": COMMIT, "base": BASE, "is_fork": True},
            4: {"head": COMMIT, "base": BASE, "merged": COMMIT},
        }
        forge = GitHub(fake.url, "team/platform", TOKEN, Route())
        assert forge.comments(3) == []
        forge.write_comment(3, "text")
        forge.write_comment(3, "text", forge.comments(3)[0].id)
        forge.delete_comment(3, forge.write_comment(3, "another"))
        forge.set_status(COMMIT, Status("ngp/plan", State.PENDING, "running", "https://ci.example"))
        forge.set_status(COMMIT, Status("ngp/plan", State.FAILURE))
        assert len(forge.statuses(COMMIT)) == len(forge.merged(COMMIT)) == 1
        assert forge.pull_request(3).is_fork
        assert forge.may_write("anna")
        return fake.exchanges


def test_every_request_and_answer_is_as_github_describes_it(exchanges):
    seen = set()
    for method, path, query, body, status, answer in exchanges:
        known = operation(method, path)
        seen.add((method, known["path"]))
        assert set(query) <= set(known["query"])
        assert status == known["status"]
        if body is not None:
            assert errors(known["request"], body) == []
        if status != 204:
            assert errors(known["answer"], answer) == []
    assert seen == {(one["method"], one["path"]) for one in CONTRACT["operations"]}
