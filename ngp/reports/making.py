"""Makes a report from the result of a run, or from a bundle."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import ngp
from ngp.environments import platforms, resolving, revisions
from ngp.environments.binding import ValueSource
from ngp.errors import Failure, Finding, NgpError
from ngp.policies.verdict import Verdict
from ngp.reports.redaction import redact
from ngp.reports.report import BundleFact, Cause, ChangeReport, Report, UnitReport
from ngp.runs import data_loss, outputs
from ngp.runs.results import RunResult, UnitResult, Verb, WireEdge
from ngp.terraform import binary
from ngp.terraform.plans import Change
from ngp.views import attributes, changes, places
from ngp.views.attribute_lines import Detail

if TYPE_CHECKING:
    from pathlib import Path

    from ngp.environments.resolving import Resolved
    from ngp.review.affected import Affected
    from ngp.runs.bundle.opening import Bundle
    from ngp.runs.context import RunContext

_DETAIL = Detail(width=600, text=200, hint=" left out")

Causes = Mapping[tuple[str, str], Sequence[Cause]]  # by unit and address


@dataclass(frozen=True)
class RunFacts:
    """Facts of a run beside its result. `started` has the seconds until each unit started."""

    resolved: Resolved | None = None
    affected: Affected | None = None
    terraform: str = ""
    binary: str = "Terraform"
    secrets: Collection[str] = field(default=(), repr=False)
    started: Mapping[str, float] = field(default_factory=dict)
    causes: Causes = field(default_factory=dict)
    bundle: BundleFact | None = None
    policy: Verdict | None = None
    flags: tuple[Finding, ...] = ()  # what reviewers must check in the changed files


def facts(run: RunContext, affected: Affected | None = None) -> RunFacts:
    """Return the facts of an open run, with the secrets that Terraform got."""
    found = run.terraform.binary
    return RunFacts(run.resolved, affected, found.version, found.title, frozenset(_secrets(run)))


def of_run(result: RunResult, known: RunFacts, *, exit_code: int) -> Report:
    """Return the report of a run."""
    resolved = known.resolved
    made = Report(
        result.verb,
        result.environment,
        run_id=result.run_id,
        bundle=known.bundle,
        ngp=ngp.__version__,
        terraform=known.terraform,
        binary=known.binary,
        exit_code=exit_code,
        stopped_by=result.stopped_by,
        duration_s=result.duration_s,
        counts=result.counts,
        units=_units(result, known),
        wires=_wires(result.units, resolved),
        orphans=result.orphans,
        findings=tuple(one.finding for one in known.policy.violations) if known.policy else (),
        policy=known.policy,
        flags=known.flags,
    )
    return redact(_place(made, resolved) if resolved else made, known.secrets)


def local_secrets(resolved: Resolved, environ: Mapping[str, str]) -> frozenset[str]:
    """Return the values of the references that this environment's variables hold (``env:NAME``); asks nobody."""
    references = (
        str(binding.value).removeprefix("env:")
        for unit in resolved.bindings.values()
        for binding in unit.inputs.values()
        if binding.source is ValueSource.SECRET and str(binding.value).startswith("env:")
    )
    return frozenset(filter(None, (environ.get(name, "") for name in references)))


def of_failure(verb: Verb, environment: str, error: Failure) -> Report:
    """Return the report of a run that an error ended as a whole: no unit has a result."""
    return Report(verb, environment, ngp=ngp.__version__, exit_code=error.exit_code, findings=error.findings)


def of_bundle(result: RunResult, bundle: Bundle, known: RunFacts | None = None) -> Report:
    """Return the report of the plan in a bundle; `result` is what `opening.run` says of it."""
    stated = bundle.statement
    fact = BundleFact(str(bundle.archive.path), bundle.digest, stated.expires.isoformat())
    known = known or RunFacts()
    flavour = "OpenTofu" if stated.terraform.flavour == binary.OPENTOFU else "Terraform"
    known = replace(known, bundle=fact, terraform=stated.terraform.version, binary=flavour)
    made = of_run(replace(result, verb=Verb.DESTROY if stated.verb == "destroy" else Verb.PLAN), known, exit_code=0)
    return replace(
        made,
        project=stated.platform,
        target=stated.target,
        account=stated.account,
        region=stated.region,
        commit=stated.commit.id,
        is_dirty=stated.commit.is_dirty,
        ngp=stated.ngp,
    )


def facts_of_bundle(bundle: Bundle, result: RunResult, cwd: Path, environ: Mapping[str, str]) -> RunFacts:
    """Return what the platform around `cwd` knows of a bundle's plan: wires, manifests, causes.

    Nothing where it is read elsewhere, or after a change of the environment.
    """
    from ngp.reports import causes
    from ngp.review import baseline

    try:
        platform = platforms.load(platforms.find(cwd))
        resolved = resolving.resolve(platform, bundle.statement.environment)
        found = causes.Finder(resolved, baseline.find(platform)).of_run(result)
    except NgpError:
        return RunFacts()
    return RunFacts(resolved, causes=found, secrets=local_secrets(resolved, environ))


def _place(made: Report, resolved: Resolved) -> Report:
    environment, commit = resolved.environment, revisions.head(resolved.platform.path)
    return replace(
        made,
        project=resolved.platform.name,
        target=environment.target.value,
        account=environment.account,
        region=environment.region,
        commit=commit.removesuffix("+"),
        is_dirty=commit.endswith("+"),
    )


def _secrets(run: RunContext) -> list[str]:
    """The values that Terraform got; of a unit whose secrets cannot be read it got none."""
    found: list[str] = []
    for name in run.needs:
        try:
            found += run.secrets(run.units[name]).values()
        except NgpError:
            continue
    return found


def _units(result: RunResult, known: RunFacts) -> tuple[UnitReport, ...]:
    affected = known.affected.units if known.affected else ()
    reasons = {one.unit: one.reasons for one in affected if one.environment == result.environment}
    why = {unit: tuple(reason.text for reason in found) for unit, found in reasons.items()}
    made = [_unit(result.environment, one, why.get(one.unit, ()), known) for one in result.units]
    return tuple(sorted(made, key=lambda one: (one.rank, one.wave, one.unit)))


def _unit(environment: str, result: UnitResult, why: tuple[str, ...], known: RunFacts) -> UnitReport:
    root = places.root(environment, result.unit)
    made = [_change(result.unit, one, known) for one in result.changes]
    return UnitReport(
        result.unit,
        result.module,
        result.wave,
        result.outcome,
        result.counts,
        result.reason,
        result.is_preview,
        why,
        tuple(sorted(made, key=lambda one: one.rank)),
        tuple(attributes.outputs(result.outputs, detail=_DETAIL)),
        tuple(changes.unknowns(result)),
        result.findings,
        tuple(places.located(one, root) for one in result.diagnostics),
        tuple(map(str, result.invocations)),
        result.duration_s,
        known.started.get(result.unit),
        result.log,
    )


def _change(unit: str, change: Change, known: RunFacts) -> ChangeReport:
    return ChangeReport(
        change.address,
        change.type,
        changes.SYMBOLS[change.action].strip(),
        change.action,
        changes.REASONS.get(change.reason, ""),
        data_loss.holds(known.resolved, unit, change),
        tuple(_path(path) for path in change.replace_paths),
        change.previous_address,
        change.importing,
        change.import_id,
        tuple(attributes.lines(change, detail=_DETAIL)),
        tuple(known.causes.get((unit, change.address), ())),
    )


def _path(path: Sequence[str | int]) -> str:
    """``ingress[0].from_port``."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def _wires(results: Sequence[UnitResult], resolved: Resolved | None) -> tuple[WireEdge, ...]:
    """The wires between the units of a run; without the environment those that are known to be unknown."""
    names = tuple(one.unit for one in results)
    if resolved is not None:
        known = tuple(name for name in names if name in resolved.environment.units)
        return tuple(outputs.wiring(resolved, known)[1]) if known else ()
    found = (WireEdge(one.unit, unknown.leaf, unknown.origin) for one in results for unknown in one.unknowns)
    return tuple(dict.fromkeys(found))
