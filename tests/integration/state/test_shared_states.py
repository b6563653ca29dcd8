"""One state at the places of two environments is refused before a run changes what the other one owns."""

import shutil

import pytest

from tests.integration.state.written import state_of

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]


@pytest.fixture
def copied(trial):
    """`dev` is applied, and `stage` has its states: somebody copied both folders."""
    shutil.rmtree(trial.path / "environments/prod")
    trial.edit("ngp.yaml", "protected: [prod]\n", "")
    trial.render()
    assert trial.ngp.call("apply", "dev", "--auto-approve").exit_code == 0
    shutil.copytree(trial.path / "environments/dev", trial.path / "environments/stage")
    shutil.copytree(trial.path / ".ngp/state/dev", trial.path / ".ngp/state/stage")
    trial.render()
    return trial


@pytest.mark.parametrize(
    "argv",
    [
        ["plan", "stage"],
        ["plan", "stage", "--apart"],
        ["apply", "stage", "--auto-approve"],
        ["destroy", "stage", "--auto-approve"],
        ["destroy", "dev", "--auto-approve"],
    ],
)
def test_no_run_touches_a_state_of_two_environments(copied, argv):
    before = copied.tree()
    done = copied.ngp.call(*argv)
    assert done.exit_code == 3, done.stdout + done.stderr
    said = done.stdout + done.stderr
    assert f"the state of `base` is the state of `{'dev' if 'stage' in argv else 'stage'}`, too: " in said
    assert "find out which one is the copy, and delete it: mv " in said
    assert copied.tree() == before


def test_those_that_only_look_name_it(copied):
    status = copied.ngp.call("status", "stage", "--json").document["units"]
    assert {one["unit"]: one["status"] for one in status} == {"base": "misplaced", "app": "misplaced"}
    assert (
        "misplaced: the state of `base` is the state of `dev`, too" in copied.ngp.call("state", "list", "stage").stdout
    )
    shared = copied.ngp.call("orphans", "--json").document["shared"]
    assert [one["file"] for one in shared] == [".ngp/state/dev/base.tfstate", ".ngp/state/dev/app.tfstate"]
    for name in ("base", "app"):
        place = copied.path / f".ngp/state/stage/{name}.tfstate"
        place.rename(f"{place}.copy")
    assert copied.ngp.call("orphans", "--json").document["shared"] == []
    assert "matches its files" in copied.ngp.call("plan", "dev").stdout


@pytest.fixture
def two(lent):
    """`two(lineage, tag)`: a state of `prod` in S3, beside that of `dev` with the lineage `a`, tagged for `dev`."""
    lent.edit("ngp.yaml", "protected: [prod]\n", "")
    lent.render()
    lent.ngp.call("state", "list", "dev")

    def put(lineage, tag):
        lent.session.put_object(lent.bucket, "environments/dev/base.tfstate", state_of("base", tag="dev"))
        lent.session.put_object(lent.bucket, "environments/prod/base.tfstate", state_of("base", lineage, tag))
        return lent

    return put


def test_the_tags_of_a_state_in_s3_say_which_one_is_the_copy(two):
    lent = two("a", "dev")
    done = lent.ngp.call("plan", "prod", "base")
    assert done.exit_code == 3
    assert "are tagged for `dev`, so this is the copy: aws s3 mv " in done.stdout + done.stderr
    assert lent.ngp.call("plan", "dev", "base").exit_code == 0  # the original goes on
    (shared,) = lent.ngp.call("orphans", "dev", "--json").document["shared"]
    assert (
        f"so the other one is the copy: aws s3 mv s3://{lent.bucket}/environments/prod/base.tfstate" in shared["hint"]
    )


def test_the_tags_of_a_state_on_the_disk_say_so_too(trial):
    trial.edit("ngp.yaml", "protected: [prod]\n", "")
    trial.render()
    for name in ("dev", "prod"):
        (trial.path / f".ngp/state/{name}").mkdir(parents=True)
        (trial.path / f".ngp/state/{name}/base.tfstate").write_bytes(state_of("base", tag="dev"))
    assert trial.ngp.call("plan", "dev", "base").exit_code == 0
    done = trial.ngp.call("plan", "prod", "base")
    assert (done.exit_code, "so this is the copy: mv " in done.stdout + done.stderr) == (3, True)


def test_a_destroy_compares_states_without_tags_too(two):
    lent = two("a", None)
    done = lent.ngp.call("destroy", "prod", "base", "--auto-approve")
    assert (done.exit_code, "is the state of `dev`, too" in done.stderr) == (3, True)


@pytest.mark.parametrize("tag", ["dev", "prod", None])
def test_states_of_their_own_lineage_are_two_states(two, tag):
    lent = two("b", tag)
    assert lent.ngp.call("plan", "prod", "base").exit_code == 0
    assert lent.ngp.call("orphans", "--json").document["shared"] == []
