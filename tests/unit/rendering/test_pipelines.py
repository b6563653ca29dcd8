"""The pipelines that `ngp ci init` writes: static rules, schemas and the tools that look for unsafe workflows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ngp import yaml
from ngp.ci import events
from ngp.errors import UsageError
from ngp.rendering import pipelines
from ngp.rendering.pipelines import PipelineEnvironment, PipelineSystem

STAGES = (
    PipelineEnvironment("dev", "eu-central-1"),
    PipelineEnvironment("stage", "eu-central-1"),
    PipelineEnvironment("prod", "eu-west-1", protected=True),
)
USED = re.compile(r"uses: (\S+)@(\S+)(.*)")


def write(tmp_path, system, stages=STAGES, platform=None, folder=""):
    found = pipelines.render(platform, system, "main", stages, folder)
    for path, text in found.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return found


@pytest.fixture
def workflows(tmp_path):
    found = write(tmp_path, PipelineSystem.GITHUB)
    return {path.name: yaml.parse(text, Path(path)).data for path, text in found.items()}


def tool(name, *argv, cwd):
    program = Path(sys.executable).parent / name
    return subprocess.run([program, *argv], cwd=cwd, capture_output=True, text=True, check=False)


def test_every_action_is_pinned_to_a_commit_with_its_version():
    used = [
        each for text in pipelines.render(None, PipelineSystem.GITHUB, "main").values() for each in USED.findall(text)
    ]
    assert len(used) > 10
    for action, ref, comment in used:
        assert re.fullmatch(r"[0-9a-f]{40}", ref), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


def test_jobs_have_the_least_permissions(workflows):
    rights = {
        (file, job): steps["permissions"]
        for file, workflow in workflows.items()
        for job, steps in workflow["jobs"].items()
    }
    assert all(workflow["permissions"] == {} for workflow in workflows.values())
    writing = {key for key, each in rights.items() if each.get("contents") == "write"}
    assert writing == {("ngp-promote.yaml", "promote")}
    assert all(each == {"contents": "read"} for (_, job), each in rights.items() if job == "matrix")
    with_identity = {file for (file, _), each in rights.items() if "id-token" in each}
    assert with_identity == {"ngp-plan.yaml", "ngp-apply.yaml", "ngp-nightly.yaml", "ngp-order.yaml"}


def test_a_cancel_reaches_ngp_and_locks_are_always_shown(workflows):
    for file, job in (("plan", "plan"), ("apply", "apply"), ("nightly", "plan")):
        steps = workflows[f"ngp-{file}.yaml"]["jobs"][job]["steps"]
        (run,) = (step["run"] for step in steps if "ngp ci " in step.get("run", ""))
        assert run.rstrip().splitlines()[-1].startswith("exec ngp ci ")
        (locks,) = (step for step in steps if "ngp locks" in step.get("run", ""))
        assert locks["if"] == "always()"
    assert workflows["ngp-apply.yaml"]["jobs"]["apply"]["concurrency"]["cancel-in-progress"] is False


def test_a_pull_request_hears_of_ngp_also_without_a_job_of_its_own(workflows):
    """A branch rule waits for the status, which no job of an empty matrix sets."""
    jobs = workflows["ngp-plan.yaml"]["jobs"]
    needs = "needs.matrix.result != 'skipped' && fromJSON(needs.matrix.outputs.jobs || '{}').include[0] == null"
    assert jobs["otherwise"]["if"] == f"!cancelled() && {needs}"
    assert jobs["otherwise"]["permissions"].keys() == {"contents", "pull-requests", "statuses"}
    assert jobs["otherwise"]["steps"][-1]["run"] == "exec ngp ci plan"


def test_a_pull_request_is_planned_again_for_another_target_and_not_for_another_title(workflows):
    """GitHub names both `edited`; one about the title must not cancel a plan that runs."""
    plan = workflows["ngp-plan.yaml"]
    assert plan["on"]["pull_request"]["types"] == ["opened", "synchronize", "reopened", "edited"]
    is_text = "github.event.action == 'edited' && github.event.changes.base == null"
    assert f"{is_text} && '-text' || ''" in plan["concurrency"]["group"]
    condition = "github.event.action != 'edited' || github.event.changes.base != null"
    assert plan["jobs"]["matrix"]["if"] == condition
    assert "if" not in workflows["ngp-apply.yaml"]["jobs"]["matrix"]


def test_nothing_of_an_event_stands_in_a_script(workflows):
    scripts = [
        step["run"]
        for workflow in workflows.values()
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]
    assert len(scripts) > 8
    assert not [script for script in scripts if "${{" in script]


def test_an_order_plans_the_commit_that_it_names_and_leaves_nothing_to_others(workflows):
    """It runs a stranger's code beside the default branch: no cache, an identity of its own, no part of a comment."""
    workflow = workflows["ngp-order.yaml"]
    order, plan = workflow["jobs"]["order"], workflow["jobs"]["plan"]
    assert workflow["on"] == {"issue_comment": {"types": ["created"]}}
    assert order["permissions"] == {}
    assert """contains(fromJSON('["OWNER", "MEMBER", "COLLABORATOR"]')""" in order["if"]
    assert plan["environment"] == "ngp-order"
    assert plan["permissions"]["contents"] == "read"
    used = [step["uses"].partition("@")[0] for step in plan["steps"] if "uses" in step]
    assert "actions/cache" not in used
    assert plan["steps"][0]["with"]["ref"] == "${{ needs.order.outputs.commit }}"
    assert [step["run"] for step in plan["steps"] if "ngp " in step.get("run", "")][-1] == "exec ngp ci plan"


@pytest.mark.parametrize(
    ("comment", "commit"),
    [
        (f"/ngp plan {'a1' * 20}", "a1" * 20),
        (f"/ngp plan {'a1' * 20}\r\n", "a1" * 20),
        (f"/ngp plan {'b2' * 32}  ", "b2" * 32),
        (f"/ngp plan {'a1' * 20} please", ""),
        (f"/ngp plan {'a1' * 20}\ncommit={'c3' * 20}", ""),
        (f"I\n/ngp plan {'a1' * 20}", ""),
        ("/ngp plan main", ""),
        ("/ngp plan $(touch here)", ""),
    ],
)
def test_an_order_names_a_whole_commit_and_nothing_else(workflows, tmp_path, comment, commit):
    [step] = workflows["ngp-order.yaml"]["jobs"]["order"]["steps"]
    output = tmp_path / "output"
    output.write_text("")
    environ = {"COMMENT": comment, "GITHUB_OUTPUT": str(output), "PATH": os.environ["PATH"]}
    subprocess.run(["bash", "-e", "-c", step["run"]], cwd=tmp_path, env=environ, check=True)
    assert output.read_text() == (f"commit={commit}\n" if commit else "")
    assert [path.name for path in tmp_path.iterdir() if path.name == "here"] == []
    assert bool(events._ORDER.fullmatch(comment)) is bool(commit)


JENKINS_FILES = "artifacts: 'infra/eu/.ngp/ci/*.html, infra/eu/.ngp/ci/comment-*.md'"


@pytest.mark.parametrize(
    ("system", "inside"),
    [
        (
            PipelineSystem.GITHUB,
            ['working-directory: "infra/eu"', "path: infra/eu/.ngp/ci/*.html", "path: infra/eu/.ngp/runs"],
        ),
        (
            PipelineSystem.GITLAB,
            ["- cd infra/eu", "files: [infra/eu/.terraform.lock.hcl]", "junit: infra/eu/.ngp/ci/*.xml"],
        ),
        (
            PipelineSystem.JENKINS,
            ["dir('infra/eu') { sh 'exec ngp ci plan' }", "rm -rf infra/eu/.ngp/ci", JENKINS_FILES],
        ),
    ],
)
def test_a_platform_in_a_folder_is_worked_on_from_the_top(tmp_path, system, inside):
    found = write(tmp_path, system, folder="infra/eu")
    assert set(found) == set(pipelines.render(None, system, "main"))
    text = "\n".join(found.values())
    assert [line for line in inside if line not in text] == []
    assert not re.search(r"[ '\[](?:\.ngp/|\.terraform\.lock)", text)
    if system is PipelineSystem.GITHUB:
        assert "hashFiles('infra/eu/.terraform.lock.hcl')" in text
        assert all('\n    working-directory: "infra/eu"\n' in each for each in found.values())
        assert "paths:" not in text  # a status that a filter leaves out would hold every other pull request
    with pytest.raises(UsageError, match="cannot be used in a pipeline"):
        pipelines.render(None, system, "main", folder="my infra")


@pytest.mark.parametrize("word", ["null", "true", "on", "1.50", "0x10"])
def test_a_name_that_yaml_would_read_as_no_text_stays_text(word):
    """A folder, or an environment: GitHub's and GitLab's own readers differ in what they take for true."""
    for text in pipelines.render(None, PipelineSystem.GITHUB, "main", folder=word).values():
        assert yaml.parse(text, Path("it.yaml")).data["defaults"]["run"]["working-directory"] == word
        assert f'working-directory: "{word}"' in text
    (text,) = pipelines.render(
        None, PipelineSystem.GITLAB, "main", [PipelineEnvironment(word, "eu-central-1")], word
    ).values()
    job = yaml.parse(text, Path("it.yaml")).data[f"apply {word}"]
    assert job["environment"]["name"] == word
    assert f'name: "{word}"' in text


@pytest.mark.parametrize(
    ("system", "schema"),
    [(PipelineSystem.GITHUB, "vendor.github-workflows"), (PipelineSystem.GITLAB, "vendor.gitlab-ci")],
)
def test_files_are_as_the_published_schema_says(tmp_path, system, schema):
    """Those of a platform that is its repository, and of one in a folder of it."""
    found = [
        home / path
        for home, folder in ((tmp_path / "whole", ""), (tmp_path / "part", "infra/eu"))
        for path in write(home, system, folder=folder)
    ]
    done = tool("check-jsonschema", "--builtin-schema", schema, *map(str, found), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing_unsafe(tmp_path):
    write(tmp_path, PipelineSystem.GITHUB)
    done = tool("zizmor", "--offline", "--no-progress", "--persona", "regular", ".github/workflows", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    said = [
        line.strip() for path in tmp_path.rglob("*.yaml") for line in path.read_text().splitlines() if "zizmor" in line
    ]
    assert said == ["issue_comment: # zizmor: ignore[dangerous-triggers]"]  # a comment has no other event
    plan = tmp_path / ".github/workflows/ngp-plan.yaml"
    plan.write_text(plan.read_text().replace("permissions: {}", "permissions: write-all").replace("#", "# "))
    plan.write_text(re.sub(r"checkout@[0-9a-f]{40}", "checkout@main", plan.read_text()))
    assert tool("zizmor", "--offline", "--no-progress", ".github/workflows", cwd=tmp_path).returncode != 0


@pytest.mark.parametrize("system", [PipelineSystem.GITLAB, PipelineSystem.JENKINS])
def test_each_environment_has_a_job_and_a_protected_one_waits_for_a_person(system):
    (text,) = pipelines.render(None, system, "main", STAGES).values()
    jobs = [text.index(f"pply {one.name}") for one in STAGES]
    assert jobs == sorted(jobs)
    waits = "when: manual" if system is PipelineSystem.GITLAB else "message 'Apply prod?'"
    assert text.count(waits) == 1
    assert text.index(waits) > jobs[-1] - 200


def test_the_jenkinsfile_is_balanced_and_has_no_comment_of_another_language():
    (text,) = pipelines.render(None, PipelineSystem.JENKINS, "main", STAGES).values()
    assert text.count("{") == text.count("}")
    assert not re.search(r"(?m)^\s*#", text)


def test_files_are_stale_where_they_differ_and_foreign_ones_are_left_alone(tmp_path):
    found = write(tmp_path, PipelineSystem.GITHUB)
    assert pipelines.stale(tmp_path, found) == []
    plan = tmp_path / ".github/workflows/ngp-plan.yaml"
    plan.write_bytes(plan.read_bytes().replace(b"\n", b"\r\n"))
    assert pipelines.stale(tmp_path, found) == []
    plan.write_text(plan.read_text().replace("timeout-minutes: 60", "timeout-minutes: 5"))
    (tmp_path / ".github/workflows/ngp-apply.yaml").unlink()
    assert [path.name for path in pipelines.stale(tmp_path, found)] == ["ngp-plan.yaml", "ngp-apply.yaml"]
    plan.write_text("name: ours\n")
    with pytest.raises(UsageError, match="not ngp's"):
        pipelines.stale(tmp_path, found)


def test_a_platform_replaces_a_template(tmp_path):
    own = tmp_path / "templates/ci/jenkins/Jenkinsfile.j2"
    own.parent.mkdir(parents=True)
    own.write_text("{{ header }}\n// {{ environments | length }} of ours\n")
    (text,) = pipelines.render(tmp_path, PipelineSystem.JENKINS, "main", STAGES).values()
    assert text.endswith("// 3 of ours\n")
