"""The pipelines for GitLab and Jenkins: the scripts of their jobs run as they are written, with this checkout's ngp.

No server of either is to be had; tests/doubles/runners.py chooses jobs and runs scripts as their documentation says.
"""

import re
import subprocess

import pytest

from tests.doubles.forge import TOKEN, serve
from tests.git import git
from tests.harness import ROOT, Ngp
from tests.integration.pipelines.changes import change

TFVARS = "environments/dev/terraform.tfvars"
[STAGE] = re.findall(r"```groovy\n(.*?)```", (ROOT / "docs/ci.md").read_text(), re.DOTALL)


def values(remote, branch, environment):
    return git(remote, "show", f"{branch}:environments/{environment}/terraform.tfvars")


@pytest.mark.terraform
@pytest.mark.sandbox
def test_a_change_walks_through_the_pipelines_of_gitlab(gitlab, platform, remote):
    git(platform, "checkout", "--quiet", "-b", "topic")
    base = change(platform, TFVARS, "10.0.0.0", "10.7.0.0")
    main = {"CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF_NAME": "main", "CI_COMMIT_BEFORE_SHA": base}
    with serve() as forge:
        api = {"CI_API_V4_URL": f"{forge.url}/api/v4", "CI_PROJECT_ID": "12", "GITLAB_TOKEN": TOKEN}
        forge.pulls[3] = {"head": git(platform, "rev-parse", "HEAD"), "base": base}
        planned(gitlab, forge, api)
        merge(platform)
        forge.pulls[3]["merged"] = git(platform, "rev-parse", "HEAD")
        applied(gitlab, forge, {**main, **api, "CI_COMMIT_SHA": forge.pulls[3]["merged"]})
    promoted(gitlab, remote, {**main, "GITLAB_TOKEN": TOKEN})


def planned(gitlab, forge, api):
    request = {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_IID": "3", **api}
    request["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] = "main"
    request |= {"CI_COMMIT_SHA": forge.pulls[3]["head"], "CI_MERGE_REQUEST_DIFF_BASE_SHA": forge.pulls[3]["base"]}
    request |= dict.fromkeys(("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "CI_MERGE_REQUEST_PROJECT_ID"), "12")
    assert gitlab.jobs(**request) == {"plan": False}
    done = gitlab.run("plan", **request)
    assert done.exit_code == 0, done.text
    assert "dev: no state is locked" in done.text
    assert (gitlab.checkout / ".ngp/ci/dev.html").is_file()
    assert not (gitlab.checkout / ".ngp-token").exists()
    [comment] = forge.comment("environment=dev")
    assert "module.base.terraform_data.vpc" in comment
    assert "uncommitted" not in comment  # what a job leaves in its checkout is no change


def applied(gitlab, forge, pushed):
    assert gitlab.jobs(CI_PIPELINE_SOURCE="push", **pushed) == {"apply dev": False, "apply stage": False}
    done = gitlab.run("apply dev", CI_PIPELINE_SOURCE="push", **pushed)
    assert done.exit_code == 0, done.text
    assert forge.status("ngp/apply/dev") == "success"
    assert gitlab.jobs(CI_PIPELINE_SOURCE="schedule", **pushed) == {"nightly": False}
    done = gitlab.run("nightly", CI_PIPELINE_SOURCE="schedule", **pushed)
    assert done.exit_code == 2, done.text  # stage was never applied
    assert list((gitlab.checkout / ".ngp/ci").glob("*.bundle")) == []  # nobody reviews what is planned at night
    assert (forge.status("ngp/plan/dev"), forge.status("ngp/plan/stage")) == ("success", "success")


def promoted(gitlab, remote, main):
    asked = {"PROMOTE_SOURCE": "dev", "PROMOTE_TARGET": "stage", "CI_PIPELINE_ID": "81", "CI_PIPELINE_SOURCE": "web"}
    asked |= {"GITLAB_USER_NAME": "Anna", "GITLAB_USER_EMAIL": "anna@example.com", **main}
    asked["CI_PROJECT_URL"] = f"file://{remote.with_suffix('')}"
    assert gitlab.jobs(**asked) == {"promote": False}
    done = gitlab.run("promote", **asked)
    assert done.exit_code == 0, done.text
    assert "10.7.0.0" in values(remote, "promote-stage-81", "stage")
    options = (remote / "options").read_text()
    assert "merge_request.create" in options
    assert "merge_request.target=main" in options
    assert TOKEN not in done.text + options


def merge(platform):
    git(platform, "checkout", "--quiet", "main")
    git(platform, "merge", "--quiet", "--squash", "topic")
    git(platform, "commit", "--quiet", "--message", "Merged")
    git(platform, "push", "--quiet", "origin", "main")


def test_nobody_else_starts_a_pipeline_of_gitlab(gitlab):
    """Pipelines of other branches would apply or promote what nobody merged."""
    branch = {"CI_DEFAULT_BRANCH": "main", "CI_COMMIT_BRANCH": "topic"}
    assert gitlab.jobs(CI_PIPELINE_SOURCE="push", **branch) == {}
    assert gitlab.jobs(CI_PIPELINE_SOURCE="web", PROMOTE_TARGET="stage", **branch) == {}


@pytest.mark.parametrize("variable", ["PROMOTE_SOURCE", "PROMOTE_TARGET"])
def test_a_pipeline_of_gitlab_that_promotes_applies_nothing(gitlab, variable):
    main = {"CI_DEFAULT_BRANCH": "main", "CI_COMMIT_BRANCH": "main", variable: "dev"}
    assert gitlab.jobs(CI_PIPELINE_SOURCE="web", **main) == {"promote": False}
    for source in ("api", "trigger", "pipeline", "push"):
        assert gitlab.jobs(CI_PIPELINE_SOURCE=source, **main) == {}


def test_the_stages_of_jenkins_run_for_what_they_are_for(jenkins, platform, remote):
    """Nothing here changes an environment, so no Terraform starts."""
    git(platform, "checkout", "--quiet", "-b", "topic")
    change(platform, "README.md", "Read", "Do read")
    head = git(platform, "rev-parse", "HEAD")
    (platform / ".ngp/ci").mkdir(parents=True)
    (platform / ".ngp/ci/dev.bundle").write_text("of an earlier build")
    ran, asked, log = jenkins.run(CHANGE_ID="3", CHANGE_TARGET="main", BRANCH_NAME="PR-3", GIT_COMMIT=head)
    assert (ran, asked) == ({"Install": 0, "Plan": 0}, []), log
    merge(platform)
    main = {"BRANCH_NAME": "main", "BRANCH_IS_PRIMARY": "true", "GIT_COMMIT": git(platform, "rev-parse", "HEAD")}
    assert jenkins.run(**main)[0] == {"Install": 0, "Apply dev": 69}  # no good build says that all is applied
    main["GIT_PREVIOUS_SUCCESSFUL_COMMIT"] = git(platform, "rev-parse", "HEAD~1")
    ran, asked, log = jenkins.run(**main)
    assert (ran, asked) == ({"Install": 0, "Apply dev": 0, "Apply stage": 0}, []), log
    assert log.count("nothing to apply: this change has no bundle") == 2
    assert "dev: no state is locked" in log
    assert not (platform / ".ngp/ci/dev.bundle").exists()


@pytest.mark.parametrize(("subject", "number"), [("Another network (#3)", "3"), ("Of a branch", "")])
def test_jenkins_brings_the_comments_of_the_merged_pull_request(jenkins, platform, remote, tmp_path, subject, number):
    """The stage of the page, in a template of the platform: it finds the comment, and the apply the bundle's name."""
    own = platform / "templates/ci/jenkins/Jenkinsfile.j2"
    own.parent.mkdir(parents=True)
    whole, after = (ROOT / "templates/ci/jenkins/Jenkinsfile.j2").read_text(), "    stage('Plan') {"
    own.write_text(whole.replace(after, f"{STAGE}{after}"))
    assert Ngp(platform).run("ci", "init", "jenkins").exit_code == 0  # this process has read the other template
    change(platform, TFVARS, "10.0.0.0", "10.7.0.0")
    git(platform, "commit", "--quiet", "--amend", "--message", subject)
    archived = tmp_path / "archived/.ngp/ci/comment-1.md"
    archived.parent.mkdir(parents=True)
    archived.write_text(f"<!-- ngp environment=dev bundle={'5' * 64} head={'f' * 40} -->\nA plan\n")
    jenkins.artifacts["../PR-3"] = tmp_path / "archived"
    main = {"BRANCH_NAME": "main", "BRANCH_IS_PRIMARY": "true", "GIT_COMMIT": git(platform, "rev-parse", "HEAD")}
    main["GIT_PREVIOUS_SUCCESSFUL_COMMIT"] = git(platform, "rev-parse", "HEAD~1")
    ran, _, log = jenkins.run(**main)
    assert ran == {"Install": 0, "Bring the comments": 0, "Apply dev": 69}, log
    assert ("cannot find the bundle 555555555555 of dev" in log) is bool(number), log
    assert ("the change to dev was merged without a plan" in log) is not bool(number)


@pytest.mark.parametrize(
    ("subject", "number"),
    [
        ("Another network, fixes #7 (#12)", "12"),
        ("Merge pull request #12 from acme/fix-#7", "12"),
        ("Merge branch 'fix-#7'", ""),
        ("Like (#7) before", ""),
    ],
)
def test_jenkins_takes_only_the_number_that_the_forge_writes(tmp_path, subject, number):
    """The names of branches and what people write in a subject may hold numbers of other pull requests."""
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", subject)
    [script] = re.findall(r"script: '''(.*?)'''", STAGE, re.DOTALL)
    done = subprocess.run(["bash", "-xe", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == number


def test_jenkins_promotes_and_applies_nothing_in_that_build(jenkins, platform, remote):
    change(platform, TFVARS, "10.0.0.0", "10.7.0.0")
    main = {"BRANCH_NAME": "main", "BRANCH_IS_PRIMARY": "true", "GIT_COMMIT": git(platform, "rev-parse", "HEAD")}
    ran, asked, log = jenkins.run(PROMOTE_SOURCE="dev", PROMOTE_TARGET="stage", **main)
    assert (ran, asked) == ({"Install": 0, "Promote": 0}, []), log
    assert "10.7.0.0" in values(remote, "promote-stage-7", "stage")
    assert jenkins.result("Promote") == "NOT_BUILT"  # else a later apply would take it for the last good build
    git(platform, "checkout", "--quiet", "main")
    ran, _, log = jenkins.run(PROMOTE_SOURCE="dev", PROMOTE_TARGET="nowhere", **main)
    assert ran == {"Install": 0, "Promote": 64}, log
    assert jenkins.run(PROMOTE_SOURCE="dev", **main)[0] == {"Install": 0, "Promote": 64}
    assert "the environment `nowhere` does not exist" in log
