"""Places as CI systems take them, where the platform lies in a folder of its repository."""

import json
from dataclasses import replace

import pytest

from ngp.ci import locations
from ngp.environments import platforms, resolving
from ngp.errors import Finding
from ngp.policies.verdict import Severity, Verdict, Violation
from ngp.reports import document, making
from ngp.reports.report import Cause, ChangeReport
from ngp.review.affected import Affected, AffectedUnit, CauseKind, Reason
from ngp.runs.bundle import verifying
from ngp.runs.outcomes import Outcome
from ngp.runs.results import RunResult, UnitResult, Verb
from ngp.terraform.events import Diagnostic
from ngp.terraform.plans import Action
from tests.unit.ci import made_bundles

TFVARS = "environments/dev/terraform.tfvars"


@pytest.mark.parametrize(
    ("where", "prefix", "located"),
    [
        ("modules/a/a.tf:3", "infra/", "infra/modules/a/a.tf:3"),
        ("modules/a/a.tf:3:7", "", "modules/a/a.tf:3:7"),
        ("../docs/x.tf:3", "infra/", "docs/x.tf:3"),
        ("module.a.aws_vpc.this", "infra/", "module.a.aws_vpc.this"),
        ("dev", "infra/", "dev"),
        ("", "infra/", ""),
    ],
)
def test_a_place_is_relative_to_the_top_of_the_repository(where, prefix, located):
    [found] = locations.findings([Finding("it is wrong", where)], prefix)
    assert found.where == located


def test_an_absolute_place_is_relative_to_the_top_too(tmp_path):
    (tmp_path / "ngp.yaml").write_text("name: small\n")
    [found] = locations.findings([Finding("it is wrong", f"{tmp_path}/ngp.yaml:1")], "infra/")
    assert found.where == "infra/ngp.yaml:1"


def test_all_places_of_a_report_are_relative_to_the_top():
    """Terraform names files relative to the root of a unit, and the copy of a module is led back to the module."""
    said = (
        Diagnostic("error", "x", "y", place="main.tf:4"),
        Diagnostic("error", "x", "y", place="../../../../modules/a/a.tf:2"),
        Diagnostic("error", "x", "y", place=f"{TFVARS}:7"),
        Diagnostic("error", "x", "y", place="modules/a/a.tf:2"),
        Diagnostic("error", "x", "y"),
    )
    result = RunResult(
        "20261130-080000-plan-dev-a1f4", Verb.PLAN, "dev", (UnitResult("a", "a", 1, Outcome.FAILED, diagnostics=said),)
    )
    made = making.of_run(result, making.RunFacts(), exit_code=1)
    causes = (Cause("", "x", f"{TFVARS}:7"), Cause("", "y"))
    change = ChangeReport("module.a.b.c", "b", "+", Action.CREATE, causes=causes)
    denied = Violation("wide", Severity.DENY, "x", "a", "module.a.b.c", source="policies/wide.rego")
    verdict = Verdict(("wide", "narrow"), (denied,), ((denied, "because"),))
    flags = (Finding("a template changed", "templates/root/main.tf.j2"),)
    made = replace(made, units=(replace(made.units[0], changes=(change,)),), policy=verdict, flags=flags)
    report = locations.of_report(made, "infra/")
    assert report.findings[0].why == "policy infra/policies/wide.rego"
    assert report.policy.accepted[0][0].source == "infra/policies/wide.rego"
    assert report.flags[0].where == "infra/templates/root/main.tf.j2"
    data = document.document(report)
    assert data["units"][0]["diagnostics"][0]["file"] == "infra/environments/dev/units/a/main.tf"
    assert data["units"][0]["diagnostics"][1]["line"] == 2
    assert [one.place for one in report.units[0].diagnostics] == [
        "infra/environments/dev/units/a/main.tf:4",
        "infra/modules/a/a.tf:2",
        f"infra/{TFVARS}:7",
        "infra/modules/a/a.tf:2",
        "",
    ]
    assert [one.place for one in report.units[0].changes[0].causes] == [f"infra/{TFVARS}:7", ""]


@pytest.mark.parametrize(
    ("text", "paths", "folder", "located"),
    [
        (
            "its root environments/dev/units/a differs in main.tf",
            ("environments/dev/units/a/main.tf",),
            "environments/dev/units/a",
            "its root infra/environments/dev/units/a differs in main.tf",
        ),
        (
            "its module calls ../lib/b, which changed: ../lib/b/in.tf, ../lib/b/a b.tf and 2 more",
            ("../lib/b/in.tf", "../lib/b/a b.tf"),
            "../lib/b",
            "its module calls lib/b, which changed: lib/b/in.tf, lib/b/a b.tf and 2 more",
        ),
        (
            "its module calls lib, which changed: lib/in.tf",
            ("lib/in.tf",),
            "lib",
            "its module calls infra/lib, which changed: infra/lib/in.tf",
        ),
        (
            "its module calls module, which changed: elsewhere/in.tf",  # a link leads there
            ("elsewhere/in.tf",),
            "module",
            "its module calls infra/module, which changed: infra/elsewhere/in.tf",
        ),
        (
            "ngp.yaml selects another Terraform: 1.11",
            ("ngp.yaml",),
            "",
            "infra/ngp.yaml selects another Terraform: 1.11",
        ),
        ("uses vpc_id of base", (), "", "uses vpc_id of base"),
    ],
)
def test_the_reasons_of_a_unit_name_files_relative_to_the_top(text, paths, folder, located):
    unit = AffectedUnit("dev", "a", "a", (Reason(CauseKind.ROOT, text, paths, folder),))
    found = Affected("c" * 40, "main", (unit,), (unit,), frozenset(paths))
    moved = locations.of_affected(found, "infra/")
    assert [one.reasons[0].text for one in (*moved.units, *moved.removed)] == [located] * 2
    assert moved.changed == found.changed
    assert locations.of_affected(found, "") == found


def test_a_reason_that_is_a_place_is_relative_to_the_top():
    [found] = locations.findings([Finding("x", "dev", "see modules/a/a.tf:3")], "infra/")
    assert found.why == "see infra/modules/a/a.tf:3"
    [found] = locations.findings([Finding("x", "dev", "see the page")], "infra/")
    assert found.why == "see the page"


def test_annotations_sarif_and_comment_name_files_as_the_forge_does(nested):
    base = nested.head
    (nested.path / TFVARS).write_text((nested.path / TFVARS).read_text().replace("10.0.0.0", "10.1.0.0"))
    template = nested.path / "templates/root/main.tf.j2"
    template.parent.mkdir(parents=True, exist_ok=True)
    template.write_text("# nothing\n")
    nested.git("add", "--all")
    nested.git("commit", "--quiet", "--message", "Not rendered")
    done = nested.run("plan", "dev", event=nested.pull(base, is_fork=False))
    assert done.exit_code == 1
    stale = "infra/eu/environments/dev/units/base/values.auto.tfvars.json"
    assert f"::error file={stale},title=ngp::a rendered file is stale" in done.stderr
    logged = f"error: dev: {stale.removeprefix('infra/eu/')}: a rendered file is stale\n"
    assert f"{logged}  fix:   run `ngp render dev`, then commit\n" in done.stderr
    assert "::warning file=infra/eu/templates/root/main.tf.j2,title=ngp::a template changed" in done.stderr
    [one] = nested.forge.comments
    assert f"- `{stale}`: `a rendered file is stale`" in one["body"]
    said = json.loads((nested.path / ".ngp/ci/findings.sarif").read_text())["runs"][0]["results"]
    places = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in said}
    assert places == {stale, "infra/eu/templates/root/main.tf.j2"}
    assert "`its root infra/eu/environments/dev/units/base differs in " in one["body"]


def test_what_cannot_be_read_is_named_as_the_forge_does(nested):
    base = nested.head
    nested.commit("ngp.yaml", "name: small", "nam: small")
    assert nested.run("plan", event=nested.pull(base)).exit_code == 64
    assert "`infra/eu/ngp.yaml:2`" in nested.forge.comments[0]["body"]


def test_a_file_that_changed_since_the_bundle_was_made_is_named_as_the_forge_does(nested):
    """The files of the bundle are those of another checkout; the comment leads to the one that differs."""
    path = nested.path / "modules/base/base.tf"
    stated = replace(made_bundles.STATED, **made_bundles.of_files(nested.path))
    path.write_text(f"{path.read_text()}# more\n")
    resolved = resolving.resolve(platforms.load(nested.path), "dev")
    [found] = locations.findings(verifying.find_other_files(stated, resolved), "infra/eu/")
    assert (found.where, found.what) == (
        "infra/eu/modules/base/base.tf",
        "this file changed since the bundle was made",
    )
