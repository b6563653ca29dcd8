"""What init says about what is missing becomes exit code 69; its other failures stay the unit's own."""

import pytest

from ngp.errors import MissingError
from ngp.terraform.events import Diagnostic
from ngp.terraform.results import Result, lock_holder


@pytest.mark.parametrize(
    "summary",
    [
        "Failed to query available provider packages",
        "Failed to install provider",
        "Unsupported Terraform Core version",
        "No valid credential sources found",
        "Failed to get existing workspaces: Unable to list objects in S3 bucket",
    ],
)
def test_a_missing_prerequisite_is_raised_with_what_terraform_said(summary):
    result = Result(1, (Diagnostic("warning", "old", ""), Diagnostic("error", summary, "why it is")))
    with pytest.raises(MissingError) as caught:
        result.require_prerequisites()
    assert [(one.what, one.why) for one in caught.value.findings] == [(summary, "why it is")]


@pytest.mark.parametrize(
    "result",
    [
        Result(0),
        Result(1, (Diagnostic("error", "Unsupported argument", ""),)),
        Result(1, (Diagnostic("error", "Failed to install provider", ""),), stopped=True),
    ],
)
def test_anything_else_is_not(result):
    result.require_prerequisites()


def test_only_the_error_about_a_lock_names_its_holder():
    detail = "Lock Info:\n  ID:        1-2\n  Who:       ann@host\n"
    others = [
        Diagnostic("error", "Invalid value", detail),
        Diagnostic("error", "Error acquiring the state lock", "S3: 503"),
    ]
    assert lock_holder(others) is None
    held = lock_holder([*others, Diagnostic("error", "Error acquiring the state lock", detail)])
    assert (held.id, held.who) == ("1-2", "ann@host")
