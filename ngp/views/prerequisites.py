"""Shows prerequisites: what exists, what is missing, and how to get it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import typer

from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.runs.prerequisites import Prerequisite


def show(check: Prerequisite) -> None:
    """One line for what is there; for what is missing also where, why, and how to get it."""
    typer.echo(terminal.clean(f"{'ok     ' if check.is_ok else 'missing'}  {check.name + ':':<13} {check.says}"))
    for finding in check.findings:
        for label, text in (("where", finding.where), ("why", finding.why), ("fix", finding.todo)):
            if text:
                typer.echo(terminal.clean(f"         {label + ':':<13} {text}"))


def document(environment: str, checks: Iterable[Prerequisite], code: int) -> dict[str, Any]:
    """``ngp.doctor/1``; `environment` is "" where none was looked at."""
    facts = [{"name": one.name, "ok": one.is_ok, "says": one.says, "findings": one.findings} for one in checks]
    return {"schema": "ngp.doctor/1", "environment": environment, "exit_code": code, "checks": facts}
