"""Lines of Terraform's -json stream as typed events."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.terraform import events
from ngp.terraform.events import (
    Diagnostic,
    PlannedChange,
    ResourceDone,
    ResourceFailed,
    ResourceProgress,
    ResourceStarted,
    Summary,
    TerraformVersion,
    UnknownEvent,
)

RESOURCE = {"addr": "module.network.aws_vpc.this", "resource_type": "aws_vpc"}


def hook(kind: str, **more) -> str:
    return json.dumps({"type": kind, "hook": {"resource": RESOURCE, "action": "create", **more}})


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ('{"type":"version","terraform":"1.11.4","ui":"1.2"}', TerraformVersion("1.11.4")),
        ('{"type":"version","tofu":"1.12.6","ui":"1.2"}', TerraformVersion("1.12.6")),
        (json.dumps({"type": "planned_change", "change": {"resource": RESOURCE, "action": "replace"}}),
         PlannedChange(RESOURCE["addr"], "replace")),
        (hook("apply_start"), ResourceStarted(RESOURCE["addr"], "create")),
        (hook("apply_progress", elapsed_seconds=10), ResourceProgress(RESOURCE["addr"], 10.0)),
        (hook("apply_complete", elapsed_seconds=12), ResourceDone(RESOURCE["addr"], "create", 12.0)),
        (hook("apply_progress"), ResourceProgress(RESOURCE["addr"], 0.0)),
        (hook("apply_errored", elapsed_seconds=3), ResourceFailed(RESOURCE["addr"], "create", 3.0)),
        ('{"type":"change_summary","changes":{"add":1,"change":2,"import":0,"remove":3,"operation":"plan"}}',
         Summary(1, 2, 3, "plan")),
    ],
)  # fmt: skip
def test_known_kinds(line, event):
    assert events.parse(line) == event


def test_diagnostic_has_its_place_and_address():
    document = {
        "severity": "error",
        "summary": "Unsupported argument",
        "detail": "no such thing",
        "address": "aws_vpc.a",
        "range": {"filename": "main.tf", "start": {"line": 7, "column": 3}},
    }
    assert events.parse(json.dumps({"type": "diagnostic", "diagnostic": document})) == Diagnostic(
        "error", "Unsupported argument", "no such thing", "aws_vpc.a", "main.tf:7", column=3
    )


def test_diagnostic_without_a_place():
    assert events.diagnostic({"severity": "warning", "summary": "s"}) == Diagnostic("warning", "s", "")


@pytest.mark.parametrize("line", ["panic: runtime error", "", "[1]", "12", '"text"', "{", "null", "[" * 100_000])
def test_line_that_is_no_message_is_kept_as_text(line):
    assert events.parse(line) == UnknownEvent("text", {"text": line})


@pytest.mark.parametrize(
    "document",
    [
        {"type": "resource_drift", "change": {}},
        {"type": "of tomorrow", "x": 1},
        {"no": "type"},
        {"type": "apply_start"},
        {"type": "apply_start", "hook": {"resource": None}},
        {"type": "apply_complete", "hook": {"resource": {"addr": "a"}, "elapsed_seconds": "long"}},
        {"type": "change_summary", "changes": {"add": "many"}},
        {"type": "diagnostic", "diagnostic": None},
        {"type": "planned_change", "change": []},
        {"type": "version"},
        {"type": ["a"]},
    ],
)
def test_unknown_or_changed_message_is_kept_as_it_came(document):
    event = events.parse(json.dumps(document))
    assert isinstance(event, UnknownEvent)
    assert event.document == document


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
kinds = st.sampled_from(["version", "diagnostic", "planned_change", "change_summary", *events._HOOKS, "other"])


@given(kinds, st.dictionaries(st.sampled_from(["hook", "change", "changes", "diagnostic", "terraform"]), json_values))
def test_no_message_crashes_the_stream(kind, body):
    events.parse(json.dumps({"type": kind, **body}))


@given(st.text())
def test_no_line_crashes_the_stream(line):
    events.parse(line)
