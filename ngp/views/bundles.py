"""Show what a bundle was made from, and what two bundles do differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ngp.settings import Settings
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.runs.bundle.comparing import PlanDifference
    from ngp.runs.bundle.opening import Bundle


def show(bundle: Bundle, settings: Settings) -> None:
    """Print where a bundle applies, who made it, from what and for how long, and which units go by themselves."""
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
