"""Signatures by real SSH keys: found as Git finds them, made, checked, and never waited for without a person."""

import os
import pty
import select
import stat
import subprocess
import sys
import time

import pytest

from ngp import settings
from ngp.environments import ssh_keys
from ngp.errors import MissingError, UsageError
from ngp.runs.bundle import signatures
from ngp.runs.bundle.signatures import SigningKey
from tests.git import git

TEXT = b'{"statement": "of a bundle \xe2\x80\xa6"}\n'


@pytest.fixture
def repository(tmp_path, surroundings):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    return folder


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_signature_is_good_for_the_very_bytes_and_the_very_key(person, surroundings, kind):
    anna, ben = person("anna", kind), person("ben", kind)
    signature = signatures.sign(TEXT, SigningKey("test", anna.key), surroundings)
    assert signatures.verify(TEXT, signature, anna.email, [ben.public, anna.public], surroundings)
    assert signatures.is_intact(TEXT, signature, surroundings)
    assert signatures.signer(signature) == ssh_keys.parse(anna.public)
    assert not signatures.verify(TEXT, signature, anna.email, [ben.public], surroundings)
    for other in (TEXT + b"\n", TEXT.replace(b"\n", b"\r\n"), TEXT.replace(b"bundle", b"bundlf"), b"\xff" + TEXT):
        assert not signatures.verify(other, signature, anna.email, [anna.public], surroundings)
        assert not signatures.is_intact(other, signature, surroundings)


def test_a_byte_that_is_no_text_does_not_pass_for_a_question_mark(person, surroundings):
    """Pipes of text replace such bytes: what was signed with a `?` must not be good for them."""
    anna = person("anna")
    signature = signatures.sign(b"may I?", SigningKey("test", anna.key), surroundings)
    assert signatures.is_intact(b"may I?", signature, surroundings)
    assert not signatures.is_intact(b"may I\xff", signature, surroundings)
    assert not signatures.verify(b"may I\xff", signature, anna.email, [anna.public], surroundings)


def test_a_signature_for_another_purpose_is_not_good(person, surroundings, tmp_path):
    anna = person("anna")
    path = tmp_path / "text"
    path.write_bytes(TEXT)
    subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-q", "-n", "git", "-f", anna.key, path], check=True, capture_output=True
    )
    signature = (tmp_path / "text.sig").read_bytes()
    assert not signatures.verify(TEXT, signature, anna.email, [anna.public], surroundings)
    assert not signatures.is_intact(TEXT, signature, surroundings)


@pytest.mark.parametrize("text", [b"", b"hello", b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"])
def test_what_is_no_signature_is_told(text, surroundings):
    with pytest.raises(ValueError, match="not an SSH signature"):
        signatures.signer(text)
    assert not signatures.is_intact(TEXT, text, surroundings)


def test_a_cut_signature_is_told(person, surroundings):
    signature = signatures.sign(TEXT, SigningKey("test", person("anna").key), surroundings)
    with pytest.raises(ValueError, match="SSH signature"):
        signatures.signer(signature[:60])


def test_the_named_key_comes_first(person, surroundings, repository):
    anna = person("anna")
    git(repository, "config", "gpg.format", "ssh")
    git(repository, "config", "user.signingkey", str(person("ben").key))
    assert signatures.find(surroundings, repository, str(anna.key)).path == anna.key
    assert signatures.find(surroundings, repository, os.path.relpath(anna.key, repository)).path.samefile(anna.key)
    with pytest.raises(UsageError, match=r"the key .*/none does not exist"):
        signatures.find(surroundings, repository, "none")


def test_gits_own_key_is_used_where_it_is_for_ssh(person, surroundings, repository):
    ben = person("ben")
    git(repository, "config", "user.signingkey", str(ben.key))
    with pytest.raises(MissingError):  # a key of GnuPG
        signatures.find(surroundings, repository)
    git(repository, "config", "gpg.format", "ssh")
    assert signatures.find(surroundings, repository).path == ben.key
    (surroundings.home / "mine").write_bytes(ben.key.read_bytes())
    git(repository, "config", "user.signingkey", "~/mine")
    assert signatures.find(surroundings, repository).path == surroundings.home / "mine"
    git(repository, "config", "user.signingkey", "~/gone")
    with pytest.raises(MissingError, match="gone does not exist"):
        signatures.find(surroundings, repository)


def test_the_usual_file_comes_last(person, surroundings, repository):
    usual = surroundings.home / ".ssh" / "id_ed25519"
    with pytest.raises(MissingError) as caught:
        signatures.find(surroundings, repository)
    assert "ssh-keygen -t ed25519" in caught.value.findings[0].todo
    usual.parent.mkdir()
    usual.write_bytes(person("anna").key.read_bytes())
    assert signatures.find(surroundings, repository).path == usual


@pytest.fixture
def agent(person, surroundings, monkeypatch, tmp_path):
    """An agent that holds anna's key, whose file is gone."""
    anna, socket = person("anna"), tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    while not socket.exists():
        time.sleep(0.01)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
    subprocess.run(["ssh-add", "-q", anna.key], check=True, capture_output=True)
    anna.key.unlink()
    yield anna
    process.terminate()
    process.wait()


@pytest.mark.parametrize("form", ["key::{}", "{}", "{path}"])
def test_an_agent_signs_with_a_key_of_which_only_the_public_half_is_here(agent, repository, form):
    git(repository, "config", "gpg.format", "ssh")
    git(repository, "config", "user.signingkey", form.format(agent.public, path=f"{agent.key}.pub"))
    now = settings.read()
    key = signatures.find(now, repository)
    signature = signatures.sign(TEXT, key, now)
    assert signatures.verify(TEXT, signature, agent.email, [agent.public], now)
    assert signatures.fingerprint(key, now) == ssh_keys.parse(agent.public).fingerprint


def test_gits_own_program_signs_with_gits_key(person, surroundings, repository, tmp_path):
    """Password managers bring such a program."""
    anna, program = person("anna"), tmp_path / "signer"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/seen\nexec ssh-keygen "$@"\n')
    program.chmod(0o755)
    for name, value in (("gpg.format", "ssh"), ("gpg.ssh.program", str(program)), ("user.signingkey", str(anna.key))):
        git(repository, "config", name, value)
    signature = signatures.sign(TEXT, signatures.find(surroundings, repository), surroundings)
    assert signatures.is_intact(TEXT, signature, surroundings)
    assert "-n ngp" in (tmp_path / "seen").read_text()


def test_nobody_is_waited_for_without_a_terminal(person, surroundings):
    anna = person("anna", passphrase="correct horse")
    began = time.monotonic()
    with pytest.raises(MissingError) as caught:
        signatures.sign(TEXT, SigningKey("test", anna.key), surroundings)
    assert time.monotonic() - began < 30
    assert caught.value.exit_code == 69
    assert "the key has a passphrase" in caught.value.findings[0].why
    assert "ssh-add" in caught.value.findings[0].todo
    assert signatures.fingerprint(SigningKey("test", anna.key), surroundings) == ssh_keys.parse(anna.public).fingerprint


def test_what_is_no_key_is_told(surroundings, tmp_path):
    path = tmp_path / "key"
    path.write_text("hello")
    with pytest.raises(MissingError, match="cannot sign with"):
        signatures.sign(TEXT, SigningKey("test", path), surroundings)
    assert signatures.fingerprint(SigningKey("test", path), surroundings) == ""


def test_without_ssh_keygen_it_is_named(person, surroundings, monkeypatch, tmp_path):
    anna = person("anna")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError) as caught:
        signatures.sign(TEXT, SigningKey("test", anna.key), settings.read())
    assert "ssh-keygen is not on PATH" in str(caught.value)
    with pytest.raises(MissingError, match="ssh-keygen is not on PATH"):
        signatures.is_intact(TEXT, b"x", settings.read())


SIGN = """
import sys
from pathlib import Path
from ngp import settings
from ngp.runs.bundle import signatures
found = signatures.sign(b"text", signatures.SigningKey("test", Path(sys.argv[1])), settings.read())
Path(sys.argv[2]).write_bytes(found)
"""


def test_the_passphrase_is_asked_for_at_the_terminal(person, surroundings, tmp_path):
    anna, out = person("anna", passphrase="correct horse"), tmp_path / "signature"
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", SIGN, str(anna.key), str(out)])
    shown, answered = b"", False
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                shown += os.read(terminal, 4096)
            except OSError:  # its end, on Linux
                break
        if b"passphrase" in shown and not answered:
            os.write(terminal, b"correct horse\n")
            answered = True
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert status == 0, shown
    assert b"horse" not in shown
    assert signatures.verify(b"text", out.read_bytes(), anna.email, [anna.public], surroundings)


def test_no_other_user_sees_what_is_signed(person, surroundings, tmp_path):
    anna = person("anna")
    program = tmp_path / "signer"
    program.write_text(f'#!/bin/sh\nstat -c %a . > {tmp_path}/mode\nexec ssh-keygen "$@"\n')
    program.chmod(0o755)
    signatures.sign(TEXT, SigningKey("test", anna.key, program=str(program)), surroundings)
    mode = int((tmp_path / "mode").read_text(), 8)
    assert stat.S_IMODE(mode) == 0o700
