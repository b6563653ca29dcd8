"""Terraform's grammar of versions and constraints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.errors import UsageError
from ngp.terraform import versions

numbers = st.lists(st.integers(0, 99), min_size=3, max_size=3).map(lambda parts: ".".join(map(str, parts)))


@pytest.mark.parametrize(
    ("constraint", "version", "allowed"),
    [
        (">= 1.11.0, < 2.0.0", "1.11.0", True),
        (">= 1.11.0, < 2.0.0", "1.10.9", False),
        (">= 1.11.0, < 2.0.0", "2.0.0", False),
        (">=1.11,<2", "1.15.5", True),
        ("~> 5.100", "5.100.0", True),
        ("~> 5.100", "5.999.1", True),
        ("~> 5.100", "6.0.0", False),
        ("~> 5.100.0", "5.100.7", True),
        ("~> 5.100.0", "5.101.0", False),
        ("~> 5", "5.3.0", True),
        ("~> 5", "6.0.0", False),
        ("1.2.3", "1.2.3", True),
        ("= 1.2.3", "1.2.4", False),
        ("!= 1.2.3", "1.2.3", False),
        ("!= 1.2.3", "1.2.4", True),
        ("> 1.2", "1.2.0", False),
        ("<= 1.2", "1.2.0", True),
        ("", "9.9.9", True),
        ("v1.2.3", "1.2.3", True),
    ],
)
def test_constraint(constraint, version, allowed):
    assert versions.parse_constraint(constraint).allows(versions.parse(version)) is allowed


@pytest.mark.parametrize(
    ("constraint", "version", "allowed"),
    [
        (">= 1.11.0, < 2.0.0", "1.12.0-beta1", False),
        (">= 1.12.0-beta1", "1.12.0-rc1", True),
        (">= 1.12.0-beta1", "1.13.0-alpha1", False),
        ("1.12.0-beta1", "1.12.0-beta1", True),
        ("!= 1.12.0", "1.12.0-beta1", True),
        ("", "1.12.0-beta1", False),
    ],
)
def test_prerelease_fits_only_what_names_one(constraint, version, allowed):
    assert versions.parse_constraint(constraint).allows(versions.parse(version)) is allowed


def test_order_is_that_of_semantic_versioning():
    text = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0",
        "1.2",
        "1.10.0",
    ]
    assert sorted(map(versions.parse, reversed(text))) == [versions.parse(one) for one in text]


@pytest.mark.parametrize("text", ["", "latest", "1.2.3.4", "1..2", "1.2-", "-1"])
def test_what_is_no_version_is_refused(text):
    with pytest.raises(ValueError, match="not a version"):
        versions.parse(text)


@pytest.mark.parametrize("text", [">= ", "=> 1.0", "1.x", ">= 1.0 < 2.0"])
def test_unreadable_constraint_names_its_place(text):
    with pytest.raises(UsageError) as raised:
        versions.parse_constraint(text, where="ngp.yaml")
    assert raised.value.findings[0].where == "ngp.yaml"


@given(numbers, numbers)
def test_comparisons_agree_with_each_other(one, other):
    version = versions.parse(one)

    def holds(operator: str) -> bool:
        return versions.parse_constraint(f"{operator} {other}").allows(version)

    assert holds(">=") == (holds(">") or holds("="))
    assert holds("<") != holds(">=")
    assert holds("=") != holds("!=")


@given(numbers)
def test_version_survives_reading(text):
    assert str(versions.parse(text)) == text
    assert hash(versions.parse(text)) == hash(versions.parse("v" + text))
