"""What ngp sends to GitLab, and what the fake answers, is as GitLab's own schemas and documentation say."""

import json
from pathlib import Path

import pytest

from ngp.ci import connecting
from ngp.ci.events import CISystem, Event, EventKind
from ngp.forges.gitlab import GitLab
from tests.doubles.forge import TOKEN, serve
from tests.unit.forges.contracts import BASE, COMMIT, errors, operation, use

CONTRACT = json.loads((Path(__file__).parents[2] / "doubles" / "gitlab-contract.json").read_text())


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
        forge, _ = connecting.connect(Event(CISystem.GITLAB, EventKind.PULL_REQUEST), variables, tmp_path)
        assert isinstance(forge, GitLab)
        use(forge, "running " * 100)
        return fake.exchanges


def test_every_request_and_answer_is_as_gitlab_describes_it(exchanges):
    seen = set()
    for method, path, query, body, status, answer in exchanges:
        known = operation(CONTRACT, method, path, "/api/v4")
        seen.add((method, known["path"]))
        assert set(query) <= set(known["query"]), path
        assert status == known["status"], path
        if known["request"] is not None:
            assert errors(known["request"], body) == []
        if known["answer"] is not None:
            assert errors(known["answer"], answer) == []
    assert seen == {(one["method"], one["path"]) for one in CONTRACT["operations"]}
