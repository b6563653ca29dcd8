"""Whether a real plan does no more than what was previewed (what was reviewed is what is applied)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ngp.terraform.plans import Action, Change

_IDLE = frozenset({Action.NO_OP, Action.READ})
# What a preview allows beside itself and nothing at all: a replacement that turns out to be an update does less.
_LESS = {Action.REPLACE: frozenset({Action.UPDATE})}


@dataclass(frozen=True)
class Surplus:
    """One thing that the real plan would do beyond the preview."""

    address: str
    action: Action
    previewed: Action

    def __str__(self) -> str:
        before = "was not previewed" if self.previewed is Action.NO_OP else f"was previewed as {self.previewed.value}"
        return f"{self.address}: {self.action.value} {before}"


def surplus(previewed: Iterable[Change], real: Iterable[Change]) -> tuple[Surplus, ...]:
    """What `real` does beyond `previewed`, by address; empty where it fits.

    An address may drop out; no-op < update < replace; a create stays a create; a delete, a forget and an import
    must have been previewed as such. Reads of data and changes of outputs do not count.
    """
    allowed: Mapping[str, Change] = {change.address: change for change in previewed if change.mode == "managed"}
    found = []
    for change in real:
        if change.mode != "managed" or (change.action in _IDLE and not change.importing):
            continue
        preview = allowed.get(change.address)
        if preview is None or not _fits(preview, change):
            found.append(Surplus(change.address, change.action, preview.action if preview else Action.NO_OP))
    return tuple(sorted(found, key=lambda one: one.address))


def _fits(preview: Change, change: Change) -> bool:
    if Action.UNKNOWN in (preview.action, change.action) or (change.importing and not preview.importing):
        return False
    return change.action is preview.action or change.action in _LESS.get(preview.action, frozenset())
