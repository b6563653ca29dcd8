"""The state file's format as a value."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.errors import NgpError
from ngp.terraform import states
from ngp.terraform.states import _TAG as TAG
from ngp.terraform.states import State, StateOutput, StateResource

KEYS = st.sampled_from(
    ["version", "serial", "resources", "outputs", "instances", "module", "provider", "type", "index_key", "value"]
)


def test_empty_text_is_an_empty_state():
    assert states.parse(" \n") == State()


def test_a_state_that_is_nested_too_deeply_is_none():
    with pytest.raises(NgpError, match="this is not a Terraform state"):
        states.parse('{"version": 4, "outputs": ' + "[" * 200_000)


def test_state():
    document = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": 7,
        "lineage": "a-b",
        "outputs": {
            "vpc_id": {"value": "vpc-1", "type": "string"},
            "key": {"value": ["k"], "type": ["list", "string"], "sensitive": True},
        },
        "resources": [
            {"mode": "managed", "type": "aws_vpc", "name": "this", "module": "module.network", "instances": [{}]},
            {"mode": "data", "type": "aws_ami", "name": "a", "instances": [{}]},
            {"mode": "managed", "type": "aws_subnet", "name": "s", "instances": [{"index_key": 0}, {"index_key": 1}]},
            {"mode": "managed", "type": "aws_eip", "name": "e", "instances": [{"index_key": 'a"é'}]},
            {"mode": "managed", "type": "aws_x", "name": "x", "instances": [{}, {"deposed": "a1"}]},
        ],
    }
    assert states.parse(json.dumps(document)) == State(
        lineage="a-b",
        serial=7,
        terraform_version="1.11.4",
        outputs={
            "vpc_id": StateOutput("vpc-1", "string"),
            "key": StateOutput(["k"], ["list", "string"], sensitive=True),
        },
        resources=(
            StateResource("module.network.aws_vpc.this", "aws_vpc"),
            StateResource("data.aws_ami.a", "aws_ami", "data"),
            StateResource("aws_subnet.s[0]", "aws_subnet"),
            StateResource("aws_subnet.s[1]", "aws_subnet"),
            StateResource('aws_eip.e["a\\"é"]', "aws_eip"),
            StateResource("aws_x.x", "aws_x"),
            StateResource("aws_x.x (deposed object a1)", "aws_x"),
        ),
    )


def test_bare_state():
    assert states.parse('{"version": 4}') == State()


@pytest.mark.parametrize("text", ["<html>", "[]", "{}", "3"])
def test_what_is_no_state_is_refused_with_its_place(text):
    with pytest.raises(NgpError) as raised:
        states.parse(text, where="s3://bucket/key")
    assert raised.value.findings[0].where == "s3://bucket/key"


def test_state_of_another_format_is_refused():
    with pytest.raises(NgpError, match="format 3"):
        states.parse('{"version": 3}')


def test_providers_of_a_state_are_told_in_full():
    entries = [
        {"provider": 'provider["registry.terraform.io/hashicorp/aws"].other'},
        {"provider": 'module.a.provider["terraform.io/builtin/terraform"]'},
        {"provider": 'provider["registry.terraform.io/hashicorp/aws"]'},
        {},
    ]
    found = states.parse(json.dumps({"version": 4, "resources": entries}))
    assert found.providers == {"registry.terraform.io/hashicorp/aws", "terraform.io/builtin/terraform"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=4),
)


@given(JSON, st.integers(0, 200))
def test_whatever_lies_there_is_a_state_or_one_error_with_its_place(document, cut):
    text = json.dumps({"version": 4, **document} if isinstance(document, dict) else document)
    for shown in (text, text[:cut]):
        try:
            states.parse(shown, where="s3://b/k")
        except NgpError as error:
            assert error.findings[0].where == "s3://b/k"  # noqa: PT017  either is right


@pytest.mark.parametrize("text", ["[" * 200_000, '{"version": 4, "outputs": ' + '{"a":' * 200_000])
def test_what_is_nested_too_deeply_is_no_state(text):
    with pytest.raises(NgpError, match="not a Terraform state"):
        states.parse(text)


def test_a_number_keeps_all_its_digits():
    digits = "1" + "0" * 99_999
    state = states.parse(f'{{"version": 4, "outputs": {{"n": {{"value": {digits}, "type": "number"}}}}}}')
    assert state.outputs["n"].value == Decimal(digits)


def test_an_encrypted_state_is_called_so_and_nobody_is_told_to_restore_it():
    with pytest.raises(NgpError, match="this state is encrypted") as caught:
        states.parse('{"serial": 1, "meta": {}, "encrypted_data": "eA=="}', where="s3://bucket/key")
    (finding,) = caught.value.findings
    assert finding.where == "s3://bucket/key"
    assert "restore" not in finding.todo


def test_tags_of_data_sources_are_not_those_of_the_platform():
    def entry(mode, name):
        return {"mode": mode, "type": "aws_vpc", "name": "x", "instances": [{"attributes": {"tags": {TAG: name}}}]}

    text = json.dumps({"version": 4, "resources": [entry("managed", "ours"), entry("data", "theirs")]})
    assert states.parse(text).tagged == {"ours"}
