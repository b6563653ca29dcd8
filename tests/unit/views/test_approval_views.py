"""What a person reads before they sign a bundle: losses first, nothing that matters cut."""

from pathlib import Path

import pytest

from ngp.runs.authority import Authority, AuthorityKind
from ngp.runs.bundle.archive import SEALED, Archive, Member
from ngp.runs.bundle.opening import Bundle
from ngp.runs.bundle.reviews import ReviewedUnit
from ngp.runs.bundle.statement import CommitFact, SecretFact, StateFact, UnitFact
from ngp.runs.results import Outcome, UnitResult
from ngp.views import approvals
from tests import statements


def unit(apart="", secrets=None, **changes):
    return UnitFact("m", apart, "", "", "", "", StateFact("p"), secrets or {}, changes)


def shown(units, results=None, *, whole=False, sealed=False, **more):
    members = {SEALED: Member(SEALED, "")} if sealed else {}
    archive = Archive(Path("x.bundle"), b"statement", members, ())
    reviews = {name: ReviewedUnit(one, None) for name, one in (results or {}).items()}
    return approvals.subject(Bundle(archive, statements.make(units=units, **more), reviews), whole=whole).splitlines()


def addresses(word, number):
    return tuple(f"{word}[{at}]" for at in range(number))


def result(outcome, reason=""):
    return UnitResult("late", "m", 1, outcome, reason=reason)


def test_what_deletes_or_replaces_comes_first_and_is_never_cut():
    many = {"create": addresses("new", 30), "delete": addresses("old", 50), "replace": addresses("other", 25)}
    lines = shown({"a": unit(create=("x",)), "db": unit(**many)})
    assert lines.index("  db: +30 -50 ±25") < lines.index("  a: +1")
    listed = [line.split()[0] for line in lines if line.startswith("    ")]
    assert listed == ["delete"] * 50 + ["replace"] * 25 + ["create"] * 20 + ["and", "create"]
    assert "    and 10 more (--all shows them)" in lines
    assert sum("create new" in line for line in shown({"db": unit(**many)}, whole=True)) == 30


@pytest.mark.parametrize(
    ("fact", "outcome", "says"),
    [
        (
            unit("its provider differs"),
            Outcome.DEFERRED,
            "  late: no preview, so its changes are unknown: cannot be previewed: x",
        ),
        (
            unit("its provider differs", create=("x",)),
            Outcome.PLANNED,
            "  late: +1; ngp plans it again at apply and allows no more than this: its provider differs",
        ),
        (
            unit("its provider differs"),
            Outcome.NO_CHANGES,
            "  late: ngp plans it again at apply and allows no more than this: its provider differs",
        ),
        (unit(), Outcome.PLANNED, "  late: only outputs change"),
        (unit(), Outcome.NO_CHANGES, "  no changes to late"),
    ],
    ids=["deferred", "apart", "apart-idle", "outputs", "idle"],
)
def test_each_unit_says_how_far_its_plan_is_known(fact, outcome, says):
    assert says in shown({"late": fact}, {"late": result(outcome, "cannot be previewed: x")})


def test_a_sealed_bundle_promises_nothing_of_a_unit_that_may_be_deferred():
    lines = shown(
        {"late": unit("x"), "other": unit("y", create=("z",))}, {"late": result(Outcome.NO_CHANGES)}, sealed=True
    )
    assert "  late: ngp plans it again at apply, and the readable part does not list its changes: x" in lines
    assert "  other: +1; ngp plans it again at apply and allows no more than this: y" in lines


def test_what_the_plan_was_made_with_is_shown():
    secrets = {"password": SecretFact("ssm:/p", "3"), "token": SecretFact("env:TOKEN")}
    lines = shown(
        {"a": unit(secrets=secrets)},
        chosen=("a",),
        options=("-replace=x", "-refresh=false"),
        may_lose_data=("a.db",),
        commit=CommitFact("c" * 40, True, ("anna@example.com",), "the clone is shallow"),
    )
    for line in (
        "  commit cccccccccc with uncommitted changes by anna@example.com",
        "  ngp may not know all authors: the clone is shallow",
        "  only these units were selected: a",
        "  options: -replace=x -refresh=false",
        "  may lose data: a.db",
        "  a: no changes",
        "    secret password from ssm:/p (version 3)",
        "    secret token from env:TOKEN",
    ):
        assert line in lines


def test_units_without_changes_are_named():
    lines = shown({"b": unit(), "a": unit(), "c": unit(update=("x",))})
    assert lines[-2:] == ["  no changes to a, b", "3 units: ~1"]


def test_an_authority_names_its_bundle():
    found = Authority(
        AuthorityKind.APPROVED, ("anna@example.com",), "c" * 40, bundle="ab" * 32, maker="mia@example.com"
    )
    assert approvals.authority(found) == "approved by anna@example.com (bundle abababababab, made by mia@example.com)"
    assert (
        approvals.authority(Authority(AuthorityKind.APPROVED, ("anna@example.com",), "c"))
        == "approved by anna@example.com"
    )
