"""When the container on a manager saves: with an engine and a store that only say what they were asked."""

import json

import pytest

pytestmark = pytest.mark.proves("scripts", "snapshot")


class Engine:
    def __init__(self, *, leads):
        self.leads = leads

    def is_leader(self):
        return self.leads


@pytest.fixture
def passed(code, monkeypatch):
    """`passed(engine, save)` lets three intervals pass; for how many seconds it slept, each time."""

    def run(engine, save):
        slept, clock = [], [1000.0]

        def sleep(seconds):
            slept.append(seconds)
            clock[0] += seconds
            if len(slept) == 3:
                raise InterruptedError

        monkeypatch.setattr(code.swarm.time, "sleep", sleep)
        monkeypatch.setattr(code.swarm.time, "time", lambda: clock[0])
        monkeypatch.setattr(code.swarm, "save", save)
        with pytest.raises(InterruptedError):
            code.swarm.run(engine, None, 3600)
        return slept

    return run


def test_the_leader_saves_at_once_and_then_at_each_full_hour(passed):
    saves = []
    assert passed(Engine(leads=True), lambda *_: saves.append(1)) == [2600.0, 3600.0, 3600.0]
    assert len(saves) == 3


def test_others_wait_to_lead(passed):
    saves = []
    passed(Engine(leads=False), lambda *_: saves.append(1))
    assert saves == []


def test_a_save_that_fails_is_told_and_does_not_count_as_saved(code, passed, capsys):
    def fail(*_):
        raise code.engine.EngineError(500, "no quorum")

    passed(Engine(leads=True), fail)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [{"event": "failed", "reason": "EngineError: no quorum"}] * 3


def test_an_engine_that_is_away_is_told(code, passed, tmp_path, capsys):
    passed(code.engine.Engine(str(tmp_path / "no.sock")), lambda *_: None)
    assert "FileNotFoundError" in capsys.readouterr().out
