"""What commands share about bundles: which word means one, and the making of one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ngp.commands import options
from ngp.commands.options import Context
from ngp.errors import Finding, StaleError, UsageError
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.commands.running import Running, Wish
    from ngp.environments.resolving import Resolved
    from ngp.runs.bundle.archive import Archive
    from ngp.runs.bundle.opening import Bundle
    from ngp.runs.bundle.statement import Statement
    from ngp.runs.context import RunContext
    from ngp.runs.joint.planning import Planned
    from ngp.runs.planning import Finish
    from ngp.runs.results import OutputValue, RunResult, UnitResult, Verb
    from ngp.terraform.plans import Plan

Out = Annotated[
    str, typer.Option("--out", metavar="FILE", help="write a bundle: the plan and all that it was made from")
]
Expires = Annotated[str, typer.Option("--expires", metavar="TIME", help="how long the bundle is valid: 90m, 24h, 3d")]
DEFAULT_EXPIRES = "24h"
_DURATION = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_LONGEST = timedelta(days=30)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def named(context: Context, word: str, units: Sequence[str] | None) -> Path | None:
    """Return the bundle that a command line names in the place of an environment, None where it names none.

    The name of an environment has no dot, so `change.bundle` means a file, whether it exists or not.
    """
    from ngp.environments import documents, platforms

    path = context.cwd / word
    if not word or not ("." in word or path.is_file()):
        return None
    if word in documents.names(platforms.load(platforms.find(context.cwd))):
        return None
    if context.terraform_args:
        raise UsageError("options for Terraform shape a plan, and that of a bundle is made", todo="leave out `--`")
    if units:
        raise UsageError("a bundle is applied as a whole", why=f"`{units[0]}` is one word too many")
    return path


def require_choice(context: Context, out: str, expires: str, key: str = "") -> Wanted | None:
    """Return the bundle that is wanted, None for none. Raises UsageError for what cannot be written or read."""
    duration = _duration(expires)
    if not out:
        if expires != DEFAULT_EXPIRES:
            raise UsageError(
                "`--expires` says how long a bundle is valid, and none is asked for", todo="add --out FILE"
            )
        return None
    return Wanted(require_writable(context, out), duration, out, key)


def require_writable(context: Context, out: str) -> Path:
    """Return the file that a bundle is written to. Raises UsageError for one that is something else."""
    from ngp.runs.bundle import archive

    path = context.cwd / out
    if not path.parent.is_dir():
        raise UsageError(f"the folder of {out} does not exist", where=str(path.parent))
    if path.is_dir() or (path.exists() and not archive.is_bundle(path)):
        raise UsageError(f"{out} exists and is not a bundle", todo="name another file: ngp replaces bundles only")
    return path


@dataclass
class Wanted:
    """A bundle that is wanted, and what was made."""

    out: Path
    expires: timedelta
    word: str  # the file as it was named
    key: str = ""  # to sign with
    archive: Archive | None = field(default=None, init=False)
    kept_at: str = field(default="", init=False)

    def finish(self, context: Context, run: RunContext, verb: Verb) -> Finish:
        """Return what makes the bundle of a plan that went well, with the signature of its maker where that matters."""
        from ngp.runs.bundle import approvals, making, rules

        signs = bool(self.key) or rules.is_protected(run.resolved.platform, run.name)
        maker = (context.settings, context.cwd, self.key)

        def make(result: RunResult, planned: Planned, alone: Mapping[str, Plan | None]) -> None:
            if all(unit.outcome.is_good for unit in result.units) and not result.stopped_by:
                made = making.Planning(verb, result, planned, alone)
                key = approvals.maker_key(*maker) if signs else ""
                self.archive = making.make(run, made, making.Order(self.out, self.expires, maker_key=key))
                if signs and (note := approvals.sign_as_maker(self.archive, *maker)):
                    terminal.say(context.settings, note, always=True)
                self.kept_at = keep(run.resolved, run.access.session, self.out)

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

    def tell(self, context: Context, result: RunResult) -> RunResult:
        """Say what was written; return the result with the bundle in it."""
        stated = self.statement
        if self.archive is None or stated is None:
            terminal.say(context.settings, "no bundle was written: the plan is not complete", always=True)
            return result
        text = f"wrote {self.out} (bundle {self.archive.digest[:12]}, valid until {stated.expires:%Y-%m-%d %H:%M} UTC)"
        terminal.say(context.settings, text, always=True)
        if self.kept_at:
            terminal.say(context.settings, f"kept it at {self.kept_at}", always=True)
        return replace(result, bundle=self.word)


def keep(resolved: Resolved, session: Session, path: Path) -> str:
    """Put a bundle into the state bucket if ngp.yaml says so; return where, "" where it stays a file alone."""
    from ngp.environments.environment import BundleKeeping
    from ngp.runs.bundle.library import Library

    if resolved.platform.bundles is BundleKeeping.FILES:
        return ""
    library = Library(resolved, session)
    return library.url(library.push(path).digest)


def finish(wanted: Wanted | None, context: Context, run: RunContext, verb: Verb) -> Finish | None:
    """Return what makes the wanted bundle of a plan that went well, None where none is wanted."""
    return wanted.finish(context, run, verb) if wanted else None


def tell(wanted: Wanted | None, context: Context, result: RunResult) -> tuple[RunResult, dict[str, Any]]:
    """Say which bundle was written; return the result with it, and what a JSON document says of it."""
    return (wanted.tell(context, result), wanted.facts) if wanted else (result, {})


@dataclass(frozen=True)
class Application:
    """How a bundle is applied: `replan` plans again where it is stale."""

    wish: Wish
    may_bootstrap: bool = True
    replan: bool = False
    jsonl: bool = False
    has_headlines: bool = True


def apply(context: Context, path: Path, asked: Application) -> tuple[RunResult, list[OutputValue]]:
    """Apply a bundle: lock, verify, then exactly its plan; return what became of it and the outputs to show.

    Raises StaleError (4) for anything that moved.
    """
    from ngp.commands import running
    from ngp.environments import platforms
    from ngp.runs.bundle import approvals, opening, rules
    from ngp.runs.results import Verb

    bundle = opening.read(path)
    stated = bundle.statement
    opening.require_known(bundle, context.cwd)
    platform = platforms.load(platforms.find(context.cwd))
    is_protected = rules.is_protected(platform, stated.environment)
    targets, replacements = (_addresses(stated, flag) for flag in ("-target=", "-replace="))
    wish = replace(
        asked.wish,
        targets=targets,
        replacements=replacements,
        refresh=options.Switch.OFF if "-refresh=false" in stated.options else options.Switch.ON,
        may_lose_data=[*(asked.wish.may_lose_data or ()), *stated.may_lose_data],
        authority=approvals.require(bundle.archive, stated, rules.read(platform), context.settings)
        if is_protected
        else None,
    )
    verb = Verb(stated.verb)
    with (
        running.begin(context, stated.environment) as begun,
        running.open_run(context, verb, begun, stated.chosen, wish, jsonl=asked.jsonl) as now,
    ):
        result = _carry_out(context, bundle, now, asked)
        is_shown = asked.has_headlines and verb is Verb.APPLY
        return result, running.headlines(context, now, result) if is_shown else []


def _carry_out(context: Context, bundle: Bundle, now: Running, asked: Application) -> RunResult:
    from ngp.runs import applying, destroying
    from ngp.runs.bundle import opening
    from ngp.runs.results import Verb

    def agree(result: RunResult, *_: object) -> bool:
        return not asked.replan or _is_agreed(context, bundle, now, result)

    open_in = partial(opening.open_in, bundle)
    if bundle.statement.verb == Verb.DESTROY.value:
        propose = partial(opening.plan_again, bundle, destroying.plan_now) if asked.replan else open_in
        return destroying.destroy(now.run, destroying.Consent(agree), propose=propose)
    propose = partial(opening.plan_again, bundle, applying.plan_now) if asked.replan else open_in
    consent = applying.Consent(agree, partial(ask_deferred, context, now))
    return applying.apply(now.run, consent, propose=propose, may_bootstrap=asked.may_bootstrap)


def _is_agreed(context: Context, bundle: Bundle, now: Running, result: RunResult) -> bool:
    """Whether a new plan may be applied in the place of the bundle's: it does the same, or a person says yes."""
    from ngp.runs.bundle import comparing, opening, rules

    found = comparing.compare(opening.results(bundle), result.units)
    if not found:
        terminal.say(context.settings, "the new plan does what the bundle shows", always=True)
        return True
    environment = now.run.resolved.environment
    if not context.settings.is_interactive or rules.is_protected(now.run.resolved.platform, environment.name):
        why = "nobody has reviewed it"
        todo = f"review a new bundle: ngp plan {environment.name} --out FILE"
        raise StaleError([Finding(f"the new plan differs: {one}", why=why, todo=todo) for one in found])
    with now.follow.pause():
        for one in found:
            terminal.say(context.settings, f"differs from the bundle: {one}", always=True)
        return options.confirm(context, f"Apply the new plan to {options.place(environment)}?")


def ask_deferred(context: Context, now: Running, result: UnitResult) -> bool:
    """A second question, on a terminal only: a general yes was given before anyone could see this plan."""
    from ngp.views import runs

    if not context.settings.is_interactive:
        return False
    with now.follow.pause():
        runs.show_unit(result, context.settings)
        question = f"`{result.unit}` could not be previewed; this is its real plan. Apply it?"
        return options.confirm(context, question)


def _addresses(stated: Statement, flag: str) -> list[str]:
    return [word.removeprefix(flag) for word in stated.options if word.startswith(flag)]


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UsageError(f"`--expires {text}` is no time", todo="write a number and m, h or d: 90m, 24h, 3d")
    duration = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if duration > _LONGEST:
        raise UsageError(f"`--expires {text}` is too long", why="a bundle is valid for 30 days at most")
    return duration
