"""Version numbers and constraints in Terraform's grammar (``>= 1.11.0, < 2.0.0``, ``~> 5.100``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

from ngp.errors import UsageError

_VERSION = re.compile(r"v?(\d+(?:\.\d+){0,2})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")
_TERM = re.compile(r"(=|!=|>=|<=|~>|>|<)?\s*(\S+)")


@total_ordering
@dataclass(frozen=True)
class Version:
    """One to three numbers as written, and the pre-release, "" for a release."""

    numbers: tuple[int, ...]
    prerelease: str = ""

    @property
    def core(self) -> tuple[int, int, int]:
        major, minor, patch = (*self.numbers, 0, 0)[:3]
        return major, minor, patch

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key() == other._key()

    def __lt__(self, other: Version) -> bool:
        return self._key() < other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __str__(self) -> str:
        return ".".join(map(str, self.core)) + (f"-{self.prerelease}" if self.prerelease else "")

    def _key(self) -> tuple[tuple[int, int, int], bool, tuple[tuple[int, int, str], ...]]:
        # Semantic Versioning 2.0.0, section 11: a release is above its pre-releases; numbers are below words
        parts = self.prerelease.split(".") if self.prerelease else []
        ordered = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)
        return self.core, not self.prerelease, ordered


@dataclass(frozen=True)
class Constraint:
    """Version terms that must all hold. An empty constraint allows every release."""

    text: str
    terms: tuple[tuple[str, Version], ...]

    def allows(self, version: Version) -> bool:
        """Whether `version` fits. As in Terraform, a pre-release fits only terms that name a pre-release of it."""
        return all(_holds(operator, bound, version) for operator, bound in self.terms) and (
            not version.prerelease or bool(self.terms)
        )


def parse(text: str) -> Version:
    """Parse ``1.11.4``, ``v5.100`` or ``1.12.0-beta1``. Raises ValueError for anything else."""
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"`{text}` is not a version number")
    return Version(tuple(map(int, match[1].split("."))), match[2] or "")


def parse_constraint(text: str, *, where: str = "") -> Constraint:
    """Parse a constraint such as ``>= 1.11.0, < 2.0.0``. Raises UsageError if it is invalid."""
    terms = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _TERM.fullmatch(part)
        try:
            if match is None:
                raise ValueError(f"`{part}` is not a version constraint")
            terms.append((match[1] or "=", parse(match[2])))
        except ValueError as error:
            raise UsageError(
                f"cannot read the version constraint `{text}`: {error}",
                where=where,
                todo="write it as Terraform does: `>= 1.11.0, < 2.0.0` or `~> 5.100`",
            ) from None
    return Constraint(text, tuple(terms))


def _holds(operator: str, bound: Version, version: Version) -> bool:
    if operator in ("=", "!="):
        return (version == bound) == (operator == "=")
    if version.prerelease and not (bound.prerelease and bound.core == version.core):
        return False
    if operator == "~>":
        fixed = bound.numbers[: max(len(bound.numbers) - 1, 1)]
        return version >= bound and version.core[: len(fixed)] == fixed
    return {
        ">": version > bound,
        ">=": version >= bound,
        "<": version < bound,
        "<=": version <= bound,
    }[operator]
