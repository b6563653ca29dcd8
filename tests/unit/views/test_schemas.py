"""The published schemas of what commands print, and documents that are as they say."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from ngp.cli import loading, reference, table
from ngp.errors import Finding, NgpError, UsageError
from ngp.runs.events import Note, Phase, ResourceStep, UnitDiagnosed, UnitEntered, UnitFinished, UnitProgressed
from ngp.runs.readiness import Answer
from ngp.terraform.events import Diagnostic
from ngp.views import documents, places, progress, schemas

FOLDER = Path(__file__).parents[3] / "docs" / "schemas"
PUBLISHED = schemas.published()


def with_json():
    """The commands that have `--json`, as words joined with dots."""
    for entry in table.entries().values():
        for path, command in reference._walk(entry.name, loading.load(entry.name)):
            if any("--json" in option.opts for option in loading.options(command)):
                yield path.replace(" ", ".")


def test_every_command_with_json_has_a_schema_of_its_name_and_no_other_is_there():
    """Add a command's schema to ngp/views/schemas.py, then run docs/generate.py."""
    assert set(with_json()) == set(schemas.COMMANDS)


def test_the_published_files_are_fresh():
    known = {schemas.file_name(name): json.dumps(schema, indent=2) + "\n" for name, schema in PUBLISHED.items()}
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("ngp.*.1.schema.json")}
    assert found == known


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_schema_is_one_and_allows_new_keys(name):
    Draft202012Validator.check_schema(PUBLISHED[name])
    assert '"additionalProperties": false' not in json.dumps(PUBLISHED[name])


def test_every_event_is_as_published(capsys, settings, started, units, as_published):
    events = [
        started,
        Note("x"),
        UnitEntered("network", Phase.APPLY, 3),
        UnitProgressed("network", 1, 3, "a.b", 1.0, ResourceStep.DONE),
        UnitDiagnosed("network", Diagnostic("error", "s", "d", "a.b", "../../../../modules/network/network.tf:3", 5)),
        UnitFinished(units.network),
        UnitFinished(units.registry),
    ]
    with progress.follow(settings, jsonl=True) as lines:
        for event in events:
            lines.on_event(event)
    told = [as_published(json.loads(line)) for line in capsys.readouterr().out.splitlines()]
    diagnostic = told[4]["diagnostic"]
    assert (diagnostic["file"], diagnostic["line"], diagnostic["column"]) == ("modules/network/network.tf", 3, 5)


@pytest.fixture
def platform(tmp_path):
    (tmp_path / "p" / "environments" / "dev").mkdir(parents=True)
    (tmp_path / "p" / "ngp.yaml").write_text("")
    return tmp_path / "p"


@pytest.mark.parametrize(
    ("where", "file", "line", "column", "address"),
    [
        ("{p}/environments/dev/terraform.tfvars:12", "environments/dev/terraform.tfvars", 12, None, None),
        ("{p}/environments/dev/terraform.tfvars:12:7", "environments/dev/terraform.tfvars", 12, 7, None),
        ("{p}/environments/dev", "environments/dev", None, None, None),
        ("{p}", ".", None, None, None),
        ("/elsewhere/x.tf:3", "/elsewhere/x.tf", 3, None, None),
        ("ngp.yaml:2", "ngp.yaml", 2, None, None),
        ('module.a.aws_x.y["k.tf:3"]', None, None, None, 'module.a.aws_x.y["k.tf:3"]'),
        ("s3://bucket/dev/network.tfstate", None, None, None, "s3://bucket/dev/network.tfstate"),
        ("", None, None, None, None),
    ],
)
def test_a_place_is_relative_to_the_platform(platform, where, file, line, column, address):
    found = places.finding(Finding("w", where.format(p=platform), "y", "h"))
    assert found == {
        "what": "w",
        "file": file,
        "line": line,
        "column": column,
        "address": address,
        "why": "y",
        "hint": "h",
    }


def test_answers_of_readiness_checks_are_as_published(as_published):
    checks = [Answer("swarm", "http", "https://x", is_ready=False, says="timed out", duration_s=3.0)]
    document = {"schema": "ngp.ready/1", "environment": "dev", "exit_code": 1, "checks": checks}
    as_published(documents.data(document))


def test_a_failure_is_as_published(capsys, as_published):
    error = UsageError([Finding("a", "/x/y.tf:1", "w"), Finding("b", "module.a", todo="t")])
    for one in (error, NgpError("x")):
        documents.write(documents.failure(one, exit_code=64))
        as_published(json.loads(capsys.readouterr().out))
