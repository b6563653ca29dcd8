"""One table says everything about outcomes."""

import ast
from pathlib import Path

import pytest

import ngp
from ngp.runs.outcomes import Outcome, ordered

CODES = {
    Outcome.STOPPED: 130,
    Outcome.FAILED: 1,
    Outcome.PARTLY: 1,
    Outcome.LOCKED: 5,
    Outcome.STALE: 4,
    Outcome.REFUSED: 3,
    Outcome.DEFERRED: 2,
    Outcome.PLANNED: 2,
}


def test_outcomes_have_names_that_json_readers_can_use():
    assert all(outcome.value.replace("_", "").isalpha() and outcome.value.islower() for outcome in Outcome)


def test_every_outcome_has_a_row_and_a_place_of_its_own():
    assert len({outcome.traits.order for outcome in Outcome}) == len(Outcome)
    assert len({outcome.word for outcome in Outcome}) == len(Outcome)


def test_exit_codes_are_those_of_the_reference():
    assert {one: one.traits.exit_code or one.traits.exit_changes for one in Outcome} == dict.fromkeys(
        Outcome, 0
    ) | CODES


@pytest.mark.parametrize("outcome", Outcome)
def test_colour_and_code_say_the_same(outcome):
    assert (outcome.traits.style == "red") == bool(outcome.traits.exit_code)
    assert not (outcome.is_good and outcome.traits.exit_code)


def test_the_worst_comes_first():
    assert ordered([Outcome.NO_CHANGES, Outcome.APPLIED, Outcome.STALE, Outcome.FAILED])[:2] == [
        Outcome.FAILED,
        Outcome.STALE,
    ]


def _tables(tree):
    """The places of a module where a table or a set of outcomes is written down."""
    for node in ast.walk(tree):
        members = (
            node.keys if isinstance(node, ast.Dict) else node.elts if isinstance(node, (ast.Set, ast.Tuple)) else ()
        )
        named = [ast.unparse(member) for member in members if member is not None]
        if isinstance(node, ast.Tuple) and not all(name.startswith("Outcome.") for name in named):
            continue
        if sum(name.startswith("Outcome.") for name in named) > 2:
            yield node.lineno


def test_no_second_table_of_outcomes_is_written():
    package = Path(ngp.__file__).parent
    texts = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.py") if path.name != "outcomes.py"}
    found = {
        str(path.relative_to(package)): lines
        for path, text in texts.items()
        if text.count("Outcome.") > 2 and (lines := list(_tables(ast.parse(text))))
    }
    assert found == {}
