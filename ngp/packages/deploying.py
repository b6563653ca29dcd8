"""Deploys packages to hosts: step by step over all of them, or over one batch after the other.

The first step that fails on a host ends the deploy; the other hosts finish that step. An interruption never cuts apt
off: the step that runs ends, and the next one does not begin.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ngp.errors import Finding
from ngp.hosts.host import Host
from ngp.packages import fleet, locking, scripts
from ngp.packages.fleet import Run
from ngp.packages.names import DebianPackage
from ngp.packages.scripts import Claim, DeployStep


@dataclass(frozen=True)
class Failed:
    """A host on which a step failed, or the check after its batch: its `step` is ``health check``."""

    host: str
    step: str
    reason: str


@dataclass(frozen=True)
class StepStarted:
    """Event: a step starts on a batch of hosts; `batch` counts from 1."""

    step: DeployStep
    hosts: tuple[str, ...]
    batch: int
    batches: int


@dataclass(frozen=True)
class LinePrinted:
    """Event: a host printed a line."""

    host: str
    line: str


Event = StepStarted | LinePrinted


@dataclass(frozen=True)
class Rollout:
    """How a deploy goes over hosts. `check` returns what is wrong after a batch; `emit` gets the events.

    `warn` gets each lock that stays on its host. `is_serial` does each step on one host after the other. `steal` is the
    id of a lock that is taken over.
    """

    batches: Sequence[Sequence[Host]]
    check: Callable[[], Sequence[str]] = tuple
    emit: Callable[[Event], None] = lambda _: None
    warn: Callable[[Finding], None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)
    steal: str = ""
    is_serial: bool = False

    @property
    def hosts(self) -> tuple[Host, ...]:
        """All hosts, in the order of the batches."""
        return tuple(host for batch in self.batches for host in batch)


@dataclass(frozen=True)
class Deployed:
    """The result of a deploy: finished hosts, failed hosts, and unfinished ones.

    `locked` has a finding for each host whose lock could not be given back.
    """

    done: tuple[str, ...]
    failed: tuple[Failed, ...]
    unfinished: tuple[str, ...]
    locked: tuple[Finding, ...] = ()

    @property
    def is_success(self) -> bool:
        """Whether every host finished all steps and is healthy."""
        return not self.failed and not self.unfinished

    def exit_code(self, *, has_good_hook: bool, stopped_by: int) -> int:
        """Return the exit code of the deploy and its hook: 1 if one failed, 128 + N if signal N stopped ngp."""
        return 128 + stopped_by if stopped_by else int(not (self.is_success and has_good_hook))


def deploy(packages: Sequence[DebianPackage], rollout: Rollout, claim: Claim, run: Run) -> Deployed:
    """Take the lock of every host, do all steps, give the locks back. The names of hosts differ (`host.distinct`).

    Raises LockHeldError (5) where somebody else deploys to one of the hosts, and NgpError where one cannot be
    reached; nothing is changed then.
    """
    locked: list[Finding] = []

    def warn(finding: Finding) -> None:
        locked.append(finding)
        rollout.warn(finding)

    with locking.hold(rollout.hosts, claim, run, rollout.steal, warn):
        result = _deploy_batches(packages, rollout, claim, run)
    return replace(result, locked=tuple(locked))


def _deploy_batches(packages: Sequence[DebianPackage], rollout: Rollout, claim: Claim, run: Run) -> Deployed:
    done: list[str] = []
    failed: list[Failed] = []
    for number, batch in enumerate(rollout.batches, 1):
        failed, is_whole = _deploy_batch(packages, rollout, claim, number, run)
        if is_whole:
            failed, is_whole = _check(rollout, batch)
        if not is_whole:
            break
        done += [host.name for host in batch]
    named = {*done, *(one.host for one in failed)}
    rest = tuple(host.name for host in rollout.hosts if host.name not in named)
    return Deployed(tuple(done), tuple(failed), rest)


def _deploy_batch(
    packages: Sequence[DebianPackage], rollout: Rollout, claim: Claim, number: int, run: Run
) -> tuple[list[Failed], bool]:
    """Do all steps on a batch; return what failed, and whether all steps were done on all its hosts."""
    batch = rollout.batches[number - 1]
    for step in DeployStep:
        if rollout.stop.is_set():
            return [], False
        rollout.emit(StepStarted(step, tuple(host.name for host in batch), number, len(rollout.batches)))
        failed = _do(step, scripts.step(step, packages, claim), batch, rollout, run)
        if failed:
            return failed, False
    return [], True


def _do(step: DeployStep, command: str, batch: Sequence[Host], rollout: Rollout, run: Run) -> list[Failed]:
    def on_line(host: Host, line: str) -> None:
        rollout.emit(LinePrinted(host.name, line))

    for hosts in [[host] for host in batch] if rollout.is_serial else [batch]:
        results = run(hosts, command, on_line)
        failed = [Failed(each.host.name, step.value, _reason(each)) for each in results if not fleet.is_good(each)]
        if failed:
            return failed
    return []


def _reason(result: fleet.CommandResult) -> str:
    if result.exit == scripts.LOCKED and not result.problem:
        return "another deploy took over the lock, or one of its steps is still running"
    return fleet.reason(result)


def _check(rollout: Rollout, batch: Sequence[Host]) -> tuple[list[Failed], bool]:
    """Check a batch; return what failed, and whether the batch is well. A check that a stop cut short is no failure."""
    reasons = "; ".join(rollout.check())
    is_stopped = bool(reasons) and rollout.stop.is_set()
    return [Failed(host.name, "health check", reasons) for host in batch if reasons and not is_stopped], not reasons
