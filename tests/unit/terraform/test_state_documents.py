"""The state file's format as a value."""

from __future__ import annotations

import json

import pytest

from ngp.errors import NgpError
from ngp.terraform import states
from ngp.terraform.states import State, StateOutput, StateResource


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
