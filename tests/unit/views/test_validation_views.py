"""What `ngp validate` shows: a line for each root, fewer of many, and one line where nothing is wrong."""

from types import SimpleNamespace

import pytest

from ngp import settings
from ngp.errors import Finding
from ngp.runs.validating import ValidationResult
from ngp.views import validation


@pytest.fixture
def surroundings():
    return settings.read()


@pytest.mark.parametrize(("total", "expected"), [(2, "dev a: valid\ndev b: not valid\n"), (1000, "dev b: not valid\n")])
def test_of_many_roots_only_the_wrong_ones_have_a_line(surroundings, capsys, total, expected):
    follow = validation.RootProgress(total, surroundings)
    follow.on_checked(SimpleNamespace(name="dev a"), True)
    follow.on_checked(SimpleNamespace(name="dev b"), False)
    assert capsys.readouterr().err == expected


def test_it_says_what_was_checked_and_whether_terraform_was_asked(surroundings, capsys):
    doubt = Finding("a quorum")
    validation.show(["dev"], ValidationResult([], [doubt], 2), surroundings, whole=False)
    validation.show([], ValidationResult([], []), surroundings, whole=False)
    said = capsys.readouterr()
    assert said.out == "valid: dev, Terraform checked 2 roots\nvalid: no environment\n"
    assert said.err == "warning: a quorum\n"
    assert validation.document(["dev"], ValidationResult([], [doubt]), None)["terraform"] is False
    assert validation.document(["dev"], ValidationResult([], [doubt], 0), None)["terraform"] is True
