"""What ngp sends to GitHub, and what the fake answers, is as GitHub's OpenAPI description says."""

import json
from pathlib import Path

import pytest

from ngp.forges.github import GitHub
from ngp.forges.rest import Route
from tests.doubles.forge import TOKEN, serve
from tests.unit.forges.contracts import BASE, COMMIT, errors, operation, use

CONTRACT = json.loads((Path(__file__).parents[2] / "doubles" / "github-contract.json").read_text())


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
        use(forge)
        assert [one.state.value for one in forge.statuses(COMMIT)] == ["failure", "pending"]
        return fake.exchanges


def test_every_request_and_answer_is_as_github_describes_it(exchanges):
    seen = set()
    for method, path, query, body, status, answer in exchanges:
        known = operation(CONTRACT, method, path)
        seen.add((method, known["path"]))
        assert set(query) <= set(known["query"])
        assert status == known["status"]
        if body is not None:
            assert errors(known["request"], body) == []
        if status != 204:
            assert errors(known["answer"], answer) == []
    assert seen == {(one["method"], one["path"]) for one in CONTRACT["operations"]}
