from __future__ import annotations

import re
from pathlib import Path

from ngp.rendering import pages

DOCS = Path(__file__).parents[3] / "docs"

SCHEMA = {
    "$defs": {"Role": {"type": "object", "description": "A role.", "properties": {"arn": {"type": "string"}}}},
    "properties": {
        "kind": {"enum": ["a", "b"], "default": "a", "description": "one | other"},
        "role": {"anyOf": [{"$ref": "#/$defs/Role"}, {"type": "null"}], "default": None},
        "units": {"type": "object", "patternProperties": {"^x$": {"$ref": "#/$defs/Role"}}},
        "many": {"type": "array", "items": {"$ref": "#/$defs/Role"}},
        "sizes": {"type": "object", "additionalProperties": {"type": "integer"}, "default": {}},
        "either": {"anyOf": [{"type": "string"}, {"type": "boolean"}], "default": True},
        "fixed": {"const": 1},
        "loose": {},
    },
    "required": ["fixed"],
}


def test_section_has_a_row_for_each_key_and_for_those_inside():
    assert pages.section("x.yaml", "About.", SCHEMA).splitlines() == [
        "## x.yaml",
        "",
        "About.",
        "",
        "| key | kind | default | meaning |",
        "|---|---|---|---|",
        "| `kind` | `a` or `b` | `a` | one \\| other |",
        "| `role` | mapping |  | A role. |",
        "| `role.arn` | string |  |  |",
        "| `units` | mapping to mapping |  |  |",
        "| `units.NAME.arn` | string |  |  |",
        "| `many` | list of mapping |  |  |",
        "| `many[].arn` | string |  |  |",
        "| `sizes` | mapping to whole number |  |  |",
        "| `either` | string or true or false | `true` |  |",
        "| `fixed` | `1` | **needed** |  |",
        "| `loose` | any |  |  |",
    ]


def test_page_of_the_files_is_what_the_schemas_say():
    assert (DOCS / "files.md").read_text(encoding="utf-8") == pages.files_reference()


def test_published_schemas_are_those_that_check():
    published = {
        path.name: path.read_text(encoding="utf-8")
        for path in (DOCS / "schemas").iterdir()
        if not re.search(r"\.[0-9]+\.schema", path.name)  # those of what commands print
    }
    assert published == pages.published_schemas()
    assert set(published) == {"ngp.schema.json", "environment.schema.json", "hosts.schema.json", "module.schema.json"}
