"""Shows the validation of environments: a line per root while Terraform checks them, then the findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ngp.settings import Settings
from ngp.views import documents, excerpts, findings, terminal

if TYPE_CHECKING:
    from ngp.review.affected import Affected
    from ngp.runs.validating import RootCheck, ValidationResult


class RootProgress:
    """A line for each root on stderr; of many roots only for those that are not valid."""

    def __init__(self, total: int, settings: Settings) -> None:
        self._is_big, self._settings = excerpts.is_big(total), settings

    def on_checked(self, check: RootCheck, is_valid: bool) -> None:  # noqa: FBT001  a fact, as the callback gives it
        if not (self._is_big and is_valid):
            terminal.say(self._settings, f"{check.name}: {'valid' if is_valid else 'not valid'}")


def show(names: Sequence[str], found: ValidationResult, settings: Settings, *, whole: bool) -> None:
    """The warnings on stderr; what is wrong on stdout, or what was checked."""
    for each in found.warnings:
        terminal.say(settings, findings.block(each, word="warning"))
    roots = "" if found.roots is None else f", Terraform checked {terminal.amount(found.roots, 'root')}"
    passed = f"valid: {', '.join(names) or 'no environment'}{roots}"
    findings.show_checks(found.wrong, settings, passed=passed, whole=whole)


def document(names: Sequence[str], found: ValidationResult, change: Affected | None) -> dict[str, Any]:
    """``ngp.validate/1``."""
    facts = {"environments": names, "terraform": found.roots is not None}
    shown = {**facts, "findings": found.wrong, "warnings": found.warnings}
    return {"schema": "ngp.validate/1", **shown, **documents.affected(change)}
