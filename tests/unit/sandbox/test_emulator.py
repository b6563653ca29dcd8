import importlib.util

import pytest

from ngp.errors import MissingError
from ngp.sandbox import emulator, gaps


def test_emulator_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "flask" else object())
    with pytest.raises(MissingError, match="flask") as caught:
        emulator.require()
    assert caught.value.findings[0].todo == "pip install 'ngp-platform[sandbox]'"


def test_everything_that_the_emulator_writes_stays_in_its_folder(tmp_path):
    paths = [value for value in emulator.environment(tmp_path).values() if "/" in value]
    assert paths
    assert all(value.startswith(str(tmp_path)) for value in paths)


def test_no_gap_is_listed_twice():
    assert len(set(gaps.GAPS)) == len(gaps.GAPS)
