"""A unit that was removed with its state still there is named by every command, with the way to destroy it."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from tests.git import git
from tests.integration.state.written import state_of

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
YAML = "environments/dev/environment.yaml"


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
    assert trial.ngp.call("apply", "dev", "--auto-approve").exit_code == 0
    assert trial.ngp.call("orphans", "dev", "--json").document["orphans"] == []
    remove(trial)
    gone = commit(trial.path, "Take app out")
    (trial.path / YAML).write_text((trial.path / YAML).read_text() + "# a later edit\n")
    commit(trial.path, "Say more")

    for argv in (["plan", "dev"], ["plan", "dev", "base"], ["status", "dev"], ["apply", "dev", "--auto-approve"]):
        done = trial.ngp.call(*argv)
        assert done.exit_code == 0, done.stderr
        assert re.search(rf"app: \d+ resources?, removed by {gone} \(\d{{4}}-\d\d-\d\d, Take app out\)", done.stdout)
        assert f"git switch --detach {gone}~1 && ngp destroy dev app; then git switch -" in done.stdout
        assert "matches its files" not in done.stdout
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

    assert "app (without a unit" in trial.ngp.call("state", "list", "dev").stdout
    assert "module.app." in trial.ngp.call("state", "show", "dev", "app").stdout

    checkout, destroy, back = re.fullmatch(r"(git .*) && (ngp .*); then (git .*)", orphan["hint"]).groups()
    git(trial.path, *checkout.split()[1:])
    done = trial.ngp.call(*destroy.split()[1:], "--auto-approve")
    assert done.exit_code == 0, done.stdout + done.stderr
    git(trial.path, *back.split()[1:])
    assert "matches its files" in trial.ngp.call("plan", "dev").stdout
    assert trial.ngp.call("orphans", "dev", "--json").document["orphans"] == []


def test_a_destroy_names_what_it_leaves(trial):
    trial.render()
    commit(trial.path, "Render")
    assert trial.ngp.call("apply", "dev", "--auto-approve").exit_code == 0
    remove(trial)
    done = trial.ngp.call("destroy", "dev", "--auto-approve")
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
    assert "no commit in this clone removed it" in gone["hint"]
    assert (broken["unit"], broken["resources"]) == ("broken", 0)
    assert "not a Terraform state" in broken["problem"]


def test_a_removal_that_is_not_committed_says_so(trial):
    trial.render()
    commit(trial.path, "Render")
    assert trial.ngp.call("apply", "dev", "--auto-approve").exit_code == 0
    remove(trial)
    (orphan,) = trial.ngp.call("orphans", "dev", "--json").document["orphans"]
    assert orphan["commit"] == ""
    assert orphan["hint"].startswith("its removal is not committed: put it back into ")
    assert orphan["hint"].endswith("then ngp render dev && ngp destroy dev app")


def test_states_of_units_are_orphans_of_one_state_for_all(trial):
    trial.render()
    commit(trial.path, "Render")
    assert trial.ngp.call("apply", "dev", "--auto-approve").exit_code == 0
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
    assert asked.call_count == 2  # nothing is there yet: the second looks for an environment that was renamed
    lent.ngp.call("state", "list", "dev")
    lent.session.put_object(lent.bucket, "environments/dev/base.tfstate", state_of("base"))
    asked.reset_mock()
    assert lent.ngp.call("plan", "dev").exit_code == 0
    assert asked.call_count == 1


def rename(trial, subject="Rename dev"):
    """Rename the environment `dev`, as an operator does; return the commit."""
    git(trial.path, "mv", "environments/dev", "environments/trial")
    shutil.rmtree(trial.path / "environments/dev", ignore_errors=True)
    trial.render()
    return commit(trial.path, subject)


def test_a_renamed_environment_is_named_with_the_commit_and_the_ways_out(trial):
    trial.render()
    commit(trial.path, "Render")
    assert trial.ngp.call("apply", "dev", "--auto-approve").exit_code == 0
    assert "left states behind" not in trial.ngp.call("env", "list").stderr
    gone = rename(trial)
    told = rf"dev: \d resources in 2 states, removed by {gone} \(\d{{4}}-\d\d-\d\d, Rename dev\)  .*/state/dev/"
    destroy = f"git switch --detach {gone}~1 && ngp destroy dev; then git switch -"
    for argv in (["orphans"], ["env", "list"], ["status", "trial"], ["plan", "trial"]):
        done = trial.ngp.call(*argv)
        assert done.exit_code == 0, done.stderr
        said = done.stdout + done.stderr
        assert "1 environment has left states behind:" in said
        assert re.search(told, said), said
        assert f"to destroy it: {destroy}\n" in said
        assert f"to keep it: git checkout {gone}~1 -- environments/dev\n" in said
    assert trial.ngp.call("orphans", "trial", "--json").document["orphans"] == []
    (orphan,) = trial.ngp.call("orphans", "--json").document["orphans"]
    assert (orphan["unit"], orphan["environment"], orphan["states"]) == ("", "dev", 2)

    checkout, run, back = re.fullmatch(r"(git .*) && (ngp .*); then (git .*)", destroy).groups()
    git(trial.path, *checkout.split()[1:])
    assert trial.ngp.call(*run.split()[1:], "--auto-approve").exit_code == 0
    git(trial.path, *back.split()[1:])
    assert "every state of the platform belongs to a unit" in trial.ngp.call("orphans").stderr
    assert trial.ngp.call("env", "list", "--json").document["orphans"] == []


def test_an_environment_without_a_commit_of_its_removal_can_be_put_back(trial):
    trial.render()
    commit(trial.path, "Render")
    assert trial.ngp.call("apply", "dev", "--auto-approve").exit_code == 0
    shutil.rmtree(trial.path / "environments/dev")
    (orphan,) = trial.ngp.call("orphans", "--json").document["orphans"]
    assert orphan["hint"].startswith("its removal is not committed: git checkout HEAD -- environments/dev")
    git(trial.path, *orphan["keep"].split()[1:])
    assert trial.ngp.call("orphans", "--json").document["orphans"] == []
    (trial.path / ".ngp/state/never").mkdir()
    (trial.path / ".ngp/state/never/base.tfstate").write_bytes(state_of("base"))
    (orphan,) = trial.ngp.call("orphans", "--json").document["orphans"]
    assert "no commit in this clone removed it: restore environments/never" in orphan["hint"]
    assert "left states behind" in trial.ngp.call("status", env={"NGP_ENV": "dev"}).stdout
    assert "left states behind" not in trial.ngp.call("status", "dev").stdout  # it has states: it was not renamed


def test_a_list_of_environments_asks_no_account_and_names_those_that_were_in_one(trial):
    trial.edit("ngp.yaml", "state: local\n", "")
    trial.edit("environments/prod/environment.yaml", "target: sandbox", "target: aws")
    commit(trial.path, "Move prod to AWS")
    assert "removed before" not in trial.ngp.call("env", "list").stderr
    shutil.rmtree(trial.path / "environments/prod")
    commit(trial.path, "Drop prod")
    done = trial.ngp.call("env", "list")
    assert (done.exit_code, "removed before: prod (`ngp orphans` shows" in done.stderr) == (0, True)
    assert trial.ngp.call("env", "list", "--json").document["removed"] == ["prod"]


def test_the_states_of_a_removed_environment_are_found_in_s3(lent):
    lent.render()
    commit(lent.path, "Render")
    lent.ngp.call("state", "list", "dev")
    lent.session.put_object(lent.bucket, "environments/dev/base.tfstate", state_of("base"))
    gone = rename(lent)
    for argv in (["orphans"], ["env", "list"]):
        (orphan,) = lent.ngp.call(*argv, "--json").document["orphans"]
        assert (orphan["environment"], orphan["commit"]) == ("dev", gone)
        assert orphan["place"] == f"s3://{lent.bucket}/environments/dev/"
    shutil.rmtree(lent.path / "environments")  # no environment at all, so its account is known from Git alone
    (orphan,) = lent.ngp.call("orphans", "--json").document["orphans"]
    assert orphan["commit"] == gone


def test_the_states_of_an_environment_that_moved_to_another_region_are_found(lent):
    lent.render()
    lent.ngp.call("state", "list", "dev")
    lent.session.put_object(lent.bucket, "environments/dev/base.tfstate", state_of("base"))
    lent.edit(YAML, "region: eu-central-1", "region: eu-west-1")
    lent.render()
    (orphan,) = lent.ngp.call("orphans", "--json").document["orphans"]
    assert (orphan["environment"], orphan["unit"]) == ("dev", "")
    assert "dev now stores its states elsewhere" in orphan["hint"]


def test_a_real_account_that_cannot_be_reached_is_named_and_the_rest_is_looked_at(trial):
    trial.edit("ngp.yaml", "state: local\n", "")
    trial.edit("environments/prod/environment.yaml", "target: sandbox", "target: aws")
    trial.render()
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_ACCESS_KEY_ID": "", "HOME": str(trial.path)}
    done = trial.ngp.call("orphans", "--json", env=nowhere)
    assert done.exit_code == 69, done.stderr
    assert list(done.document["unreached"]) == ["prod"]


@pytest.mark.parametrize("kind", ["trial", "lent"])
def test_a_renamed_unit_is_moved_by_the_commands_that_are_shown(kind, request):
    trial = request.getfixturevalue(kind)
    trial.render()
    commit(trial.path, "Render")
    assert trial.ngp.call("apply", "dev", "--auto-approve").exit_code == 0
    (trial.path / YAML).write_text(
        (trial.path / YAML)
        .read_text()
        .replace("app:", "shop:", 1)
        .replace("shop: {}", "shop: {module: app}")
        .replace("  app: {vpc_id", "  shop: {vpc_id")
    )
    trial.render()
    (orphan,) = trial.ngp.call("orphans", "dev", "--json").document["orphans"]
    assert (orphan["unit"], orphan["heir"]) == ("app", "shop")
    assert "to move it to the new unit shop with the same module" in trial.ngp.call("status", "dev").stdout
    script = "\n".join(["set -e", *orphan["move"]]).replace("ngp sandbox env", f"{sys.executable} -m ngp sandbox env")
    done = subprocess.run(["bash", "-c", script], cwd=trial.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert trial.ngp.call("orphans", "dev", "--json").document["orphans"] == []
    assert "matches its files" in trial.ngp.call("plan", "dev").stdout
    assert not list((trial.path / "environments/dev/units/shop").glob("*tfstate*"))


def test_a_new_unit_of_another_module_is_no_heir(trial):
    trial.render()
    commit(trial.path, "Render")
    assert trial.ngp.call("apply", "dev", "--auto-approve").exit_code == 0
    text = (trial.path / YAML).read_text().replace("  app: {}\n", "  other: {module: base}\n").split("wiring:")[0]
    (trial.path / YAML).write_text(text)
    (trial.path / "environments/dev/terraform.tfvars").write_text(
        'base = {\n  cidr = "10.0.0.0/16"\n}\nother = {\n  cidr = "10.1.0.0/16"\n}\n'
    )
    trial.render()
    (orphan,) = trial.ngp.call("orphans", "dev", "--json").document["orphans"]
    assert (orphan["heir"], orphan["move"]) == ("", [])
