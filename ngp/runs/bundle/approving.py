"""Approves a bundle: a person reads its changes and signs it, and it is stored where bundles are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ngp.environments import platforms, resolving
from ngp.environments.environment import BundleKeeping
from ngp.errors import NgpError
from ngp.runs import access
from ngp.runs.bundle import approvals, archive, library, rules, signatures
from ngp.runs.bundle.approvals import ApprovalStatus
from ngp.runs.bundle.opening import Bundle
from ngp.runs.bundle.rules import Rules
from ngp.runs.bundle.signatures import SigningKey

if TYPE_CHECKING:
    from threading import Event

    from ngp.settings import Settings

Agree = Callable[[SigningKey, bool], bool]  # the key, and whether it has signed the bundle already


@dataclass(frozen=True)
class Approver:
    """Who approves, and where: the folder that they work in, and the key that the command line names or ""."""

    settings: Settings
    cwd: Path
    key: str = ""
    stop: Event | None = None


@dataclass(frozen=True)
class Approved:
    """A bundle that has the signature of `key`; `is_new` says whether it had none before."""

    key: SigningKey
    is_new: bool


@dataclass(frozen=True)
class Judgement:
    """How far a bundle is approved, and by which rules."""

    standing: ApprovalStatus
    rules: Rules


def approve(bundle: Bundle, approver: Approver, agree: Agree) -> Approved:
    """Sign a bundle if `agree` says yes; a bundle that this key has signed stays as it is.

    Raises StaleError (4) for an expired or damaged bundle, MissingError (69) without a key, NgpError for a no.
    """
    approvals.examine(bundle.archive)
    settings = approver.settings
    key = signatures.find(settings, approver.cwd, approver.key)
    has_signed = approvals.has_signed(bundle.archive, signatures.fingerprint(key, settings), settings)
    if not agree(key, has_signed):
        raise NgpError("nothing was signed", why="you answered no")
    return Approved(key, not has_signed and approvals.approve(bundle.archive, key, settings))


def judge(bundle: Bundle, approver: Approver) -> Judgement:
    """Return how far the file of a bundle is approved now. Raises NgpError where the rules cannot be read."""
    read = rules.read(platforms.load(platforms.find(approver.cwd)))
    now = archive.read(bundle.archive.path)
    return Judgement(approvals.collect(now, bundle.statement, read, approver.settings), read)


def keep(bundle: Bundle, approver: Approver, note: Callable[[str], None]) -> str:
    """Store an approved bundle as ngp.yaml says; return where, "" if only the file exists."""
    platform = platforms.load(platforms.find(approver.cwd))
    if platform.bundles is BundleKeeping.FILES:
        return ""
    resolved = resolving.resolve(platform, bundle.statement.environment)
    reach = access.open_states(resolved, approver.settings, note, stop=approver.stop)
    return library.keep(resolved, reach.session, bundle.archive.path)
