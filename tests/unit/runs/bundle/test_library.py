"""Bundles in the state bucket: one object a digest, whose approvals only grow."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from ngp.environments.environment import BundleKeeping, Platform, StateKind
from ngp.errors import NgpError, StaleError, UsageError
from ngp.runs.bundle import archive, library, statement
from ngp.runs.bundle.library import Library, StoredBundle
from ngp.state.locations import StateLocation
from tests import statements
from tests.doubles.buckets import Bucket

KEY = "bundles/prod/{}.bundle"


@pytest.fixture
def bucket():
    return Bucket()


@pytest.fixture
def resolved(monkeypatch, tmp_path):
    place = StateLocation("s3", "states", "environments/prod/base.tfstate", "eu-central-1")
    monkeypatch.setattr("ngp.runs.units.any_place", lambda _: place)
    platform = Platform(tmp_path, "demo", bundles=BundleKeeping.STATE)
    return SimpleNamespace(platform=platform, environment=SimpleNamespace(name="prod"))


@pytest.fixture
def stored(resolved, bucket):
    return Library(resolved, bucket)


def write(path, content, *approvals, run_id="one"):
    moment = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)
    made = statements.make(
        run_id=run_id,
        created=moment,
        expires=moment + timedelta(hours=1),
        members={name: one.member(name) for name, one in content.items()},
    )
    archive.write(path, statement.dump(made), content, approvals)
    return archive.read(path).digest


@pytest.fixture
def file(tmp_path, content):
    """`file(name, *approvals)` is a bundle, always the same one unless `run_id` says otherwise."""

    def make(name="prod.bundle", *approvals, **more):
        path = tmp_path / name
        write(path, content, *approvals, **more)
        return path

    return make


def test_a_platform_without_a_bucket_has_no_library(resolved, tmp_path, bucket):
    local = SimpleNamespace(
        platform=Platform(tmp_path, "demo", state=StateKind.LOCAL), environment=resolved.environment
    )
    with pytest.raises(UsageError, match="no state bucket"):
        Library(local, bucket)


def test_what_was_pushed_comes_back_by_a_part_of_its_digest(stored, bucket, file, tmp_path):
    path = file()
    digest = stored.push(path).digest
    assert list(bucket.objects) == [KEY.format(digest)]
    out = tmp_path / "fetched.bundle"
    assert stored.fetch(digest[:6], out).digest == digest
    assert out.read_bytes() == path.read_bytes()
    assert stored.url(digest) == f"s3://states/bundles/prod/{digest}.bundle"


def test_bundles_are_listed_with_those_that_were_applied(stored, bucket):
    bucket.objects = dict.fromkeys(
        [
            KEY.format("bb"),
            KEY.format("aa"),
            "bundles/prod/bb.applied",
            "bundles/prod/aa.complete",
            "bundles/dev/cc.bundle",
        ],
        "",
    )
    assert stored.collect() == [StoredBundle("aa", False), StoredBundle("bb", True)]


class TestPush:
    def test_both_sides_get_the_approvals_of_both(self, stored, file):
        stored.push(file("a.bundle", b"anna"))
        path = file("b.bundle", b"ben")
        assert set(stored.push(path).approvals) == {b"anna", b"ben"}
        assert set(archive.read(path).approvals) == {b"anna", b"ben"}

    def test_an_approval_that_arrives_meanwhile_is_not_lost(self, stored, bucket, file):
        first, second = file("a.bundle", b"anna"), file("b.bundle", b"ben")
        stored.push(first)
        put = bucket._put_object

        def overtaken(key, **parameters):
            bucket._put_object = put
            stored.push(second)
            return put(key, **parameters)

        bucket._put_object = overtaken
        assert set(stored.push(file("c.bundle", b"carl")).approvals) == {b"anna", b"ben", b"carl"}

    def test_two_first_pushes_at_once_keep_both_approvals(self, stored, bucket, file):
        put = bucket._put_object

        def overtaken(key, **parameters):
            bucket._put_object = put
            stored.push(file("b.bundle", b"ben"))
            return put(key, **parameters)

        bucket._put_object = overtaken
        assert set(stored.push(file("a.bundle", b"anna")).approvals) == {b"anna", b"ben"}

    def test_it_gives_up_after_a_few_tries(self, stored, bucket, file):
        bucket._put_object = lambda *_, **__: ("PreconditionFailed", None)
        with pytest.raises(NgpError, match="somebody else is uploading the bundle"):
            stored.push(file())
        assert len(bucket.calls) == 10

    def test_an_equal_approval_is_added_once(self, stored, file):
        stored.push(file("a.bundle", b"anna"))
        assert stored.push(file("b.bundle", b"anna")).approvals == [b"anna"]

    def test_a_damaged_object_is_not_written_over(self, stored, bucket, file):
        path = file()
        key = KEY.format(archive.read(path).digest)
        bucket.objects[key] = "not a bundle"
        with pytest.raises(StaleError) as caught:
            stored.push(path)
        assert caught.value.findings[0].where.startswith("s3://states/bundles/prod/")
        assert bucket.objects[key] == "not a bundle"


class TestFetch:
    def test_a_different_bundle_in_its_place_is_refused(self, stored, bucket, file, tmp_path):
        digest = stored.push(file()).digest
        bucket.objects[KEY.format(digest)] = file("other.bundle", run_id="another").read_bytes()
        out = tmp_path / "fetched.bundle"
        with pytest.raises(StaleError, match="a different bundle in the place of this one"):
            stored.fetch(digest, out)
        assert not out.exists()

    def test_a_word_that_is_too_short_or_means_none_is_refused(self, stored, file, tmp_path):
        digest = stored.push(file()).digest
        for word, number in ((digest[:5], 1), ("nothing", 0)):
            with pytest.raises(UsageError, match=f"^{number} stored bundles"):
                stored.fetch(word, tmp_path / "out")

    def test_a_word_that_means_two_is_refused(self, stored, bucket, tmp_path):
        bucket.objects = {KEY.format("abcdef1"): "", KEY.format("abcdef2"): ""}
        with pytest.raises(UsageError, match="^2 stored bundles"):
            stored.fetch("abcdef", tmp_path / "out")

    def test_one_that_is_deleted_meanwhile_is_told(self, stored, bucket, file, tmp_path):
        digest = stored.push(file()).digest
        bucket._get_object = lambda _: ("NoSuchKey", None)
        with pytest.raises(NgpError, match="somebody has just deleted"):
            stored.fetch(digest, tmp_path / "out")

    def test_a_file_of_the_same_bundle_keeps_its_approvals(self, stored, file):
        digest = stored.push(file("a.bundle", b"anna")).digest
        out = file("b.bundle", b"ben")
        assert set(stored.fetch(digest, out).approvals) == {b"anna", b"ben"}

    def test_the_approvals_of_another_bundle_are_not_taken(self, stored, file):
        digest = stored.push(file("a.bundle", b"anna")).digest
        out = file("b.bundle", b"ben", run_id="another")
        assert stored.fetch(digest, out).approvals == [b"anna"]


def test_a_bundle_is_kept_only_where_the_platform_says_so(resolved, bucket, file):
    path = file()
    assert library.keep(resolved, bucket, path) == f"s3://states/{KEY.format(archive.read(path).digest)}"
    files = SimpleNamespace(platform=Platform(Path("x"), "demo"), environment=resolved.environment)
    assert library.keep(files, None, path) == ""
