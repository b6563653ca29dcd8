"""What an operator writes reaches Terraform as it is: whatever the value, it stays in its place."""

from __future__ import annotations

import base64
import json
import unicodedata
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ngp.catalogue import hcl
from ngp.environments import tfvars_edits

BATCH = 600

pytestmark = [pytest.mark.terraform, pytest.mark.slow]


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


# Pieces that would break out of a string, a template, a heredoc, a comment or a JSON document
_HOSTILE = st.sampled_from(
    [
        '"',
        "\\",
        "${",
        "$${",
        "%{",
        "%%{",
        "}",
        "${var.x}",
        '${file("/etc/passwd")}',
        "%{ if true }",
        "%{~",
        "\n",
        "\r\n",
    ]
    + ["<<EOT\n", "\nEOT\n", "<<-EOT", "#", "//", "/*", "*/", "\t", "\\n", "\\u0041", "null", "\u2028", "\x7f", "\x01"]
    + [
        "é",
        "e\u0301",
        "𝕏",
        "\U0010ffff",
        "\u200b",
        "\ufeff",
        "\u202e",
        "$",
        "%",
        "'",
        "{{ x }}",
        "{% x %}",
        "=",
        "</a>",
    ]
)
_TEXT = st.lists(_HOSTILE | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=6).map("".join)
_NUMBERS = st.one_of(
    st.integers(),
    st.integers(-(10**140), 10**140),
    st.decimals(allow_nan=False, allow_infinity=False, places=20),
    st.builds(
        lambda digits, power: Decimal(digits).scaleb(power), st.integers(-(10**60), 10**60), st.integers(-99, 99)
    ),
)
_KEYS = _TEXT.map(nfc)
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=8,
)


def plain(value):
    """A value as it is to be compared: text in NFC, numbers as decimals."""
    if isinstance(value, str):
        return nfc(value)
    if isinstance(value, dict):
        return {nfc(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    return Decimal(value)


def read_back(terraform, root: Path, names: list[str]) -> dict[str, object]:
    """The root's variables as Terraform has them: one process for all."""
    asked = ", ".join(f"{name} = var.{name}" for name in names)
    done = terraform("console", cwd=root, stdin=f"base64encode(jsonencode({{ {asked} }}))\n")
    text = base64.b64decode(done.stdout.strip().strip('"'))
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def configure(platform, values: dict[str, object]) -> None:
    """Write the values as `ngp configure` does."""
    path = platform.path / "environments/dev/terraform.tfvars"
    written = {("probe", name): tfvars_edits.Setting(hcl.render(value, 2)) for name, value in values.items()}
    path.write_text(tfvars_edits.edit("", tfvars_edits.Edit(written), path), encoding="utf-8", newline="")


def drawn(count: int) -> list[object]:
    """Values as hypothesis makes them up, simple ones and nasty ones."""
    values: list[object] = []

    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate])
    @given(_VALUES)
    def keep(value) -> None:
        values.append(value)

    keep()
    return values


def test_every_value_comes_back_as_it_was_written(platform, terraform):
    values = {f"v{number}": value for number, value in enumerate(drawn(BATCH))}
    platform.without_providers()
    platform.module("probe", "".join(f'variable "{name}" {{\n  type = any\n}}\n\n' for name in values))
    platform.environment("{probe: {}}")
    configure(platform, values)
    platform.render()
    terraform("init", "-input=false", cwd=platform.root("probe"))
    found = read_back(terraform, platform.root("probe"), list(values))
    wrong = {name: (value, found[name]) for name, value in values.items() if plain(found[name]) != plain(value)}
    assert wrong == {}
