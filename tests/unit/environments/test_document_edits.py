"""Edits of environment.yaml: lines that they are not about stay byte for byte, comments all."""

from __future__ import annotations

from pathlib import Path

import pytest

from ngp import yaml
from ngp.environments import document_edits
from ngp.environments.document_edits import DocumentChanges
from ngp.environments.environment import OutputRef

TEXT = """\
# head
target:   sandbox    # aligned
account: "123456789012"
region: 'eu-central-1'
domain: dev.example.com

# The units
units:
  # the base
  network: {}    # eol
  # about the way in
  openvpn: {  }
  # about the shop
  alb-shop: {module: alb}

# wires
wiring:
  openvpn: {vpc_id: network.vpc_id}  # w
  alb-shop:
    vpc_id:    network.vpc_id
# the end
"""
VPC = {"vpc_id": OutputRef("network", "vpc_id")}
UNITS = {"network": "network", "openvpn": "openvpn", "alb-shop": "alb"}
WIRES = {"openvpn": VPC, "alb-shop": VPC}


def _comments(text):
    return sorted(line.strip() for line in text.splitlines() if line.strip().startswith("#"))


def _data(text):
    return yaml.parse(text, Path("x")).data


def test_the_same_choice_changes_no_byte():
    assert document_edits.edit(TEXT, UNITS, WIRES, "") == TEXT
    crlf = TEXT.replace("\n", "\r\n")
    assert document_edits.edit(crlf, UNITS, WIRES, "") == crlf


def test_a_unit_is_added_on_a_line_of_its_own():
    found = document_edits.edit(TEXT, {**UNITS, "swarm": "swarm", "alb-two": "alb"}, WIRES, "")
    added = "  swarm: {}\n  alb-two: {module: alb}\n"
    assert found == TEXT.replace("  alb-shop: {module: alb}\n", "  alb-shop: {module: alb}\n" + added)


def test_a_removed_unit_takes_its_lines_and_no_comment():
    found = document_edits.edit(TEXT, {"network": "network", "alb-shop": "alb"}, {"alb-shop": VPC}, "")
    expected = TEXT.replace("  openvpn: {  }\n", "").replace("  openvpn: {vpc", "  # openvpn: {vpc")
    assert found == expected


def test_taking_everything_out_keeps_all_comments():
    found = document_edits.edit(TEXT, {}, {}, "")
    assert set(_comments(found)) >= set(_comments(TEXT))
    assert _data(found)["units"] == {}
    assert "wiring" not in _data(found)
    again = document_edits.edit(found, UNITS, WIRES, "")
    assert _data(again) == _data(TEXT)


@pytest.mark.parametrize("units", ["", "units: {}\n", "units: {network: {}}\n", "units:\n    network: {}\n"])
def test_every_layout_takes_units_and_wires(units):
    text = f'target: sandbox\naccount: "123456789012"\n{units}'
    found = document_edits.edit(text, UNITS, WIRES, "abc")
    assert found.startswith('target: sandbox\naccount: "123456789012"\n')
    data = _data(found)
    assert data["units"] == {"network": {}, "openvpn": {}, "alb-shop": {"module": "alb"}}
    assert data["wiring"] == {"openvpn": {"vpc_id": "network.vpc_id"}, "alb-shop": {"vpc_id": "network.vpc_id"}}
    assert data["catalogue"] == "abc"
    assert document_edits.edit(found, UNITS, WIRES, "abc") == found


def test_the_catalogue_is_pinned_and_let_go():
    pinned = document_edits.edit(TEXT, UNITS, WIRES, "0" * 40)
    assert _data(pinned)["catalogue"] == "0" * 40
    assert _data(document_edits.edit(pinned, UNITS, WIRES, "")) == _data(TEXT)


@pytest.mark.parametrize(
    "changes",
    [DocumentChanges({"swarm": ("swarm", ["big"])}, {}), DocumentChanges({}, {}, "v1"), DocumentChanges({}, {})],
)
def test_a_promotion_without_wires_leaves_those_that_are_there(changes):
    found = document_edits.promote(TEXT, changes)
    assert _data(found)["wiring"] == _data(TEXT)["wiring"]
    assert ("swarm" in _data(found)["units"]) is bool(changes.units)
    assert _data(found).get("catalogue", "") == (changes.catalogue or "")


def test_the_last_wire_that_a_promotion_removes_takes_its_key_along():
    wires = dict.fromkeys([("openvpn", "vpc_id"), ("alb-shop", "vpc_id")], "")
    some = document_edits.promote(TEXT, DocumentChanges({}, {("alb-shop", "vpc_id"): ""}))
    assert _data(some)["wiring"] == {"openvpn": {"vpc_id": "network.vpc_id"}}
    data = _data(document_edits.promote(TEXT, DocumentChanges({}, wires)))
    assert "wiring" not in data
    assert data["units"] == _data(TEXT)["units"]


def test_facts_are_set_and_keys_dropped_in_their_lines():
    text = TEXT.replace("domain:", "profile: me # mine\ndomain:")
    found = document_edits.set_facts(text, {"account": "012345678901", "region": "eu-west-1"}, ("profile",))
    expected = TEXT.replace("123456789012", "012345678901").replace("eu-central-1", "eu-west-1")
    assert found == expected.replace("account:", "# profile: me # mine\naccount:")


def test_a_comment_behind_what_goes_stays_with_it_as_a_comment():
    found = document_edits.edit(TEXT, {"openvpn": "openvpn", "alb-shop": "alb"}, {}, "")
    assert "  # network: {}    # eol\n" in found
    assert "  # openvpn: {vpc_id: network.vpc_id}  # w\n" in found
    assert _data(found)["units"] == {"openvpn": {}, "alb-shop": {"module": "alb"}}
    assert document_edits.edit(found, {"openvpn": "openvpn", "alb-shop": "alb"}, {}, "") == found


@pytest.mark.parametrize("quoted", ['"a # b"', "'it''s # b'", "it's"])
def test_a_number_sign_in_quotes_is_no_comment(quoted):
    text = f"account: x\nprofile: {quoted}\nregion: y\n"
    assert document_edits.set_facts(text, {}, ("profile",)) == "account: x\nregion: y\n"
