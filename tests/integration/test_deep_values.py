"""Values that are nested too deeply are refused in words, wherever they come from."""

import json

import pytest

DEEP = "[" * 200_000
CLOSED = DEEP + "]" * 200_000


@pytest.mark.parametrize(
    ("file", "text", "argv"),
    [
        ("", "", ["configure", "dev", "--set", f"echo.text={'[' * 50_000}"]),
        (
            "environments/dev/terraform.tfvars",
            f"echo = {{\n  text = {CLOSED}\n}}\n",
            ["validate", "dev", "--no-terraform"],
        ),
        ("environments/dev/environment.yaml", CLOSED, ["validate", "dev", "--no-terraform"]),
        ("ngp.yaml", CLOSED, ["validate", "dev", "--no-terraform"]),
        ("modules/echo/module.yaml", CLOSED, ["module", "list"]),
        ("modules/echo/more.tf.json", f'{{"locals": {{"a": {CLOSED}}}}}', ["module", "show", "echo"]),
        ("modules/echo/more.tf", f"locals {{\n  a = {CLOSED}\n}}\n", ["module", "show", "echo"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else str(value)[:24],
)
def test_a_value_that_is_too_deep_is_no_bug(trial, file, text, argv):
    if file:
        trial.write(file, text)
    done = trial.ngp.call(*argv, "--json")
    assert done.exit_code in (0, 1, 64), done.stderr[-500:]
    assert "ngp itself failed" not in done.stderr
    json.loads(done.stdout)
