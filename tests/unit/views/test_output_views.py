"""Outputs: masked for people, in the formats of other programs."""

import json
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.catalogue import hcl
from ngp.errors import Finding, MissingError, UsageError
from ngp.runs.results import OutputValue
from ngp.views import outputs
from ngp.views.outputs import OutputFormat

VALUES = (
    OutputValue("network", "subnet_ids", ["subnet-1", "subnet-2"]),
    OutputValue("network", "vpc_id", "vpc-1"),
    OutputValue("open-vpn", "openvpn_connect_url", "https://vpn.dev.example.com/?a='b'&c=${d}"),
    OutputValue("open-vpn", "password", "hunter2", sensitive=True),
    OutputValue("open-vpn", "vpc_id", "vpc-1"),
)


@pytest.mark.parametrize("form", [form for form in OutputFormat if form is not OutputFormat.RAW])
def test_each_format_masks_what_is_sensitive(golden, capsys, settings, form):
    outputs.show(VALUES, settings, environment="dev", form=form)
    out, err = capsys.readouterr()
    assert "hunter2" not in out + err
    golden(f"outputs.{form.value}", out)
    assert ("left out" in err) == (form in (OutputFormat.ENV, OutputFormat.TFVARS, OutputFormat.TERRAFORM_OUT))


@pytest.mark.parametrize("form", [form for form in OutputFormat if form is not OutputFormat.RAW])
def test_reveal_shows_it_in_each_format(capsys, settings, form):
    outputs.show(VALUES, settings, environment="dev", form=form, reveal=True)
    assert "hunter2" in capsys.readouterr().out


def test_raw_is_the_value_and_nothing_else(capsys, settings):
    outputs.show(VALUES[1:2], settings, environment="dev", form=OutputFormat.RAW)
    assert capsys.readouterr().out == "vpc-1"
    outputs.show(VALUES[:1], settings, environment="dev", form=OutputFormat.RAW)
    assert json.loads(capsys.readouterr().out) == ["subnet-1", "subnet-2"]


def test_numbers_keep_every_digit(capsys, settings):
    numbers = {"big": Decimal("12345678901234567890.5"), "small": Decimal("0.1000000000000000000001"), "int": 10**30}
    values = (OutputValue("a", "numbers", numbers),)
    for form in (OutputFormat.JSON, OutputFormat.RAW, OutputFormat.ENV, OutputFormat.TABLE):
        outputs.show(values, settings, environment="dev", form=form)
        out = capsys.readouterr().out
        assert all(str(number) in out for number in numbers.values()), form
    outputs.show(values, settings, environment="dev", form=OutputFormat.JSON)
    found = json.loads(capsys.readouterr().out, parse_float=Decimal)
    assert found["units"]["a"]["numbers"]["value"] == numbers


@pytest.mark.parametrize("unit", ["2fa", "größe", "a.b", "open-vpn", "a b;c"])
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_every_shell_takes_the_names_of_variables(capsys, settings, unit, shell):
    outputs.show((OutputValue(unit, "maß-1", "it's $me"),), settings, environment="dev", form=OutputFormat.ENV)
    lines = capsys.readouterr().out
    name = lines.removeprefix("export ").partition("=")[0]
    done = subprocess.run([shell, "-euc", f'{lines}\nprintf %s "${{{name}}}"'], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "it's $me", "")


def test_two_outputs_with_one_shell_name_are_refused(settings):
    values = (OutputValue("a", "b-c", 1), OutputValue("a", "b_c", 2))
    with pytest.raises(UsageError, match="`a.b-c` and `a.b_c` have the same shell name A__B_C"):
        outputs.show(values, settings, environment="dev", form=OutputFormat.ENV)


def test_raw_wants_one_value_that_may_be_seen(capsys, settings):
    for values in (VALUES, (), VALUES[3:4]):
        with pytest.raises(UsageError):
            outputs.show(values, settings, environment="dev", form=OutputFormat.RAW)
    outputs.show(VALUES[3:4], settings, environment="dev", form=OutputFormat.RAW, reveal=True)
    assert capsys.readouterr().out == "hunter2"


def test_an_output_is_selected_by_its_name_or_its_unit_too():
    assert outputs.select(VALUES, "password", absent={}) is VALUES[3]
    assert outputs.select(VALUES, "network.vpc_id", absent={}) is VALUES[1]
    with pytest.raises(UsageError) as several:
        outputs.select(VALUES, "vpc_id", absent={})
    assert "`open-vpn.vpc_id`" in several.value.findings[0].todo
    with pytest.raises(UsageError) as none:
        outputs.select(VALUES, "pasword", absent={})
    assert none.value.findings[0].todo == "did you mean `password`?"


@pytest.mark.parametrize("name", ["swarm_domain", "swarm.swarm_domain"])
def test_an_output_without_a_value_says_why(name):
    absent = {"swarm.swarm_domain": Finding("no value yet"), "swarm.vpc_id": Finding("no value yet")}
    with pytest.raises(MissingError, match="no value yet"):
        outputs.select(VALUES, name, absent=absent)
    assert outputs.select(VALUES, "network.vpc_id", absent=absent) is VALUES[1]
    with pytest.raises(UsageError) as none:
        outputs.select(VALUES, "swarm_domian", absent=absent)
    assert none.value.findings[0].todo == "did you mean `swarm_domain`?"


@pytest.mark.parametrize(
    ("words", "has_units", "said"),
    [
        ((), True, "dev has no outputs yet; next: ngp apply dev\n"),
        (("swarm", "web*"), True, "dev swarm web* has no outputs yet; next: ngp apply dev swarm 'web*'\n"),
        ((), False, "dev has no outputs yet; next: ngp configure dev\n"),
    ],
)
def test_what_has_no_outputs_yet_is_told_with_what_makes_some(capsys, settings, words, has_units, said):
    outputs.print_none(settings, "dev", words, has_units=has_units)
    assert capsys.readouterr() == ("", said)


def test_a_table_of_nothing_is_empty(capsys, settings):
    outputs.show((), settings, environment="dev")
    assert capsys.readouterr() == ("", "")


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(TEXT)
def test_a_shell_reads_back_the_same_value(value):
    line = outputs._env([OutputValue("u", "x", value)])
    done = subprocess.run(["sh", "-c", f'{line}printf %s "$U__X"'], capture_output=True, check=True)
    assert done.stdout.decode() == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_hcl_reads_back_the_same_value(value):
    many = [OutputValue("a", "x", value), OutputValue("b-c", "x", value)]
    body = hcl.parse(outputs._tfvars(many), Path("x.tfvars"))
    assert {name: hcl.literal(one) for name, one in body.attributes.items()} == {"a": {"x": value}, "b-c": {"x": value}}
    flat = hcl.parse(outputs._terraform_out(many), Path("terraform.out"))
    assert {name: hcl.literal(one) for name, one in flat.attributes.items()} == {"x": value}
