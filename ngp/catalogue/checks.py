"""`ngp module check`: checks modules against the catalogue's rules, then with Terraform."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ngp.catalogue import loading
from ngp.catalogue.constraints import modules as constraints
from ngp.catalogue.rules import (
    cuts,
    iam,
    pages,
    protection,
    resources,
    safeguards,
    shape,
    shared,
    source,
    support,
    tagging,
    vendored,
    wiring,
)
from ngp.catalogue.rules.source import Fault, ModuleSource
from ngp.catalogue.terraform_checks import TerraformChecker
from ngp.errors import StoppedError, UsageError

Rule = Callable[[ModuleSource], Iterator[Fault]]

# Rules for every module, whoever wrote it: a fault of a resource may be accepted with a reason.
SAFETY: Sequence[Rule] = (
    resources.metadata,
    resources.encryption,
    cuts.cut_names,
    resources.security_groups,
    protection.publicity,
    protection.callers,
    protection.transport,
    protection.retention,
    iam.policies,
    constraints.accepted,
)
RULES: Sequence[Rule] = (
    shape.files,
    shape.descriptions,
    shape.common,
    shared.equal,
    shape.dummies,
    shape.defaults,
    shape.providers,
    wiring.manifest,
    wiring.upgrades,
    wiring.renewals,
    wiring.counts,
    wiring.lookups,
    tagging.present,
    tagging.values,
    tagging.complete,
    *SAFETY,
    safeguards.required_arguments,
    safeguards.bucket_versioning,
    safeguards.file_system_backups,
    safeguards.metadata_hops,
    safeguards.iam_users,
    support.defaults,
    iam.texts,
    pages.sections,
)
# Rules for a copy of somebody else's module: its author decides on style and pages.
FOREIGN_RULES: Sequence[Rule] = (
    vendored.copy,
    vendored.whole,
    vendored.meanings,
    shape.dummies,
    shape.defaults,
    wiring.manifest,
    wiring.upgrades,
    wiring.counts,
    *SAFETY,
)


@dataclass(frozen=True)
class Checked:
    """A checked module, with the duration in seconds."""

    module: str
    faults: tuple[Fault, ...]
    duration_s: float


def check(
    catalogue: Path,
    names: Sequence[str] = (),
    judge: TerraformChecker | None = None,
    more: Sequence[Rule] = (),
    emit: Callable[[Checked], None] = lambda _: None,
) -> list[Fault]:
    """Return all faults of the named modules (of all without names), in order.

    A module that does not load has a fault of the rule ``load``. `judge` asks Terraform (formatting, validate, tests),
    for as many modules at once as there are cores. `more` are rules that need what lies above the catalogue. `emit`
    gets each module when it is checked, from any thread. Raises: UsageError for an unknown name; StoppedError if the
    judge's Terraform was stopped.
    """

    def run(folder: Path) -> list[Fault]:
        began = time.monotonic()
        faults = check_module(folder, judge, more)
        emit(Checked(folder.name, tuple(faults), time.monotonic() - began))
        return faults

    folders = loading.choose(catalogue, names)
    if judge is None or len(folders) < 2:
        return [fault for folder in folders for fault in run(folder)]  # Python alone uses one core
    with ThreadPoolExecutor(min(len(folders), _cores()), thread_name_prefix="module") as pool:
        return [fault for faults in pool.map(run, folders) for fault in faults]


def check_module(folder: Path, judge: TerraformChecker | None = None, more: Sequence[Rule] = ()) -> list[Fault]:
    """Return all faults of the module in `folder`."""
    try:
        found = source.load(loading.load_module(folder))
    except UsageError as error:
        return [Fault(folder.name, "load", finding) for finding in error.findings]
    rules = FOREIGN_RULES if found.module.manifest.source else (*RULES, *more)
    if judge and judge.is_stopped:
        raise StoppedError
    faults = [*_unexplained(found, [fault for rule in rules for fault in rule(found)])]
    faults += judge.judge(found) if judge else ()
    if judge and judge.is_stopped:
        raise StoppedError  # skipped modules have no faults
    return _sorted(faults)


def _unexplained(found: ModuleSource, faults: Sequence[Fault]) -> Iterator[Fault]:
    """The faults that the manifest gives no reason for, and its reasons that are for none."""
    reasons = found.module.manifest.exceptions
    names = [f"{fault.rule} {fault.about}" for fault in faults]
    is_copy = found.module.manifest.source is not None
    for name, fault in zip(names, faults, strict=True):
        if name not in reasons:
            yield _acceptable(fault, name) if is_copy and fault.about else fault
    for name in sorted(reasons.keys() - set(names)):
        where = found.manifest.where(f"exceptions.{name}")
        yield found.fault("exceptions", f"`exceptions` names `{name}`, which nothing breaks", where)


def _acceptable(fault: Fault, name: str) -> Fault:
    """A fault of a copy, which cannot be fixed here: it is accepted, or the module is not taken."""
    todo = f"accept it in module.yaml (exceptions: {{{name}: REASON}}), or take another module"
    return replace(fault, finding=replace(fault.finding, todo=todo))


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _sorted(faults: Iterable[Fault]) -> list[Fault]:
    def place(fault: Fault) -> tuple[str, int]:
        path, _, line = fault.finding.where.rpartition(":")
        return (path, int(line)) if line.isdigit() else (fault.finding.where, 0)

    return sorted(faults, key=place)
