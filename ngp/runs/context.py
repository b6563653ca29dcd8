"""What every unit of a run shares: the way to AWS and Terraform, where files go, whom to tell, when to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ngp import files, processes
from ngp.errors import UsageError
from ngp.rendering import roots, staleness
from ngp.runs import access, graph, units
from ngp.runs.events import Note, RunEvent, RunStarted, UnitFact
from ngp.runs.journal import Journal, new_id
from ngp.runs.results import Verb
from ngp.runs.units import Unit
from ngp.terraform import binary, commands, driver, lockfile, mirror, surroundings

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


@dataclass(frozen=True)
class RunContext:
    """`units` are all of the environment's; `needs` is the graph of those that this run is about."""

    run_id: str
    request: Request
    resolved: Resolved
    settings: Settings
    units: Mapping[str, Unit]
    needs: graph.Needs
    waves: Mapping[str, int]  # of all units, from 1
    access: access.Access
    terraform: driver.Terraform
    folder: Path  # .ngp/runs/ID
    tell: Tell
    stop: threading.Event

    @property
    def name(self) -> str:
        return self.resolved.environment.name

    def log(self, unit: str) -> Path:
        return self.folder / f"{unit}.log"

    def data(self, unit: str, kind: str) -> Path:
        """The unit's TF_DATA_DIR; previews have their own, since their backend is another."""
        return self.resolved.platform.workspace / "data" / self.name / unit / kind


@contextmanager
def open_run(
    request: Request, resolved: Resolved, settings: Settings, tell: Tell, stop: threading.Event
) -> Iterator[RunContext]:
    """Make everything ready for a run of an environment and hold its lock until the run has ended.

    Raises, before anything is touched: UsageError (64) for what the operator wrote or for stale roots, MissingError
    (69) for a missing prerequisite, LockHeldError (5) where another ngp is at work in this environment.
    """
    platform, environment = resolved.platform, resolved.environment
    surroundings.require_clean(settings.environ)
    units.require_known(request.units, resolved)
    _require_rendered(resolved)
    found = binary.find(
        platform.terraform, platform.terraform_version, settings.environ, cwd=platform.path, cache=settings.cache
    )
    run_id = new_id(request.verb.value, environment.name)
    with files.lock(
        platform.workspace / "locks" / f"{environment.name}.lock",
        purpose=f"ngp {request.verb.value} {environment.name}",
    ):
        journal = Journal(platform.workspace / "runs" / run_id)

        def told(event: RunEvent) -> None:
            journal.record(event)
            tell(event)

        reach = access.open_access(resolved, settings, lambda text: told(Note(text)))
        all_units = units.collect(resolved)
        needs = {name: unit.needs for name, unit in all_units.items()}
        waves = graph.numbers(needs)
        chosen = () if units.SINGLE in all_units else request.units
        selected = graph.select(needs, chosen)
        context = RunContext(
            run_id,
            request,
            resolved,
            settings,
            all_units,
            selected,
            waves,
            reach,
            _terraform(found, platform.path, settings, stop),
            journal.path.parent,
            told,
            stop,
        )
        told(_started(context, found.version))
        yield context


def _terraform(found: binary.Binary, platform: Path, settings: Settings, stop: threading.Event) -> driver.Terraform:
    raise NotImplementedError


def _require_rendered(resolved: Resolved) -> None:
    raise NotImplementedError


def _started(context: RunContext, terraform: str) -> RunStarted:
    environment = context.resolved.environment
    locked = lockfile.load(context.resolved.platform.path / ".terraform.lock.hcl")
    order = sorted(context.needs, key=lambda name: (context.waves[name], name))
    return RunStarted(
        context.run_id,
        context.request.verb,
        environment.name,
        environment.target.value,
        environment.account,
        environment.region,
        commit(context.resolved.platform.path, context.settings),
        terraform,
        tuple(f"{one.source} {one.version}" for one in locked),
        tuple(UnitFact(name, context.units[name].module, context.waves[name]) for name in order),
    )


def commit(platform: Path, settings: Settings) -> str:
    """The commit that the platform is at, short, with ``+`` where the work tree differs; "" without Git."""

    def git(*words: str) -> str:
        request = processes.Request(("git", *words), platform, settings.environ)
        try:
            outcome = processes.run(request)
        except FileNotFoundError:
            return ""
        return outcome.stdout.strip() if outcome.exit_code == 0 else ""

    head = git("rev-parse", "--short", "HEAD")
    return f"{head}+" if head and git("status", "--porcelain") else head
