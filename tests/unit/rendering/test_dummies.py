from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from ngp.catalogue import hcl
from ngp.catalogue.module import Catalogue, DummyValue, Generated, Manifest
from ngp.errors import UsageError
from ngp.rendering import dummies


def catalogue(make, *modules):
    return Catalogue(make.path / "modules", {module.name: module for module in modules})


def dummy(make, text, *comment):
    value = hcl.literal(hcl.parse(f"value = {text}\n", make.place().path).attributes["value"])
    return DummyValue(text, value, comment, make.place())


def test_common_inputs_come_first_and_once_then_an_object_for_each_module(make):
    tags = make.variable("tags", has_default=True, default={})
    network = make.module(
        "network",
        make.variable("region"),
        tags,
        make.variable("pre_tag", description="Beginning of\nevery name."),
        make.variable("unit"),
        make.variable("nat_mode", has_default=True, default="single", description="Way out."),
        dummies={"pre_tag": dummy(make, '"demo"')},
        manifest=Manifest("The network", "", "base"),
    )
    vpn = make.module(
        "vpn-server",
        tags,
        make.variable("sizes"),
        make.variable("cheap", has_default=True, default=Decimal("0.10")),
        dummies={"sizes": dummy(make, "{\n  a=1 # one\n  bb = [ 2 ]\n}", "How big,", "in GiB")},
        manifest=Manifest("", "", "access"),
    )
    head, _, rest = dummies.render(catalogue(make, network, vpn)).partition("\n\n")
    assert all(line.startswith("# ") for line in head.splitlines())
    assert rest == (
        """\
# Common inputs: each reaches every unit that declares it.

# Beginning of
# every name.
pre_tag = "demo"

tags = {}

# The network
network = {
  # Way out.
  nat_mode = "single"
}

# vpn-server
vpn-server = {
  # How big,
  # in GiB
  sizes = {
    a  = 1
    bb = [2]
  }

  cheap = 0.10
}
"""
    )


def test_values_that_come_from_elsewhere_are_commented_out(make):
    vpn = make.module(
        "vpn",
        make.variable("vpc_id"),
        make.variable("subnets", description="Where."),
        make.variable("password", ephemeral=True),
        make.variable("token", ephemeral=True),
        dummies={"subnets": dummy(make, '{\n  a = "x"\n}')},
        manifest=Manifest("VPN", "", "", requires=("vpc_id", "subnets"), generated={"password": Generated()}),
    )
    text = dummies.render(catalogue(make, vpn))
    assert "\n# (comes from another unit's output)\n# vpc_id = null\n" in text
    assert '\n  # Where.\n  # (comes from another unit\'s output)\n  # subnets = {\n  #   a = "x"\n  # }\n' in text
    assert '\n  # (generated when it is applied)\n  # password = "env:PASSWORD"\n' in text
    assert '\n  token = "env:TOKEN"\n' in text
    assert set(hcl.parse(text, Path("x")).attributes) == {"vpn"}


def test_module_that_does_not_require_a_common_input_says_its_value(make):
    one = make.module("a", make.variable("vpc_cidr"), manifest=Manifest("", "", "", requires=("vpc_cidr",)))
    two = make.module("b", make.variable("vpc_cidr", has_default=True, default="10.0.0.0/16"))
    assert '\nvpc_cidr = "10.0.0.0/16"\n' in dummies.render(catalogue(make, one, two))


def test_dummy_says_more_than_a_default(make):
    one = make.module("a", make.variable("service", has_default=True, default=""))
    two = make.module(
        "b", make.variable("service", has_default=True, default=""), dummies={"service": dummy(make, '"shop"')}
    )
    assert '\nservice = "shop"\n' in dummies.render(catalogue(make, one, two))


def test_variables_without_any_value_are_all_named(make):
    module = make.module("a", make.variable("one"), make.variable("two"), make.variable("region"))
    with pytest.raises(UsageError) as caught:
        dummies.render(catalogue(make, module))
    assert [finding.what[:5] for finding in caught.value.findings] == ["`one`", "`two`"]
    assert caught.value.findings[0].where == str(make.place())
    assert "modules/a/a.dummy" in caught.value.findings[0].todo
