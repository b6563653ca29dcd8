"""What every unit of a run shares: the way to AWS and Terraform, where files go, whom to tell, when to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ngp import files
from ngp.environments import revisions
from ngp.errors import NgpError, StoppedError, UsageError
from ngp.proxy.session import open_session
from ngp.rendering import roots, staleness
from ngp.runs import (
    abandoned,
    access,
    addresses,
    copies,
    graph,
    guards,
    killed,
    leftovers,
    legacy,
    protection,
    secrets,
    units,
)
from ngp.runs.authority import Authority
from ngp.runs.events import ChangeAuthorised, Note, RunEvent, RunStarted, UnitFact
from ngp.runs.joint import record
from ngp.runs.journal import Journal, new_id
from ngp.runs.results import Orphan, Verb
from ngp.runs.units import Unit
from ngp.terraform import binary, commands, driver, lockfile, surroundings, toolchain
from ngp.terraform.serving import Opener

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved
    from ngp.settings import Settings

Tell = Callable[[RunEvent], None]


@dataclass(frozen=True)
class Request:
    """What the operator asked for. No `units` means all of them."""

    verb: Verb
    units: tuple[str, ...] = ()
    parallelism: int = 2
    options: commands.PlanOptions = field(default_factory=commands.PlanOptions)
    may_lose_data: tuple[str, ...] = ()  # units and addresses whose data may be lost
    accepts_legacy: bool = False
    is_apart: bool = False  # every unit goes by itself
    accepts_lost: tuple[str, ...] = ()  # addresses of objects under way at a kill that the operator accounted for
    is_dry_run: bool = False  # of destroy: plan only
    authority: Authority | None = None  # to change a protected environment
    is_cleared: bool = False  # the environment is known to need no authority


@dataclass(frozen=True)
class Caller:
    """Who runs this: the surroundings, where events go, and the event by which the run is ended gracefully.

    `stopped_by` tells the number of the signal that set `stop`. `opener` opens the proxy where no pool runs.
    """

    settings: Settings
    tell: Tell
    stop: threading.Event = field(default_factory=threading.Event)
    stopped_by: Callable[[], int] = lambda: 0
    opener: Opener = open_session


@dataclass(frozen=True)
class RunContext:
    """`units` are all of the environment's; `needs` is the graph of those that this run is about."""

    run_id: str
    request: Request
    resolved: Resolved
    caller: Caller
    units: Mapping[str, Unit]
    needs: graph.Needs
    waves: Mapping[str, int]  # of all units, from 1
    access: access.Access
    terraform: driver.Terraform
    folder: Path  # .ngp/runs/ID
    tell: Tell  # the journal first, then the caller
    tree: copies.Tree  # in which previews are planned
    guard: guards.PlanGuard = field(default_factory=guards.PlanGuard)  # of the plans made there
    orphans: Callable[[], tuple[Orphan, ...]] = tuple  # waits until they are found

    @property
    def stop(self) -> threading.Event:
        return self.caller.stop

    @property
    def name(self) -> str:
        return self.resolved.environment.name

    def log(self, unit: str) -> Path:
        return self.folder / f"{unit}.log"

    def log_name(self, unit: str) -> str:
        """The same as results tell it: relative to the platform."""
        return str(self.log(unit).relative_to(self.resolved.platform.path))

    def options(self, unit: str) -> commands.PlanOptions:
        """The options for the plan of one unit by itself: of the addresses only its own."""
        options = self.request.options
        if unit == units.SINGLE:
            return options
        return replace(
            options, targets=addresses.own(options.targets, unit), replace=addresses.own(options.replace, unit)
        )

    def secrets(self, unit: Unit) -> dict[str, str]:
        """The values of a unit's secret references, for Terraform's environment only."""
        return secrets.resolve(unit.secrets, self.caller.settings.environ, self.access.session)

    def data(self, unit: str, kind: str) -> Path:
        """The unit's TF_DATA_DIR; previews have their own, since their backend is another."""
        return self.resolved.platform.workspace.data(self.name, unit, kind)

    def sources(self) -> list[Path]:
        """The folders of all modules that the environment's units call."""
        return [source for unit in self.units.values() for source in unit.sources.values()]

    def copy(self, unit: Unit) -> Path:
        """Where OpenTofu's copy of the unit's root lies."""
        return self._working.path(unit.root)

    def root(self, unit: Unit) -> driver.Root:
        """The root in which the unit is changed, made ready: its own, or OpenTofu's copy of it."""
        return copies.working_root(unit, self._working, self.data(unit.name, "root"), self.terraform.binary)

    @property
    def _working(self) -> copies.Tree:
        platform = self.resolved.platform
        return copies.Tree(platform.workspace.opentofu(self.name), platform.path)


@contextmanager
def open_run(request: Request, resolved: Resolved, caller: Caller) -> Iterator[RunContext]:
    """Make everything ready for a run of an environment and hold its lock until the run has ended.

    Raises, before anything is touched: UsageError (64) for what the operator wrote or for stale roots, MissingError
    (69) for a missing prerequisite, RefusedError (3) for a change of a protected environment without an authority, or
    an apply of legacy modules that nobody has agreed to, LockHeldError (5) where another ngp, or Terraform of a killed
    one, is at work in this environment.
    """
    platform, environment, settings = resolved.platform, resolved.environment, caller.settings
    surroundings.require_clean(settings.environ)
    surroundings.require_passable(request.options.extra)
    units.require_known(request.units, resolved)
    request = _require_agreed(request, resolved)
    run_id, workspace, name = new_id(request.verb.value, environment.name), platform.workspace, environment.name
    purpose = f"ngp {request.verb.value} {name}"
    with ExitStack() as held:
        beside = held.enter_context(ThreadPoolExecutor(1))  # what is asked while the rest is made ready
        head = beside.submit(revisions.head, platform.path)
        require_rendered(resolved)
        found = binary.find(
            platform.terraform, platform.terraform_version, settings.environ, cwd=platform.path, cache=settings.cache
        )
        held.enter_context(files.lock(workspace.lock(name), purpose=purpose))
        dead = leftovers.sweep_killed(workspace, name, is_plan=request.verb is Verb.PLAN)
        journal = Journal(workspace.runs / run_id, warn=lambda text: caller.tell(Note(text)))

        def tell(event: RunEvent) -> None:
            journal.record(event)
            caller.tell(event)

        with journal, files.cleared(journal.path.parent / killed.CALLS):
            killed.settle(dead, name, lambda text: tell(Note(text)))
            reach = access.open_access(resolved, settings, lambda text: tell(Note(text)), stop=caller.stop)
            with toolchain.open_terraform(
                found,
                platform.path / lockfile.NAME,
                settings,
                aws=reach.env,
                note=lambda text: tell(Note(text)),
                stop=caller.stop,
                opener=reach.opener(caller.opener),
                calls=journal.path.parent / killed.CALLS,
            ) as terraform:
                context = _context(run_id, request, resolved, caller, reach, terraform, journal.path.parent, tell)
                held.callback(context.tree.remove)
                _tell_start(context, head.result())
                yield _look_for_orphans(context, beside)


def _look_for_orphans(context: RunContext, beside: ThreadPoolExecutor) -> RunContext:
    """Return the context with its orphans, which are looked for beside the run; where they cannot be found, a note
    says so."""
    found = beside.submit(abandoned.beside, context.resolved, context.access.session)

    @cache
    def wait() -> tuple[Orphan, ...]:
        try:
            return found.result()
        except StoppedError:
            return ()  # the run tells of the interruption itself
        except NgpError as error:
            text = f"the states of {context.name} cannot be listed, so removed units are not known: {error}"
            context.tell(Note(text))
            return ()

    return replace(context, orphans=wait)


def _require_agreed(request: Request, resolved: Resolved) -> Request:
    if not record.unended(resolved.platform.workspace, resolved.environment.name):  # else that is settled first
        request = protection.clear(request, resolved)
    if request.verb is Verb.APPLY and not request.accepts_legacy:
        legacy.require_none(resolved, request.units)
    return request


def require_rendered(resolved: Resolved) -> None:
    """Raise UsageError (64) where the roots on the disk are not what the environment renders to."""
    stale = staleness.compare(resolved.platform.path, roots.render(resolved), [resolved.environment.name])
    if stale.is_stale:
        first = (*stale.missing, *stale.differing, *stale.orphaned)
        differ = "1 file differs" if len(first) == 1 else f"{len(first)} files differ"
        raise UsageError(
            f"the rendered roots of `{resolved.environment.name}` are stale: {differ}",
            where=str(first[0]),
            why="only what is rendered and committed is planned",
            todo=f"ngp render {resolved.environment.name}",
        )


def _context(  # noqa: PLR0913  the parts that were made ready, once
    run_id: str,
    request: Request,
    resolved: Resolved,
    caller: Caller,
    reach: access.Access,
    terraform: driver.Terraform,
    folder: Path,
    tell: Tell,
) -> RunContext:
    all_units = units.collect(resolved)
    needs = {name: unit.needs for name, unit in all_units.items()}
    is_single = units.SINGLE in all_units
    if is_single and request.units:
        targets = tuple(f"module.{name}" for name in request.units)
        tell(Note(f"one state for all units: this is -target={' -target='.join(targets)}"))
        request = replace(request, options=replace(request.options, targets=(*request.options.targets, *targets)))
    return RunContext(
        run_id,
        request,
        resolved,
        caller,
        all_units,
        graph.select(needs, () if is_single else request.units),
        graph.numbers(needs),
        reach,
        terraform,
        folder,
        tell,
        copies.Tree(resolved.platform.workspace.previews / resolved.environment.name, resolved.platform.path),
    )


def _tell_start(context: RunContext, head: str) -> None:
    context.tell(_started(context, head))
    if context.request.authority is not None:
        context.tell(ChangeAuthorised(context.request.authority))


def _started(context: RunContext, head: str) -> RunStarted:
    environment = context.resolved.environment
    locked = lockfile.load(context.resolved.platform.path / lockfile.NAME)
    order = sorted(context.needs, key=lambda name: (context.waves[name], name))
    return RunStarted(
        context.run_id,
        context.request.verb,
        environment.name,
        environment.target.value,
        environment.account,
        environment.region,
        head,
        context.terraform.binary.version,
        tuple(f"{one.source} {one.version}" for one in locked),
        tuple(UnitFact(name, context.units[name].module, context.waves[name]) for name in order),
        context.terraform.binary.title,
    )
