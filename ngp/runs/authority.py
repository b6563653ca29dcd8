"""The authority to change a protected environment: an approved bundle, or a signed emergency."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AuthorityKind(StrEnum):
    APPROVED = "approved"
    EMERGENCY = "emergency"


@dataclass(frozen=True)
class Authority:
    """Who permits a change, and by which rules.

    `rules_commit` is the commit of the remote's default branch whose ngp.yaml names these people. In an emergency,
    `text` is what the person signed and `signature` the SSH signature over it. `bundle` is the digest of the approved
    bundle, `maker` the person who made it.
    """

    kind: AuthorityKind
    by: tuple[str, ...]
    rules_commit: str
    reason: str = ""
    text: str = ""
    signature: str = ""
    bundle: str = ""
    maker: str = ""
