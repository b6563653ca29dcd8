"""What a run tells while it is at work. Views, the journal and later the panel follow this one stream."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ngp.runs.authority import Authority
from ngp.runs.results import UnitResult, Verb
from ngp.terraform.events import Diagnostic


class Phase(Enum):
    WAITING = "waiting"
    INIT = "init"
    PREVIEW = "preview"
    PLAN = "plan"
    APPLY = "apply"
    DESTROY = "destroy"


@dataclass(frozen=True)
class UnitSummary:
    """A unit of a run before anything happens; `wave` counts from 1."""

    unit: str
    module: str
    wave: int


@dataclass(frozen=True)
class RunStarted:
    """All that is said before acting. Versions are "" where not known yet; `commit` ends in ``+`` when dirty."""

    run_id: str
    verb: Verb
    environment: str
    target: str
    account: str
    region: str
    commit: str
    terraform: str
    providers: tuple[str, ...]
    units: tuple[UnitSummary, ...]
    binary: str = "Terraform"  # or OpenTofu; `terraform` is its version


@dataclass(frozen=True)
class ChangeAuthorised:
    """What permits this run to change a protected environment."""

    authority: Authority


@dataclass(frozen=True)
class UnitEntered:
    """A unit enters a phase; `total` is how many operations on resources it takes, 0 where not known."""

    unit: str
    phase: Phase
    total: int = 0


class ResourceStep(Enum):
    """Where a resource is on its way."""

    STARTED = "started"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class UnitProgressed:
    """A resource took a step: `done` of `total` are done, and Terraform has worked on this one for `elapsed_s`."""

    unit: str
    done: int
    total: int
    address: str
    elapsed_s: float = 0.0
    step: ResourceStep = ResourceStep.WORKING


@dataclass(frozen=True)
class UnitDiagnosed:
    unit: str
    diagnostic: Diagnostic


@dataclass(frozen=True)
class UnitFinished:
    result: UnitResult


@dataclass(frozen=True)
class RunEstimated:
    """Terraform begins to change things; earlier runs say that it will take `seconds`."""

    seconds: float


@dataclass(frozen=True)
class Note:
    """One line for the operator: the sandbox was started, the state bucket will be made, …"""

    text: str


RunEvent = (
    RunStarted | ChangeAuthorised | RunEstimated | UnitEntered | UnitProgressed | UnitDiagnosed | UnitFinished | Note
)
