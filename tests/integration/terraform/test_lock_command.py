"""`ngp lock`: renewing and checking the master lock of a platform, with a mirror in which every package is tiny."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ngp.terraform import lockfile
from ngp.terraform.lockfile import NAME, PLATFORMS

pytestmark = pytest.mark.terraform

AWS = "registry.terraform.io/hashicorp/aws"
MODULE = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "%s"
    }
  }
}
"""


def provide(mirror: Path, version: str, *platforms: str) -> None:
    for platform in platforms or PLATFORMS:
        package = mirror / AWS / version / platform
        package.mkdir(parents=True)
        program = package / f"terraform-provider-aws_v{version}"
        program.write_text(f"#!/bin/sh\nexit 1 # {platform}\n")
        program.chmod(0o755)


@pytest.fixture
def mirror(tmp_path) -> Path:
    provide(tmp_path / "mirror", "5.100.0")
    return tmp_path / "mirror"


@pytest.fixture
def environ(mirror) -> dict[str, str]:
    return {"NGP_PROVIDER_MIRROR": str(mirror)}


@pytest.fixture
def platform(tmp_path) -> Path:
    folder = tmp_path / "platform"
    module = folder / "modules" / "network"
    module.mkdir(parents=True)
    (folder / "ngp.yaml").write_text("name: acme\n")
    (module / "network.tf").write_text(MODULE % "~> 5.100")
    for name in ("network-variables.tf", "network-output.tf", "network.dummy"):
        (module / name).touch()
    (module / "module.yaml").write_text("title: Network\nsummary: A test.\ncategory: base\n")
    return folder


def test_lock_is_made_and_the_second_time_nothing_changes(ngp, platform, environ):
    first = ngp.call("lock", env=environ)
    assert (first.exit_code, first.stdout) == (
        0,
        "hashicorp/aws 5.100.0 (~> 5.100): hashes of 4 packages and 0 archives\n",
    )
    assert "run `ngp render`" in first.stderr
    text = (platform / NAME).read_text()
    assert len(lockfile.parse(text)[0].package_hashes) == 4
    second = ngp.call("lock", env=environ)
    assert "nothing has changed" in second.stderr
    assert (platform / NAME).read_text() == text
    assert ngp.call("lock", "--check", env=environ).exit_code == 0


def test_check_tells_all_and_writes_nothing(ngp, platform, environ):
    text = lockfile.render([lockfile.Locked(AWS, "5.99.0", "", ("h1:one",))])
    (platform / NAME).write_text(text)
    outcome = ngp.call("lock", "--check", env=environ)
    assert outcome.exit_code == 1
    for said in ("`~> 5.100` is required", "modules/network", "hashes for 1 of 4 platforms", "it has 5.100.0"):
        assert said in outcome.stdout
    assert (platform / NAME).read_text() == text


def test_check_as_json_is_one_document(ngp, platform, environ):
    ngp.call("lock", env=environ)
    document = json.loads(ngp.call("lock", "--check", "--json", env=environ).stdout)
    assert document["schema"] == "ngp.lock/1"
    assert [one["version"] for one in document["providers"]] == ["5.100.0"]
    assert document["findings"] == []


def test_check_sees_a_package_that_is_not_the_locked_one(ngp, platform, environ, mirror):
    ngp.call("lock", env=environ)
    for program in mirror.rglob("terraform-provider-*"):
        program.write_text("tampered")
    outcome = ngp.call("lock", "--check", env=environ)
    assert outcome.exit_code == 1
    assert "is not the package that is locked" in outcome.stdout


def test_check_without_a_lock_is_a_missing_prerequisite(ngp, platform, environ):
    assert ngp.call("lock", "--check", env=environ).exit_code == 69


def test_upgrade_takes_the_newest_that_fits(ngp, platform, environ, mirror):
    ngp.call("lock", env=environ)
    provide(mirror, "5.101.0")
    provide(mirror, "6.0.0")
    assert "5.100.0" in ngp.call("lock", env=environ).stdout
    assert "5.101.0" in ngp.call("lock", "--upgrade", env=environ).stdout


def test_upgrade_that_lacks_a_platform_is_not_written(ngp, platform, environ, mirror):
    ngp.call("lock", env=environ)
    before = (platform / NAME).read_text()
    provide(mirror, "5.101.0", "linux_amd64")
    outcome = ngp.call("lock", "--upgrade", env=environ)
    assert outcome.exit_code == 69
    assert "5.101.0 is not available for" in outcome.stderr
    assert (platform / NAME).read_text() == before


def test_platform_and_mirror_can_be_named(ngp, platform, tmp_path):
    provide(tmp_path / "small", "5.100.0", "linux_arm64")
    outcome = ngp.call("lock", "-platform=linux_arm64", "--fs-mirror", str(tmp_path / "small"))
    assert outcome.exit_code == 0
    assert "hashes of 1 package and" in outcome.stdout


def test_mirror_that_has_no_fitting_version_is_a_missing_prerequisite(ngp, platform, environ):
    (platform / "modules/network/network.tf").write_text(MODULE % ">= 6")
    outcome = ngp.call("lock", env=environ)
    assert outcome.exit_code == 69
    assert "it has 5.100.0 for darwin_amd64" in outcome.stderr
    assert not (platform / NAME).exists()


def test_shell_that_would_change_terraform_is_refused(ngp, platform, environ):
    outcome = ngp.call("lock", env=environ | {"TF_CLI_ARGS": "-x"})
    assert outcome.exit_code == 64
    assert "TF_CLI_ARGS" in outcome.stderr
