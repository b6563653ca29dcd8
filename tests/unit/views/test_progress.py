"""Progress: lines for a log, a display for a terminal, JSON for a program."""

import io
import json
import sys
import threading
import time
from dataclasses import replace

import pytest

from ngp.runs.events import Note, Phase, ResourceStep, UnitDiagnosed, UnitEntered, UnitFinished, UnitProgressed
from ngp.runs.results import Counts, Outcome, UnitResult
from ngp.terraform.events import Diagnostic
from ngp.views import board, documents, progress
from ngp.views.board import Row


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def events(started):
    done = UnitResult("network", "network", 1, Outcome.APPLIED, Counts(create=12), duration_s=34.0)
    failed = UnitResult("registry", "ecr", 1, Outcome.FAILED, reason="apply failed", duration_s=1.0)
    return [
        started,
        Note("the sandbox was started"),
        UnitEntered("network", Phase.APPLY, 12),
        UnitProgressed("network", 1, 12, "module.network.aws_vpc.this", 1.0),
        UnitDiagnosed("registry", Diagnostic("error", "creating ECR repository", "", "module.registry.aws_ecr.a")),
        UnitFinished(done),
        UnitFinished(failed),
    ]


def test_plain_lines_tell_the_phases(golden, capsys, settings, events):
    with progress.follow(settings) as display:
        for event in events:
            display.on_event(event)
    out, err = capsys.readouterr()
    assert out == ""
    golden("progress.txt", err)


def test_plain_lines_stay_few_while_resources_go_by(capsys, settings):
    clock = Clock()
    with progress.Progress(settings, clock=clock) as display:
        display.on_event(UnitEntered("network", Phase.APPLY, 1000))
        for at in range(1000):
            clock.now += 0.05
            display.on_event(UnitProgressed("network", at + 1, 1000, f"aws_x.y[{at}]", step=ResourceStep.DONE))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert lines[1] == "network: apply 200/1000 after 10 s"


def test_a_terminal_gets_a_line_per_unit_that_changes_in_place(monkeypatch, surroundings, events):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    settings = surroundings(terminal=True, TERM="xterm-256color", COLUMNS="100", LINES="30")
    with progress.Progress(settings, clock=Clock()) as display:
        for event in events[:4]:
            display.on_event(event)
        from rich.console import Console

        picture = io.StringIO()
        Console(file=picture, width=100).print(display.table())
    lines = picture.getvalue().splitlines()
    assert lines[0].split() == ["network", "▸", "apply", "1/12", "0", "s", "1", "s", "aws_vpc.this"]
    assert lines[1].split() == ["openvpn", "waiting"]
    assert lines[3] == "1 of 12 changes, 0 of 3 units planned, 0 s"
    assert "the sandbox was started" in stream.getvalue()


def test_many_threads_and_the_display_never_wait_for_each_other(monkeypatch, surroundings):
    monkeypatch.setattr(sys, "stderr", io.StringIO())

    def work(display, unit):
        for at in range(200):
            display.on_event(UnitProgressed(unit, at, 200, "aws_x.y"))
            display.on_event(Note(f"{unit} {at}"))

    with progress.Progress(surroundings(terminal=True, TERM="xterm-256color")) as display:
        threads = [threading.Thread(target=work, args=(display, f"u{at}"), daemon=True) for at in range(4)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 30
        while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
            display._live.refresh()
        assert not any(thread.is_alive() for thread in threads)


def test_a_question_has_the_terminal_for_itself(monkeypatch, surroundings):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress.Progress(surroundings(terminal=True, TERM="xterm-256color")) as display:
        assert display._live.is_started
        with display.pause():
            assert display._live is None
        assert display._live.is_started
    assert display._live is None


def test_a_dumb_terminal_gets_plain_lines(capsys, surroundings, events):
    with progress.Progress(surroundings(terminal=True, TERM="dumb")) as display:
        for event in events:
            display.on_event(event)
    assert "network: applied, +12 (34.0 s)" in capsys.readouterr().err


def test_more_units_than_rows_show_those_at_work_first():
    rows = {f"u{at}": Row() for at in range(100)}
    rows["u50"] = Row(Phase.APPLY)
    rows["u60"] = Row(result=UnitResult("u60", "m", 1, Outcome.APPLIED))
    assert [unit for unit, _ in board.visible(rows, 5)] == ["u0", "u1", "u2", "u50", "u60"]


class Closed(io.StringIO):
    def write(self, text):
        raise BrokenPipeError


def test_a_closed_stream_never_disturbs_the_run(monkeypatch, settings, events):
    monkeypatch.setattr(sys, "stderr", Closed())
    with progress.Progress(settings) as display:
        for event in events:
            display.on_event(event)
    monkeypatch.setattr(sys, "stdout", Closed())
    with progress.follow(settings, jsonl=True) as lines:
        for event in events:
            lines.on_event(event)


def test_json_lines_are_one_document_an_event(capsys, settings, events):
    with progress.follow(settings, jsonl=True) as lines:
        for event in events:
            lines.on_event(event)
    out, err = capsys.readouterr()
    assert err == ""
    told = [json.loads(line) for line in out.splitlines()]
    assert [one["event"] for one in told] == [
        "run_started",
        "note",
        "unit_entered",
        "unit_progressed",
        "unit_diagnosed",
        "unit_finished",
        "unit_finished",
    ]
    assert {one["schema"] for one in told} == {"ngp.event/1"}
    assert told[0]["units"][2] == {"unit": "registry", "module": "ecr", "wave": 1}
    assert told[5]["result"]["counts"] == {
        "create": 12,
        "update": 0,
        "replace": 0,
        "delete": 0,
        "forget": 0,
        "total": 12,
    }


def test_json_lines_of_several_threads_stay_whole(monkeypatch, settings):
    class Slow(io.StringIO):
        def write(self, text):
            time.sleep(0)  # another thread's turn
            return super().write(text)

    stream = Slow()
    monkeypatch.setattr(sys, "stdout", stream)

    def work(lines, unit):
        for at in range(100):
            lines.on_event(UnitProgressed(unit, at, 100, "aws_x.y"))

    with progress.follow(settings, jsonl=True) as lines:
        threads = [threading.Thread(target=work, args=(lines, f"u{at}")) for at in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert sorted((one["unit"], one["done"]) for one in told) == [(f"u{u}", at) for u in range(4) for at in range(100)]


def test_an_event_with_a_result_masks_sensitive_outputs(units):
    told = documents.event(UnitFinished(replace(units.network, outcome=Outcome.APPLIED)))
    assert "hunter2" not in json.dumps(documents.data(told))
