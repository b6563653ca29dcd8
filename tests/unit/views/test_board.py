"""The progress display: what counts as done, what takes long, and that it fits."""

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.runs.events import Phase, ResourceStep, UnitEntered, UnitFinished, UnitProgressed
from ngp.runs.outcomes import Outcome
from ngp.runs.results import Counts, UnitResult, Verb
from ngp.views import board, progress
from ngp.views.board import Row


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def picture(display, width):
    from rich.console import Console

    console = Console(file=io.StringIO(), width=width, height=30)
    display._console = console
    console.print(display.table())
    return console.file.getvalue().splitlines()


PREVIEWS = (
    UnitResult("network", "network", 1, Outcome.PLANNED, Counts(create=10, replace=1), duration_s=9.0),
    UnitResult("registry", "ecr", 1, Outcome.NO_CHANGES, duration_s=9.0),
    UnitResult("openvpn", "openvpn", 2, Outcome.PLANNED, Counts(create=4, forget=1), is_preview=True, duration_s=9.0),
)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def display(settings, started, clock):
    """An apply whose previews are done."""
    shown = progress.Progress(settings, clock=clock)
    shown.on_event(replace(started, verb=Verb.APPLY))
    for result in PREVIEWS:
        shown.on_event(UnitEntered(result.unit, Phase.PREVIEW))
        shown.on_event(UnitFinished(result))
    return shown


def test_a_preview_is_never_called_applied(display):
    assert picture(display, 80)[-1] == "3 of 3 units previewed, 0 s"


def test_all_operations_of_the_run_are_counted_from_the_first_change_on(display, clock):
    display.on_event(UnitEntered("network", Phase.PLAN))
    assert picture(display, 80)[-1] == "0 of 16 changes, 1 of 3 units applied, 0 s"
    display.on_event(UnitEntered("network", Phase.APPLY, 12))
    display.on_event(UnitProgressed("network", 5, 12, "aws_a.b", 0.0, ResourceStep.DONE))
    clock.now = 149
    assert picture(display, 80)[-1] == "5 of 16 changes, 1 of 3 units applied, 2m 29s"


def test_a_real_plan_without_changes_takes_its_operations_off_the_total(display):
    display.on_event(UnitEntered("network", Phase.PLAN))
    display.on_event(UnitFinished(replace(PREVIEWS[0], outcome=Outcome.NO_CHANGES, counts=Counts())))
    assert picture(display, 80)[-1] == "0 of 4 changes, 2 of 3 units applied, 0 s"


def test_one_change_is_one(display):
    for preview, counts in ((PREVIEWS[0], Counts()), (PREVIEWS[2], Counts(create=1))):
        display.on_event(UnitFinished(replace(preview, counts=counts)))
    display.on_event(UnitEntered("openvpn", Phase.APPLY, 1))
    assert picture(display, 80)[-1].startswith("0 of 1 change, ")


def test_events_of_any_unit_come_in_any_order(display, clock):
    """A joint apply tells of resources only: no unit enters a phase first."""
    display.on_event(UnitProgressed("openvpn", 0, 4, "module.openvpn.aws_x.y", 0.0, ResourceStep.STARTED))
    display.on_event(UnitProgressed("network", 0, 12, "module.network.aws_vpc.this", 0.0, ResourceStep.STARTED))
    display.on_event(UnitProgressed("openvpn", 1, 4, "module.openvpn.aws_x.y", 1.0, ResourceStep.DONE))
    display.on_event(UnitProgressed("registry", 0, 0, "module.registry.data.aws_x.y", 1.0, ResourceStep.DONE))
    clock.now = 30
    lines = picture(display, 100)
    assert lines[0].split()[:5] == ["network", "▸", "apply", "0/12", "30"]
    assert lines[1].split()[:5] == ["openvpn", "▸", "apply", "1/4", "30"]
    assert lines[2].split()[:4] == ["registry", "=", "no", "changes"]
    assert lines[3] == "1 of 16 changes, 1 of 3 units applied, 30 s"


def test_the_slowest_resource_is_the_one_that_is_longest_under_way(display, clock):
    display.on_event(UnitEntered("network", Phase.APPLY, 12))
    for address in ("aws_a.slow", "aws_a.quick", "aws_a.failed"):
        display.on_event(UnitProgressed("network", 0, 12, f"module.network.{address}", 0.0, ResourceStep.STARTED))
        clock.now += 10
    display.on_event(UnitProgressed("network", 0, 12, "module.network.aws_a.slow", 30.0, ResourceStep.WORKING))
    assert "30 s aws_a.slow" in picture(display, 100)[0]
    display.on_event(UnitProgressed("network", 1, 12, "module.network.aws_a.slow", 30.0, ResourceStep.DONE))
    assert "20 s aws_a.quick" in picture(display, 100)[0]
    display.on_event(UnitProgressed("network", 2, 12, "module.network.aws_a.quick", 30.0, ResourceStep.DONE))
    display.on_event(UnitProgressed("network", 2, 12, "module.network.aws_a.failed", 30.0, ResourceStep.FAILED))
    assert "aws_a" not in picture(display, 100)[0]


def test_a_resource_that_was_at_work_before_ngp_looked_keeps_its_time(display, clock):
    clock.now = 100
    display.on_event(UnitProgressed("network", 0, 12, "aws_a.b", 90.0, ResourceStep.WORKING))
    assert "90 s" not in picture(display, 100)[0]  # the unit's own time began now
    assert "1m 30s aws_a.b" in picture(display, 100)[0]


def test_the_time_of_a_question_is_none_of_the_run(display, clock):
    clock.now = 10
    with display.pause():
        clock.now = 1000
    clock.now = 1005
    assert picture(display, 80)[-1].endswith("previewed, 15 s")


def test_the_time_of_a_unit_runs_on_from_its_plan_to_its_apply(display, clock):
    display.on_event(UnitEntered("network", Phase.PLAN))
    clock.now = 20
    display.on_event(UnitEntered("network", Phase.APPLY, 12))
    clock.now = 30
    assert picture(display, 80)[0].split()[2:6] == ["apply", "0/12", "30", "s"]


def test_an_applied_unit_has_done_all_of_its_operations(display):
    display.on_event(UnitEntered("network", Phase.APPLY, 12))
    display.on_event(UnitFinished(replace(PREVIEWS[0], outcome=Outcome.APPLIED)))
    lines = picture(display, 80)
    assert lines[0].split()[:4] == ["network", "✓", "applied", "12/12"]
    assert lines[-1] == "12 of 16 changes, 2 of 3 units applied, 0 s"


def test_a_unit_that_is_planned_again_does_not_count_until_it_ends(settings, started):
    display = progress.Progress(settings, clock=Clock())
    display.on_event(started)
    display.on_event(UnitFinished(replace(PREVIEWS[0], outcome=Outcome.FAILED)))
    display.on_event(UnitEntered("network", Phase.PREVIEW))
    assert picture(display, 80)[-1] == "0 of 3 units planned, 0 s"


def test_what_ended_badly_is_named_in_the_totals(display):
    display.on_event(UnitEntered("network", Phase.APPLY, 12))
    display.on_event(UnitFinished(replace(PREVIEWS[0], outcome=Outcome.FAILED, reason="no")))
    assert picture(display, 80)[-1] == "0 of 16 changes, 2 of 3 units finished (1 failed), 0 s"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_display_fits(golden, settings, started, clock, width):
    display = progress.Progress(settings, clock=clock)
    display.on_event(replace(started, verb=Verb.APPLY))
    for result in PREVIEWS:
        display.on_event(UnitFinished(result))
    display.on_event(UnitEntered("network", Phase.APPLY, 12))
    name = 'module.network.aws_nat_gateway.this["eu-central-1a"]'
    display.on_event(UnitProgressed("network", 3, 12, name, 0.0, ResourceStep.STARTED))
    clock.now = 83
    lines = picture(display, width)
    assert max(map(len, lines)) <= width
    golden(f"display-{width}.txt", "\n".join(lines) + "\n")


names = st.text("abcdefgh-", min_size=1, max_size=60)
at_work = st.builds(
    lambda done, more, address: Row(Phase.DESTROY, done, done + more, busy={address: 0.0}),
    st.integers(0, 9999),
    st.integers(1, 9999),
    st.text("abc_.[]", min_size=1, max_size=90),
)
ended = st.builds(
    lambda outcome, reason: Row(result=UnitResult("u", "m", 1, outcome, Counts(create=12, forget=3), reason=reason)),
    st.sampled_from(Outcome),
    st.text("abc \n", max_size=90),
)


@given(st.dictionaries(names, at_work | ended | st.just(Row()), min_size=1), st.integers(60, 140))
def test_no_line_is_too_long_and_no_count_is_cut(rows, width):
    lines = [str(line) for line in board.arrange(list(rows.items()), 3700.0, width, Verb.DESTROY)]
    assert all(len(line) <= width for line in lines)
    for line, row in zip(lines, rows.values(), strict=False):
        if row.is_at_work:
            assert f" {row.done}/{row.total}  1h 01m" in line
