"""Requests for bundles: the options of a command line, and the bundle that a plan becomes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ngp.environments import documents, platforms
from ngp.errors import NgpError, UsageError
from ngp.runs.bundle import (
    approvals,
    archive,
    library,
    making,
    opening,
    rules,
    sealing,
    signatures,
    statement,
)
from ngp.runs.bundle.archive import Archive
from ngp.runs.bundle.opening import Bundle
from ngp.runs.bundle.sealing import Recipient
from ngp.runs.bundle.statement import LONGEST, Statement
from ngp.runs.context import RunContext
from ngp.runs.joint.planning import JointPlan
from ngp.runs.planning import Finish
from ngp.runs.results import RunResult, Verb
from ngp.settings import Settings
from ngp.terraform.plans import Plan

if TYPE_CHECKING:
    from ngp.runs.bundle.facts import Snapshot

_DURATION = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class BundleOptions:
    """The options of a bundle, as typed."""

    out: str
    expires: str
    key: str
    recipients: Sequence[str] | None
    limits_time: bool = False  # `expires` is not the default


@dataclass(frozen=True)
class Maker:
    """The maker of a bundle. `say` prints messages; inside of `pause` a program may ask for a passphrase."""

    settings: Settings
    cwd: Path
    say: Callable[[str], None]
    pause: Callable[[], AbstractContextManager[None]]


@dataclass
class BundleRequest:
    """A bundle to make, and the result: `archive`, and where it was uploaded to."""

    out: Path
    expires: timedelta
    word: str  # the file as it was named
    key: str = ""  # to sign with
    recipients: tuple[Recipient, ...] = ()
    archive: Archive | None = field(default=None, init=False)
    kept_at: str = field(default="", init=False)

    @property
    def statement(self) -> Statement | None:
        """What the bundle that was made states."""
        return statement.load(self.archive.statement, str(self.out)) if self.archive else None

    def finish(self, run: RunContext, verb: Verb, maker: Maker) -> Finish:
        """Return the function that makes the bundle of a successful plan, signed by its maker if that matters."""
        signs = bool(self.key) or rules.is_protected_here(run.resolved.platform, run.name)
        snapshot = making.take_snapshot(run)

        def make(result: RunResult, planned: JointPlan, alone: Mapping[str, Plan | None]) -> None:
            if all(unit.outcome.is_good for unit in result.units) and not result.stopped_by:
                made = making.Planning(verb, result, planned, alone)
                self._make(run, made, snapshot, maker, signs=signs)

        return make

    def _make(self, run: RunContext, made: making.Planning, snapshot: Snapshot, maker: Maker, *, signs: bool) -> None:
        who = (maker.settings, maker.cwd, self.key)
        key = approvals.maker_key(*who) if signs else ""
        self.archive = making.make(
            run, made, making.BundleOrder(self.out, self.expires, self.recipients, key), snapshot
        )
        if signs:
            with maker.pause():
                note = approvals.sign_as_maker(self.archive, *who)
            if note:
                maker.say(note)
        try:
            self.kept_at = library.keep(run.resolved, run.access.session, self.out)
        except NgpError as error:  # the file is there all the same
            name = self.out.name
            maker.say(f"cannot upload {name}: {error}; to try again: ngp bundle push {name}")


def prepare(given: BundleOptions, settings: Settings, cwd: Path) -> BundleRequest | None:
    """Return the bundle that is asked for, None for none. Raises UsageError for what cannot be written or read."""
    duration = parse_duration(given.expires)
    recipients = sealing.parse_recipients(given.recipients or (), cwd)
    if not given.out:
        if recipients:
            raise UsageError("`--encrypt-to` works only with `--out`", todo="add --out FILE")
        if given.limits_time:
            raise UsageError("`--expires` works only with `--out`", todo="add --out FILE")
        return None
    if given.key:
        signatures.find(settings, cwd, given.key)
    return BundleRequest(require_writable(given.out, cwd), duration, given.out, given.key, recipients)


def require_writable(out: str, cwd: Path) -> Path:
    """Return the file that a bundle is written to. Raises UsageError for one that is something else."""
    path = cwd / out
    if not path.parent.is_dir():
        raise UsageError(f"the folder of {out} does not exist", where=str(path.parent))
    if path.is_dir() or (path.exists() and not archive.is_bundle(path)):
        raise UsageError(f"{out} exists and is not a bundle", todo="choose another file: ngp overwrites only bundles")
    return path


def find(cwd: Path, word: str) -> Path | None:
    """Return the bundle that a word means instead of an environment, or None.

    The name of an environment has no extension, so `change.bundle` means a file, whether it exists or not; `swarm...`
    selects units.
    """
    path = cwd / word
    is_named_so = "..." not in word and bool(path.suffix)
    if not word or not (is_named_so or path.is_file()):
        return None
    return None if word in documents.names(platforms.load(platforms.find(cwd))) else path


def find_whole(cwd: Path, word: str, units: Sequence[str], passed: Sequence[str]) -> Path | None:
    """Return what `find` returns. Raises UsageError for units, and for options to Terraform, with a bundle."""
    path = find(cwd, word)
    if path is not None and passed:
        todo = "omit `--` and what follows"
        raise UsageError("a bundle takes no options for Terraform: its plan is fixed", todo=todo)
    if path is not None and units:
        raise UsageError("ngp applies a bundle as a whole", todo=f"omit `{units[0]}`")
    return path


def read(path: Path, identities: Sequence[str], settings: Settings, cwd: Path) -> Bundle:
    """Open a bundle with the named keys, or those of ~/.ssh if it is sealed."""

    def unseal(opened: Archive) -> Archive:
        if not sealing.is_sealed(opened):
            return opened
        return sealing.unseal(opened, sealing.load_identities(identities, settings, cwd))

    return opening.read(path, unseal)


def parse_duration(text: str) -> timedelta:
    """Return how long a bundle is valid: ``90m``, ``24h``, ``3d``. Raises UsageError for more than 30 days."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UsageError(
            f"`--expires {text}` is not a valid duration", todo="write a number and m, h or d: 90m, 24h, 3d"
        )
    duration = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if duration > LONGEST:
        raise UsageError(f"`--expires {text}` is too long", why="the maximum is 30 days")
    return duration
