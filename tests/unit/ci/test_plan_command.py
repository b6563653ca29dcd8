"""`ngp ci plan` of what strangers send: nothing here starts Terraform."""

import subprocess

import pytest

from ngp.ci import changes
from ngp.errors import Finding
from tests.ci_repository import CiRepository
from tests.harness import Ngp

TFVARS = "environments/{}/terraform.tfvars"


def order(body, by):
    about = {"action": "created", "issue": {"number": 12, "pull_request": {}}}
    return {**about, "comment": {"body": body, "user": {"login": by}}}


@pytest.fixture
def change(repository):
    """Pull request 12 of a fork, which changes both environments."""
    base = repository.head
    for name in ("dev", "prod"):
        repository.commit(TFVARS.format(name), "10.0.0.0", "10.1.0.0")
    return repository.pull(base)


@pytest.mark.parametrize(
    ("body", "by", "code"),
    [("/ngp plan {head}", "mallory", 3), ("/ngp plan {other}", "anna", 3), ("looks good", "mallory", 0)],
)
def test_a_comment_that_orders_no_plan_changes_nothing(repository, change, body, by, code):
    repository.run("plan", event=change)
    repository.forge.writers = {"anna"}
    comments, statuses = [dict(one) for one in repository.forge.comments], list(repository.forge.statuses)
    event = order(body.format(head=repository.head, other="e" * 40), by)
    done = repository.run("plan", event=event, name="issue_comment")
    assert done.exit_code == code, done.stderr
    assert (repository.forge.comments, repository.forge.statuses) == (comments, statuses)


@pytest.mark.parametrize("has_problems", [False, True])
def test_an_order_is_asked_for_where_the_checks_found_nothing(repository, change, monkeypatch, has_problems):
    monkeypatch.setattr(changes, "check", lambda *_: [Finding("this is wrong")] if has_problems else [])
    repository.run("plan", "dev", event=change)
    [body] = repository.forge.comment("environment=dev")
    assert (f"/ngp plan {repository.head}" in body) is not has_problems
    assert repository.forge.status("ngp/plan/dev") == ("failure" if has_problems else "pending")


def test_where_no_comment_orders_a_plan_no_status_waits_for_one(repository, change):
    """On GitLab, and for an event of GitHub that ngp does not know."""
    event = {"repository": {"default_branch": "main"}}
    repository.run("plan", "dev", "--since", change["pull_request"]["base"]["sha"], event=event, name="unheard_of")
    texts = [about for _, name, _, about in repository.forge.statuses if name == "ngp/plan/dev"]
    assert texts[-1] == "not for a merge: checked, not planned"


def test_an_edited_comment_changes_nothing(repository, change):
    event = {**order(f"/ngp plan {repository.head}", "anna"), "action": "edited"}
    done = repository.run("plan", "--json", event=event, name="issue_comment")
    assert (done.exit_code, done.document["environments"]) == (0, [])
    assert (repository.forge.comments, repository.forge.statuses) == ([], [])


def test_a_shallow_clone_of_a_fork_says_that_more_may_count_as_changed(repository, tmp_path):
    """It may not ask the remote for the history."""
    base = repository.head
    repository.git("checkout", "--quiet", "-b", "topic", "HEAD~0")
    repository.commit(TFVARS.format("dev"), "10.0.0.0", "10.1.0.0")
    repository.git("checkout", "--quiet", "-b", "others", base)
    others = repository.commit(TFVARS.format("prod"), "10.0.0.0", "10.1.0.0")
    clone = CiRepository(tmp_path / "shallow", repository.forge)
    repository.git("clone", "--quiet", "--depth=1", "--branch=topic", f"file://{repository.path}", str(clone.path))
    clone.git("fetch", "--quiet", "--depth=1", "origin", others)
    event = clone.push_event(12, others, is_fork=True)
    done = clone.call_ci(("plan",), event, "pull_request", None)
    assert done.exit_code == 0, done.stderr
    assert "this clone is shallow, so what others merged since counts as changed" in done.stderr
    repository.git("checkout", "--quiet", "topic")
    done = repository.run("plan", event=repository.pull(others))
    assert "this clone is shallow" not in done.stderr


def test_one_job_of_a_matrix_does_not_speak_for_the_others(repository, change):
    repository.run("plan", "dev", event=change)
    assert repository.forge.status("ngp/plan/dev") == "pending"
    repository.forge.statuses.append((repository.head, "ngp/plan/dev", "success", ""))
    repository.run("plan", "prod", event=change)
    assert [about for _, name, _, about in repository.forge.statuses if name == "ngp/plan"][-1] == (
        "1 of 2 environments pending"
    )


BASE_OUTPUTS = "modules/base/base-output.tf"


def test_what_keeps_all_from_being_planned_is_told_in_one_comment_until_it_is_mended(repository):
    base = repository.head
    repository.commit("ngp.yaml", "name: small", "nam\u200be: small @anna")
    done = repository.run("plan", event=repository.pull(base))
    assert done.exit_code == 64
    repository.run("plan", event=repository.pull(base))
    [one] = repository.forge.comments
    assert "### ngp cannot plan this change" in one["body"]
    assert repository.head in one["body"]
    assert "ngp.yaml" in one["body"]
    assert not [line for line in one["body"].splitlines() if "@anna" in line and "`" not in line]
    assert repository.forge.status("ngp/plan") == "failure"
    repository.git("checkout", "--quiet", base, "--", "ngp.yaml")
    repository.commit(TFVARS.format("dev"), "10.0.0.0", "10.1.0.0")
    assert repository.run("plan", event=repository.pull(base)).exit_code == 0
    assert ["environment=dev" in one["body"] for one in repository.forge.comments] == [True]


def test_an_output_that_a_unit_takes_and_that_is_renamed_is_told(repository):
    base = repository.head
    repository.commit(BASE_OUTPUTS, '"vpc_id"', '"network_id"')
    done = repository.run("plan", event=repository.pull(base))
    assert done.exit_code == 64
    [one] = repository.forge.comments
    assert "the module `base` has no output `vpc_id`" in one["body"]
    assert "dev: app.vpc_id is wired to base.vpc_id, but " in one["body"]
    assert "prod: app.vpc_id is wired to base.vpc_id, but " in one["body"]
    assert "network_id" in done.stderr


@pytest.mark.parametrize("line", [("dev",), ("dev", "--everything")])
def test_an_output_that_no_longer_fits_its_input_is_told(repository, line):
    base = repository.head
    repository.commit(BASE_OUTPUTS, "= terraform_data.vpc.id", '= ["a", "b"]')
    done = repository.run("plan", *line, "--json", event=repository.pull(base, is_fork=False))
    assert done.exit_code == 1
    [finding] = done.document["environments"][0]["findings"]
    assert finding["what"].startswith("dev: app.vpc_id is wired to base.vpc_id, but ")
    [one] = repository.forge.comments
    assert "Not planned: `the checks found problems`" in one["body"]
    assert "app.vpc_id is wired to base.vpc_id" in one["body"]
    assert repository.forge.status("ngp/plan/dev") == "failure"


def test_a_pull_request_that_is_not_checked_out_is_not_called_good(repository, change):
    head = repository.head
    repository.git("checkout", "--quiet", change["pull_request"]["base"]["sha"])  # as pull_request_target does
    done = repository.run("plan", event=change)
    assert done.exit_code == 64
    assert f"the newest is {head[:12]}, but {repository.head[:12]} is checked out" in done.stderr
    assert repository.forge.status("ngp/plan") == "failure"


def test_a_link_of_a_fork_that_leads_out_of_the_repository_is_not_followed(repository, tmp_path):
    (tmp_path / "outside.tfvars").write_text("token = ghs_0123456789\n")
    base, values = repository.head, repository.path / TFVARS.format("dev")
    values.unlink()
    values.symlink_to(tmp_path / "outside.tfvars")
    repository.commit()
    done = repository.run("plan", event=repository.pull(base))
    assert done.exit_code == 64
    assert "this link points outside the repository\n  where: environments/dev/terraform.tfvars" in done.stderr
    [one] = repository.forge.comments
    assert "ghs_" not in done.stderr + one["body"]


def test_no_name_of_a_file_is_a_command_of_the_log(repository):
    base = repository.head
    (repository.path / "a\n::stop-commands::x\n##[add-mask]dev\n.terraform.lock.hcl").write_text("")
    repository.commit()
    done = repository.run("plan", event=repository.pull(base))
    assert done.exit_code == 0
    token, ours = "", []
    for line in done.stderr.splitlines():  # as GitHub's runner reads them
        if token:
            token = "" if line == f"::{token}::" else token
        elif line.startswith("::stop-commands::"):
            token = line.removeprefix("::stop-commands::")
        elif line.startswith("::") or "##[" in line:
            ours.append(line.split("::")[1].partition(" ")[0])
    assert token == ""
    assert len(done.stderr.split("::stop-commands::x")) > 1
    assert set(ours) == {"warning"}


@pytest.fixture
def jenkins(repository, tmp_path):
    """Pull request 12 of Jenkins goes into the branch `release`, which has changed dev since main, and changes prod."""
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "remote.git"], check=True)
    repository.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    repository.git("branch", "--move", "main")
    repository.git("checkout", "--quiet", "-b", "release")
    repository.commit(TFVARS.format("dev"), "10.0.0.0", "10.1.0.0")
    repository.git("push", "--quiet", "origin", "main", "release")
    repository.git("checkout", "--quiet", "-b", "topic")
    values = repository.path / TFVARS.format("prod")
    values.write_text(values.read_text().replace("10.0.0.0", "10.2.0.0"))
    repository.git("commit", "--quiet", "--all", "--message", "Not rendered, so nothing is planned")
    repository.git("update-ref", "-d", "refs/remotes/origin/release")  # Jenkins may fetch the pull request alone

    def run(**more):
        variables = {"JENKINS_URL": "https://ci", "CHANGE_ID": "12", "GIT_COMMIT": repository.head, **more}
        done = Ngp(repository.path).call(
            "ci", "plan", "--json", env={"GITHUB_ACTIONS": "", "GITLAB_CI": "", **variables}
        )
        return [one["environment"] for one in done.document.get("environments", ())] or done.exit_code

    return run


def test_a_change_of_jenkins_is_compared_with_the_branch_that_it_goes_into(jenkins):
    assert jenkins(CHANGE_TARGET="release", CHANGE_FORK="mallory") == 69  # nothing is fetched for it
    assert jenkins(CHANGE_TARGET="main") == ["dev", "prod"]
    assert jenkins(CHANGE_TARGET="release") == ["prod"]
    assert jenkins(CHANGE_TARGET="release", CHANGE_FORK="mallory") == ["prod"]


def test_an_order_is_compared_with_the_base_of_its_pull_request(repository):
    """Its event names no base, and a branch may go into another one than the default branch."""
    first = repository.head
    base = repository.commit(TFVARS.format("dev"), "10.0.0.0", "10.1.0.0")
    values = repository.path / TFVARS.format("prod")
    values.write_text(values.read_text().replace("10.0.0.0", "10.2.0.0"))
    repository.git("commit", "--quiet", "--all", "--message", "Not rendered, so nothing is planned")
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.git("branch", "--force", "main", first)
    repository.pull(base)
    repository.forge.writers = {"anna"}
    event = order(f"/ngp plan {repository.head}", "anna")
    done = repository.run("plan", "--json", event=event, name="issue_comment")
    assert [one["environment"] for one in done.document["environments"]] == ["prod"]
    assert done.document["tier"] == "member"


@pytest.fixture
def advanced(repository, tmp_path):
    """Pull request 12, whose branch left main before main got a policy and a change of dev, merged for its checkout."""
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "remote.git"], check=True)
    repository.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    repository.git("branch", "--move", "main")
    base = repository.head
    (repository.path / "policies").mkdir()
    (repository.path / "policies/new.rego").write_text("package ngp.new\n")
    repository.commit(TFVARS.format("dev"), "10.0.0.0", "10.1.0.0")
    repository.git("push", "--quiet", "origin", "main")
    repository.git("checkout", "--quiet", "-b", "topic", base)
    values = repository.path / TFVARS.format("prod")
    values.write_text(values.read_text().replace("10.0.0.0", "10.2.0.0"))
    repository.git("commit", "--quiet", "--all", "--message", "Not rendered, so nothing is planned")
    event = repository.pull(base, is_fork=False)
    event["pull_request"]["base"]["ref"] = "main"
    repository.git("merge", "--quiet", "--no-edit", "main")
    return event, repository.git("rev-parse", "main")


def test_a_change_is_compared_with_the_newest_commit_of_its_target(repository, advanced, monkeypatch):
    """GitHub's event names the commit that the branch left, and checks out the merge with a newer one."""
    seen, examine = [], changes.examine
    monkeypatch.setattr(changes, "examine", lambda *words, **more: seen.append(examine(*words, **more)) or seen[-1])
    event, newest = advanced
    done = repository.run("plan", "--json", event=event)
    assert [one["environment"] for one in done.document["environments"]] == ["prod"]
    assert (seen[0].rules, seen[0].affected.commit) == (newest, newest)
    repository.git("checkout", "--quiet", event["pull_request"]["head"]["sha"])
    done = Ngp(repository.path).call("ci", "matrix", "--since", "origin/main", "--json")
    assert [one["environments"] for one in done.document["jobs"]] == [["prod"]]
    gitlab = {"GITHUB_ACTIONS": "", "GITLAB_CI": "true", "CI_COMMIT_SHA": repository.head, "CI_MERGE_REQUEST_IID": "12"}
    gitlab |= {"CI_MERGE_REQUEST_DIFF_BASE_SHA": event["pull_request"]["base"]["sha"]}
    gitlab |= {f"CI_MERGE_REQUEST_{name}": "1" for name in ("PROJECT_ID", "SOURCE_PROJECT_ID")}
    Ngp(repository.path).call("ci", "plan", env={**gitlab, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"})
    assert seen[1].rules == newest
    assert seen[1].affected.commit == event["pull_request"]["base"]["sha"]


def test_a_change_cannot_choose_its_own_rules_by_a_plan_of_everything(repository, advanced, monkeypatch):
    """`--everything` widens the choice of units; flags, policies and reasons are those of the comparison."""
    event, newest = advanced
    (repository.path / "templates/root").mkdir(parents=True, exist_ok=True)
    (repository.path / "templates/root/main.tf.j2").write_text("# nothing\n")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "A template")
    event["pull_request"]["head"]["sha"] = repository.head
    repository.forge.pulls[12]["head"] = repository.head
    seen, examine = [], changes.examine
    monkeypatch.setattr(changes, "examine", lambda *words, **more: seen.append(examine(*words, **more)) or seen[-1])
    monkeypatch.setattr(changes, "check", lambda *_: [Finding("nothing is planned here")])
    done = repository.run("plan", "--everything", "--json", event=event)
    assert [one["environment"] for one in done.document["environments"]] == ["dev", "prod"]
    assert done.document["flags"][0]["file"] == "templates/root/main.tf.j2"
    assert (seen[0].rules, seen[0].affected.commit, seen[0].narrowed) == (newest, newest, None)
    done = repository.run("plan", "--everything", "--json", event=event, name="schedule")
    assert [one["environment"] for one in done.document["environments"]] == ["dev", "prod"]
    assert (done.document["flags"], seen[1].affected) == ([], None)
