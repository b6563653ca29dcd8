"""Shows the content of a bundle, and the differences of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ngp.settings import Settings
from ngp.views import documents, terminal

if TYPE_CHECKING:
    from pathlib import Path

    from ngp.runs.bundle.comparing import PlanDifference
    from ngp.runs.bundle.library import StoredBundle
    from ngp.runs.bundle.opening import Bundle
    from ngp.runs.bundle.requests import BundleRequest
    from ngp.runs.bundle.statement import Statement
    from ngp.runs.results import RunResult


def document(bundle: Bundle, result: RunResult) -> dict[str, Any]:
    """``ngp.bundle.show/1``: counts and units are as in the document of the plan itself."""
    said = documents.run(result, exit_code=0)
    fields = {name: said[name] for name in ("counts", "units")}
    return {"schema": "ngp.bundle.show/1", **documents.bundle(bundle), **fields}


def difference_document(one: Bundle, other: Bundle, found: Sequence[PlanDifference]) -> dict[str, Any]:
    """``ngp.bundle.diff/1``."""
    pair = {"first": documents.bundle(one), "second": documents.bundle(other)}
    return {"schema": "ngp.bundle.diff/1", **pair, "differences": differences(found)}


def list_document(environment: str, found: Sequence[StoredBundle]) -> dict[str, Any]:
    """``ngp.bundle.list/1``."""
    kept = [{"digest": one.digest, "applied": one.is_applied} for one in found]
    return {"schema": "ngp.bundle.list/1", "environment": environment, "bundles": kept}


def fields(path: Path, digest: str, stated: Statement) -> dict[str, Any]:
    """What the document of a plan says of its bundle."""
    return {"file": str(path), "digest": digest, "expires": stated.expires.isoformat()}


def print_replanned(found: Sequence[PlanDifference], settings: Settings) -> None:
    """Print on stderr how a new plan differs from that of the bundle."""
    for one in found:
        terminal.say(settings, f"differs from the bundle: {one}", always=True)
    if not found:
        terminal.say(settings, "the new plan does the same as the bundle", always=True)


def print_made(made: BundleRequest, result: RunResult, settings: Settings) -> None:
    """Print on stderr which bundle was written and where it was uploaded to, or why there is none."""
    stated = made.statement
    if made.archive is None or stated is None:
        is_whole = all(unit.outcome.is_good for unit in result.units) and not result.stopped_by
        why = "there is nothing to plan" if is_whole else "the plan is incomplete"
        earlier = f"; {made.word} was made earlier" if made.out.exists() else ""
        terminal.say(settings, f"ngp wrote no bundle, because {why}{earlier}", always=True)
        return
    text = f"wrote {made.out} (bundle {made.archive.digest[:12]}, valid until {stated.expires:%Y-%m-%d %H:%M} UTC)"
    terminal.say(settings, text, always=True)
    if made.kept_at:
        terminal.say(settings, f"uploaded it to {made.kept_at}", always=True)


def show_list(found: Sequence[StoredBundle]) -> None:
    """Print the digests of kept bundles, and which of them were applied."""
    for one in found:
        print(f"{one.digest}{'  applied' if one.is_applied else ''}")


def print_valid(bundle: Bundle, settings: Settings) -> None:
    """Say that a bundle may still be applied, and until when."""
    until = f"{bundle.statement.expires:%Y-%m-%d %H:%M} UTC"
    terminal.say(settings, f"the bundle is valid until {until}: nothing that it was made from has changed", always=True)


def show(bundle: Bundle, settings: Settings) -> None:
    """Print where a bundle applies, who made it, from what and for how long, and which units are planned separately."""
    stated, console = bundle.statement, terminal.out(settings)
    commit, time = stated.commit, "%Y-%m-%d %H:%M UTC"
    at = f"commit {commit.id[:10]}{'+' if commit.is_dirty else ''}" if commit.id else "no commit"
    where = f"account {stated.account}, {stated.region}"
    maker = f"made by {stated.maker or 'somebody unknown'} at {stated.created.strftime(time)}"
    signed = terminal.amount(len(bundle.archive.approvals), "signature")
    lines = [
        f"bundle {bundle.digest[:12]}: {stated.verb} {stated.environment} of {stated.platform} ({where})",
        f"  {maker}, {at}, run {stated.run_id}",
        f"  with ngp {stated.ngp}, {stated.terraform.flavour} {stated.terraform.version}",
        f"  valid until {stated.expires.strftime(time)}; {signed}",
    ]
    lines += [f"  options: {' '.join(stated.options)}"] if stated.options else []
    lines += [f"  may lose data: {', '.join(stated.may_lose_data)}"] if stated.may_lose_data else []
    lines += [f"  ngp plans {name} again at apply: {one.apart}" for name, one in stated.units.items() if one.apart]
    for line in lines:
        console.print(terminal.line(line), soft_wrap=True)


def show_differences(found: Sequence[PlanDifference], settings: Settings) -> None:
    """Print what the second of two bundles does otherwise, by unit."""
    console = terminal.out(settings)
    if not found:
        console.print(terminal.line("both bundles make the same changes"), soft_wrap=True)
    unit = ""
    for one in found:
        if one.unit != unit:
            unit = one.unit
            console.print(terminal.line(unit, style="bold"), soft_wrap=True)
        console.print(terminal.line(f"    {one}"), soft_wrap=True)


def differences(found: Sequence[PlanDifference]) -> list[dict[str, Any]]:
    """The same for a JSON document."""
    return [{**asdict(one), "attributes": list(one.attributes)} for one in found]
