"""The file of a bundle: one form, and every flipped byte is found."""

import random
import stat

import pytest

from ngp.errors import StaleError, UsageError
from ngp.runs.bundle import archive
from ngp.runs.bundle.archive import Content

LONG = f"tree/{'folder/' * 30}main.tf"


@pytest.fixture
def content(tmp_path):
    script = tmp_path / "boot.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    link = tmp_path / "link"
    link.symlink_to("boot.sh")
    return {
        "review.json": Content(b"{}\n"),
        "tree/modules/app/boot.sh": Content(path=script),
        "tree/modules/app/link": Content(path=link),
        LONG: Content(b"x" * 5000),
    }


@pytest.fixture
def bundle(tmp_path, content):
    path = tmp_path / "change.bundle"
    archive.write(path, b'{"a": 1}\n', content)
    return path


def test_what_was_written_is_read(bundle, content):
    found = archive.read(bundle)
    assert found.statement == b'{"a": 1}\n'
    assert {name: one.member(name) for name, one in content.items()} == found.members
    assert found.read(LONG) == b"x" * 5000
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600


def test_the_same_content_gives_the_same_bytes(bundle, content, tmp_path):
    again = tmp_path / "again.bundle"
    archive.write(again, b'{"a": 1}\n', content)
    assert again.read_bytes() == bundle.read_bytes()


def test_plain_tar_reads_it_with_the_statement_first(bundle):
    assert bundle.read_bytes().startswith(b"statement.json\0")
    assert archive.is_bundle(bundle)


def test_content_is_extracted_with_modes_and_links(bundle, tmp_path):
    archive.read(bundle).extract("tree/", tmp_path / "out")
    folder = tmp_path / "out" / "modules" / "app"
    assert stat.S_IMODE((folder / "boot.sh").stat().st_mode) == 0o755
    assert str((folder / "link").readlink()) == "boot.sh"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_approval_changes_nothing_else(bundle, content):
    before = archive.read(bundle)
    archive.add_approval(before, b"signature one")
    archive.add_approval(archive.read(bundle), b"signature two")
    after = archive.read(bundle)
    assert after.approvals == [b"signature one", b"signature two"]
    assert (after.statement, after.members) == (before.statement, before.members)
    assert after.digest == before.digest


def test_each_flipped_byte_is_found(bundle):
    archive.add_approval(archive.read(bundle), b"signature one")
    whole = bundle.read_bytes()
    for place in random.Random(7).sample(range(len(whole)), 400):  # noqa: S311  which bytes, not a secret
        broken = bytearray(whole)
        broken[place] ^= 1 << (place % 8)
        bundle.write_bytes(bytes(broken))
        with pytest.raises(StaleError):
            archive.read(bundle)
    bundle.write_bytes(whole)
    archive.read(bundle)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 5000, -512, -1])
def test_a_truncated_file_is_refused(bundle, size):
    bundle.write_bytes(bundle.read_bytes()[:size])
    with pytest.raises(StaleError, match="damaged"):
        archive.read(bundle)


def test_bytes_behind_the_end_are_refused(bundle):
    bundle.write_bytes(bundle.read_bytes() + b"\0" * 512)
    with pytest.raises(StaleError, match="checksum"):
        archive.read(bundle)


def test_a_member_that_is_not_as_stated_is_named(bundle, content):
    found = archive.read(bundle)
    archive.require_stated(found, found.members)
    stated = {**found.members, "review.json": Content(b"[]").member("review.json")}
    with pytest.raises(StaleError, match=r"review\.json"):
        archive.require_stated(found, stated)
    with pytest.raises(StaleError, match=r"plan\.bin"):
        archive.require_stated(found, {**found.members, "plan.bin": Content(b"").member("plan.bin")})


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../etc/passwd"])
def test_a_link_out_of_the_bundle_is_not_made(tmp_path, target):
    (tmp_path / "link").symlink_to(target)
    path = tmp_path / "evil.bundle"
    archive.write(path, b"{}", {"tree/link": Content(path=tmp_path / "link")})
    with pytest.raises(StaleError, match="points outside"):
        archive.read(path).extract("tree/", tmp_path / "out")
    assert not (tmp_path / "out" / "link").is_symlink()


@pytest.mark.parametrize("name", ["/etc/passwd", "tree/../../x"])
def test_a_name_out_of_the_bundle_is_refused(tmp_path, name):
    path = tmp_path / "evil.bundle"
    archive.write(path, b"{}", {name: Content(b"x")})
    with pytest.raises(StaleError, match="points outside"):
        archive.read(path)


def test_what_is_no_bundle_is_told_apart(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        archive.read(tmp_path / "none")
    with pytest.raises(UsageError, match="folder"):
        archive.read(tmp_path)
    (tmp_path / "text").write_text("hello")
    assert not archive.is_bundle(tmp_path / "text")
    with pytest.raises(StaleError):
        archive.read(tmp_path / "text")


def test_a_full_disk_leaves_the_bundle_before(bundle, content, mocker):
    before = bundle.read_bytes()
    mocker.patch("os.fsync", side_effect=OSError(28, "No space left on device"))
    with pytest.raises(Exception, match="cannot write"):
        archive.write(bundle, b"new", content)
    assert bundle.read_bytes() == before
    assert [path.name for path in bundle.parent.iterdir() if path.name.startswith(".")] == []


def test_a_place_where_no_file_can_be_made_is_the_operators_fault(tmp_path, content):
    with pytest.raises(UsageError, match="cannot write") as caught:
        archive.write(tmp_path / "nowhere" / "x.bundle", b"{}", content)
    assert caught.value.exit_code == 64


def test_a_bundle_is_private(bundle):
    assert bundle.stat().st_mode & 0o777 == 0o600
