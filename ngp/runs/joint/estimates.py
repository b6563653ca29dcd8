"""Estimates how long an apply takes, from the durations of the same steps in earlier runs."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ngp import files

if TYPE_CHECKING:
    from ngp.workspace import Workspace

Step = tuple[str, str]  # a resource's address and the action
_KNOWN = 0.8  # the share of steps that must be known, for an estimate is worth nothing otherwise
_MOST = 20_000


def estimate(workspace: Workspace, environment: str, steps: Collection[Step]) -> float | None:
    """Return the seconds from the start of an apply to its last step, or None if too little is known."""
    known = _load(workspace.estimates(environment))
    found = [known[_key(step)] for step in steps if _key(step) in known]
    return max(found) if steps and len(found) >= _KNOWN * len(steps) else None


def save(workspace: Workspace, environment: str, done: Mapping[Step, float]) -> None:
    """Store when steps ended, in seconds from the start of their apply."""
    path = workspace.estimates(environment)
    known = _load(path) | {_key(step): round(at_s, 1) for step, at_s in done.items()}
    newest = dict(list(known.items())[-_MOST:])
    with suppress(OSError):  # estimates are optional
        files.write(path, json.dumps(newest, indent=0), mode=0o600, durable=False)


def _load(path: Path) -> dict[str, float]:
    try:
        return {str(key): float(value) for key, value in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _key(step: Step) -> str:
    return f"{step[1]} {step[0]}"
