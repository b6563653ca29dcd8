"""Protected environments: what changes them, and what an emergency leaves behind. Real Git, SSH keys and Terraform."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ngp import settings
from ngp.environments.environment import Target
from ngp.errors import MissingError, RefusedError, UsageError
from ngp.runs import applying, emergency, protection
from ngp.runs.authority import Authority, AuthorityKind
from ngp.runs.bundle import signatures
from ngp.runs.events import ChangeAuthorised
from ngp.runs.results import Outcome, Verb
from tests.git import git

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
YES = applying.ApplyConsent(lambda result, bucket: True, lambda result: False)


@dataclass(frozen=True)
class Guarded:
    """A region whose `dev` is protected by a remote's default branch, where anna may act in an emergency."""

    region: object
    remote: Path
    keys: Path
    ngp: object

    def key(self, name):
        path = self.keys / name
        if not path.exists():
            self.keys.mkdir(exist_ok=True)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path], check=True)
        return str(path)

    def rules(self, text):
        (self.region.path / "ngp.yaml").write_text(f"name: little\nstate: local\n{text}")
        git(self.region.path, "commit", "--quiet", "--all", "--message", "Rules")

    def push(self):
        git(self.region.path, "push", "--quiet", "origin", "HEAD:main")
        return git(self.region.path, "rev-parse", "HEAD")

    def declare(self, key, verb=Verb.APPLY, reason="the site is down"):
        return emergency.declare(self.region.resolve(), verb, reason, settings.read(), self.key(key))

    def journals(self):
        """What the journals of applies and destroys hold, by kind of line."""
        lines = [
            json.loads(line)
            for path in sorted(self.region.path.glob(".ngp/runs/*/journal.jsonl"))
            for line in path.read_text().splitlines()
        ]
        return {kind: [line for line in lines if line["kind"] == kind] for kind in {line["kind"] for line in lines}}

    @property
    def public(self):
        return Path(f"{self.key('anna')}.pub").read_text().strip()


@pytest.fixture
def guarded(region, tmp_path, ngp_in, monkeypatch):
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    made = Guarded(region, tmp_path / "remote.git", tmp_path / "keys", ngp_in(region.path))
    (region.path / ".gitignore").write_text(".ngp/\n.terraform/\n")
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", made.remote)
    git(region.path, "init", "--quiet", "--initial-branch=main")
    git(region.path, "remote", "add", "origin", made.remote)
    git(region.path, "add", ".")
    git(region.path, "commit", "--quiet", "--message", "A region")
    made.rules(
        f'protected: [dev]\nsigners: {{anna@example.com: ["{made.public}"]}}\nemergency: {{dev: [anna@example.com]}}\n'
    )
    made.push()
    return made


def refused(done, code=3):
    assert done.exit_code == code, done.stdout + done.stderr
    (finding,) = done.document["error"]["findings"]
    return finding


def test_a_protected_environment_says_how_it_is_changed(guarded):
    for verb, make in (("apply", "ngp plan dev --out FILE"), ("destroy", "ngp destroy dev --out FILE")):
        found = refused(guarded.ngp.call(verb, "dev", "--auto-approve", "--json"))
        assert found["what"] == "`dev` is protected"
        assert found["hint"].startswith(make)
        assert "ngp bundle approve FILE" in found["hint"]


@pytest.mark.parametrize("knows_the_default_branch", [True, False])
def test_a_change_that_takes_the_protection_away_does_not_apply_itself(guarded, knows_the_default_branch):
    if knows_the_default_branch:  # as a clone does, and a checkout of CI does not
        git(guarded.region.path, "fetch", "--quiet", "origin")
        git(guarded.region.path, "remote", "set-head", "origin", "main")
    guarded.rules("protected: []\n")
    for verb in ("apply", "destroy"):
        assert refused(guarded.ngp.call(verb, "dev", "--auto-approve", "--json"))["what"] == "`dev` is protected"


def test_a_checkout_whose_remote_does_not_answer_changes_nothing(guarded):
    guarded.rules("protected: []\n")
    guarded.remote.rename(guarded.remote.with_suffix(".gone"))
    for verb in ("apply", "destroy"):
        found = refused(guarded.ngp.call(verb, "dev", "--auto-approve", "--json"), code=69)
        assert found["what"] == "cannot read the approval rules from the remote `origin`"
    assert guarded.ngp.call("destroy", "dev", "--dry-run").exit_code == 0
    assert not guarded.region.state("base").exists()


def test_the_remote_is_asked_once_a_run(guarded, tmp_path, monkeypatch):
    guarded.rules("")
    guarded.push()
    real, asked = shutil.which("git"), tmp_path / "asked"
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "git"
    script.write_text(f'#!/bin/sh\ncase "$*" in *ls-remote*) echo x >> "{asked}";; esac\nexec "{real}" "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    for number, verb in enumerate(("apply", "destroy"), 1):
        assert guarded.ngp.call(verb, "dev", "--auto-approve").exit_code == 0
        assert asked.read_text() == "x\n" * number
    guarded.ngp.call("plan", "dev")
    assert asked.read_text() == "x\n" * 2


def test_the_sandbox_works_offline_in_a_clone(guarded):
    guarded.rules("")
    guarded.push()
    git(guarded.region.path, "remote", "set-head", "origin", "main")
    guarded.remote.rename(guarded.remote.with_suffix(".gone"))
    assert guarded.ngp.call("apply", "dev", "--auto-approve").exit_code == 0


def test_an_account_is_changed_by_what_the_remote_says_now(guarded):
    """Merged rules count for everybody at once, whatever a clone has fetched."""
    git(guarded.region.path, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/old")
    guarded.rules("")
    git(guarded.region.path, "update-ref", "refs/remotes/origin/old", "HEAD")
    resolved = guarded.region.resolve()
    protection.require_none(resolved, Verb.APPLY)  # the sandbox: by what was fetched
    real = replace(resolved, environment=replace(resolved.environment, target=Target.AWS))
    with pytest.raises(RefusedError, match="`dev` is protected"):
        protection.require_none(real, Verb.APPLY)


def test_an_emergency_is_signed_and_stands_in_journal_and_result(guarded):
    line = ["dev", "--auto-approve", "--json", "--emergency", "the site is down", "--key", guarded.key("anna")]
    tip = git(guarded.region.path, "rev-parse", "HEAD")
    for verb in ("apply", "destroy"):
        done = guarded.ngp.run(verb, *line)
        assert done.exit_code == 0, done.stderr
        assert "emergency: anna@example.com changes this without an approved bundle: the site is down" in done.stderr
        authority = done.document["authority"]
        assert (authority["kind"], authority["by"], authority["rules_commit"]) == (
            "emergency",
            ["anna@example.com"],
            tip,
        )
        said = json.loads(authority["text"])
        assert (said["environment"], said["verb"], said["reason"]) == ("dev", verb, "the site is down")
        assert said["units"] == ["app", "base"]
        assert said["commit"].startswith(git(guarded.region.path, "rev-parse", "--short", "HEAD"))
        assert said["at"].endswith("Z")
        kept = guarded.journals()["change_authorised"][-1]["authority"]
        assert kept == authority
        text, signature = kept["text"].encode(), kept["signature"].encode()
        assert signatures.verify(text, signature, "anna@example.com", [guarded.public], settings.read())
    assert {unit["outcome"] for unit in done.document["units"]} == {"destroyed"}


def test_what_is_signed_names_the_units_that_are_changed(guarded):
    line = ("dev", "base", "--auto-approve", "--json", "--emergency", "x", "--key", guarded.key("anna"))
    done = guarded.ngp.call("apply", *line)
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.document["authority"]["text"])["units"] == ["base"]


@pytest.mark.parametrize("more", [("--dry-run",), ("--out", "end.bundle")])
def test_a_plan_is_no_emergency(guarded, more):
    done = guarded.ngp.call("destroy", "dev", *more, "--emergency", "x", "--key", guarded.key("anna"), "--json")
    assert refused(done, code=64)["what"] == "`--emergency` has no effect: this command changes nothing"
    assert not (guarded.region.path / "end.bundle").exists()


def test_after_the_plan_of_a_bundle_comes_its_approval(guarded):
    emergency = ("--auto-approve", "--emergency", "x", "--key", guarded.key("anna"))
    assert guarded.ngp.call("apply", "dev", *emergency).exit_code == 0
    for line in (("plan", "dev"), ("destroy", "dev")):
        done = guarded.ngp.call(*line, "--out", "change.bundle")
        assert done.exit_code == 0, done.stderr
        assert "next: ngp bundle approve change.bundle" in done.stdout
    guarded.rules("")
    guarded.push()
    git(guarded.region.path, "fetch", "--quiet")
    assert "next: ngp apply change.bundle" in guarded.ngp.call("plan", "dev", "--out", "change.bundle").stdout


def test_people_read_of_an_emergency_after_the_run(guarded):
    done = guarded.ngp.run(
        "apply", "dev", "--auto-approve", "--emergency", "the site is down", "--key", guarded.key("anna")
    )
    assert done.exit_code == 0, done.stderr
    assert "emergency: anna@example.com changes this without an approved bundle: the site is down" in done.stdout


def test_events_tell_of_an_emergency(guarded, as_published):
    done = guarded.ngp.run(
        "apply", "dev", "--auto-approve", "--jsonl", "--emergency", "the site is down", "--key", guarded.key("anna")
    )
    events = [as_published(json.loads(line)) for line in done.stdout.splitlines()]
    (event,) = [one for one in events if one.get("event") == "change_authorised"]
    assert event["authority"]["by"] == ["anna@example.com"]


def test_the_key_of_git_signs(guarded):
    git(guarded.region.path, "config", "gpg.format", "ssh")
    git(guarded.region.path, "config", "user.signingkey", guarded.key("anna"))
    here = replace(settings.read(), cwd=guarded.region.path)
    found = emergency.declare(guarded.region.resolve(), Verb.APPLY, "x", here)
    assert found.by == ("anna@example.com",)


def test_somebody_whom_the_rules_do_not_name_is_refused(guarded):
    line = ["dev", "--auto-approve", "--json", "--emergency", "x", "--key", guarded.key("eve")]
    found = refused(guarded.ngp.call("apply", *line))
    assert found["what"] == f"the key {guarded.key('eve')} may not change `dev` in an emergency"
    assert found["why"] == "`emergency.dev` names anna@example.com"
    assert found["hint"].startswith("have a bundle approved")
    assert not guarded.region.state("base").exists()


def test_a_change_that_names_its_own_person_is_refused(guarded):
    """The work tree lets eve act; the default branch does not."""
    eve = Path(f"{guarded.key('eve')}.pub").read_text().strip()
    guarded.rules(f'protected: [dev]\nsigners: {{eve@example.com: ["{eve}"]}}\nemergency: {{dev: [eve@example.com]}}\n')
    with pytest.raises(RefusedError, match=r"`emergency\.dev` names anna@example\.com"):
        guarded.declare("eve")
    guarded.push()
    assert guarded.declare("eve").by == ("eve@example.com",)
    with pytest.raises(RefusedError):  # a key that was removed
        guarded.declare("anna")


def test_an_approver_is_not_thereby_one_for_emergencies(guarded):
    ben = Path(f"{guarded.key('ben')}.pub").read_text().strip()
    guarded.rules(
        f'protected: [dev]\nsigners: {{anna@example.com: ["{guarded.public}"], ben@example.com: ["{ben}"]}}\n'
        "approvals: {dev: {by: [ben@example.com]}}\nemergency: {dev: [anna@example.com]}\n"
    )
    guarded.push()
    with pytest.raises(RefusedError, match=r"ben@example\.com may not change `dev` in an emergency"):
        guarded.declare("ben")


def test_without_anybody_named_there_is_no_emergency(guarded):
    guarded.rules("protected: [dev]\n")
    guarded.push()
    with pytest.raises(RefusedError, match="nobody may change `dev` in an emergency"):
        guarded.declare("anna")


def test_an_emergency_needs_a_reason_and_a_protected_environment(guarded):
    with pytest.raises(UsageError, match="needs a reason"):
        guarded.declare("anna", reason="  ")
    guarded.rules("")
    guarded.push()
    with pytest.raises(UsageError, match="`dev` is not protected"):
        guarded.declare("anna")


def test_without_the_remote_there_is_no_emergency(guarded):
    guarded.remote.rename(guarded.remote.with_suffix(".gone"))
    with pytest.raises(MissingError, match="cannot read the approval rules from the remote"):
        guarded.declare("anna")


def test_surroundings_declare_no_emergency(guarded):
    env = {"NGP_EMERGENCY": "x", "NGP_KEY": guarded.key("anna")}
    assert (
        refused(guarded.ngp.call("apply", "dev", "--auto-approve", "--json", env=env))["what"] == "`dev` is protected"
    )


def test_an_authority_opens_a_protected_environment(guarded):
    authority = Authority(AuthorityKind.APPROVED, ("anna@example.com", "ben@example.com"), "ab" * 20)
    with guarded.region.open(Verb.APPLY, authority=authority) as run:
        result = applying.apply(run, YES)
    assert {unit.outcome for unit in result.units} == {Outcome.APPLIED}
    assert result.authority == authority
    assert ChangeAuthorised(authority) in guarded.region.events
    with pytest.raises(RefusedError, match="`dev` is protected"), guarded.region.open(Verb.DESTROY):
        pass


def test_every_word_of_what_is_signed_counts(guarded):
    found = guarded.declare("anna")
    other = replace(found, text=found.text.replace("apply", "destroy"))
    for one, good in ((found, True), (other, False)):
        signature = one.signature.encode()
        who = ("anna@example.com", [guarded.public], settings.read())
        assert signatures.verify(one.text.encode(), signature, *who) is good
