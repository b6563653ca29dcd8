"""Show the answers of readiness checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.runs.readiness import Answer


def show(answer: Answer) -> None:
    """A line on stdout."""
    state = "ready    " if answer.is_ready else "not ready"
    typer.echo(terminal.clean(f"{state}  {answer.unit}: {answer.target} {answer.says}"))


def keep(_answer: Answer) -> None:
    """Show nothing: the document has them all."""


def document(environment: str, answers: Sequence[Answer], code: int) -> dict[str, Any]:
    """``ngp.ready/1``."""
    return {"schema": "ngp.ready/1", "environment": environment, "exit_code": code, "checks": answers}
