"""The sealed store, the schema in it, the hashes of packages and the digests of answers."""

import os
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.errors import RefusedError
from ngp.proxy import answers, messages, packages, schema, sealed_store, sharing, wire
from ngp.proxy.packages import ProviderPackage

PROTO = Path(messages.__file__).with_name("plugin.proto").read_text()


@pytest.fixture
def kept(tmp_path):
    return sealed_store.open_store(tmp_path / "sealed_store")


def test_what_is_written_is_read_and_is_private(kept):
    kept.write("name", b"content")
    assert kept.read("name") == b"content"
    assert kept.read("other") is None
    assert stat.S_IMODE(kept.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.folder.iterdir()} == {0o600}
    assert sealed_store.open_store(kept.folder).read("name") == b"content"


def test_what_was_written_by_others_is_not_believed(kept):
    kept.write("name", b"content")
    sealed = (kept.folder / "name").read_bytes()
    (kept.folder / "name").write_bytes(sealed.replace(b"content", b"poison!"))
    assert kept.read("name") is None
    (kept.folder / "other").write_bytes(sealed)  # a true entry under another name
    assert kept.read("other") is None
    (kept.folder / "short").write_bytes(b"x")
    assert kept.read("short") is None


def test_an_entry_that_is_a_link_is_not_read(kept, tmp_path):
    kept.write("name", b"content")
    (kept.folder / "name").rename(tmp_path / "moved")
    (kept.folder / "name").symlink_to(tmp_path / "moved")
    assert kept.read("name") is None
    kept.write("name", b"new")
    assert kept.read("name") == b"new"
    assert (tmp_path / "moved").read_bytes().endswith(b"content")


def test_a_safe_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "sealed_store").symlink_to(tmp_path / "real")
    with pytest.raises(RefusedError, match="not private to your user"):
        sealed_store.open_store(tmp_path / "sealed_store")


def test_rights_of_others_are_taken_away(tmp_path):
    (tmp_path / "sealed_store").mkdir(mode=0o755)
    assert stat.S_IMODE(sealed_store.open_store(tmp_path / "sealed_store").folder.stat().st_mode) == 0o700


def test_digests_are_keyed_and_know_where_a_part_ends(kept, tmp_path):
    other = sealed_store.open_store(tmp_path / "other")
    assert kept.digest(b"ab", b"c") != kept.digest(b"a", b"bc")
    assert kept.digest(b"a") != other.digest(b"a")


def package(folder):
    return ProviderPackage("example.test/ours/fake", folder, (packages.package_hash(folder),))


def test_a_changed_package_is_hashed_again(kept, tmp_path, mocker):
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "program").write_text("good")
    locked = package(folder)
    hashing = mocker.spy(packages, "package_hash")
    assert {packages.verify(locked, kept) for _ in range(3)} == set(locked.hashes)
    assert hashing.call_count == 1
    before = (folder / "program").stat()
    (folder / "program").write_text("evil")
    os.utime(folder / "program", ns=(before.st_atime_ns, before.st_mtime_ns))  # the same size and time
    with pytest.raises(RefusedError, match="not the one that is locked"):
        packages.verify(locked, kept)


def test_package_has_exactly_one_program(tmp_path):
    made = package(tmp_path)
    with pytest.raises(RefusedError, match="0 programs"):
        _ = made.executable
    for name in ("terraform-provider-fake_v1", "terraform-provider-fake_v2"):
        (tmp_path / name).touch(mode=0o755)
    with pytest.raises(RefusedError, match="2 programs"):
        _ = made.executable


ENTRIES = st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), st.binary(max_size=40), max_size=6)


@given(ENTRIES, ENTRIES, st.sets(st.sampled_from("abc")), st.binary(max_size=20))
def test_a_cut_schema_is_the_whole_without_some_types(tmp_path_factory, resources, data, more, provider):
    kept = sealed_store.open_store(tmp_path_factory.mktemp("sealed_store"))

    def entries(number, values):
        return b"".join(wire.encode(number, wire.encode(1, k.encode()) + wire.encode(2, v)) for k, v in values.items())

    def answer(names):
        picked = [{k: v for k, v in one.items() if names is None or k in names} for one in (resources, data)]
        return wire.encode(1, provider) + entries(2, picked[0]) + entries(7, {"f": b"x"}) + entries(3, picked[1])

    schema.save(kept, "h1:x", 5, answer(None))
    found = schema.load(kept, "h1:x")
    names = frozenset([*resources][::2]) | more
    assert found.protocol == 5
    assert found.names == {*resources, *data}
    assert found.cut(None) == answer(None)
    assert found.cut(names) == answer(names)
    assert schema.load(kept, "h1:y") is None


@given(st.lists(st.tuples(st.integers(1, 2000), st.binary(max_size=300)), max_size=8))
def test_fields_are_found_where_they_were_written(content):
    data = b"".join(wire.encode(number, one) for number, one in content)
    found = [(field.number, data[field.body : field.end]) for field in wire.fields(data)]
    assert found == content
    assert b"".join(data[field.start : field.end] for field in wire.fields(data)) == data


@given(st.binary(max_size=60))
def test_any_bytes_are_fields_or_an_error(data):
    try:
        assert sum(field.end - field.start for field in wire.fields(data)) == len(data)
    except wire.WireError:
        assert messages.has_errors(data)


def test_other_kinds_of_fields_are_stepped_over():
    data = b"\x08\x96\x01" + b"\x11" + b"8" * 8 + b"\x1d" + b"4" * 4 + wire.encode(4, b"x")
    assert [(field.number, field.value) for field in wire.fields(data)] == [(1, 150), (2, 0), (3, 0), (4, 0)]
    assert wire.first(data, 4) == b"x"
    assert wire.first(data, 9) is None


def test_field_numbers_are_those_of_the_declaration():
    declared = {name: int(number) for name, number in re.findall(r"(\w+) = (\d+);", PROTO.split("message Prepare")[0])}
    assert {
        number: name for name, number in declared.items() if name in messages.SCHEMA_MAPS.values()
    } == messages.SCHEMA_MAPS
    assert declared["diagnostics"] == messages.DIAGNOSTICS


def test_a_warning_is_no_error():
    warning, error = wire.encode(1, b"\x08\x02"), wire.encode(1, b"\x08\x01")
    assert not messages.has_errors(warning)
    assert messages.has_errors(warning + error)
    assert messages.has_errors(wire.encode(4, b"\x08\x01"), messages.DIAGNOSTICS)


def test_plain_yes_of_protocol_5_gives_the_configuration_back():
    request = wire.encode(1, b"configuration")
    assert messages.plain_prepare(5, request) == request
    assert messages.plain_prepare(6, request) == b""
    assert messages.plain_prepare(5, b"\xff") is None


def test_answers_are_kept_for_their_package_only(kept):
    digest = kept.digest(b"request")
    seen = answers.Answers(kept, "h1:one")
    seen.remember(digest)
    seen.save()
    assert digest in answers.Answers(kept, "h1:one")
    assert digest not in answers.Answers(kept, "h1:two")


def test_answers_are_written_once_for_what_is_new(kept, mocker):
    seen = answers.Answers(kept, "h1:one")
    writing = mocker.spy(sealed_store.SealedStore, "write")
    seen.remember(kept.digest(b"request"))
    seen.save()
    seen.save()
    assert writing.call_count == 1


def test_oldest_answers_are_forgotten(kept, monkeypatch):
    monkeypatch.setattr(answers, "_MOST", 2)
    seen = answers.Answers(kept, "h1:one")
    digests = [kept.digest(bytes([number])) for number in range(3)]
    for digest in [*digests, digests[0]]:  # asked for again: the youngest
        seen.remember(digest)
    seen.save()
    found = answers.Answers(kept, "h1:one")
    assert [digest in found for digest in digests] == [True, False, True]


AWS = "registry.terraform.io/hashicorp/aws"


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ('x = file("${path.module}/boot.sh")', True),
        ('x = templatefile("${path.module}/a.tftpl", { y = filemd5("${path.root}/b") })', True),
        ('module "a" {\n  source = "../../modules/a"\n}', True),
        ('{"module": {"a": {"source": "../../modules/a"}}}', True),
        ('source = "${path.module}/page.html"', False),
        ("filename = path.cwd", False),
        ('filename = "./function.zip"', False),
        ('{"key_file": "../id.pub"}', False),
        ('body = "file://./x"', False),
        ('cidr = "10.0.0.0/16"', True),
    ],
)
def test_roots_that_name_paths_keep_their_own_process(text, shared):
    assert sharing.may_share(AWS, [b"", text.encode()]) is shared


def test_a_provider_that_may_write_where_it_stands_is_not_shared():
    assert not sharing.may_share("registry.terraform.io/hashicorp/archive", [b""])
    assert not sharing.may_share("registry.terraform.io/evil/hashicorp/aws", [b""])
