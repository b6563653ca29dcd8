"""Shared by commands with bundles: recognises a bundle on the command line, and makes one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ngp.commands.options import Context
from ngp.commands.reporting import ReportRequest as Reports
from ngp.errors import NgpError, UsageError
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.commands.running import OpenRun
    from ngp.runs.bundle.archive import Archive
    from ngp.runs.bundle.opening import Bundle
    from ngp.runs.bundle.sealing import Recipient
    from ngp.runs.bundle.statement import Statement
    from ngp.runs.context import RunContext
    from ngp.runs.joint.planning import JointPlan
    from ngp.runs.planning import Finish
    from ngp.runs.results import RunResult, Verb
    from ngp.terraform.plans import Plan

Out = Annotated[
    str, typer.Option("--out", metavar="FILE", help="write a bundle: the plan and everything it was made from")
]
Expires = Annotated[str, typer.Option("--expires", metavar="TIME", help="how long the bundle is valid: 90m, 24h, 3d")]
DEFAULT_EXPIRES = "24h"
EncryptTo = Annotated[
    list[str] | None,
    typer.Option(
        "--encrypt-to",
        metavar="RECIPIENT",
        help="encrypt the values in the bundle for this age or SSH public key, or a file of keys; repeatable",
    ),
]
Identities = Annotated[
    list[str] | None,
    typer.Option(
        "--identity",
        metavar="FILE",
        help="private key (age or SSH) that opens an encrypted bundle; by default the keys in ~/.ssh; repeatable",
    ),
]
_DURATION = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def named(context: Context, word: str, units: Sequence[str] | None) -> Path | None:
    """Return the bundle that a command line names in the place of an environment, None where it names none.

    The name of an environment has no ending, so `change.bundle` means a file, whether it exists or not; `swarm...`
    selects units.
    """
    from ngp.environments import documents, platforms

    path = context.cwd / word
    is_named_so = "..." not in word and bool(path.suffix)
    if not word or not (is_named_so or path.is_file()):
        return None
    if word in documents.names(platforms.load(platforms.find(context.cwd))):
        return None
    if context.terraform_args:
        raise UsageError(
            "a bundle takes no options for Terraform: its plan is fixed", todo="omit `--` and what follows"
        )
    if units:
        raise UsageError("ngp applies a bundle as a whole", todo=f"omit `{units[0]}`")
    return path


@dataclass(frozen=True)
class BundleOptions:
    """The options of a bundle, as typed."""

    out: str
    expires: str
    key: str
    recipients: Sequence[str] | None


def require_choice(context: Context, choice: BundleOptions) -> BundleRequest | None:
    """Return the bundle that is wanted, None for none. Raises UsageError for what cannot be written or read."""
    from ngp.runs.bundle import sealing, signatures

    out, expires = choice.out, choice.expires
    duration = _duration(expires)
    recipients = sealing.parse_recipients(choice.recipients or (), context.cwd)
    if not out:
        if recipients:
            raise UsageError("`--encrypt-to` needs a bundle to encrypt", todo="add --out FILE")
        if expires != DEFAULT_EXPIRES:
            raise UsageError("`--expires` needs a bundle to limit", todo="add --out FILE")
        return None
    if choice.key:
        signatures.find(context.settings, context.cwd, choice.key)
    return BundleRequest(require_writable(context, out), duration, out, choice.key, recipients)


def require_writable(context: Context, out: str) -> Path:
    """Return the file that a bundle is written to. Raises UsageError for one that is something else."""
    from ngp.runs.bundle import archive

    path = context.cwd / out
    if not path.parent.is_dir():
        raise UsageError(f"the folder of {out} does not exist", where=str(path.parent))
    if path.is_dir() or (path.exists() and not archive.is_bundle(path)):
        raise UsageError(f"{out} exists and is not a bundle", todo="choose another file: ngp overwrites only bundles")
    return path


@dataclass
class BundleRequest:
    """A bundle to make, and the result."""

    out: Path
    expires: timedelta
    word: str  # the file as it was named
    key: str = ""  # to sign with
    recipients: tuple[Recipient, ...] = ()
    archive: Archive | None = field(default=None, init=False)
    kept_at: str = field(default="", init=False)

    def finish(self, context: Context, now: OpenRun, verb: Verb) -> Finish:
        """Return what makes the bundle of a plan that went well, with the signature of its maker where that matters."""
        from ngp.runs.bundle import approvals, making, rules

        run = now.run
        signs = bool(self.key) or rules.is_protected_here(run.resolved.platform, run.name)
        maker = (context.settings, context.cwd, self.key)
        snapshot = making.look(run)

        def make(result: RunResult, planned: JointPlan, alone: Mapping[str, Plan | None]) -> None:
            if all(unit.outcome.is_good for unit in result.units) and not result.stopped_by:
                made = making.Planning(verb, result, planned, alone)
                key = approvals.maker_key(*maker) if signs else ""
                order = making.BundleOrder(self.out, self.expires, self.recipients, key)
                self.archive = making.make(run, made, order, snapshot)
                if signs:
                    with now.follow.pause():  # ssh-keygen may ask for a passphrase
                        note = approvals.sign_as_maker(self.archive, *maker)
                    if note:
                        terminal.say(context.settings, note, always=True)
                self.kept_at = _keep_or_say(context, run, self.out)

        return make

    @property
    def facts(self) -> dict[str, Any]:
        """What the JSON document of the plan says of the bundle."""
        stated = self.statement
        if self.archive is None or stated is None:
            return {"bundle": None}
        return {"bundle": {"file": str(self.out), "digest": self.archive.digest, "expires": stated.expires.isoformat()}}

    @property
    def statement(self) -> Statement | None:
        from ngp.runs.bundle import statement

        return statement.load(self.archive.statement, str(self.out)) if self.archive else None

    def print_result(self, context: Context, result: RunResult) -> RunResult:
        """Say what was written; return the result with the bundle in it."""
        stated = self.statement
        if self.archive is None or stated is None:
            terminal.say(context.settings, "ngp wrote no bundle, because the plan is incomplete", always=True)
            return result
        text = f"wrote {self.out} (bundle {self.archive.digest[:12]}, valid until {stated.expires:%Y-%m-%d %H:%M} UTC)"
        terminal.say(context.settings, text, always=True)
        if self.kept_at:
            terminal.say(context.settings, f"uploaded it to {self.kept_at}", always=True)
        return replace(result, bundle=self.word)


def _keep_or_say(context: Context, run: RunContext, out: Path) -> str:
    """Keep a bundle; where that fails, the file is there all the same."""
    from ngp.runs.bundle import library

    try:
        return library.keep(run.resolved, run.access.session, out)
    except NgpError as error:
        terminal.say(
            context.settings,
            f"cannot upload {out.name}: {error}; to try again: ngp bundle push {out.name}",
            always=True,
        )
        return ""


def finish(wanted: BundleRequest | None, context: Context, now: OpenRun, verb: Verb) -> Finish | None:
    """Return what makes the wanted bundle of a plan that went well, None where none is wanted."""
    return wanted.finish(context, now, verb) if wanted else None


def print_bundle(
    wanted: BundleRequest | None, context: Context, result: RunResult, reports: Reports
) -> tuple[RunResult, dict[str, Any]]:
    """Say which bundle was written, also to the reports; return the result with it, and what a JSON document says."""
    if wanted and wanted.archive and wanted.statement:
        reports.name_bundle(wanted.out, wanted.archive.digest, wanted.statement)
    return (wanted.print_result(context, result), wanted.facts) if wanted else (result, {})


def read(context: Context, path: Path, identities: Sequence[str] | None) -> Bundle:
    """Open a bundle with the keys that are named, or those of ~/.ssh where it is sealed."""
    from ngp.runs.bundle import opening, sealing

    def unseal(opened: Archive) -> Archive:
        if not sealing.is_sealed(opened):
            return opened
        return sealing.unseal(opened, sealing.load_identities(identities or (), context.settings, context.cwd))

    return opening.read(path, unseal)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UsageError(
            f"`--expires {text}` is not a valid duration", todo="write a number and m, h or d: 90m, 24h, 3d"
        )
    from ngp.runs.bundle.statement import LONGEST

    duration = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if duration > LONGEST:
        raise UsageError(f"`--expires {text}` is too long", why="the maximum is 30 days")
    return duration
