"""`ngp module check`: the catalogue's rules, then Terraform's own opinion of the module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from ngp.catalogue import loading
from ngp.catalogue.judging import Judge
from ngp.catalogue.rules import iam, resources, shape, source, wiring
from ngp.catalogue.rules.source import Fault, Source
from ngp.errors import Finding, UsageError, nearest

Rule = Callable[[Source], Iterator[Fault]]

RULES: Sequence[Rule] = (
    shape.files,
    shape.descriptions,
    shape.common,
    shape.dummies,
    shape.defaults,
    shape.providers,
    wiring.manifest,
    wiring.counts,
    wiring.lookups,
    resources.tags,
    resources.metadata,
    resources.encryption,
    resources.security_groups,
    iam.policies,
    iam.texts,
)


def check(catalogue: Path, names: Sequence[str] = (), judge: Judge | None = None) -> list[Fault]:
    """All faults of the named modules (of all without names), in order; a module that does not load has rule ``load``.

    `judge` is what asks Terraform (formatting, validate, tests); None leaves that out. Raises UsageError for an
    unknown name.
    """
    folders = {folder.name: folder for folder in loading.folders(catalogue)}
    unknown = [name for name in names if name not in folders]
    if unknown:
        findings = [Finding(f"there is no module `{name}`", str(catalogue), nearest(name, folders)) for name in unknown]
        raise UsageError(findings)
    return [fault for name in names or folders for fault in check_module(folders[name], judge)]


def check_module(folder: Path, judge: Judge | None = None) -> list[Fault]:
    """All faults of the module in `folder`."""
    try:
        found = source.load(loading.load_module(folder))
    except UsageError as error:
        return [Fault(folder.name, "load", finding) for finding in error.findings]
    faults = [fault for rule in RULES for fault in rule(found)]
    return _sorted([*faults, *(judge.judge(found) if judge else ())])


def _sorted(faults: Iterable[Fault]) -> list[Fault]:
    def place(fault: Fault) -> tuple[str, int]:
        path, _, line = fault.finding.where.rpartition(":")
        return (path, int(line)) if line.isdigit() else (fault.finding.where, 0)

    return sorted(faults, key=place)
