"""Opens a run: checks and prepares everything before its first unit, in order."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ngp import files
from ngp.environments import revisions
from ngp.errors import NgpError, StoppedError
from ngp.rendering import staleness
from ngp.runs import abandoned, access, copies, graph, killed, leftovers, legacy, protection, units
from ngp.runs.context import RunContext
from ngp.runs.events import ChangeAuthorised, Note, RunEvent, RunStarted, UnitSummary
from ngp.runs.joint import record
from ngp.runs.journal import Journal, new_id
from ngp.runs.request import Caller, Emit, RunRequest
from ngp.runs.results import Orphan, Verb
from ngp.terraform import binary, child_environ, driver, lockfile, toolchain

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved


@dataclass(frozen=True)
class _Ready:
    """The prepared parts of a run."""

    access: access.Access
    terraform: driver.Terraform
    folder: Path
    emit: Emit


@contextmanager
def open_run(request: RunRequest, resolved: Resolved, caller: Caller) -> Iterator[RunContext]:
    """Prepare a run of an environment, and hold its lock until the run has ended.

    Raises, before anything is touched: UsageError (64) for what the operator wrote or for stale roots, MissingError
    (69) for a missing prerequisite, RefusedError (3) for a change of a protected environment without an authority, or
    an apply of legacy modules that nobody has agreed to, LockHeldError (5) where another ngp, or Terraform of a killed
    one, is at work in this environment.
    """
    platform, environment, settings = resolved.platform, resolved.environment, caller.settings
    child_environ.require_clean(settings.environ)
    child_environ.require_passable(request.options.extra)
    units.require_known(request.units, resolved)
    request = _require_agreed(request, resolved)
    run_id, workspace, name = new_id(request.verb.value, environment.name), platform.workspace, environment.name
    with ExitStack() as held:
        beside = held.enter_context(ThreadPoolExecutor(1))  # queries that run during the other preparations
        head = beside.submit(revisions.head, platform.path)
        staleness.require_rendered(resolved)
        found = binary.find(
            platform.terraform, platform.terraform_version, settings.environ, cwd=platform.path, cache=settings.cache
        )
        held.enter_context(files.lock(workspace.lock(name), purpose=f"ngp {request.verb.value} {name}"))
        dead = leftovers.sweep_killed(workspace, name, is_plan=request.verb is Verb.PLAN)
        journal = Journal(workspace.runs / run_id, warn=lambda text: caller.emit(Note(text)))

        def emit(event: RunEvent) -> None:
            journal.record(event)
            caller.emit(event)

        with journal, files.temporary_folder(journal.path.parent / killed.CALLS):
            killed.report(dead, name, lambda text: emit(Note(text)))
            reach = access.open_access(resolved, settings, lambda text: emit(Note(text)), stop=caller.stop)
            with toolchain.open_terraform(
                found,
                platform.path / lockfile.NAME,
                settings,
                aws=reach.env,
                note=lambda text: emit(Note(text)),
                stop=caller.stop,
                opener=reach.opener(caller.opener),
                calls=journal.path.parent / killed.CALLS,
            ) as terraform:
                ready = _Ready(reach, terraform, journal.path.parent, emit)
                context = _context(run_id, request, resolved, caller, ready)
                held.callback(context.tree.remove)
                _emit_start(context, head.result())
                yield _look_for_orphans(context, beside)


def _look_for_orphans(context: RunContext, beside: ThreadPoolExecutor) -> RunContext:
    """Return the context with its orphans, which are searched during the run; a note is emitted if that fails."""
    found = beside.submit(abandoned.beside, context.resolved, context.access.session)

    @cache
    def wait() -> tuple[Orphan, ...]:
        try:
            return found.result()
        except StoppedError:
            return ()  # the run reports the interruption itself
        except NgpError as error:
            text = f"the states of {context.name} cannot be listed, so removed units are not known: {error}"
            context.emit(Note(text))
            return ()

    return replace(context, orphans=wait)


def _require_agreed(request: RunRequest, resolved: Resolved) -> RunRequest:
    if not record.unended(resolved.platform.workspace, resolved.environment.name):  # otherwise that comes first
        request = protection.clear(request, resolved)
    if request.verb is Verb.APPLY and not request.accepts_legacy:
        legacy.require_none(resolved, request.units)
    return request


def _context(run_id: str, request: RunRequest, resolved: Resolved, caller: Caller, ready: _Ready) -> RunContext:
    platform, environment = resolved.platform, resolved.environment
    all_units = units.collect(resolved)
    needs = {name: unit.needs for name, unit in all_units.items()}
    is_single = units.SINGLE in all_units
    if is_single:
        request = _targeted(request, ready.emit)
    return RunContext(
        run_id,
        request,
        resolved,
        caller,
        all_units,
        graph.select(needs, () if is_single else request.units),
        graph.numbers(needs),
        ready.access,
        ready.terraform,
        ready.folder,
        ready.emit,
        copies.ShadowTree(platform.workspace.previews / environment.name, platform.path),
    )


def _targeted(request: RunRequest, emit: Emit) -> RunRequest:
    """Return the request with target addresses for the units that it names, for one root of all units."""
    targets = tuple(f"module.{name}" for name in request.units)
    if not targets:
        return request
    emit(Note(f"all units share one state, so ngp passes -target={' -target='.join(targets)} to Terraform"))
    return replace(request, options=replace(request.options, targets=(*request.options.targets, *targets)))


def _emit_start(context: RunContext, head: str) -> None:
    context.emit(_started(context, head))
    if context.request.authority is not None:
        context.emit(ChangeAuthorised(context.request.authority))


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
        tuple(UnitSummary(name, context.units[name].module, context.waves[name]) for name in order),
        context.terraform.binary.title,
    )
