"""The picture of a run is today's views of a recorded run, and loads nothing from elsewhere."""

import re
import runpy
from pathlib import Path

import pytest

from ngp.runs.events import RunStarted, UnitEntered, UnitProgressed

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def picture():
    return runpy.run_path(str(DOCS / "picture.py"))


@pytest.fixture(scope="module")
def recording(picture):
    return picture["read"](picture["RECORDING"].read_text(encoding="utf-8").splitlines())


def test_picture_is_what_the_views_show_today(picture, request):
    page = DOCS / "run.svg"
    text = picture["picture"]()
    if request.config.getoption("--update-golden"):
        page.write_text(text, encoding="utf-8")
    assert text == page.read_text(encoding="utf-8"), "renew it: .venv/bin/python docs/picture.py"


def test_every_line_of_the_recording_is_an_event_of_today(recording):
    moments, outputs = recording
    kinds = {type(event) for _, event in moments}
    assert {RunStarted, UnitEntered, UnitProgressed} <= kinds
    assert [at for at, _ in moments] == sorted(at for at, _ in moments)
    assert {value.unit for value in outputs} == {"network", "openvpn", "swarm", "docker-registry", "ecr"}


def test_picture_shows_a_moment_in_which_units_are_applied_together(picture, recording):
    lines = picture["_busiest"](recording[0])
    assert sum("▸ apply" in line for line in lines) > 1
    assert re.search(r"\d+ of 127 changes, 0 of 5 units applied", lines[-1])


def test_a_recording_has_no_attributes_and_no_secrets(picture):
    text = picture["RECORDING"].read_text(encoding="utf-8")
    assert '"before"' not in text
    assert '"after"' not in text
    assert '"sensitive":true,"masked":false' not in text


def test_picture_loads_nothing_from_elsewhere():
    text = (DOCS / "run.svg").read_text(encoding="utf-8")
    assert not re.search(r"url\(['\"]?http|@import|href=|<script", text)
    assert "ngp&#160;apply&#160;dev" in text
