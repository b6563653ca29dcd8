"""The life of a change of a protected environment: planned, approved by two, merged by squash, applied elsewhere."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from ngp.runs.bundle import archive, statement
from tests.harness import Ngp, lay_platform, lend_sandbox, stop_sandbox

pytestmark = pytest.mark.terraform
PEOPLE = ("anna", "ben", "mia")
NONE, ONE = "it needs 2 approvals, but it has none", "it needs 2 approvals, but it has 1 (anna@example.com)"


def git(folder, *words, author="mia"):
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _of(author).items()}
    done = subprocess.run(["git", *words], cwd=folder, env=os.environ | who, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _of(name):
    return {"NAME": name, "EMAIL": f"{name}@example.com"}


@dataclass(frozen=True)
class Team:
    """A remote, and a clone for each person."""

    folder: Path
    sandbox: object

    def key(self, name):
        path = self.folder / "keys" / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path], check=True)
        return path

    def clone(self, name):
        path = self.folder / name
        git(self.folder, "clone", "--quiet", "remote.git", name)
        git(path, "config", "user.email", f"{name}@example.com")
        git(path, "config", "gpg.format", "ssh")
        git(path, "config", "user.signingkey", str(self.key(name)))
        return Ngp(lend_sandbox(self.sandbox, path))

    def write_rules(self, more="", people=("anna", "ben"), count=2):
        public = {name: self.key(name).with_suffix(".pub").read_text().strip() for name in PEOPLE}
        signers = "".join(f'  {name}@example.com: ["{key}"]\n' for name, key in public.items())
        by = ", ".join(f"{name}@example.com" for name in people)
        rules = f"approvals:\n  prod: {{by: [{by}], count: {count}{more}}}\n"
        return f"name: small\nstate: local\nprotected: [prod]\nsigners:\n{signers}{rules}"


def push_rules(team, **how):
    """Somebody merges other rules into the default branch."""
    path = team.folder / "rules"
    if not path.exists():
        git(team.folder, "clone", "--quiet", "remote.git", "rules")
    git(path, "pull", "--quiet")
    (path / "ngp.yaml").write_text(team.write_rules(**how))
    git(path, "commit", "--quiet", "--all", "--allow-empty", "--message", "Rules", author="anna")
    git(path, "push", "--quiet", "origin", "HEAD:main")


@pytest.fixture
def team(tmp_path, monkeypatch, sandbox):
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    made = Team(tmp_path, sandbox)
    lay_platform(tmp_path / "first")
    (tmp_path / "first" / "ngp.yaml").write_text(made.write_rules())
    assert Ngp(tmp_path / "first").run("render").exit_code == 0
    git(tmp_path / "first", "add", "--all")
    git(tmp_path / "first", "commit", "--quiet", "--message", "A platform", author="anna")
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    git(tmp_path / "first", "push", "--quiet", str(tmp_path / "remote.git"), "HEAD:main")
    yield made
    for path in tmp_path.iterdir():
        if (path / ".ngp").is_dir():
            stop_sandbox(path)


@pytest.fixture
def change(team):
    """Mia changes a value on a branch, and plans it into a bundle."""
    mia = team.clone("mia")
    git(mia.cwd, "switch", "--quiet", "--create", "more")
    values = mia.cwd / "environments/prod/terraform.tfvars"
    values.write_text(values.read_text().replace("10.", "10.1", 1))
    assert mia.call("render", "prod").exit_code == 0
    git(mia.cwd, "commit", "--quiet", "--all", "--message", "Change a value")
    path = team.folder / "change.bundle"
    done = mia.call("plan", "prod", "--out", str(path))
    assert done.exit_code == 0, done.stderr
    return path


def approve(team, path, *names):
    for name in names:
        ngp = Ngp(team.folder / name) if (team.folder / name).exists() else team.clone(name)
        done = ngp.call("bundle", "approve", str(path), "--auto-approve")
        assert done.exit_code == 0, done.stderr


def refused(ngp, path, *says):
    done = ngp.call("apply", str(path), "--json")
    assert done.exit_code == 4, done.stdout + done.stderr
    whole = [f"{one['what']} | {one['why']}" for one in done.document["error"]["findings"]]
    for text in says:
        assert any(text in finding for finding in whole), whole
    assert not list((ngp.cwd / ".ngp" / "state").glob("**/*.tfstate"))


def test_plan_approve_merge_apply_and_never_again(team, change):
    stated = statement.load(archive.read(change).statement, "")
    assert (stated.maker, stated.commit.authors) == ("mia@example.com", ("mia@example.com",))
    assert len(archive.read(change).approvals) == 1  # of the maker
    mia = Ngp(team.folder / "mia")
    assert mia.call("apply", "prod", "--auto-approve").exit_code == 3
    refused(mia, change, NONE)

    approve(team, change, "anna")
    refused(mia, change, ONE)
    approve(team, change, "ben")

    squashed = team.folder / "squash"
    git(team.folder, "clone", "--quiet", "remote.git", "squash")
    git(squashed, "fetch", "--quiet", str(mia.cwd), "more")
    git(squashed, "merge", "--quiet", "--squash", "FETCH_HEAD")
    git(squashed, "commit", "--quiet", "--message", "Change a value (squashed)", author="anna")
    git(squashed, "push", "--quiet", "origin", "HEAD:main")

    machine = team.clone("machine")
    assert git(machine.cwd, "rev-parse", "HEAD") != stated.commit.id
    (machine.cwd / "fetched.bundle").write_bytes(change.read_bytes())
    done = machine.call("apply", "fetched.bundle", "--json")
    assert done.exit_code == 0, done.stdout + done.stderr
    authority = done.document["authority"]
    assert sorted(authority["by"]) == ["anna@example.com", "ben@example.com"]
    assert authority["rules_commit"] == git(machine.cwd, "rev-parse", "origin/main")
    assert (authority["bundle"], authority["maker"]) == (archive.read(change).digest, "mia@example.com")
    assert machine.call("plan", "prod", "--detailed-exitcode").exit_code == 0
    (journal,) = machine.cwd.glob(".ngp/runs/*-apply-*/journal.jsonl")
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [one["authority"] for one in lines if one["kind"] == "change_authorised"] == [authority]
    again = machine.call("apply", "fetched.bundle")
    assert again.exit_code == 4
    assert "applied already" in again.stderr


def test_a_change_cannot_rewrite_its_own_rules(team, change):
    """Mia's branch says that one approval, her own, is enough. The default branch says otherwise."""
    mia = Ngp(team.folder / "mia")
    (mia.cwd / "ngp.yaml").write_text(team.write_rules(", maker: true, authors: true", people=("mia",), count=1))
    refused(mia, change, NONE)
    (mia.cwd / "ngp.yaml").write_text("name: small\nstate: local\n")
    refused(mia, change, NONE)
    assert mia.call("apply", "prod", "--auto-approve").exit_code == 3


def test_a_key_that_was_removed_from_the_rules_approves_nothing(team, change):
    approve(team, change, "anna", "ben")
    push_rules(team, people=("anna", "mia"))
    refused(Ngp(team.folder / "mia"), change, ONE, "does not allow this person to approve")


def test_the_maker_may_approve_where_the_rules_say_so(team, change):
    push_rules(team, people=("anna", "mia"), more=", maker: true, authors: true")
    approve(team, change, "anna")
    done = Ngp(team.folder / "mia").call("apply", str(change))
    assert done.exit_code == 0, done.stderr


def test_approvals_do_not_carry_over_to_another_plan(team, change):
    approve(team, change, "anna", "ben")
    other = team.folder / "other.bundle"
    mia = Ngp(team.folder / "mia")
    assert mia.call("plan", "prod", "--out", str(other)).exit_code == 0
    for signature in archive.read(change).approvals:
        archive.add_approval(archive.read(other), signature)
    refused(mia, other, NONE, "the signature is not valid for this bundle")


def test_a_protected_environment_is_destroyed_by_an_approved_bundle_only(team, change):
    approve(team, change, "anna", "ben")
    mia = Ngp(team.folder / "mia")
    assert mia.call("apply", str(change)).exit_code == 0
    assert mia.call("destroy", "prod", "--auto-approve").exit_code == 3
    end = team.folder / "end.bundle"
    assert mia.call("destroy", "prod", "--out", str(end)).exit_code == 0
    assert mia.call("apply", str(end)).exit_code == 4
    approve(team, end, "anna", "ben")
    done = mia.call("apply", str(end))
    assert done.exit_code == 0, done.stderr
    states = [json.loads(path.read_text()) for path in (mia.cwd / ".ngp/state/prod").glob("*.tfstate")]
    assert [one["resources"] for one in states] == [[], []]


def test_a_replan_that_differs_needs_new_approvals(team, change):
    approve(team, change, "anna", "ben")
    mia = Ngp(team.folder / "mia")
    values = mia.cwd / "environments/prod/terraform.tfvars"
    values.write_text(values.read_text().replace("10.1", "10.2", 1))
    assert mia.call("render", "prod").exit_code == 0
    done = mia.call("apply", str(change), "--replan")
    assert done.exit_code == 4
    assert "where: environments/prod/units/base/values.auto.tfvars.json" in done.stderr


def test_one_flipped_byte_voids_every_approval(team, change):
    """Somebody mends the checksum too, so only the signatures find it."""
    approve(team, change, "anna", "ben")
    old = archive.read(change)
    text = old.statement.replace(b'"region": "eu-central-1"', b'"region": "eu-central-2"')
    assert len(text) == len(old.statement)
    content = {}
    for name, member in old.members.items():
        file = team.folder / f"member-{len(content)}"
        file.write_bytes(old.read(name))
        file.chmod(member.mode)
        content[name] = archive.Content(path=file)
    archive.write(change, text, content, old.approvals)
    refused(Ngp(team.folder / "mia"), change, NONE, "the signature is not valid for this bundle")
    shutil.rmtree(team.folder / "keys")


def test_a_replan_takes_moved_states_only_and_nothing_that_is_expired(team, change):
    """A file that was edited and never approved must not come in by a new plan that looks the same."""
    approve(team, change, "anna", "ben")
    mia = Ngp(team.folder / "mia")
    module = mia.cwd / "modules/base/base.tf"
    text = module.read_text()
    module.write_text(text + "\n# run something at apply, with the same plan\n")
    done = mia.call("apply", str(change), "--replan")
    assert done.exit_code == 4
    assert "where: modules/base/base.tf" in done.stderr
    module.write_text(text)
    done = mia.call("apply", str(change), "--replan")
    assert done.exit_code == 0, done.stderr


def test_a_killed_apply_of_a_protected_environment_is_settled_without_an_approval(team, change):
    """What it made is saved first; then the change itself is refused as ever."""
    approve(team, change, "anna", "ben")
    mia = Ngp(team.folder / "mia")
    values = mia.cwd / "modules/app/app.tf"
    assert "local-exec" in values.read_text()
    started = mia.start("apply", str(change))
    deadline = time.monotonic() + 60
    while not list(mia.cwd.glob(".ngp/runs/*-apply-*/joint.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    started.kill()
    started.wait()
    before = mia.call("plan", "prod")
    assert before.exit_code in (0, 5), before.stderr
    done = mia.call("apply", "prod", "--auto-approve")
    assert done.exit_code == 3, done.stderr
    assert "is protected" in done.stderr
    assert mia.call("plan", "prod").exit_code == 0
