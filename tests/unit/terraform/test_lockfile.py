"""The lock file read, written, merged and held against what is asked for."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp import shipped
from ngp.errors import MissingError, UsageError
from ngp.terraform import lockfile
from ngp.terraform.lockfile import PLATFORMS, Locked, Requirement

AWS = "registry.terraform.io/hashicorp/aws"


def locked(version: str = "5.100.0", *hashes: str, address: str = AWS) -> Locked:
    return Locked(address, version, ">= 5.100.0", tuple(sorted(hashes)))


def test_master_lock_is_as_terraform_writes_it_and_covers_every_platform():
    text = shipped.lock_file().read_text(encoding="utf-8")
    lock = lockfile.parse(text)
    assert lockfile.render(lock) == text
    (aws,) = lock
    assert (aws.source, aws.version) == ("hashicorp/aws", "5.100.0")
    assert lockfile.check(lock, [Requirement("hashicorp/aws", "~> 5.100")]) == ()
    assert len(aws.package_hashes) == 14  # the platforms for which the registry has this version
    assert len(aws.hashes) == 14 + 15  # their archives, and the manifest


def test_lock_is_read_whatever_its_spacing_and_comments():
    text = f"""
# a comment with provider "x" {{
provider "{AWS}" {{
  version = "1.0.0" # here too
  hashes = [ "zh:b", "h1:a",
    # "h1:c",
    "h1:b" ]
}}
provider "example.com/a/b" {{ version = "2.0.0"
}}
""".replace(" # here too", "")
    assert lockfile.parse(text) == (
        Locked("example.com/a/b", "2.0.0"),
        Locked(AWS, "1.0.0", "", ("h1:a", "h1:b", "zh:b")),
    )


def test_another_registry_is_asked_for_the_same_packages():
    other = Locked("example.com/a/b", "2.0.0")
    lock = lockfile.under([locked("5.100.0", "h1:a", "zh:b"), other], "registry.opentofu.org")
    assert lock == (locked("5.100.0", "h1:a", "zh:b", address="registry.opentofu.org/hashicorp/aws"), other)


def test_a_lock_file_is_rewritten_for_another_registry_only(tmp_path):
    path = tmp_path / lockfile.NAME
    lockfile.readdress(path, "registry.opentofu.org")
    assert not path.exists()
    text = shipped.lock_file().read_text(encoding="utf-8")
    path.write_text(f"{text}# a comment\n", encoding="utf-8")
    lockfile.readdress(path, lockfile.REGISTRY)
    assert path.read_text(encoding="utf-8") == f"{text}# a comment\n"
    lockfile.readdress(path, "registry.opentofu.org")
    assert path.read_text(encoding="utf-8") == text.replace("registry.terraform.io", "registry.opentofu.org")


def test_render_of_a_provider_without_constraints_and_hashes():
    assert lockfile.render([Locked("example.com/a/b", "2.0.0")]).splitlines()[2:] == [
        "",
        'provider "example.com/a/b" {',
        '  version = "2.0.0"',
        "}",
    ]


@pytest.mark.parametrize(
    "text", ["<<<<<<< HEAD\n", 'provider "a/b/c" {\n}\n', 'provider "a/b/c" {\n  version = "new"\n}\n', "{"]
)
def test_spoilt_lock_is_told_with_its_place(text):
    with pytest.raises(UsageError) as raised:
        lockfile.parse(text, where=".terraform.lock.hcl")
    assert raised.value.findings[0].where == ".terraform.lock.hcl"


def test_lock_that_is_not_utf8_is_told_with_its_place(tmp_path):
    (tmp_path / "lock.hcl").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="lock.hcl: this file is not UTF-8"):
        lockfile.load(tmp_path / "lock.hcl")


def test_missing_lock_says_what_makes_one(tmp_path):
    with pytest.raises(MissingError) as raised:
        lockfile.load(tmp_path / ".terraform.lock.hcl")
    assert raised.value.findings[0].todo == "ngp lock"


def test_lock_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / ".terraform.lock.hcl"
    path.write_text("\ufeff" + lockfile.render([locked()]), encoding="utf-8")
    assert lockfile.load(path) == (locked(),)


words = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=8)
addresses = st.tuples(words, words, words).map("/".join)
entries = st.builds(
    Locked,
    addresses,
    st.from_regex(r"\A[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\Z"),
    st.sampled_from(["", "~> 1.0", ">= 1.0.0, < 2.0.0"]),
    st.lists(st.from_regex(r"\A(h1|zh):[A-Za-z0-9+/=]{4}\Z"), unique=True, max_size=4).map(
        lambda one: tuple(sorted(one))
    ),
)


@given(st.lists(entries, unique_by=lambda one: one.address))
def test_every_lock_survives_writing_and_reading(lock):
    ordered = tuple(sorted(lock, key=lambda one: one.address))
    assert lockfile.parse(lockfile.render(lock)) == ordered


def test_merge_keeps_the_hashes_of_platforms_that_the_new_lock_has_not_seen():
    merged = lockfile.merge([locked("1.0.0", "h1:mac", "h1:linux", "zh:mac")], [locked("1.0.0", "h1:linux", "h1:new")])
    assert merged == (locked("1.0.0", "h1:linux", "h1:mac", "h1:new", "zh:mac"),)


def test_merge_does_not_keep_hashes_of_another_version_or_provider():
    old = [locked("1.0.0", "h1:old"), locked("1.0.0", "h1:other", address="a/b/c")]
    assert lockfile.merge(old, [locked("2.0.0", "h1:new")]) == (locked("2.0.0", "h1:new"),)


FOUR = tuple(f"h1:{platform}" for platform in PLATFORMS)


@pytest.mark.parametrize("source", ["aws", "hashicorp/aws", AWS])
def test_source_is_found_however_it_is_written(source):
    assert lockfile.check((locked("5.100.0", *FOUR),), [Requirement(source, ">= 5")]) == ()


def test_all_that_is_wrong_is_found_at_once():
    findings = lockfile.check(
        (locked("5.100.0", "h1:one", "zh:one", "zh:two"),),
        [
            Requirement("hashicorp/aws", "~> 5.100", "modules/network"),
            Requirement("hashicorp/aws", ">= 6", "modules/swarm"),
            Requirement("hashicorp/tls", "", "modules/vpn"),
        ],
    )
    assert [(finding.where, finding.what) for finding in findings] == [
        ("modules/swarm", "`hashicorp/aws` is locked at 5.100.0, but `>= 6` is required"),
        ("modules/vpn", "provider `hashicorp/tls` is not locked"),
        (".terraform.lock.hcl", "`hashicorp/aws` 5.100.0 has hashes for 1 of 4 platforms"),
    ]
    assert all(finding.todo for finding in findings)


def test_fewer_platforms_can_be_enough():
    assert lockfile.check((locked("5.100.0", "h1:one"),), [], platforms=["linux_amd64"]) == ()


def package(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "terraform-provider-tiny_v1.2.3").write_bytes(b"#!/bin/sh\nexit 1\n")
    (folder / "docs").mkdir()
    (folder / "docs" / "a.md").write_bytes(b"A" * 3_000_000)
    return folder


def test_hash_of_a_package_is_the_same_unpacked_and_packed(tmp_path):
    folder = package(tmp_path / "p")
    archive = tmp_path / "p.zip"
    with zipfile.ZipFile(archive, "w") as target:
        target.mkdir("docs")
        for path in folder.rglob("*"):
            if path.is_file():
                target.write(path, path.relative_to(folder))
    assert lockfile.package_hash(folder) == lockfile.package_hash(archive)
    assert lockfile.package_hash(folder).startswith("h1:")


def test_hash_of_a_package_changes_with_any_byte_and_any_name(tmp_path):
    folder = package(tmp_path / "p")
    first = lockfile.package_hash(folder)
    (folder / "docs" / "a.md").write_bytes(b"A" * 2_999_999 + b"B")
    second = lockfile.package_hash(folder)
    (folder / "docs" / "a.md").rename(folder / "docs" / "b.md")
    assert len({first, second, lockfile.package_hash(folder)}) == 3
