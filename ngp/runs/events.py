"""Events of a run, for the views and the journal."""

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
    """A unit of a run before its start. `wave` counts from 1."""

    unit: str
    module: str
    wave: int


@dataclass(frozen=True)
class RunStarted:
    """The facts shown before acting. Versions are "" if unknown yet; `commit` ends in ``+`` if there are uncommitted
    changes."""

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
    """The authority of a run that changes a protected environment."""

    authority: Authority


@dataclass(frozen=True)
class UnitEntered:
    """A unit enters a phase. `total` is the number of operations on resources, 0 if unknown."""

    unit: str
    phase: Phase
    total: int = 0


class ResourceStep(Enum):
    """A step in the life of a resource's change."""

    STARTED = "started"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class UnitProgressed:
    """A resource took a step. `done` of `total` are complete; Terraform has worked on this one for `elapsed_s`."""

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
    """Terraform starts to change resources, which will take `seconds`, by earlier runs."""

    seconds: float


@dataclass(frozen=True)
class Note:
    """One line for the operator: the sandbox was started, the state bucket will be made, …"""

    text: str


RunEvent = (
    RunStarted | ChangeAuthorised | RunEstimated | UnitEntered | UnitProgressed | UnitDiagnosed | UnitFinished | Note
)
