"""Signatures with the SSH keys that Git uses, made and checked by `ssh-keygen -Y` in the namespace `ngp`.

Source: PROTOCOL.sshsig of OpenSSH.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ngp import processes
from ngp.environments import revisions, ssh_keys
from ngp.environments.ssh_keys import PublicKey
from ngp.errors import MissingError, UsageError
from ngp.settings import Settings

NAMESPACE = "ngp"
_NAMED = "--key"
_GITS = "Git's user.signingkey"
_KEYGEN = "ssh-keygen"
_LITERAL = ("key::", "ssh-")  # like Git: the text of a public key instead of a path
_ARMOUR = re.compile(
    rb"\s*-----BEGIN SSH SIGNATURE-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END SSH SIGNATURE-----\s*", re.DOTALL
)
_MAGIC = b"SSHSIG\0\0\0\1"  # with the version
_TIMEOUT_S = 60.0  # of an agent, which asks nobody
_PROMPT = re.compile(r"^Enter passphrase[^:\n]*: ?", re.MULTILINE)
_FINGERPRINT = re.compile(r"SHA256:\S+")


@dataclass(frozen=True)
class SigningKey:
    """A key to sign with. `path` is a private key, or a public key whose private key is in an agent.

    `text` is a public key that replaces `path`; `origin` says who chose the key. `program` signs with it: Git's
    gpg.ssh.program for Git's key.
    """

    origin: str
    path: Path | None = None
    text: str = ""
    program: str = _KEYGEN

    def __str__(self) -> str:
        return str(self.path or " ".join(self.text.split()[2:]) or self.text)


def find(settings: Settings, cwd: Path, named: str = "") -> SigningKey:
    """Return the key of `named`, else that of Git's user.signingkey, else ~/.ssh/id_ed25519.

    Raises UsageError (64) if the named file does not exist, MissingError (69) if Git's does not or there is no key.
    """
    if named:
        return _at(_NAMED, cwd / Path(named).expanduser())
    configured, program = _configured(cwd)
    if configured.startswith(_LITERAL):
        return SigningKey(_GITS, text=configured.removeprefix("key::").strip(), program=program)
    if configured:
        return _at(_GITS, cwd / configured, program)
    usual = settings.home / ".ssh" / "id_ed25519"
    if usual.is_file() or usual.with_suffix(".pub").is_file():
        return SigningKey("the usual file", usual)
    raise MissingError(
        "cannot find an SSH key to sign with",
        why=f"Git has no user.signingkey with gpg.format=ssh, and {usual} does not exist",
        todo="pass one with --key FILE, or create one: ssh-keygen -t ed25519",
    )


def sign(content: bytes, key: SigningKey, settings: Settings) -> bytes:
    """Return the signature of `content`. ssh-keygen may ask for a passphrase on the terminal, but never without one.

    Raises MissingError (69) if the key cannot sign.
    """
    with _folder() as folder:
        subject = folder / "statement"
        subject.write_bytes(content)
        where = _laid(key, folder)
        words = ("-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(where), str(subject))
        request = processes.ProcessRequest((key.program, *words), folder, _environ(settings))
        complaint = _attend(request) if _can_ask(settings) else _run_alone(request)
        signature = subject.with_suffix(".sig")
        if complaint is None and signature.is_file():
            return signature.read_bytes()
    raise MissingError(
        f"cannot sign with {key}",
        where=key.origin,
        why=complaint or "ssh-keygen wrote no signature",
        todo="check the key, or load it into an agent (ssh-add), or pass another one with --key FILE",
    )


def fingerprint(key: SigningKey, settings: Settings) -> str:
    """Return ``SHA256:…`` of the key, or "" if it cannot be read without its passphrase."""
    with _folder() as folder:
        request = processes.ProcessRequest((_KEYGEN, "-l", "-f", str(_laid(key, folder))), folder, _environ(settings))
        found = _FINGERPRINT.search(_run(request).stdout)
    return found[0] if found else ""


def signer(signature: bytes) -> PublicKey:
    """Return the public key inside a signature. Raises ValueError if it is not an SSH signature."""
    armoured = _ARMOUR.fullmatch(signature)
    if armoured is None:
        raise ValueError("it is not an SSH signature")
    try:
        blob = base64.b64decode(b"".join(armoured[1].split()), validate=True)
    except binascii.Error:
        raise ValueError("it is not an SSH signature") from None
    if not blob.startswith(_MAGIC):
        raise ValueError("it is not an SSH signature of version 1")
    return ssh_keys.read(ssh_keys.take(blob[len(_MAGIC) :])[0])


def verify(content: bytes, signature: bytes, identity: str, keys: Sequence[str], settings: Settings) -> bool:
    """Return whether one of the public keys of `identity` signed exactly `content`."""
    with _folder() as folder:
        allowed = folder / "allowed_signers"
        lines = (f'{identity} namespaces="{NAMESPACE}" {ssh_keys.parse(key)}\n' for key in keys)
        allowed.write_text("".join(lines), encoding="utf-8")
        return _is_good(content, signature, folder, settings, ("verify", "-f", str(allowed), "-I", identity))


def is_intact(content: bytes, signature: bytes, settings: Settings) -> bool:
    """Return whether the key inside a signature signed exactly `content`, whoever owns that key."""
    with _folder() as folder:
        return _is_good(content, signature, folder, settings, ("check-novalidate",))


def _is_good(content: bytes, signature: bytes, folder: Path, settings: Settings, verb: tuple[str, ...]) -> bool:
    try:
        text = content.decode()  # only valid UTF-8 reaches ssh-keygen unchanged
    except UnicodeDecodeError:
        return False
    path = folder / "signature"
    path.write_bytes(signature)
    words = ("-Y", *verb, "-n", NAMESPACE, "-s", str(path))
    request = processes.ProcessRequest((_KEYGEN, *words), folder, _environ(settings), stdin=text)
    return _run(request).exit_code == 0


def _configured(cwd: Path) -> tuple[str, str]:
    """Return Git's user.signingkey, "" if it is not set or not an SSH key, and the program that signs with it."""

    def get(*words: str) -> str:
        outcome = revisions.run_git(cwd, "config", *words)
        return outcome.stdout.strip() if outcome is not None and outcome.exit_code == 0 else ""

    if get("--get", "gpg.format") != "ssh":
        return "", _KEYGEN
    program = get("--type=path", "--get", "gpg.ssh.program") or _KEYGEN
    return get("--type=path", "--get", "user.signingkey"), program


def _at(origin: str, path: Path, program: str = _KEYGEN) -> SigningKey:
    if not path.is_file():
        kind = UsageError if origin == _NAMED else MissingError
        raise kind(f"the key {path} does not exist", where=origin, todo="pass a key with --key FILE")
    return SigningKey(origin, path, program=program)


def _laid(key: SigningKey, folder: Path) -> Path:
    """Return the key file for ssh-keygen, written if necessary."""
    if key.path is not None:
        return key.path
    path = folder / "key.pub"
    path.write_text(f"{key.text}\n", encoding="utf-8")
    return path


@contextmanager
def _folder() -> Iterator[Path]:
    """Yield a temporary folder that only this user can enter."""
    with tempfile.TemporaryDirectory(prefix="ngp-sign-") as name:
        yield Path(name)


def _can_ask(settings: Settings) -> bool:
    """Whether ssh-keygen can ask a person: a process of the pool has a terminal's streams, but not its session."""
    if not settings.is_interactive:
        return False
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _attend(request: processes.ProcessRequest) -> str | None:
    """Return why ssh-keygen failed, None if it did not. It has already told the person."""
    try:
        return "ssh-keygen failed; its message is above" if processes.run_interactive(request) else None
    except FileNotFoundError:
        raise _missing(request.argv[0]) from None


def _run_alone(request: processes.ProcessRequest) -> str | None:
    outcome = _run(request)
    if outcome.timed_out:
        return f"it took more than {_TIMEOUT_S:.0f} s: the agent may wait for a person"
    text = " ".join(_PROMPT.sub("", outcome.stderr).split())
    if "passphrase" in text:
        return "the key has a passphrase, and ngp has no terminal or agent to ask for it"
    return (text or f"it ended with {outcome.exit_code}") if outcome.exit_code else None


def _environ(settings: Settings) -> dict[str, str]:
    """Return the environment for ssh-keygen; without a terminal, it must not open a window to ask."""
    alone = {} if settings.is_interactive else {"SSH_ASKPASS_REQUIRE": "never"}
    return {**settings.environ, **alone, "LC_ALL": "C"}


def _run(request: processes.ProcessRequest) -> processes.ProcessResult:
    try:
        return processes.run(replace(request, timeout_s=_TIMEOUT_S, grace_s=1.0))
    except FileNotFoundError:
        raise _missing(request.argv[0]) from None


def _missing(program: str) -> MissingError:
    return MissingError(
        f"{program} is not on PATH",
        why="ngp signs bundles and checks signatures with it",
        todo="install OpenSSH 8.2 or newer" if program == _KEYGEN else "correct Git's gpg.ssh.program",
    )
