"""Sealed bundles: values for those whom they are sealed for, the statement and its signatures for all."""

import random
import shutil
from dataclasses import replace

import pyrage
import pytest

from ngp.errors import MissingError, StaleError, UsageError
from ngp.runs.bundle import approvals, archive, sealing, statement
from ngp.runs.bundle.archive import SEALED, Content
from ngp.runs.bundle.signatures import SigningKey

SECRET = b"hunter2 is the password"


@pytest.fixture
def content(tmp_path):
    script = tmp_path / "boot.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    return {"plan.bin": Content(SECRET * 5000), "tree/boot.sh": Content(path=script)}


@pytest.fixture
def stated(stated, content):
    return replace(stated, members={name: one.member(name) for name, one in content.items()})


@pytest.fixture
def age(tmp_path):
    """`age("anna")` has a new age identity: its file and its public key."""

    def make(name):
        key, path = pyrage.x25519.Identity.generate(), tmp_path / f"{name}.txt"
        path.write_text(f"# created: today\n# public key: {key.to_public()}\n{key}\n")
        return str(path), str(key.to_public())

    return make


@pytest.fixture
def seal(tmp_path, stated, content):
    """`seal("age1…", …)` writes a bundle that is sealed for these recipients."""

    def make(*words):
        path, text = tmp_path / "sealed.bundle", statement.dump(stated)
        archive.write(path, text, sealing.seal(text, content, sealing.parse_recipients(words, tmp_path)))
        return path

    return make


@pytest.fixture
def unseal(tmp_path, surroundings):
    def act(path, *identities):
        return sealing.unseal(archive.read(path), sealing.load_identities(identities, surroundings, tmp_path))

    return act


def test_who_it_is_sealed_for_reads_and_extracts_it_as_a_plain_one(seal, unseal, age, stated, tmp_path):
    identity, recipient = age("anna")
    opened = unseal(seal(recipient), identity)
    archive.require_stated(opened, stated.members)
    assert opened.read("plan.bin") == SECRET * 5000
    opened.extract("tree/", tmp_path / "out")
    assert (tmp_path / "out" / "boot.sh").stat().st_mode & 0o777 == 0o755


def test_nobody_else_sees_values_but_everybody_the_statement(seal, age, stated):
    path = seal(age("anna")[1])
    assert b"hunter2" not in path.read_bytes()
    assert b"boot.sh" in archive.read(path).statement
    assert statement.dump(approvals.examine(archive.read(path))) == statement.dump(stated)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_ssh_keys_seal_too(seal, unseal, person, kind):
    anna = person("anna", kind)
    assert unseal(seal(anna.public), str(anna.key)).read("plan.bin").startswith(SECRET)


def test_each_of_several_recipients_opens_it(seal, unseal, age, person, tmp_path):
    anna, ben = age("anna"), person("ben")
    (tmp_path / "recipients.txt").write_text(f"# those who apply\n{anna[1]}\n\n{ben.public}\n")
    path = seal("recipients.txt")
    for identity in (anna[0], str(ben.key)):
        assert unseal(path, identity).read("plan.bin").startswith(SECRET)
    other, _ = age("other")
    assert unseal(path, other, anna[0]).read("plan.bin").startswith(SECRET)


def test_the_usual_ssh_key_opens_it(seal, unseal, person, surroundings):
    anna = person("anna")
    path = seal(anna.public)
    (surroundings.home / ".ssh").mkdir()
    shutil.copy(anna.key, surroundings.home / ".ssh" / "id_ed25519")
    assert unseal(path).read("plan.bin").startswith(SECRET)


def test_no_key_another_key_and_damage_are_told_apart(seal, unseal, age, stated, tmp_path):
    identity, recipient = age("anna")
    path = seal(recipient)
    with pytest.raises(MissingError, match="you have no key to open it"):
        unseal(path)
    with pytest.raises(MissingError, match="none of these keys opens the bundle"):
        unseal(path, age("other")[0])
    data, generator = archive.read(path).read(SEALED), random.Random(7)  # noqa: S311  which bytes, not a secret
    body = data.index(b"\n---") + 60
    for place in generator.sample(range(body, len(data)), 20):
        broken = bytearray(data)
        broken[place] ^= 1
        archive.write(path, statement.dump(stated), {SEALED: Content(bytes(broken))})
        with pytest.raises(StaleError, match="the encrypted part of the bundle is damaged"):
            unseal(path, identity)
    for short in (data[:-1], data[: len(data) // 2], data[:10], b""):
        archive.write(path, statement.dump(stated), {SEALED: Content(short)})
        with pytest.raises(StaleError, match="the encrypted part of the bundle is damaged"):
            unseal(path, identity)


def test_a_passphrase_is_no_key(seal, unseal, person, surroundings):
    anna = person("anna", passphrase="secret")
    path = seal(anna.public)
    with pytest.raises(MissingError, match="has a passphrase"):
        unseal(path, str(anna.key))
    (surroundings.home / ".ssh").mkdir()
    shutil.copy(anna.key, surroundings.home / ".ssh" / "id_ed25519")
    with pytest.raises(MissingError, match="you have no key to open it"):
        unseal(path)


def test_what_is_sealed_of_another_bundle_is_refused(seal, unseal, age, stated, content, tmp_path):
    identity, recipient = age("anna")
    path = seal(recipient)
    other = statement.dump(replace(stated, account="999999999999"))
    archive.write(path, other, {SEALED: Content(archive.read(path).read(SEALED))})
    with pytest.raises(StaleError, match="to another bundle"):
        unseal(path, identity)


def test_changed_content_is_named_after_it_was_opened(seal, unseal, age, stated, content, tmp_path):
    """Everybody can encrypt for a recipient: only the statement says what is right."""
    identity, recipient = age("anna")
    text, changed = statement.dump(stated), {**content, "plan.bin": Content(b"another plan")}
    path = tmp_path / "changed.bundle"
    archive.write(path, text, sealing.seal(text, changed, sealing.parse_recipients([recipient], tmp_path)))
    with pytest.raises(StaleError, match=r"plan\.bin"):
        archive.require_stated(unseal(path, identity), stated.members)


def test_signatures_hold_for_both_forms(seal, unseal, age, person, bundle, surroundings, stated):
    """An approver signs the sealed bundle, and who applies it sees the approval of the opened one."""
    identity, recipient = age("anna")
    path, ben = seal(recipient), person("ben")
    assert approvals.approve(archive.read(path), SigningKey("test", ben.key), surroundings)
    opened = unseal(path, identity)
    assert opened.approvals == archive.read(path).approvals
    plain = archive.read(bundle)
    assert plain.digest == opened.digest
    archive.add_approval(plain, opened.approvals[0])
    assert not approvals.approve(archive.read(bundle), SigningKey("test", ben.key), surroundings)


def test_a_plain_bundle_needs_no_key(bundle):
    plain = archive.read(bundle)
    assert not sealing.is_sealed(plain)
    assert sealing.unseal(plain, ()) is plain


def test_all_that_is_no_recipient_is_told_at_once(tmp_path, person):
    path = tmp_path / "recipients.txt"
    path.write_text(f"{person('anna', 'ecdsa').public}\nage1xyz\n# fine\nhello\n")
    with pytest.raises(UsageError) as caught:
        sealing.parse_recipients(["age1abc", str(path)], tmp_path)
    places = [finding.where for finding in caught.value.findings]
    assert places == ["--encrypt-to", f"{path}:1", f"{path}:2", f"{path}:4"]
    with pytest.raises(UsageError, match="neither a public key nor a file"):
        sealing.parse_recipients(["nobody"], tmp_path)
    path.write_text("# nobody yet\n")
    with pytest.raises(UsageError, match="contains no recipient"):
        sealing.parse_recipients([str(path)], tmp_path)


@pytest.mark.parametrize("text", ["", "hello", "AGE-SECRET-KEY-1XYZ\n"])
def test_what_is_no_identity_is_told(tmp_path, surroundings, text):
    (tmp_path / "key").write_text(text)
    with pytest.raises(UsageError, match="contains no key that can open bundles"):
        sealing.load_identities(["key"], surroundings, tmp_path)
    with pytest.raises(UsageError, match="cannot read the key"):
        sealing.load_identities(["none"], surroundings, tmp_path)


def test_an_encrypted_identity_file_is_told(tmp_path, surroundings):
    (tmp_path / "key").write_bytes(pyrage.passphrase.encrypt(b"AGE-SECRET-KEY-1", "secret"))
    with pytest.raises(MissingError, match="has a passphrase"):
        sealing.load_identities(["key"], surroundings, tmp_path)
