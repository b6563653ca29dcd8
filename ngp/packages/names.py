"""Names and versions of packages by Debian's grammar: checked before any host is touched.

Debian Policy Manual, 5.6.1 "Source" (the grammar of names) and 5.6.12 "Version".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ngp.errors import Finding, UsageError, require

_NAME = re.compile(r"[a-z0-9][a-z0-9+.\-]+")
_VERSION = re.compile(r"(?:\d+:)?\d[A-Za-z0-9.+~]*(?:-[A-Za-z0-9.+~]+)*")


@dataclass(frozen=True)
class DebianPackage:
    """A package, and the wanted version; "" for the newest."""

    name: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name}={self.version}" if self.version else self.name


def parse(words: Sequence[str], version: str = "") -> tuple[DebianPackage, ...]:
    """Read ``shop`` and ``shop=1.2-1``; `version` counts for those that name none.

    Raises UsageError (64) with every word that is wrong, and where there is no word.
    """
    if not words:
        raise UsageError(
            "no package given",
            todo="write packages after the environment, pass --package, or list them in .package-name",
        )
    found: dict[str, DebianPackage] = {}
    findings: list[Finding] = []
    for word in dict.fromkeys(words):
        name, equals, own = word.partition("=")
        wanted = own if equals else version
        findings += _check(name, wanted, is_versioned=bool(equals))
        if name in found and found[name].version != wanted:
            findings.append(Finding(f"`{name}` is given with two versions", todo="give one version"))
        found[name] = DebianPackage(name, wanted)
    require(findings)
    return tuple(found.values())


def check(words: Sequence[str]) -> tuple[str, ...]:
    """Return names without versions. Raises UsageError (64) with all errors."""
    require(finding for word in words for finding in _check(word, "", is_versioned=False))
    return tuple(dict.fromkeys(words))


def _check(name: str, version: str, *, is_versioned: bool) -> list[Finding]:
    findings = []
    if not _NAME.fullmatch(name):
        why = "a Debian package name has two or more of a-z, 0-9, `+`, `-` and `.`, and starts with a letter or digit"
        findings.append(Finding(f"`{name}` is not a valid package name", why=why))
    elif name.endswith("-"):
        findings.append(
            Finding(f"`{name}` is not a valid package name", why="apt removes packages whose name ends with `-`")
        )
    if (version or is_versioned) and not _VERSION.fullmatch(version):
        why = "a Debian version starts with a digit (after an optional `N:`) and has letters, digits and `.+~-`"
        findings.append(Finding(f"`{version}` is not a valid version", why=why))
    return findings
