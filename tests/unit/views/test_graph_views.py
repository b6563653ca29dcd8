"""The graph and the status, as people and programs read them."""

import json
from dataclasses import replace

import pytest

from ngp.errors import Finding, UsageError
from ngp.runs.events import UnitSummary
from ngp.runs.results import Orphan, UnitStatus, WireEdge
from ngp.views import documents, findings, graph, orphans, terminal
from ngp.views.graph import GraphFormat

UNITS = (UnitSummary("network", "network", 1), UnitSummary("alb-shop", "alb", 2), UnitSummary("openvpn", "openvpn", 2))
WIRES = (
    WireEdge("alb-shop", "vpc_id", "network.vpc_id"),
    WireEdge("openvpn", "subnet_ids", "network.public_subnet_ids"),
    WireEdge("openvpn", "vpc_id", "network.vpc_id"),
)
STATUS = (
    UnitStatus("network", "network", 1, 24, 3, "2026-11-21T12:00:00Z"),
    UnitStatus("openvpn", "openvpn", 2, 0, 7),
    UnitStatus("swarm", "swarm", 2),
    UnitStatus("shop", "alb", 2, problem="AccessDenied"),
)


@pytest.mark.parametrize("form", GraphFormat)
def test_the_graph_in_each_format(golden, capsys, form):
    graph.show(UNITS, WIRES, environment="dev", form=form)
    golden(f"graph.{form.value}", capsys.readouterr().out)


@pytest.mark.parametrize("form", [GraphFormat.TEXT, GraphFormat.DOT, GraphFormat.MERMAID])
def test_the_graph_of_chosen_units_names_those_that_feed_them(capsys, form):
    graph.show(UNITS[2:], WIRES[1:], environment="dev", form=form)
    assert "network" in capsys.readouterr().out


def test_the_status_is_a_table_with_totals(golden, capsys, settings):
    graph.show_status(STATUS, settings, environment="dev")
    golden("status.txt", capsys.readouterr().out)


def test_the_status_document_has_the_word_for_each_unit():
    told = documents.status("dev", STATUS)
    assert told["schema"] == "ngp.status/1"
    assert [unit["status"] for unit in told["units"]] == ["applied", "empty", "not applied", "unreadable"]


def test_a_region_that_stands_needs_no_next_command(capsys, settings):
    graph.show_status(STATUS[:1], settings, environment="dev")
    assert "next:" not in capsys.readouterr().out


def test_the_next_command_after_a_status_has_the_words_that_selected_the_units(capsys, settings):
    graph.show_status(STATUS[1:2], settings, environment="dev", words=("open*", "...swarm"))
    assert capsys.readouterr().out.endswith("next: ngp plan dev 'open*' ...swarm\n")


def test_an_environment_without_units_is_to_be_configured(capsys, settings):
    graph.show_status([], settings, environment="dev")
    assert capsys.readouterr().out.endswith("next: ngp configure dev\n")


def test_each_finding_is_a_block(golden, capsys):
    findings.show_error(
        UsageError(
            [
                Finding("no variable `vpcid`", "environments/dev/terraform.tfvars:3", "", "did you mean `vpc_id`?"),
                Finding("no value for `domain`", why="line one\nline two\x1b[2J"),
            ]
        )
    )
    out, err = capsys.readouterr()
    assert out == ""
    golden("findings.txt", err)


def test_checks_go_to_stdout_and_say_when_all_is_well(capsys, settings):
    assert findings.show_checks([], settings, passed="all roots are as rendered")
    assert not findings.show_checks([Finding("stale", "a/main.tf")], settings, passed="fine")
    assert capsys.readouterr().out == "all roots are as rendered\nfound: stale\n  where: a/main.tf\n"


def test_a_document_is_json_with_the_characters_as_they_are(capsys):
    from decimal import Decimal
    from pathlib import PurePosixPath

    documents.write({"schema": "x/1", "a": Decimal("2"), "b": Decimal("2.5"), "c": PurePosixPath("a/b"), "d": {"é"}})
    out = capsys.readouterr().out
    assert json.loads(out) == {"schema": "x/1", "a": 2, "b": 2.5, "c": "a/b", "d": ["é"]}
    assert "é" in out


def test_a_run_document_has_every_unit(result, units, as_published):
    told = documents.data(documents.run(result(units.network, units.registry), exit_code=1))
    assert told["schema"] == "ngp.plan/1"
    assert told["exit_code"] == 1
    assert told["counts"]["total"] == 4
    assert told["units"][0]["changes"][3]["action"] == "delete"
    assert told["units"][0]["outputs"]["token"]["after"] == "(sensitive)"
    place = {"file": "environments/dev/units/registry/main.tf", "line": 3, "column": None}
    assert place.items() <= told["units"][1]["diagnostics"][0].items()
    as_published(told)


ORPHAN = Orphan(
    "gone",
    "s3://b/gone.tfstate",
    3,
    commit="1a2b3c4d5e",
    date="2026-11-29",
    subject="Drop it",
    todo="git x",
    environment="dev",
    heir="new",
    move=("cd units/new", "terraform state mv module.gone module.new"),
)
BROKEN = Orphan("lost", "s3://b/lost.tfstate", 0, problem="not a state", todo="put it back", environment="dev")
ABANDONED = replace(ORPHAN, unit="", place="s3://b/qa/", environment="qa", states=2, keep="git y", heir="", move=())


def test_states_of_no_unit_are_shown_with_the_way_to_destroy_them(golden, capsys, settings):
    orphans.show((ORPHAN, BROKEN), terminal.out(settings))
    orphans.show((ORPHAN, ABANDONED), terminal.out(settings), leaves=True)
    orphans.show((), terminal.out(settings))
    golden("orphans.txt", capsys.readouterr().out)


def test_many_states_of_no_unit_are_counted_unless_all_are_wanted(capsys, settings):
    many = [ORPHAN] * 50
    orphans.show(many, terminal.out(settings))
    assert "… and 10 more states" in capsys.readouterr().out
    orphans.show(many, terminal.out(settings), whole=True)
    assert capsys.readouterr().out.count("gone: 3 resources, removed by 1a2b3c4d5e (2026-11-29, Drop it)") == 50
