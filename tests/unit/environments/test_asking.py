"""The questions at a terminal, driven by keys through a pipe."""

from __future__ import annotations

import io
import re
import threading
import time
from contextlib import contextmanager

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from ngp.catalogue import loading
from ngp.environments import drafting, drafts
from ngp.environments.drafts import Choice
from ngp.environments.environment import OutputRef
from ngp.views import asking

REAL = """\
target: aws
account: "111122223333"
region: eu-west-1
domain: prod.example.com
units: {network: {}, openvpn: {}}
wiring:
  openvpn: {vpc_id: network.vpc_id}
"""
VALUES = 'pre_tag = "demo"\npost_tag = "stage"\nopenvpn = {\n  admin_cidrs = ["203.0.113.0/24"]\n}\n'

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


BACK = "\x1b[Z"  # Shift-Tab


def test_shift_tab_goes_back_to_the_question_before_with_its_answer(house):
    house.environment(values='pre_tag = "demo"\n')
    draft = drafting.prepare(drafts.read(house.platform, "dev"), Choice())
    with _keys(CLEAR + "dev" + ENTER + BACK + "s" + ENTER + ENTER) as doors:
        choice = asking.answer(draft.questions, Choice(), **doors)
    assert choice.settings[("post_tag",)] == "devs"


def test_back_from_the_first_question_leads_to_the_modules(house):
    house.environment(values='pre_tag = "demo"\n')
    draft = drafting.prepare(drafts.read(house.platform, "dev"), Choice())
    with _keys(BACK) as doors:
        assert asking.answer(draft.questions, Choice(), **doors) is None
    chosen = {"network": "network", "swarm": "swarm"}
    with _keys(ENTER) as doors:
        assert asking.choose(drafts.read(house.platform, "dev"), chosen, **doors) == chosen


def test_typing_searches_many_choices():
    names = [f"output_{number}" for number in range(40)]
    with _keys("_27" + ENTER) as doors:
        assert asking.pick("Which?", names, **doors) == "output_27"
    with _keys("_27" + SPACE + ENTER) as doors:
        assert asking.tick("Which?", dict.fromkeys(names, "network"), **doors) == ["output_27"]


def _shown(ask, keys, columns):
    """What a terminal of so many columns shows of a question, without line breaks and styles."""
    from prompt_toolkit.data_structures import Size
    from prompt_toolkit.output.vt100 import Vt100_Output

    screen = io.StringIO()
    output = Vt100_Output(screen, lambda: Size(rows=40, columns=columns), term="xterm")
    with create_pipe_input() as pipe:

        def type_slowly():
            for key in keys:
                time.sleep(0.3)
                pipe.send_text(key)

        thread = threading.Thread(target=type_slowly)
        thread.start()
        ask(input=pipe, output=output)
        thread.join()
    return re.sub(r"\s+", "", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue()))


def test_nothing_is_cut_at_the_edge_of_a_narrow_terminal():
    long = " ".join(f"word{number}" for number in range(30))
    pick = _shown(lambda **doors: asking.pick("Which?", ["a", long], **doors), ENTER, 40)
    assert "word29" in pick
    ticked = _shown(lambda **doors: asking.tick("Which?", {"a": long}, **doors), ENTER, 40)
    assert "word29" in ticked
    keys = ENTER + "ok" + ENTER
    wrong = _shown(lambda **doors: asking.fill("What?", lambda said: [] if said else [long], **doors), keys, 40)
    assert "word29" in wrong


def test_a_default_says_where_it_is_from_and_an_empty_line_is_no_answer(house):
    house.environment(values='pre_tag = "demo"\n')
    house.environment(REAL, 'pre_tag = "acme"\n', "prod")
    house.environment(REAL.replace("prod", "stage"), VALUES.replace("demo", "acme"), "stage")
    draft = drafting.prepare(drafts.read(house.platform, "prod"), Choice())
    shown = _shown(lambda **doors: asking.answer(draft.questions, Choice(), **doors), ENTER + ENTER, 200)
    assert "(from`stage`)" in shown
    assert draft.questions[0].check(" ") == ['a value is needed; type "" for an empty text']
