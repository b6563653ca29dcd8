"""The evaluator: what it answers, what Terraform would refuse, and what it leaves to Terraform."""

import pytest

from ngp.catalogue import evaluating
from ngp.catalogue.operators import ExpressionError, UnknownError

SCOPE = {"var": {"a": 1, "tags": {"x": "y"}, "unset": evaluating.UNSET, "none": None}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("var.a + 1", 2),
        ('var.tags["x"]', "y"),
        ('"${var.a}-${var.tags.x}"', "1-y"),
        ("var.none == null", True),
        ("var.unset || true", True),
        ("false && var.unset", False),
        ("var.a == 1 ? 2 : var.unset", None),
    ],
)
def test_known_parts_decide(text, value):
    if value is None:
        with pytest.raises(UnknownError):
            evaluating.evaluate_text(text, SCOPE)
    else:
        assert evaluating.evaluate_text(text, SCOPE) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{ b = ["<&>", true, null], a = 1 }', r'{"a":1,"b":["\u003c\u0026\u003e",true,null]}'),
        ('"é\\n\\"\\u2028"', r'"é\n\"\u2028"'),
        ("[]", "[]"),
        ("null", "null"),
        ("1.5", None),
        ("[var.unset]", None),
    ],
)
def test_json_is_encoded_as_terraform_does(text, value):
    if value is None:
        with pytest.raises(UnknownError):
            evaluating.evaluate_text(f"jsonencode({text})", SCOPE)
    else:
        assert evaluating.evaluate_text(f"jsonencode({text})", SCOPE) == value


@pytest.mark.parametrize(
    "text",
    [
        "var.unset",
        "local.a",
        "md5(var.a)",
        "can(var.unset)",
        "!can(md5(var.a))",
        "[1] == [1]",
        'can(regex("(?i)a", "A"))',
        'can(regex("[[:alpha:]]", "a"))',
        'can(regex("a++", "a"))',
        'length("é")',
        "var.none == null || length(var.none) > 0",  # versions of Terraform differ
        'contains([1], "1")',
        '"%{ if true }a%{ endif }"',
        "var.tags.*.x",
        "1 +",
    ],
)
def test_what_is_not_sure_is_left_to_terraform(text):
    with pytest.raises(UnknownError):
        evaluating.evaluate_text(text, SCOPE)


@pytest.mark.parametrize(
    "text", ["var.tags.y", "[1][1]", "1 + true", "1 / 0", 'regex("a", "b")', "length(null)", "length(var.none)"]
)
def test_what_terraform_refuses_is_an_error(text):
    with pytest.raises(ExpressionError):
        evaluating.evaluate_text(text, SCOPE)
    assert evaluating.evaluate_text(f"can({text})", SCOPE) is False
    assert evaluating.evaluate_text(f"try({text}, 7)", SCOPE) == 7
