"""A unit that was removed with its state still there is named by every command, with the way to destroy it."""

import json
import re
import subprocess

import pytest

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
YAML = "environments/dev/environment.yaml"


def git(platform, *argv):
    done = subprocess.run(["git", *argv], cwd=platform, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(platform, message):
    git(platform, "add", ".")
    git(platform, "commit", "--quiet", "--message", message)
    return git(platform, "rev-parse", "HEAD")[:10]


def remove(trial):
    """Take `app` out of the environment, as an operator does."""
    path = trial.path / YAML
    path.write_text(path.read_text().replace("  app: {}\n", "").split("wiring:")[0])
    trial.render()


def test_every_command_names_it_with_the_commit_and_the_way_to_destroy_it(trial):
    trial.render()
    commit(trial.path, "Render")
    assert trial.ngp.run("apply", "dev", "--auto-approve").exit_code == 0
    assert trial.ngp.call("orphans", "dev", "--json").document["orphans"] == []
    remove(trial)
    gone = commit(trial.path, "Take app out")
    (trial.path / YAML).write_text((trial.path / YAML).read_text() + "# a later edit\n")
    commit(trial.path, "Say more")

    for argv in (["plan", "dev"], ["plan", "dev", "base"], ["status", "dev"], ["apply", "dev", "--auto-approve"]):
        done = trial.ngp.run(*argv)
        assert done.exit_code == 0, done.stderr
        assert re.search(rf"app: \d+ resources?, removed by {gone} \(\d{{4}}-\d\d-\d\d, Take app out\)", done.stdout)
        assert f"git switch --detach {gone}~1 && ngp destroy dev app; then git switch -" in done.stdout
        assert "is as its files say" not in done.stdout
    drawn = trial.ngp.call("graph", "dev", "--format", "dot")
    assert f"removed by {gone}" in drawn.stderr
    assert "app" not in drawn.stdout
    documents = [
        trial.ngp.call(*argv, "--json").document
        for argv in (["plan", "dev"], ["status", "dev"], ["graph", "dev"], ["orphans", "dev"])
    ]
    (orphan,) = documents[0]["orphans"]
    assert all(each["orphans"] == [orphan] for each in documents)
    assert (orphan["unit"], orphan["commit"], orphan["subject"]) == ("app", gone, "Take app out")
    assert orphan["place"] == str(trial.path / ".ngp/state/dev/app.tfstate")

    assert "app (of no unit" in trial.ngp.call("state", "list", "dev").stdout
    assert "module.app." in trial.ngp.call("state", "show", "dev", "app").stdout

    checkout, destroy, back = re.fullmatch(r"(git .*) && (ngp .*); then (git .*)", orphan["todo"]).groups()
    git(trial.path, *checkout.split()[1:])
    done = trial.ngp.run(*destroy.split()[1:], "--auto-approve")
    assert done.exit_code == 0, done.stdout + done.stderr
    git(trial.path, *back.split()[1:])
    assert "is as its files say" in trial.ngp.run("plan", "dev").stdout
    assert trial.ngp.call("orphans", "dev", "--json").document["orphans"] == []


def test_a_destroy_names_what_it_leaves(trial):
    trial.render()
    commit(trial.path, "Render")
    assert trial.ngp.run("apply", "dev", "--auto-approve").exit_code == 0
    remove(trial)
    done = trial.ngp.run("destroy", "dev", "--auto-approve")
    assert done.exit_code == 0, done.stderr
    for text in (done.stderr, done.stdout):  # in what the question shows, and at the end
        assert "1 state belongs to no unit of dev, and this destroy leaves it" in text
        assert "app: 1 resource" in text
    assert (trial.path / ".ngp/state/dev/app.tfstate").is_file()


def test_states_in_s3_are_listed_by_prefix(lent):
    lent.render()
    state = {"version": 4, "serial": 1, "lineage": "a", "outputs": {}}
    one = {"mode": "managed", "type": "terraform_data", "name": "x", "module": "module.gone", "instances": [{}]}
    own = {**one, "module": "module.base"}
    lent.ngp.call("state", "list", "dev")
    put = lent.session.put_object
    for name, resources in (("gone", [one]), ("empty", []), ("base", [own])):
        put(lent.bucket, f"environments/dev/{name}.tfstate", json.dumps({**state, "resources": resources}).encode())
    put(lent.bucket, "environments/dev/broken.tfstate", b"\xff")
    put(lent.bucket, "environments/dev/lost.tfstate.tflock", b"{}")
    put(lent.bucket, "environments/dev/sub/deep.tfstate", b"{}")
    put(lent.bucket, "environments/prod/other.tfstate", json.dumps({**state, "resources": [one]}).encode())
    broken, gone = lent.ngp.call("orphans", "dev", "--json").document["orphans"]
    assert (gone["unit"], gone["resources"], gone["place"]) == (
        "gone",
        1,
        f"s3://{lent.bucket}/environments/dev/gone.tfstate",
    )
    assert "no commit that is here removed it" in gone["todo"]
    assert (broken["unit"], broken["resources"]) == ("broken", 0)
    assert "not a Terraform state" in broken["problem"]


def test_a_removal_that_is_not_committed_says_so(trial):
    trial.render()
    commit(trial.path, "Render")
    assert trial.ngp.run("apply", "dev", "--auto-approve").exit_code == 0
    remove(trial)
    (orphan,) = trial.ngp.call("orphans", "dev", "--json").document["orphans"]
    assert orphan["commit"] == ""
    assert orphan["todo"].startswith("its removal is not committed: put it back into ")
    assert orphan["todo"].endswith("then ngp render dev && ngp destroy dev app")


def test_states_of_units_are_orphans_of_one_state_for_all(trial):
    trial.render()
    commit(trial.path, "Render")
    assert trial.ngp.run("apply", "dev", "--auto-approve").exit_code == 0
    (trial.path / YAML).write_text((trial.path / YAML).read_text() + "state: single\n")
    trial.render()
    gone = commit(trial.path, "One state")
    found = trial.ngp.call("orphans", "dev", "--json").document["orphans"]
    assert [(one["unit"], one["commit"]) for one in found] == [("app", gone), ("base", gone)]


def test_plan_asks_for_one_listing_however_many_units(lent, mocker):
    from ngp.aws.session import Session

    lent.render()
    asked = mocker.spy(Session, "keys")
    assert lent.ngp.call("plan", "dev").exit_code == 0
    assert asked.call_count == 1
