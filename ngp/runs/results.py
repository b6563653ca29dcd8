"""Results of a run, one per unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from ngp.errors import Finding, LockHeldError, NgpError, RefusedError, StoppedError
from ngp.runs.authority import Authority
from ngp.runs.outcomes import Outcome as Outcome
from ngp.runs.outcomes import exit_code as exit_code
from ngp.terraform.events import Diagnostic
from ngp.terraform.plans import Action, Change, Invocation, OutputChange, Plan


class Verb(Enum):
    PLAN = "plan"
    APPLY = "apply"
    DESTROY = "destroy"


@dataclass(frozen=True)
class Counts:
    """Numbers of changes of managed resources by action. A replace counts as one; a forget deletes nothing."""

    create: int = 0
    update: int = 0
    replace: int = 0
    delete: int = 0
    forget: int = 0

    @property
    def total(self) -> int:
        return self.create + self.update + self.replace + self.delete + self.forget

    @property
    def steps(self) -> int:
        """The number of operations that Terraform reports: two for a replacement, none for a forget."""
        return self.total + self.replace - self.forget

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.create + other.create,
            self.update + other.update,
            self.replace + other.replace,
            self.delete + other.delete,
            self.forget + other.forget,
        )


@dataclass(frozen=True)
class UnknownInput:
    """A leaf of an input that is not known before its upstream unit is applied (``from network.vpc_id, wave 1``)."""

    leaf: str  # vpc_id, subnet_ids[1]
    origin: str  # network.vpc_id
    wave: int


@dataclass(frozen=True)
class UnitResult:
    """The result of a unit. `wave` counts from 1. `is_preview` says that some inputs were unknown, so this plan is
    never applied."""

    unit: str
    module: str
    wave: int
    outcome: Outcome
    counts: Counts = Counts()
    changes: tuple[Change, ...] = ()  # without no-ops and reads
    outputs: Mapping[str, OutputChange] = field(default_factory=dict)
    invocations: tuple[Invocation, ...] = ()  # actions beside the changes
    unknowns: tuple[UnknownInput, ...] = ()
    is_preview: bool = False
    reason: str = ""  # one line, for a table
    findings: tuple[Finding, ...] = ()  # why the unit failed, each with its fix
    diagnostics: tuple[Diagnostic, ...] = ()
    duration_s: float = 0.0
    log: str = ""  # path of the unit's log, relative to the platform
    drift: tuple[str, ...] = ()  # addresses in `changes` that changed outside of Terraform since the last apply


@dataclass(frozen=True)
class Orphan:
    """A state that belongs to no declared unit, or all states of a removed environment (`unit` is "").

    `resources` counts managed ones; `commit` removed the unit or the environment, "" where that is not committed or
    not known. `todo` says how to destroy what is left, `keep` how to bring an environment back, and `move` are the
    commands that move the state to the unit `heir`, which is new, of the same module and without a state.
    """

    unit: str
    place: str
    resources: int
    problem: str = ""  # why the state could not be read
    commit: str = ""
    date: str = ""
    subject: str = ""
    todo: str = ""
    environment: str = ""
    states: int = 1
    keep: str = ""
    heir: str = ""
    move: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunResult:
    run_id: str
    verb: Verb
    environment: str
    units: tuple[UnitResult, ...]
    duration_s: float = 0.0
    stopped_by: int = 0  # signal number, 0 if none
    chosen: tuple[str, ...] = ()  # the requested units, () for all
    options: tuple[str, ...] = ()  # the options that shape the plan, as words of a command line
    orphans: tuple[Orphan, ...] = ()  # states that belong to no unit
    bundle: str = ""  # the file of its bundle
    needs_approval: bool = False  # whether the bundle must be approved before it is applied
    authority: Authority | None = None  # what permitted the change of a protected environment

    @property
    def counts(self) -> Counts:
        return sum((unit.counts for unit in self.units), Counts())

    def exit_code(self, *, detailed: bool = False) -> int:
        """Return the exit code of the run; with `detailed` it is 2 for changes."""
        return exit_code([unit.outcome for unit in self.units], detailed=detailed, stopped_by=self.stopped_by)

    @property
    def changes(self) -> dict[str, tuple[Change, ...]]:
        """The changes by unit."""
        return {unit.unit: unit.changes for unit in self.units}


@dataclass(frozen=True)
class OutputValue:
    """An output of an applied unit. `value` is JSON data; the view masks sensitive ones."""

    unit: str
    name: str
    value: Any
    sensitive: bool = False


@dataclass(frozen=True)
class UnitStatus:
    """The state of a unit in numbers. `resources` counts managed resources; `serial` is -1 if there is no state."""

    unit: str
    module: str
    wave: int
    resources: int = 0
    serial: int = -1
    changed_at: str = ""  # ISO 8601, "" where not known
    problem: str = ""  # why the state could not be read
    findings: tuple[Finding, ...] = ()  # the problem with its fix

    @property
    def word(self) -> str:
        """``applied``, ``empty`` (a state without resources), ``not applied``, ``unreadable`` or ``misplaced``."""
        if self.problem:
            return "unreadable" if self.serial < 0 else "misplaced"
        if self.serial < 0:
            return "not applied"
        return "applied" if self.resources else "empty"


@dataclass(frozen=True)
class WireEdge:
    """A wire as an edge of the graph: the unit's input, and the output that feeds it (``network.vpc_id``)."""

    unit: str
    input: str
    origin: str


def fail(result: UnitResult, error: NgpError | StoppedError) -> UnitResult:
    """Return the result of a unit that an error stopped, with all findings."""
    return explain(replace(result, outcome=_outcome(error)), *error.findings)


def explain(result: UnitResult, *findings: Finding) -> UnitResult:
    """Return `result` with the reasons for its outcome."""
    return replace(result, reason="; ".join(map(str, findings)), findings=findings)


def _outcome(error: NgpError | StoppedError) -> Outcome:
    if isinstance(error, StoppedError):
        return Outcome.STOPPED
    if isinstance(error, RefusedError):
        return Outcome.REFUSED
    return Outcome.LOCKED if isinstance(error, LockHeldError) else Outcome.FAILED


def count(plan: Plan) -> Counts:
    """Count the planned changes of managed resources."""
    actions = [change.action for change in plan.changes if change.mode == "managed"]
    return Counts(
        actions.count(Action.CREATE),
        actions.count(Action.UPDATE),
        actions.count(Action.REPLACE),
        actions.count(Action.DELETE),
        actions.count(Action.FORGET),
    )
