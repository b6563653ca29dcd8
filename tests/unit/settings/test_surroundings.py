"""What the surroundings say, read once."""

from pathlib import Path

import pytest

from ngp import settings


@pytest.mark.parametrize(("said", "is_ci"), [("true", True), ("1", True), ("false", False), ("", False), ("0", False)])
def test_ci_is_what_the_variable_says(monkeypatch, said, is_ci):
    monkeypatch.setenv("CI", said)
    assert settings.read().is_ci is is_ci


def test_nobody_is_asked_without_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert not settings.read().is_interactive


def test_the_cache_is_where_xdg_says(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    assert settings.read().cache == Path("/somewhere/.cache/ngp")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert settings.read().cache == Path("/elsewhere/ngp")


def test_what_was_read_does_not_change(monkeypatch):
    monkeypatch.setenv("NGP_TEST", "before")
    read = settings.read()
    monkeypatch.setenv("NGP_TEST", "after")
    assert read.environ["NGP_TEST"] == "before"
