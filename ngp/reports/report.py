"""The values of a report, from which every file and the comment on a pull request are made.

All texts are as they were found: a writer escapes them. Sensitive values are masked, and known secrets are redacted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ngp.errors import Finding
from ngp.policies.verdict import Verdict
from ngp.runs.outcomes import Outcome, ordered
from ngp.runs.results import Counts, Orphan, Verb, WireEdge
from ngp.terraform.events import Diagnostic
from ngp.terraform.plans import Action
from ngp.views.attribute_lines import AttributeLine

_GOING = frozenset({Action.DELETE, Action.REPLACE, Action.UNKNOWN})
_LOSING = frozenset({*_GOING, Action.FORGET})
_WEIGHTS = {Action.UNKNOWN: 0, Action.DELETE: 1, Action.REPLACE: 2, Action.FORGET: 3, Action.UPDATE: 4}


@dataclass(frozen=True)
class Cause:
    """What the operator or the module wrote that makes a change: `place` is ``file:line``, "" where nothing is written.

    `attribute` is the attribute of the resource, "" for the change as a whole.
    """

    attribute: str
    text: str
    place: str = ""


@dataclass(frozen=True)
class ChangeReport:
    """What happens to one resource. `lines` is the difference that a person reads."""

    address: str
    type: str
    symbol: str  # + ~ -/+ - . ?
    action: Action
    reason: str = ""  # tainted, no longer in the configuration, …
    holds: str = ""  # why it is data-bearing, "" if it is not
    replace_paths: tuple[str, ...] = ()  # attributes that force the replacement
    previous_address: str = ""
    is_imported: bool = False
    import_id: str = ""
    lines: tuple[AttributeLine, ...] = ()
    causes: tuple[Cause, ...] = ()

    @property
    def is_data_bearing(self) -> bool:
        return bool(self.holds)

    @property
    def is_moved(self) -> bool:
        return bool(self.previous_address)

    @property
    def is_forgotten(self) -> bool:
        return self.action is Action.FORGET

    @property
    def is_dangerous(self) -> bool:
        """Whether something is lost: a deletion, a replacement, or data that nothing owns any more."""
        return self.action in _GOING or (self.is_forgotten and self.is_data_bearing)

    @property
    def loses_data(self) -> bool:
        """Whether data is lost, or loses its owner."""
        return self.is_data_bearing and self.action in _LOSING

    @property
    def needs_attention(self) -> bool:
        """Whether a reviewer looks at it first: it is dangerous, or changes what is data-bearing."""
        return self.is_dangerous or (self.is_data_bearing and self.action is Action.UPDATE)

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """The order for a reviewer: what loses data first, then what needs attention, then by action."""
        return not self.loses_data, not self.needs_attention, _WEIGHTS.get(self.action, 5)


@dataclass(frozen=True)
class UnitReport:
    """What a run does, or did, to one unit. `started_s` counts from the start of the run, None where not known."""

    unit: str
    module: str
    wave: int
    outcome: Outcome
    counts: Counts = Counts()
    reason: str = ""
    is_preview: bool = False  # made with inputs that are not known yet
    why: tuple[str, ...] = ()  # why a change in Git affects it
    changes: tuple[ChangeReport, ...] = ()  # by rank
    outputs: tuple[AttributeLine, ...] = ()
    unknowns: tuple[str, ...] = ()  # vpc_id from network.vpc_id, wave 1
    findings: tuple[Finding, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    invocations: tuple[str, ...] = ()  # actions that Terraform invokes beside the changes
    duration_s: float = 0.0
    started_s: float | None = None
    log: str = ""

    @property
    def is_failed(self) -> bool:
        return not self.outcome.is_good and self.outcome is not Outcome.SKIPPED

    @property
    def is_dangerous(self) -> bool:
        return any(change.is_dangerous for change in self.changes)

    @property
    def has_changes(self) -> bool:
        return bool(self.counts.total or self.changes or self.outputs or self.invocations)

    @property
    def rank(self) -> int:
        """The order for a reviewer: 0 failed, 1 needs attention, 2 changed, 3 deferred or skipped, 4 unchanged."""
        if self.is_failed:
            return 0
        if self.outcome in (Outcome.DEFERRED, Outcome.SKIPPED):
            return 3
        return 1 if any(change.needs_attention for change in self.changes) else 2 if self.has_changes else 4


@dataclass(frozen=True)
class BundleFact:
    """The bundle that holds the plan; `expires` is ISO 8601."""

    file: str
    digest: str
    expires: str


@dataclass(frozen=True)
class Report:
    """A run, or the plan in a bundle. `units` come in the order for a reviewer."""

    verb: Verb
    environment: str
    project: str = ""
    target: str = ""
    account: str = ""
    region: str = ""
    commit: str = ""
    is_dirty: bool = False  # the work tree differed from the commit
    run_id: str = ""
    bundle: BundleFact | None = None
    ngp: str = ""
    terraform: str = ""  # version
    binary: str = "Terraform"  # or OpenTofu
    exit_code: int = 0
    stopped_by: int = 0
    duration_s: float = 0.0
    counts: Counts = Counts()
    units: tuple[UnitReport, ...] = ()
    wires: tuple[WireEdge, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    findings: tuple[Finding, ...] = ()  # of the run as a whole: what policies deny
    policy: Verdict | None = None  # None where no policy was evaluated
    flags: tuple[Finding, ...] = ()  # what in the changed files could run code in a plan: reviewers check it

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """How many units have each outcome, those that matter most first."""
        counted = Counter(unit.outcome for unit in self.units)
        return {outcome: counted[outcome] for outcome in ordered(counted)}

    @property
    def dangers(self) -> Iterator[tuple[UnitReport, ChangeReport]]:
        """The changes that lose something, the worst first."""
        found = [(unit, change) for unit in self.units for change in unit.changes if change.is_dangerous]
        return iter(sorted(found, key=lambda pair: pair[1].rank))

    @property
    def has_changes(self) -> bool:
        return any(unit.has_changes for unit in self.units)

    @property
    def has_deletions(self) -> bool:
        """Whether a resource is deleted or replaced."""
        return bool(self.counts.delete or self.counts.replace)

    @property
    def is_proposal(self) -> bool:
        """Whether nothing was changed: a plan, or a destroy that was only planned."""
        return self.verb is Verb.PLAN or any(unit.outcome is Outcome.PLANNED for unit in self.units)
