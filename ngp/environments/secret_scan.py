"""Finds secrets in plain text in the files of a platform: known forms of tokens, and random values of suspicious
names."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ngp.environments import references, revisions
from ngp.errors import Finding, MissingError, UsageError

ALLOW = "ngp:allow-secret"  # in a comment on the line, or on the line above
_MOST = 2_000_000  # bytes of a file; what people write is smaller

# The forms that the issuers document; a look-behind keeps a longer word from holding one.
_FORMS: Mapping[str, re.Pattern[str]] = {
    "an AWS access key": re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    "a GitHub token": re.compile(r"(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{60,})"),
    "a GitLab token": re.compile(r"(?<!\w)gl(?:pat|dt|rt|cbt)-[\w-]{20,}"),
    "a Slack token": re.compile(r"(?<!\w)xox[abeoprs]-[\w-]{10,}"),
    "a Stripe key": re.compile(r"(?<!\w)[rs]k_live_\w{20,}"),
    "an npm token": re.compile(r"(?<!\w)npm_[A-Za-z0-9]{36}(?!\w)"),
    "a PyPI token": re.compile(r"(?<!\w)pypi-AgE[\w-]{50,}"),
    "a Vault token": re.compile(r"(?<!\w)hv[sb]\.[\w-]{24,}"),
    "a Google API key": re.compile(r"(?<!\w)AIza[\w-]{35}(?![\w-])"),
    "an age identity": re.compile(r"(?<!\w)AGE-SECRET-KEY-1[A-Z0-9]{58}"),
    "a JSON Web Token": re.compile(r"(?<!\w)eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\s|\\n)*[A-Za-z0-9+/=:]{16,}"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s:/@\"'`$<{]+:(?![$<{*%])[^\s:/@\"'`]{8,}@"),
}
_NAMED = re.compile(
    r"""(?ix) (?<![a-z]) (?P<name>[\w-]*(?:password|passwd|secret|token|api_?key|access_?key|private_?key)[\w-]*)
    ["']? [ \t]* [:=] [ \t]* (?:["'](?P<quoted>[^"'\n$]{16,})["'] | (?P<plain>[^\s"'\[\]{}(),;$]{16,})) """
)
_RANDOM = re.compile(r"[A-Za-z0-9+/=_.~!@#%^&*-]+")
_BITS = 3.6  # per character: words and identifiers have less, 20 random letters and digits more
_WORDS = re.compile(r"(?i)example|change-?me|dummy|placeholder|x{6}|\*{4}|0123456789|:password@")


def scan(platform: Path, paths: Iterable[Path]) -> list[Finding]:
    """Return suspected secrets in these files, with file and line, but without the secret.

    A line with `ngp:allow-secret`, or below such a line, is accepted. Files that are not text are skipped.
    """
    return [finding for path in paths for finding in _scan(platform, path)]


def files(platform: Path) -> list[Path]:
    """Return the files that Git tracks or would add, sorted. Raises MissingError if there is no repository."""
    outcome = revisions.run_git(platform, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if outcome is None or outcome.exit_code:
        why = outcome.stderr.strip() if outcome else "git is not on PATH"
        raise MissingError("Git cannot list the files", where=str(platform), why=why, todo="name the files")
    return sorted({platform / name for name in outcome.stdout.split("\0") if name})


def choose(platform: Path, names: Iterable[Path]) -> list[Path]:
    """Return the named files, and the files that Git knows in named folders; without names those of the platform.

    Raises UsageError (64) for a name that does not exist, MissingError like `files`.
    """
    return [path for name in names for path in _expand(name)] or files(platform)


def _expand(path: Path) -> list[Path]:
    if not path.exists() and not path.is_symlink():
        raise UsageError("this file does not exist", where=str(path))
    return files(path) if path.is_dir() else [path]


def _scan(platform: Path, path: Path) -> Iterator[Finding]:
    text = _text(path)
    lines = text.split("\n")
    for line, what in sorted({*_known(text), *_random(text)}):
        around = lines[max(line - 2, 0) : line]
        if not any(ALLOW in each for each in around):
            yield Finding(
                f"{path.relative_to(platform) if path.is_relative_to(platform) else path} contains {what}",
                f"{path}:{line}",
                "everybody who can read the repository can read it, also in its history",
                f"revoke it and write a reference ({references.FORMS}), or comment `{ALLOW}` if it is no secret",
            )


def _known(text: str) -> Iterator[tuple[int, str]]:
    for what, form in _FORMS.items():
        for match in form.finditer(text):
            if not _WORDS.search(match[0]):
                yield _line(text, match.start()), what


def _random(text: str) -> Iterator[tuple[int, str]]:
    """Values at names that say that they are secret, where the value is random enough to be one."""
    for match in _NAMED.finditer(text):
        value = match["quoted"] or match["plain"]
        if _is_random(value):
            yield _line(text, match.start("name")), f"a random value at `{match['name']}`"


def _is_random(value: str) -> bool:
    if references.is_reference(value) or _WORDS.search(value) or not _RANDOM.fullmatch(value):
        return False
    if "://" in value or value.startswith(("arn:", "var.", "local.", "module.", "data.", "aws_")) or "/" in value[:1]:
        return False
    kinds = sum(bool(re.search(kind, value)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return kinds >= 2 and _bits(value) >= _BITS  # noqa: PLR2004  letters of two cases, or with digits


def _bits(value: str) -> float:
    """Shannon's entropy of a text, in bits for each character."""
    return -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _text(path: Path) -> str:
    """The text of a file; "" for a link, for one that is gone, too big or not text."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _MOST:
            return ""
        data = path.read_bytes()
    except OSError:
        return ""
    return "" if b"\0" in data[:8000] else data.decode("utf-8", errors="replace")
