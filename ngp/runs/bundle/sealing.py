"""Sealed bundles: all members but the statement and the approvals, encrypted with age into one.

The statement stays readable and names the digests of the encrypted members, so a signature holds for both forms.
Source: https://age-encryption.org/v1
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ngp.errors import Finding, MissingError, StaleError, UsageError, require
from ngp.runs.bundle import archive
from ngp.runs.bundle.archive import SEALED, Archive, Content
from ngp.settings import Settings

_AGE, _SSH = "age1", "ssh-"
_SECRET = "AGE-SECRET-KEY-1"  # noqa: S105  how a line with an age identity begins
_ENCRYPTED = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")
_NOBODY = "No matching keys"  # pyrage's message if no identity fits
_PASSPHRASE = "must be decrypted first"
_USUAL = ("id_ed25519", "id_rsa")


@dataclass(frozen=True)
class Recipient:
    """Who can open a sealed bundle: an age public key (``age1…``), or an SSH public key (ed25519 or RSA)."""

    text: str
    key: Any


@dataclass(frozen=True)
class Identity:
    """A private key that opens sealed bundles."""

    path: Path
    key: Any


def is_sealed(opened: Archive) -> bool:
    """Return whether the content of a bundle is encrypted."""
    return opened.members.keys() == {SEALED}


def parse_recipients(words: Sequence[str], cwd: Path) -> tuple[Recipient, ...]:
    """Parse recipients: public keys, or files with one on each line. Raises UsageError (64) with all errors."""
    found: list[Recipient] = []
    wrong: list[Finding] = []
    for word in words:
        for place, text in _lines(word, cwd):
            try:
                found.append(Recipient(text, _recipient(text)))
            except ValueError as error:
                todo = "pass an age public key (age1…) or an SSH public key (ed25519 or RSA)"
                wrong.append(Finding(f"`{text[:60]}` is not a valid recipient", place, str(error), todo))
        if not found and not wrong:
            wrong.append(Finding(f"{word} contains no recipient", todo="write one public key per line"))
    require(wrong)
    return tuple(found)


def load_identities(paths: Sequence[str], settings: Settings, cwd: Path) -> tuple[Identity, ...]:
    """Load private keys: of age, or of SSH without a passphrase. Without `paths`, the usable ones in ~/.ssh.

    Raises UsageError (64) for a file that does not exist or has no key, MissingError (69) for a key with a passphrase.
    """
    if not paths:
        return tuple(_usual(settings))
    return tuple(one for path in paths for one in _load(cwd / Path(path).expanduser()))


def seal(statement: bytes, content: Mapping[str, Content], recipients: Sequence[Recipient]) -> dict[str, Content]:
    """Return the replacement of `content` in a sealed bundle: one encrypted member."""
    import pyrage

    plain = archive.dump(statement, content)
    return {SEALED: Content(pyrage.encrypt(plain, [one.key for one in recipients]))}


def unseal(opened: Archive, identities: Sequence[Identity]) -> Archive:
    """Return the bundle with its members decrypted in memory; one that is not sealed is returned unchanged.

    Raises MissingError (69) without a fitting identity; StaleError (4) if the sealed content is damaged or belongs to
    another bundle.
    """
    if not is_sealed(opened):
        return opened
    if not identities:
        raise MissingError(
            "the bundle is encrypted, and you have no key to open it",
            where=str(opened.path),
            why="~/.ssh has no private key without a passphrase",
            todo="pass your key: --identity FILE",
        )
    inner = archive.parse(_decrypt(opened, identities), opened.path)
    if inner.statement != opened.statement:
        raise StaleError(
            "the encrypted part belongs to another bundle", where=str(opened.path), todo="do not apply this bundle"
        )
    return replace(inner, approvals=opened.approvals)


def _decrypt(opened: Archive, identities: Sequence[Identity]) -> bytes:
    import pyrage

    try:
        return bytes(pyrage.decrypt(opened.read(SEALED), [one.key for one in identities]))
    except pyrage.DecryptError as error:
        if _NOBODY in str(error):
            tried = ", ".join(dict.fromkeys(str(one.path) for one in identities))
            raise MissingError(
                "none of these keys opens the bundle",
                where=str(opened.path),
                why=f"it is not encrypted for {tried}",
                todo="pass another key with --identity FILE, or ask the maker to encrypt it for yours",
            ) from None
        raise StaleError(
            "the encrypted part of the bundle is damaged",
            where=str(opened.path),
            why=str(error),
            todo="download it again, or make a new one with `ngp plan`",
        ) from None


def _lines(word: str, cwd: Path) -> Iterator[tuple[str, str]]:
    """Yield the public keys that a word is or names, each with its source."""
    if word.startswith((_AGE, _SSH)):
        yield "--encrypt-to", word
        return
    path = cwd / Path(word).expanduser()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = f"it is neither a public key nor a file of public keys: {error}"
        raise UsageError(f"`{word}` is not a valid recipient", where="--encrypt-to", why=why) from None
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            yield f"{path}:{number}", line.strip()


def _recipient(text: str) -> Any:
    import pyrage

    kind = pyrage.ssh if text.startswith(_SSH) else pyrage.x25519
    try:
        return kind.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise ValueError(str(error)) from None


def _usual(settings: Settings) -> Iterator[Identity]:
    for name in _USUAL:
        path = settings.home / ".ssh" / name
        if path.is_file():
            try:
                yield from _load(path)
            except (UsageError, MissingError):
                continue  # the key has a passphrase or another type


def _load(path: Path) -> Iterator[Identity]:
    import pyrage

    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the key {path}", where="--identity", why=error.strerror or str(error)) from None
    if data.startswith(_ENCRYPTED):
        raise _locked(path)
    lines = [line.strip() for line in data.decode(errors="replace").splitlines()]
    secrets = [line for line in lines if line.startswith(_SECRET)]
    try:
        if not secrets:
            yield Identity(path, pyrage.ssh.Identity.from_buffer(data))
        for line in secrets:
            yield Identity(path, pyrage.x25519.Identity.from_str(line))
    except pyrage.IdentityError as error:
        if _PASSPHRASE in str(error):
            raise _locked(path) from None
        todo = "pass a file with an age identity (age-keygen) or an SSH private key (ed25519 or RSA)"
        raise UsageError(f"{path} contains no key that can open bundles", why=str(error), todo=todo) from None


def _locked(path: Path) -> MissingError:
    return MissingError(
        f"the key {path} has a passphrase",
        why="ngp needs the key itself, because an agent cannot decrypt",
        todo="use an age identity: age-keygen -o key.txt",
    )
