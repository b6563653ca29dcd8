"""What a person sees of hundreds of units: what matters, and how much is left out."""

import json
import sys
from collections import Counter
from dataclasses import replace

import pytest

from ngp.errors import Finding, UsageError
from ngp.runs.events import Phase, UnitDiagnosed, UnitEntered, UnitFinished, UnitSummary
from ngp.runs.results import Counts, Outcome, OutputValue, UnitResult, UnitStatus, Verb, WireEdge
from ngp.terraform.events import Diagnostic
from ngp.terraform.plans import Action, Change
from ngp.views import documents, excerpts, findings, graph, outputs, progress, runs
from ngp.views.graph import GraphFormat

WAVES, EACH = 4, 100
FACTS = [UnitSummary(f"u{at:03}", f"m{at % 7}", 1 + at // EACH) for at in range(WAVES * EACH)]
WIRES = [WireEdge(f"u{at:03}", "vpc_id", f"u{at - EACH:03}.vpc_id") for at in range(EACH, WAVES * EACH)]


def changing(at, action=Action.CREATE, **counts):
    change = Change(f"module.u{at:03}.aws_vpc.this", "aws_vpc", action)
    return UnitResult(f"u{at:03}", "m", 1 + at // EACH, Outcome.PLANNED, Counts(**counts), (change,), duration_s=2.0)


@pytest.fixture
def many(result):
    """400 units: one deletes, one is deferred, one failed, one warns, 60 create, one is skipped, the others rest."""
    units = [UnitResult(fact.unit, fact.module, fact.wave, Outcome.NO_CHANGES) for fact in FACTS]
    units[100:160] = [changing(at, create=1) for at in range(100, 160)]
    units[300] = changing(300, Action.DELETE, delete=1)
    units[310] = replace(units[310], outcome=Outcome.DEFERRED, reason="`count` depends on u200.names")
    wrong = Diagnostic("error", "creating VPC", "AccessDenied", "module.u320.aws_vpc.this")
    units[320] = replace(
        units[320], outcome=Outcome.FAILED, reason="creating VPC", diagnostics=(wrong,), log="u320.log"
    )
    units[330] = replace(units[330], diagnostics=(Diagnostic("warning", "Deprecated", ""),))
    units[340] = replace(units[340], outcome=Outcome.SKIPPED, reason="needs `u320`")
    return result(*units)


def test_few_are_shown_in_their_order_and_none_is_left_out():
    assert excerpts.pick(range(excerpts.MOST), lambda _: None) == excerpts.Excerpt(tuple(range(excerpts.MOST)), 0)


def test_of_many_the_urgent_come_first_and_what_has_no_rank_is_counted():
    digest = excerpts.pick(range(1000), lambda at: {500: excerpts.URGENT, 7: 2, 3: 1}.get(at))
    assert digest.shown == (500, 3, 7)
    assert digest.more("units") == "… and 997 more units (--all or --json shows them)"
    one = excerpts.Excerpt((), 1)
    assert one.more("units with changes") == "… and 1 more unit with changes (--all or --json shows them)"


def test_what_is_urgent_is_named_beyond_the_limit_but_not_without_one():
    assert len(excerpts.pick(range(200), lambda _: excerpts.URGENT).shown) == 200
    assert excerpts.pick(range(1000), lambda _: excerpts.URGENT).rest == 600
    assert excerpts.pick(range(1000), lambda _: 1).rest == 960


def test_all_are_shown_where_that_is_asked_for():
    assert excerpts.pick(range(1000), lambda _: None, whole=True).shown == tuple(range(1000))


def test_a_plan_of_many_units_shows_what_matters(golden, capsys, settings, many):
    runs.show_result(many, settings)
    golden("plan-many.txt", capsys.readouterr().out)


def test_a_question_names_every_unit_that_loses_something_and_ends_with_the_totals(capsys, settings, result):
    gone = [changing(at, Action.DELETE, delete=30, create=at % 2) for at in range(60)]
    others = [changing(at, update=1) for at in range(100, 150)]
    runs.show_changes(result(*others, *gone), settings, talk=True)
    told = capsys.readouterr().err.splitlines()
    assert [line for line in told if line.startswith("units that")] == [
        "units that also delete or replace: " + ", ".join(f"u{at:03} {'+1 ' * (at % 2)}-30" for at in range(40, 60))
    ]
    assert told[-2] == "… and 70 more units with changes (--all or --json shows them)"
    assert told[-1] == "110 units: 110 with changes; +30 ~50 -1800 in 1m 11s"
    runs.show_changes(result(*gone), settings, talk=True, whole=True)
    told = capsys.readouterr().err
    assert "units that also" not in told
    assert told.splitlines()[-1].startswith("60 units: 60 with changes; +30 -1800")


def test_a_plan_of_many_units_is_whole_where_that_is_asked_for(capsys, settings, many):
    runs.show_result(many, settings, whole=True)
    told = capsys.readouterr().out
    assert all(f"\n{fact.unit} " in told for fact in FACTS)
    assert "more" not in told


def test_many_units_without_changes_are_one_line(capsys, settings, result):
    runs.show_result(result(*(UnitResult(fact.unit, "m", 1, Outcome.NO_CHANGES) for fact in FACTS)), settings)
    assert capsys.readouterr().out == ("No changes: dev matches its files (400 units, 1m 11s)\nnext: ngp output dev\n")


def test_what_is_said_before_acting_on_many_units_counts_them(capsys, settings, started):
    with progress.Progress(settings) as display:
        display.on_event(replace(started, units=tuple(FACTS)))
    assert capsys.readouterr().err.splitlines()[2:] == [f"  wave {wave}: 100 units" for wave in range(1, 5)]


def test_many_waves_are_cut(capsys, settings, started):
    chain = tuple(UnitSummary(f"u{at}", "m", at + 1) for at in range(100))
    with progress.Progress(settings) as display:
        display.on_event(replace(started, units=chain))
    assert capsys.readouterr().err.splitlines()[-1] == "  … and 60 more waves"


def test_the_graph_of_many_units_is_a_line_a_wave(golden, capsys):
    graph.show(FACTS, WIRES, environment="dev")
    golden("graph-many.txt", capsys.readouterr().out)


@pytest.mark.parametrize("form", [GraphFormat.TEXT, GraphFormat.DOT, GraphFormat.MERMAID])
def test_a_whole_graph_and_one_for_programs_has_every_unit(capsys, form):
    graph.show(FACTS, WIRES, environment="dev", form=form, whole=form is GraphFormat.TEXT)
    told = capsys.readouterr().out
    assert all(fact.unit in told for fact in FACTS)


class Counted(list):
    """A list that counts how often it is gone through."""

    walks = 0

    def __iter__(self):
        self.walks += 1
        return super().__iter__()


@pytest.mark.parametrize("form", [GraphFormat.TEXT, GraphFormat.DOT, GraphFormat.MERMAID])
def test_a_graph_is_drawn_in_as_many_walks_whatever_its_size(form):
    few, many = Counted(WIRES[:1]), Counted(WIRES)
    graph.render([FACTS[0], FACTS[EACH]], few, form)
    graph.render(FACTS, many, form)
    assert many.walks == few.walks


def test_the_status_of_many_units_names_those_that_do_not_stand(golden, capsys, settings):
    units = [UnitStatus(fact.unit, fact.module, fact.wave, 3, 1) for fact in FACTS]
    units[5] = UnitStatus("u005", "m5", 1)
    units[7] = UnitStatus("u007", "m0", 1, problem="AccessDenied")
    graph.show_status(units, settings, environment="dev")
    golden("status-many.txt", capsys.readouterr().out)


def test_many_units_that_stand_are_one_line(capsys, settings):
    graph.show_status([UnitStatus(fact.unit, "m", 1, 3, 1) for fact in FACTS], settings, environment="dev")
    assert capsys.readouterr().out == "dev: 400 of 400 units applied, 1,200 resources\n"


def test_the_outputs_of_many_units_are_cut_for_people_only(capsys, settings):
    values = [OutputValue(fact.unit, name, "x") for fact in FACTS for name in ("a", "b")]
    outputs.show(values, settings, environment="dev")
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1 + 2 * excerpts.MOST
    assert err == "… and 360 more units (--all or --json shows them)\n"
    outputs.show(values, settings, environment="dev", form=outputs.OutputFormat.TFVARS)
    assert "u399 = {" in capsys.readouterr().out


def test_many_findings_are_cut(capsys, settings):
    wrong = [Finding(f"no value for `u{at}.size`") for at in range(100)]
    findings.show_error(UsageError(wrong))
    assert capsys.readouterr().err.splitlines()[-1] == "… and 60 more findings (--json shows them)"
    findings.show_checks(wrong, settings, passed="fine")
    assert capsys.readouterr().out.splitlines()[-1] == "… and 60 more findings (--all or --json shows them)"
    findings.show_checks(wrong, settings, passed="fine", whole=True)
    assert len(capsys.readouterr().out.splitlines()) == 100


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def finish_all(display, clock, outcome, severities=("warning",)):
    for at, fact in enumerate(FACTS):
        clock.now += 0.05
        display.on_event(UnitEntered(fact.unit, Phase.PREVIEW))
        for severity in severities:
            display.on_event(UnitDiagnosed(fact.unit, Diagnostic(severity, "Deprecated", "")))
        display.on_event(UnitFinished(UnitResult(fact.unit, "m", 1, outcome(at), duration_s=1.0)))


def test_a_log_of_many_units_counts_them_and_names_what_goes_wrong(golden, capsys, settings, started):
    clock = Clock()
    with progress.Progress(settings, clock=clock) as display:
        display.on_event(replace(started, verb=Verb.PLAN, units=tuple(FACTS)))
        finish_all(display, clock, lambda at: Outcome.FAILED if at == 30 else Outcome.NO_CHANGES)
    golden("progress-many.txt", capsys.readouterr().err)


def test_a_log_of_many_failures_ends_at_the_limit(capsys, settings, started):
    clock = Clock()
    with progress.Progress(settings, clock=clock) as display:
        display.on_event(replace(started, units=tuple(FACTS)))
        finish_all(display, clock, lambda _: Outcome.FAILED)
    told = Counter(line.partition(" ")[2] for line in capsys.readouterr().err.splitlines())
    assert told["failed (1.0 s)"] == excerpts.MOST


def test_a_log_of_many_failures_counts_units_not_lines(capsys, settings, started):
    clock = Clock()
    with progress.Progress(settings, clock=clock) as display:
        display.on_event(replace(started, units=tuple(FACTS)))
        finish_all(display, clock, lambda _: Outcome.FAILED, ("error", "error"))
    told = Counter(line.partition(" ")[2] for line in capsys.readouterr().err.splitlines())
    assert told["error: Deprecated"] == 2 * excerpts.MOST
    assert told["failed (1.0 s)"] == excerpts.MOST


def test_the_display_of_many_units_has_a_row_for_those_at_work_only(settings, started):
    display = progress.Progress(settings, clock=Clock())
    display.on_event(replace(started, units=tuple(FACTS)))
    display.on_event(UnitEntered("u000", Phase.PREVIEW))
    display.on_event(UnitEntered("u001", Phase.PREVIEW))
    display.on_event(UnitFinished(UnitResult("u000", "m", 1, Outcome.NO_CHANGES)))
    row, total = map(str, display.table().renderables)
    assert row.startswith("u001")
    assert total == "1 of 400 units planned, 0 s"


def test_a_document_is_never_there_as_one_text(monkeypatch, result):
    written = []

    class Stream:
        encoding = "ascii"

        def write(self, text):
            text.encode(self.encoding)
            written.append(text)

    monkeypatch.setattr(sys, "stdout", Stream())
    many = result(*(replace(changing(at, create=1), reason="façade 𝄞") for at in range(400)))
    documents.write(documents.run(many, exit_code=0))
    assert max(map(len, written)) < 100
    assert [unit["reason"] for unit in json.loads("".join(written))["units"]] == ["façade 𝄞"] * 400


@pytest.mark.parametrize("one_line", [False, True])
def test_a_document_with_a_value_that_is_no_data_is_not_begun(capsys, one_line):
    with pytest.raises(TypeError, match="object is not JSON data"):
        documents.write({"schema": "ngp.x/1", "units": [1, object()]}, one_line=one_line)
    assert capsys.readouterr().out == ""
