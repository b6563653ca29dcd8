"""A report is made from a run: in the order of a reviewer, with its differences, without its secrets."""

import base64
from dataclasses import replace

from ngp.reports import making
from ngp.review.affected import Affected, AffectedUnit, CauseKind, Reason
from ngp.runs.results import Counts, Outcome, UnitResult
from ngp.terraform.plans import Action, Change
from tests.sample_runs import CANARY, DATABASE, NETWORK, SHOP, UNITS, run


def made(*units, **facts):
    return making.of_run(run(*units), making.RunFacts(**facts), exit_code=1)


def test_units_come_in_the_order_of_a_reviewer():
    assert [unit.unit for unit in made().units] == ["registry", "network", "database", "openvpn", "shop", "bucket"]


def test_a_unit_that_updates_a_database_comes_before_one_that_creates():
    new = UnitResult("a", "a", 1, Outcome.PLANNED, Counts(create=1), (Change("a.a", "a", Action.CREATE),))
    data = Change("aws_db_instance.a", "aws_db_instance", Action.UPDATE, {"id": "1"}, {"id": "1"})
    old = UnitResult("z", "z", 9, Outcome.PLANNED, Counts(update=1), (data,))
    assert [unit.unit for unit in made(new, old).units] == ["z", "a"]
    assert not list(made(new, old).dangers)


def test_changes_come_with_the_worst_first():
    network = made(NETWORK).units[0]
    assert [change.symbol for change in network.changes] == ["-", "-/+", "~", "+"]
    first, change = next(made().dangers)
    assert (first.unit, change.address, change.loses_data) == ("database", "module.database.aws_db_instance.this", True)


def test_a_change_says_what_a_reviewer_asks():
    subnet = made(NETWORK).units[0].changes[1]
    assert subnet.replace_paths == ("cidr_block",)
    assert any("10.0.1.0/24" in str(line) and "10.0.2.0/24" in str(line) for line in subnet.lines)
    vpc = made(NETWORK).units[0].changes[2]
    assert vpc.is_moved
    assert "(sensitive value)" in "\n".join(map(str, vpc.lines))
    template = next(one for one in made(DATABASE).units[0].changes if one.is_imported)
    assert template.import_id == "lt-1"
    assert made(DATABASE).units[0].unknowns == (
        "vpc_id from network.vpc_id, wave 1",
        "subnet_ids[0] from network.subnet_ids, wave 1",
    )


def test_a_long_text_is_cut_and_says_so():
    text = "".join(f"line {number}\n" for number in range(1000))
    change = Change("a.b", "a", Action.CREATE, after={"text": text, "long": "x" * 10**6})
    lines = [
        str(line)
        for line in made(UnitResult("a", "a", 1, Outcome.PLANNED, changes=(change,))).units[0].changes[0].lines
    ]
    assert len(lines) < 250
    assert max(map(len, lines)) < 700
    assert any("more lines left out" in line for line in lines)


def test_why_is_what_git_affects_in_this_environment():
    reason = Reason(CauseKind.MODULE, "its module changed: modules/network/main.tf")
    found = [AffectedUnit(environment, "network", "network", (reason,)) for environment in ("dev", "prod")]
    other = AffectedUnit("prod", "database", "rds", (reason,))
    report = made(NETWORK, DATABASE, affected=Affected("abc", "main", (*found, other)))
    assert [unit.why for unit in report.units] == [("its module changed: modules/network/main.tf",), ()]


def test_no_secret_is_in_a_report():
    secret = replace(SHOP, reason=f"wrong {CANARY}")
    units = (*UNITS[:2], secret, *UNITS[3:])
    assert CANARY in repr(made(*units))
    report = making.of_run(run(*units), making.RunFacts(secrets=(CANARY, "")), exit_code=1)
    assert CANARY not in repr(report)
    assert "(secret)" in repr(report)


def test_a_report_has_no_secret_in_another_form():
    """As a boot script in Base64, and as one of several lines of a difference, it is none of the values themselves."""
    key = "-----BEGIN-----\nfirst-line\nsecond-line"
    script = base64.b64encode(f"#!/bin/sh\necho {CANARY}\n".encode()).decode()
    secret = replace(SHOP, reason=f"{script} and second-line")
    report = making.of_run(run(secret), making.RunFacts(secrets=(CANARY, key)), exit_code=1)
    assert "second-line" not in repr(report)
    assert script[24:-8] not in repr(report)


def test_totals_are_those_of_the_run():
    report = made()
    assert report.counts.total == 8
    assert {outcome.value: number for outcome, number in report.outcomes.items()} == {
        "failed": 1,
        "deferred": 1,
        "changes": 3,
        "no_changes": 1,
    }
    assert report.has_changes
    assert report.has_deletions
    assert report.is_proposal
    assert {(wire.unit, wire.origin) for wire in report.wires} == {
        ("database", "network.vpc_id"),
        ("database", "network.subnet_ids"),
    }
