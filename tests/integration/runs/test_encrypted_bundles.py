"""Encrypted bundles from a plan to an apply elsewhere: who has no key sees addresses and no value."""

import subprocess

import pyrage
import pytest

from ngp.runs.bundle import archive
from ngp.runs.bundle.archive import SEALED
from tests.git import git
from tests.harness import Ngp, lay_platform, lend_sandbox, stop_sandbox

pytestmark = pytest.mark.terraform
VALUE = "10.77.0.0/16"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """An age identity, an SSH key, and one that nothing is encrypted for: name → (file, public key)."""
    folder, found = tmp_path_factory.mktemp("keys"), {}
    for name in ("age", "other"):
        key, path = pyrage.x25519.Identity.generate(), folder / name
        path.write_text(f"{key}\n")
        found[name] = str(path), str(key.to_public())
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "ssh"], check=True)
    found["ssh"] = str(folder / "ssh"), (folder / "ssh.pub").read_text().strip()
    return found


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    folder = lay_platform(tmp_path_factory.mktemp("origin") / "platform")
    values = folder / "environments" / "dev" / "terraform.tfvars"
    values.write_text(values.read_text().replace("10.0.0.0/16", VALUE))
    assert Ngp(folder).run("render").exit_code == 0
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Render")
    return folder


@pytest.fixture
def clone(origin, tmp_path, sandbox):
    made = []

    def make(name):
        git(tmp_path, "clone", "--quiet", str(origin), str(tmp_path / name))
        made.append(tmp_path / name)
        return Ngp(lend_sandbox(sandbox, tmp_path / name))

    yield make
    for folder in made:
        stop_sandbox(folder)


@pytest.fixture
def made(clone, keys, tmp_path):
    """A bundle that is encrypted for the age and the SSH key."""
    path = tmp_path / "change.bundle"
    recipients = [word for name in ("age", "ssh") for word in ("--encrypt-to", keys[name][1])]
    done = clone("here").call("plan", "dev", "--out", str(path), *recipients)
    assert done.exit_code == 0, done.stderr
    return path


def test_a_file_holds_no_value_and_a_plain_one_does(made, clone, tmp_path):
    assert set(archive.read(made).members) == {SEALED}
    assert made.stat().st_mode & 0o777 == 0o600
    assert VALUE.encode() not in made.read_bytes()
    plain = tmp_path / "plain.bundle"
    assert clone("again").call("plan", "dev", "--out", str(plain)).exit_code == 0
    assert VALUE.encode() in plain.read_bytes(), "the test shows nothing: this value is in no bundle"


def test_without_a_key_addresses_are_shown_and_values_are_not(made, clone, keys):
    ngp = clone("reader")
    done = ngp.call("bundle", "show", str(made))
    assert done.exit_code == 0
    assert "+ module.base.terraform_data.vpc" in done.stdout
    assert VALUE not in done.stdout + done.stderr
    assert "you have no key to open it" in done.stderr
    done = ngp.call("bundle", "show", str(made), "--json", "--identity", keys["other"][0])
    assert done.exit_code == 69
    assert "none of these keys opens the bundle" in done.document["error"]["findings"][0]["what"]


@pytest.mark.parametrize("name", ["age", "ssh"])
def test_with_a_key_everything_is_shown(made, clone, keys, name):
    ngp = clone("reader")
    done = ngp.call("bundle", "show", str(made), "--json", "--identity", keys[name][0])
    assert done.exit_code == 0
    assert VALUE in done.stdout
    assert ngp.call("bundle", "show", str(made), "--json", env={"NGP_IDENTITY": keys[name][0]}).stdout == done.stdout
    assert VALUE in ngp.call("bundle", "show", str(made), "--identity", keys[name][0]).stdout


def test_it_is_approved_without_and_applied_with_a_key_elsewhere(made, clone, keys, tmp_path):
    there = clone("there")
    line = ["bundle", "approve", str(made), "--auto-approve", "--key", keys["ssh"][0]]
    assert there.call(*line).exit_code == 0
    assert len(archive.read(made).approvals) == 1
    done = there.call("apply", str(made), "--json", "--identity", keys["other"][0])
    assert done.exit_code == 69
    assert not (there.cwd / ".ngp" / "state").exists()
    done = there.call("apply", str(made), "--json", "--identity", keys["age"][0])
    assert done.exit_code == 0, done.stderr
    assert {unit["outcome"] for unit in done.document["units"]} == {"applied"}
    assert there.call("plan", "dev", "--detailed-exitcode").exit_code == 0
    assert there.call("apply", str(made), "--json", "--identity", keys["age"][0]).exit_code == 4


def test_what_is_no_recipient_is_told_before_anything_is_planned(clone, tmp_path):
    ngp = clone("here")
    done = ngp.call("plan", "dev", "--json", "--out", str(tmp_path / "x.bundle"), "--encrypt-to", "age1nobody")
    assert done.exit_code == 64
    assert "`age1nobody` is not a valid recipient" in done.document["error"]["findings"][0]["what"]
    assert not (ngp.cwd / ".ngp" / "runs").exists()
    assert not (tmp_path / "x.bundle").exists()


def test_two_encrypted_bundles_are_compared(made, clone, keys, tmp_path):
    ngp = clone("reader")
    assert ngp.call("bundle", "diff", str(made), str(made), "--identity", keys["age"][0]).exit_code == 0
    assert ngp.call("bundle", "diff", str(made), str(made)).exit_code == 69


def test_whether_anything_moved_is_known_without_a_key(made, clone):
    assert clone("reader").call("bundle", "verify", str(made)).exit_code == 0
