"""Many modules are checked at once, each is told when it is done, and a stop is no fault."""

import threading
from types import SimpleNamespace

import pytest

from ngp.catalogue import checks
from ngp.catalogue.checks import Checked
from ngp.errors import StoppedError

NAMES = ("alpha", "beta", "gamma")


class Judge:
    """Takes the place of Terraform: each module waits until `at_once` of them are judged at the same time."""

    def __init__(self, at_once=1):
        self.meeting, self.is_stopped = threading.Barrier(at_once), False

    def judge(self, source):
        self.meeting.wait(20)
        return [source.fault("validate", f"something in {source.module.name}", "somewhere")]


@pytest.fixture
def catalogue(tmp_path):
    for name in NAMES:
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.tf").write_text("")
        (tmp_path / name / "module.yaml").write_text("title: T\nsummary: S\ncategory: c\n")
    return tmp_path


def test_modules_are_judged_at_once_and_told_in_the_order_asked_for(catalogue, monkeypatch):
    monkeypatch.setattr(checks, "_cores", lambda: 3)
    told = []
    found = checks.check(catalogue, ["gamma", "alpha", "beta"], Judge(at_once=3), emit=told.append)
    assert [one.module for one in found if one.rule == "validate"] == ["gamma", "alpha", "beta"]
    assert sorted(one.module for one in told) == sorted(NAMES)
    assert all(isinstance(one, Checked) and one.faults and one.duration_s > 0 for one in told)


def test_a_stopped_judge_ends_the_check_and_what_it_left_out_is_told_of_no_module(catalogue):
    judge, told = Judge(), []

    def stop(source):
        judge.is_stopped = True
        return []

    judge.judge = stop
    with pytest.raises(StoppedError):
        checks.check(catalogue, NAMES, judge, emit=told.append)
    assert told == []


def test_the_cores_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(checks, "os", SimpleNamespace(sched_getaffinity=lambda _: {0, 3, 4}))
    assert checks._cores() == 3
    monkeypatch.setattr(checks, "os", SimpleNamespace(cpu_count=lambda: None))
    assert checks._cores() == 1
