import importlib.util

import pytest

from ngp.errors import MissingError, UsageError
from ngp.sandbox import engines, gaps


def test_engine_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "flask" else object())
    with pytest.raises(MissingError, match="flask") as caught:
        engines.require("moto")
    assert caught.value.findings[0].todo == "pip install 'ngp-platform[sandbox]'"


def test_unknown_engine_offers_the_nearest():
    with pytest.raises(UsageError) as caught:
        engines.require("motto")
    assert "`moto`" in caught.value.findings[0].todo


@pytest.mark.parametrize("engine", engines.ENGINES)
def test_everything_that_an_engine_writes_stays_in_its_folder(engine, tmp_path):
    env = engines.environment(engine, tmp_path)
    paths = [value for value in env.values() if value.startswith("/") or "://" in value]
    assert paths
    assert all(str(tmp_path) in value for value in paths)


def test_ministack_is_kept_from_other_addresses_and_from_docker(tmp_path):
    env = engines.environment("ministack", tmp_path)
    assert env["BIND_HOST"] == "127.0.0.1"
    assert env["DOCKER_HOST"].startswith(f"unix://{tmp_path}")


def test_gaps_are_of_engines_that_exist_and_none_is_told_twice():
    assert {gap.engine for gap in gaps.GAPS} == set(engines.ENGINES)
    assert len({(gap.engine, gap.about, gap.what) for gap in gaps.GAPS}) == len(gaps.GAPS)
