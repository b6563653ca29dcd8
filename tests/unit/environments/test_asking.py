"""The questions at a terminal, driven by keys through a pipe."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from ngp.catalogue import loading
from ngp.environments import drafting, drafts
from ngp.environments.drafts import Choice
from ngp.environments.environment import OutputRef
from ngp.views import asking

DOWN, SPACE, ENTER, CLEAR = "\x1b[B", " ", "\r", "\x15"


@contextmanager
def _keys(text):
    with create_pipe_input() as pipe:
        pipe.send_text(text)
        yield {"input": pipe, "output": DummyOutput()}


def test_modules_are_offered_by_category_with_the_present_ones_checked(house):
    subject = drafts.read(house.platform, "dev")
    with _keys(ENTER) as doors:
        assert asking.choose(subject, **doors) == {"network": "network", "openvpn": "openvpn"}
    # access: openvpn, base: network, clusters: dcos, swarm, …
    with _keys(SPACE + DOWN + DOWN + DOWN + SPACE + ENTER) as doors:
        assert asking.choose(subject, **doors) == {"network": "network", "swarm": "swarm"}


def test_a_conflicting_choice_is_not_taken(house):
    subject = drafts.read(house.platform, "dev")
    keys = DOWN + DOWN + SPACE + DOWN + SPACE + ENTER  # dcos and swarm: refused
    with _keys(keys + SPACE + ENTER) as doors:
        assert asking.choose(subject, **doors).keys() == {"network", "openvpn", "dcos"}


def test_answers_are_checked_until_they_fit(house):
    house.environment(values='pre_tag = "demo"\n')
    draft = drafting.prepare(drafts.read(house.platform, "dev"), Choice())
    keys = "develop" + ENTER + CLEAR + "dev" + ENTER + ENTER
    with _keys(keys) as doors:
        choice = asking.answer(draft.questions, Choice(), **doors)
    assert choice.settings == {("post_tag",): "dev", ("openvpn", "admin_cidrs"): '["198.51.100.0/24"]'}
    assert not drafting.prepare(drafts.read(house.platform, "dev"), choice).questions


def test_the_unit_that_feeds_an_input_is_picked(house):
    house.environment(house.read("environment.yaml").partition("wiring:")[0])
    units = {"network": "network", "second": "network", "openvpn": "openvpn"}
    draft = drafting.prepare(drafts.read(house.platform, "dev"), Choice(units=units))
    with _keys(DOWN + ENTER) as doors:
        choice = asking.answer(draft.questions, Choice(units=units), **doors)
    assert choice.wires == {("openvpn", "vpc_id"): OutputRef("second", "vpc_id")}


def test_ctrl_c_ends_the_asking():
    with _keys("\x03") as doors, pytest.raises(KeyboardInterrupt):
        asking.pick("Which?", ["a", "b"], **doors)


def test_labels_mark_legacy_modules_and_name_instances(house):
    modules = loading.load(house.path / "modules").modules
    assert asking.label("dcos", modules["dcos"]) == "dcos [legacy]: DC/OS"
    assert asking.label("vpn", modules["openvpn"]) == "vpn (openvpn): OpenVPN"


@pytest.mark.parametrize(
    ("dummy", "line"),
    [
        ("{\n  # why\n  a = 1\n  b = 2.50\n}", '{"a": 1, "b": "2.50"}'),
        ('[\n  "ü", # one\n  "b",\n]', '["ü", "b"]'),
        ("<<-EOT\n  x\n  y\nEOT", '"x\\ny\\n"'),
        ("[1]", "[1]"),
    ],
)
def test_a_default_of_several_lines_is_offered_as_one_that_can_be_taken(house, dummy, line):
    variables = 'variable "it" {\n  type = any\n}\n'
    house.module("wide", "title: W\nsummary: W\ncategory: c\n", variables, dummy=f"it = {dummy}\n")
    draft = drafting.prepare(drafts.read(house.platform, "dev"), Choice(units={"wide": "wide"}))
    with _keys(ENTER) as doors:
        choice = asking.answer(draft.questions, Choice(units={"wide": "wide"}), **doors)
    assert choice.settings == {("wide", "it"): line}
    assert not drafting.prepare(drafts.read(house.platform, "dev"), choice).questions
