"""What people read of a run, held against golden files."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from ngp.commands import running
from ngp.errors import Finding
from ngp.policies.verdict import Severity, Verdict, Violation
from ngp.reports.recording import ReportRequest, WrittenReports
from ngp.runs.results import Counts, Orphan, Outcome, OutputValue, UnitResult, Verb, explain
from ngp.terraform.plans import Action, Change
from ngp.views import documents, runs, terminal


def test_a_plan_is_shown_with_every_change_and_the_origin_of_every_unknown(golden, capsys, settings, result, units):
    runs.show_result(result(units.network, units.openvpn, units.shop), settings)
    out, err = capsys.readouterr()
    golden("plan.txt", out)
    assert err == ""


def test_an_apply_is_shown_as_a_table_with_what_failed(golden, capsys, settings, result, units):
    applied = replace(units.network, outcome=Outcome.APPLIED)
    skipped = UnitResult("openvpn", "openvpn", 2, Outcome.SKIPPED, reason="registry did not succeed")
    runs.show_result(result(applied, units.registry, skipped, verb=Verb.APPLY), settings)
    golden("apply-failed.txt", capsys.readouterr().out)


def test_what_is_forgotten_has_a_column_of_its_own(capsys, settings, result, units):
    forgotten = replace(units.idle, outcome=Outcome.APPLIED, counts=Counts(create=1, forget=2))
    runs.show_result(result(forgotten, verb=Verb.APPLY), settings)
    head, row, total, _ = capsys.readouterr().out.splitlines()
    assert head.split() == ["unit", "result", "+", "~", "-", "±", "forget", "time"]
    assert row.split()[:4] == ["network", "applied", "1", "2"]
    assert "+1 forget 2 in" in total


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_fits_and_cuts_no_count(capsys, surroundings, result, units, width):
    long = "module.monitoring-grafana.aws_s3_bucket.images: creating S3 Bucket (images): BucketAlreadyExists: taken"
    counts = Counts(create=120, update=12, delete=7, replace=3, forget=1)
    failed = replace(units.registry, unit="monitoring-grafana", reason=long, counts=counts, diagnostics=(), log="")
    runs.show_result(result(failed, units.idle, verb=Verb.APPLY), surroundings(COLUMNS=str(width)))
    lines = capsys.readouterr().out.splitlines()[:-2]
    assert max(map(len, lines)) <= width
    assert lines[1].split()[:8] == ["monitoring-grafana", "failed", "120", "12", "7", "3", "1", "1m"]
    assert "".join(long.split()) in "".join("".join(lines).split())


def test_what_ended_a_unit_is_shown_with_the_way_out(golden, capsys, settings, result, units):
    pushed = Finding(
        "Terraform could not write the state, and only this file records what it created",
        "/p/environments/dev/units/registry/errored.tfstate",
        "a plan over the older state would create all of that again",
        "in /p/environments/dev/units/registry: terraform init && terraform state push errored.tfstate",
    )
    failed = explain(replace(units.registry, diagnostics=()), pushed)
    runs.show_result(result(failed, verb=Verb.APPLY), settings)
    golden("apply-way-out.txt", capsys.readouterr().out)


def test_what_is_said_before_acting(golden, capsys, settings, started):
    runs.show_start(started, terminal.err(settings))
    out, err = capsys.readouterr()
    golden("start.txt", err)
    assert out == ""


def test_a_second_run_says_no_changes(capsys, settings, result, units):
    runs.show_result(result(units.idle, verb=Verb.APPLY), settings)
    assert "No changes: dev matches its files" in capsys.readouterr().out


def test_no_changes_is_not_said_of_a_region_with_states_of_no_unit(capsys, settings, result, units, as_published):
    left = Orphan("gone", "s3://b/gone.tfstate", 3, todo="git switch --detach 1a~1 && ngp destroy dev gone")
    told = replace(result(units.idle, verb=Verb.APPLY), orphans=(left,))
    runs.show_result(told, settings)
    out = capsys.readouterr().out
    assert "matches its files" not in out
    assert "No changes to the units of dev, but 1 state without a unit" in out
    assert "to destroy it: git switch --detach 1a~1 && ngp destroy dev gone" in out
    runs.show_changes(told, settings, talk=True)
    assert "gone: 3 resources" in capsys.readouterr().err
    document = documents.data(documents.run(told, exit_code=0))
    as_published(document)
    assert document["orphans"][0]["hint"] == left.todo


def test_a_list_that_belongs_to_a_question_goes_to_stderr(capsys, settings, result, units):
    runs.show_changes(result(units.network), settings, talk=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "module.network.aws_vpc.this" in err


def test_a_big_run_is_cut_with_the_dangerous_changes_first(capsys, settings, result, units):
    many = [Change(f"aws_thing.a[{at}]", "aws_thing", Action.CREATE) for at in range(5000)]
    many.append(Change("aws_db.precious", "aws_db", Action.DELETE))
    unit = replace(units.network, changes=tuple(many), counts=Counts(create=5000, delete=1))
    runs.show_changes(result(unit), settings)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 220
    assert "aws_db.precious" in lines[1]
    assert any("… and 4801 more (4801 +)" in line for line in lines)


VERBS = [
    (Verb.PLAN, [Outcome.PLANNED], "ngp apply dev"),
    (Verb.PLAN, [Outcome.NO_CHANGES], "ngp output dev"),
    (Verb.PLAN, [Outcome.DEFERRED], "ngp apply dev"),
    (Verb.APPLY, [Outcome.APPLIED, Outcome.NO_CHANGES], "ngp output dev"),
    (Verb.APPLY, [Outcome.APPLIED, Outcome.FAILED], "fix the cause, then ngp apply dev"),
    (Verb.APPLY, [Outcome.REFUSED], "ngp plan dev, to see what was refused"),
    (Verb.APPLY, [Outcome.LOCKED], "ngp apply dev, when the lock is free (ngp locks dev shows who holds it)"),
    (Verb.APPLY, [Outcome.STOPPED, Outcome.FAILED], "ngp apply dev, to continue"),
    (Verb.DESTROY, [Outcome.DESTROYED], "ngp status dev"),
    (Verb.PLAN, [], "ngp configure dev"),
    (Verb.APPLY, [], "ngp configure dev"),
]


@pytest.mark.parametrize(("verb", "outcomes", "command"), VERBS)
def test_the_next_command_follows_from_what_happened(result, verb, outcomes, command):
    many = [UnitResult(f"u{at}", "m", 1, outcome) for at, outcome in enumerate(outcomes)]
    assert runs.next_command(result(*many, verb=verb)) == command


def test_a_denied_plan_is_not_to_be_applied(result, units, settings, capsys):
    made = replace(result(units.network, verb=Verb.PLAN), bundle="change.bundle")
    runs.show_result(made, settings, is_denied=True)
    assert capsys.readouterr().out.splitlines()[-1] == "next: fix what the policies deny, then ngp plan dev"
    failed = result(replace(units.idle, outcome=Outcome.FAILED), verb=Verb.PLAN)
    assert runs.next_command(failed, is_denied=True) == "fix the cause, then ngp plan dev"


@pytest.mark.parametrize(
    ("severity", "told"),
    [(Severity.DENY, "fix what the policies deny, then ngp plan dev"), (Severity.WARN, "ngp apply dev")],
)
def test_the_verdict_of_the_policies_decides_the_next_command(result, units, settings, capsys, severity, told):
    reports = ReportRequest((Path("unused.json"),))
    reports.judge_with = lambda _: Verdict(("own",), (Violation("own", severity, "a reason"),))
    reports.write = lambda *_: WrittenReports()
    output = running.ResultOptions(as_json=False, as_json_lines=False, whole=False, reports=reports)
    with pytest.raises(typer.Exit):
        running.end(SimpleNamespace(settings=settings), result(units.network), output)
    assert capsys.readouterr().out.splitlines()[-1] == f"next: {told}"


def test_an_invalid_target_is_not_repeated(result, units):
    failed = replace(units.idle, outcome=Outcome.FAILED, reason='Invalid target "module.ecr.aws_x": Resource …')
    given = replace(result(failed, verb=Verb.PLAN), options=("-target=module.ecr.aws_x", "-refresh=false"))
    assert runs.next_command(given) == "run it again with a valid address: ngp plan dev -refresh=false -target=ADDRESS"


def test_an_interrupted_run_is_to_be_gone_on_with(result, units):
    assert runs.next_command(result(units.idle, verb=Verb.APPLY, stopped_by=2)) == "ngp apply dev, to continue"


def test_no_value_steers_the_terminal(capsys, settings, result, units):
    evil = Change("aws_x.y", "aws_x", Action.UPDATE, before={"a": "b"}, after={"a": "\x1b[2J[bold]gone[/bold]\r"})
    runs.show_changes(result(replace(units.network, changes=(evil,))), settings)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\r" not in out
    assert "\\x1b[2J[bold]gone[/bold]\\r" in out


@pytest.mark.parametrize(("seconds", "text"), [(0.85, "850 ms"), (4.2, "4.2 s"), (65.9, "1m 05s"), (3720, "1h 02m")])
def test_durations_are_short(seconds, text):
    assert terminal.duration(seconds) == text


def test_colour_follows_the_surroundings(capsys, surroundings, result, units):
    def colours(settings):
        runs.show_changes(result(units.network), settings)
        return "\x1b[" in capsys.readouterr().out

    assert colours(surroundings(terminal=True, TERM="xterm-256color"))
    assert colours(surroundings(FORCE_COLOR="1", TERM="xterm-256color"))
    assert not colours(surroundings())
    assert not colours(surroundings(terminal=True, TERM="dumb"))


def test_no_color_leaves_out_colours(capsys, surroundings, result, units):
    runs.show_changes(result(units.network), surroundings(terminal=True, TERM="xterm", NO_COLOR="1"))
    assert "\x1b[3" not in capsys.readouterr().out


def test_columns_set_the_width(capsys, surroundings, result, units):
    unit = replace(units.idle, reason="word " * 30)
    runs.show_result(result(unit), surroundings(COLUMNS="60"))
    assert max(len(line) for line in capsys.readouterr().out.splitlines()[:4]) <= 60


def test_a_question_about_one_unit_ends_with_its_totals(capsys, settings, units):
    runs.show_unit(units.network, settings)
    assert capsys.readouterr().err.splitlines()[-1] == "network: +1 ~1 -1 ±1"


def test_an_apply_ends_with_the_outputs_that_a_person_needs(capsys, settings, result, units):
    headlines = [
        OutputValue("openvpn", "openvpn_admin_url", "https://vpn.example.test/admin"),
        OutputValue("openvpn", "openvpn_admin_password", None, sensitive=True),
    ]
    applied = replace(units.openvpn, outcome=Outcome.APPLIED)
    runs.show_result(result(applied, verb=Verb.APPLY), settings, headlines)
    *_, total, head, url, password, command = capsys.readouterr().out.splitlines()
    assert total.startswith("1 unit: 1 applied")
    assert head.split() == ["unit", "output", "value"]
    assert url.split() == ["openvpn", "openvpn_admin_url", "https://vpn.example.test/admin"]
    assert password.strip() == "openvpn_admin_password  (sensitive, --reveal shows it)"
    assert command == "next: ngp output dev"
