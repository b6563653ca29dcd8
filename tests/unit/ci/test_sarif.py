import json

from ngp.ci import sarif
from ngp.errors import Finding
from ngp.policies.verdict import Severity, Verdict, Violation
from ngp.reports.report import Report
from ngp.runs.results import Verb


def test_each_finding_has_its_rule_level_and_place():
    denied = Violation("open-port", Severity.DENY, "open to all", "app", "module.app.aws_x.y")
    report = Report(Verb.PLAN, "dev", policy=Verdict(("open-port",), (denied,)))
    checks = [Finding("stale\u202e", "environments/dev/units/app/main.tf:3", "why", "render")]
    made = json.loads(sarif.render(checks, [Finding("a template changed", "templates/x.j2")], [report]))
    [run] = made["runs"]
    assert made["version"] == "2.1.0"
    assert [(one["ruleId"], one["level"]) for one in run["results"]] == [
        ("ngp/check", "error"),
        ("ngp/look-at-this", "warning"),
        ("open-port", "error"),
    ]
    first, second, third = run["results"]
    assert first["message"]["text"] == "stale\\u202e. why. render"
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "environments/dev/units/app/main.tf"},
        "region": {"startLine": 3},
    }
    assert second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "templates/x.j2"
    assert third["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "module.app.aws_x.y"}]
    assert {one["id"] for one in run["tool"]["driver"]["rules"]} == {one["ruleId"] for one in run["results"]}


def test_nothing_found_is_a_document_too():
    assert json.loads(sarif.render([], [], []))["runs"][0]["results"] == []


def test_the_name_of_a_file_is_a_relative_uri():
    made = json.loads(sarif.render([Finding("x", "infra/modules/%41.tf:2")], [], []))
    [result] = made["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "infra/modules/%2541.tf"


def test_a_name_that_is_not_utf_8_has_its_bytes_as_address():
    [run] = json.loads(sarif.render([Finding("x", "modules/base/caf\udce9.tf:3")], [], []))["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "modules/base/caf%E9.tf"
