"""Bundles in the state bucket: kept, fetched on another machine, approved by several at once, applied once."""

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ngp.environments import platforms, resolving
from ngp.runs.bundle import archive
from ngp.runs.bundle.library import Library
from tests.harness import Ngp

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
GONE = ("ResourceNotFoundException",)


@pytest.fixture
def kept(lent, tmp_path):
    """The small platform with states in S3, and a bundle of it, planned before there is a bucket."""
    lent.edit("ngp.yaml", "name: small\n", "name: small\nbundles: state\n")
    lent.render()
    assert lent.ngp.call("state", "bootstrap", "dev", "--auto-approve").exit_code == 0
    path = tmp_path / "change.bundle"
    done = lent.ngp.call("plan", "dev", "--out", str(path), "--json")
    assert done.exit_code == 0, done.stderr
    return path, done.document["bundle"]["digest"]


def library(lent):
    return Library(resolving.resolve(platforms.load(lent.path), "dev"), lent.session)


def listed(ngp):
    return {one["digest"]: one["applied"] for one in ngp.call("bundle", "list", "dev", "--json").document["bundles"]}


def test_a_bundle_is_kept_fetched_and_applied_once(lent, kept, tmp_path):
    path, digest = kept
    assert listed(lent.ngp) == {digest: False}
    other = tmp_path / "elsewhere"
    shutil.copytree(lent.path, other, ignore=shutil.ignore_patterns("runs", "state", "data"))
    there = Ngp(other)
    done = there.call("bundle", "fetch", "dev", digest[:8], "--out", "fetched.bundle")
    assert done.exit_code == 0, done.stderr
    assert (other / "fetched.bundle").read_bytes() == path.read_bytes()
    assert (other / "fetched.bundle").stat().st_mode & 0o777 == 0o600

    done = there.call("apply", "fetched.bundle")
    assert done.exit_code == 0, done.stderr
    assert listed(lent.ngp) == {digest: True}
    again = lent.ngp.call("apply", str(path))
    assert again.exit_code == 4
    assert "applied already" in again.stderr
    assert not [key for key in lent.session.keys(lent.bucket, "") if key.endswith(".tflock")]
    assert lent.ngp.call("plan", "dev", "--detailed-exitcode").exit_code == 0


def test_a_bundle_of_a_region_without_a_bucket(lent, tmp_path):
    lent.render()
    path = tmp_path / "first.bundle"
    assert lent.ngp.call("plan", "dev", "--out", str(path)).exit_code == 0
    assert lent.session.keys(lent.bucket, "") == []
    done = lent.ngp.call("apply", str(path))
    assert done.exit_code == 0, done.stderr
    assert lent.ngp.call("plan", "dev", "--detailed-exitcode").exit_code == 0


def test_planning_a_bundle_writes_nothing_to_aws(lent, between, tmp_path):
    assert lent.ngp.call("state", "bootstrap", "dev", "--auto-approve").exit_code == 0
    seen = []
    between.fault = lambda method, path: seen.append((method, path)) or ""
    done = lent.ngp.call("plan", "dev", "--out", str(tmp_path / "x.bundle"))
    assert done.exit_code == 0, done.stderr
    assert seen
    assert [one for one in seen if one[0] in ("PUT", "DELETE")] == []


def test_two_machines_apply_one_bundle_at_once(lent, kept, tmp_path):
    """Two checkouts: nothing on the disk tells one of the other."""
    path, _ = kept
    other = tmp_path / "elsewhere"
    shutil.copytree(lent.path, other, ignore=shutil.ignore_patterns("runs", "state", "data", "locks"))
    runs = [ngp.start("apply", str(path)) for ngp in (lent.ngp, Ngp(other))]
    said = [run.communicate(timeout=180)[1] for run in runs]
    assert sorted(run.returncode for run in runs) in ([0, 4], [0, 5]), said


def test_approvals_of_several_people_at_once_are_all_kept(lent, kept, tmp_path):
    path, digest = kept
    gate = threading.Barrier(4)

    def approve(number):
        mine = tmp_path / f"mine-{number}.bundle"
        shutil.copy(path, mine)
        archive.add_approval(archive.read(mine), f"signature {number}".encode())
        gate.wait()
        library(lent).push(mine)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(approve, range(4)))
    found = library(lent).fetch(digest, tmp_path / "all.bundle")
    assert sorted(found.approvals) == [f"signature {number}".encode() for number in range(4)]


def put(lent, digest, body):
    lent.session.call("s3", "put_object", Bucket=lent.bucket, Key=f"bundles/dev/{digest}.bundle", Body=body)


def other_bundle(lent, tmp_path):
    path = tmp_path / "other.bundle"
    lent.edit("environments/dev/terraform.tfvars", "10.", "11.")
    lent.render()
    assert lent.ngp.call("plan", "dev", "--out", str(path)).exit_code == 0
    archive.add_approval(archive.read(path), b"a signature of another bundle")
    return path.read_bytes()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda *_: b"hello", "the bundle is damaged"),
        (other_bundle, "the state bucket has a different bundle in the place of this one"),
    ],
    ids=["damaged", "another"],
)
def test_what_is_kept_is_the_bundle_that_its_key_says(lent, kept, tmp_path, spoil, says):
    path, digest = kept
    put(lent, digest, spoil(lent, tmp_path))
    mine = path.read_bytes()
    for line in (("fetch", "dev", digest[:8], "--out", "fetched.bundle"), ("push", str(path))):
        done = lent.ngp.call("bundle", *line, "--json")
        assert done.exit_code == 4, done.stderr
        (found,) = done.document["error"]["findings"]
        assert found["what"] == says
        assert f"s3://{lent.bucket}/bundles/dev/{digest}.bundle" in json.dumps(found)
    assert not (lent.path / "fetched.bundle").exists()
    assert path.read_bytes() == mine
    assert not [one for one in lent.path.iterdir() if one.name.startswith(".ngp-bundle")]


def test_a_fetch_keeps_the_approvals_of_the_file_that_it_replaces(lent, kept, tmp_path):
    path, digest = kept
    other = tmp_path / "other.bundle"
    shutil.copy(path, other)
    archive.add_approval(archive.read(other), b"theirs")
    library(lent).push(other)
    archive.add_approval(archive.read(path), b"mine")
    assert library(lent).fetch(digest, path).approvals == [b"theirs", b"mine"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("word", "says"), [("ffffffff", "0 stored bundles"), ("a", "stored bundles")])
def test_a_digest_that_names_no_bundle_is_told(lent, kept, word, says):
    done = lent.ngp.call("bundle", "fetch", "dev", word, "--out", "x.bundle")
    assert done.exit_code == 64
    assert says in done.stderr
    assert not (lent.path / "x.bundle").exists()


def test_states_on_the_disk_keep_no_bundles(trial):
    trial.render()
    done = trial.ngp.call("bundle", "list", "dev")
    assert done.exit_code == 64
    assert "has no state bucket" in done.stderr


PASSWORD = """
variable "password" {
  type        = string
  description = "What its users sign in with"
  sensitive   = true
}
resource "terraform_data" "user" {
  input = var.password
}
"""


@pytest.mark.parametrize("scheme", ["ssm", "awssm"])
def test_a_secret_counts_by_its_version_and_its_value_is_in_no_statement(lent, tmp_path, scheme):
    def put(value):
        if scheme == "ssm":
            lent.session.call("ssm", "put_parameter", Name="/p", Value=value, Type="SecureString", Overwrite=True)
        elif lent.session.call("secretsmanager", "put_secret_value", absent=GONE, SecretId="/p", SecretString=value):
            pass
        else:
            lent.session.call("secretsmanager", "create_secret", Name="/p", SecretString=value)

    put("hunter-one")
    lent.edit("modules/app/app.tf", "resource", f"{PASSWORD}\nresource")
    (lent.path / "modules/app/app.dummy").write_text('password = "dummy"\n')
    for name in ("dev", "prod"):
        values = lent.path / "environments" / name / "terraform.tfvars"
        values.write_text(values.read_text() + f'\napp = {{ password = "{scheme}:/p" }}\n')
    lent.render()
    assert lent.ngp.call("state", "bootstrap", "dev", "--auto-approve").exit_code == 0
    path = tmp_path / "secret.bundle"
    done = lent.ngp.call("plan", "dev", "--out", str(path))
    assert done.exit_code == 0, done.stderr
    stated = archive.read(path).statement
    assert f'"{scheme}:/p"'.encode() in stated
    assert b"hunter-one" not in stated

    put("hunter-one")  # the same value, in a new version: the value itself is not compared
    refused = lent.ngp.call("apply", str(path))
    assert refused.exit_code == 4
    assert f"the secret {scheme}:/p for `password` of `app` has a new version" in refused.stderr
    assert lent.ngp.call("plan", "dev", "--out", str(path)).exit_code == 0
    done = lent.ngp.call("apply", str(path))
    assert done.exit_code == 0, done.stderr
