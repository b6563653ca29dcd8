"""Questions about a new environment."""

from __future__ import annotations

from functools import partial
from typing import Any

from ngp.environments import documents
from ngp.environments.environment import Environment, Target
from ngp.views import asking

_TARGETS = {
    "AWS: a real account": Target.AWS,
    "the sandbox: an AWS emulator on this machine, to try things": Target.SANDBOX,
}


def target(usual: Target, **streams: Any) -> Target:
    """Where the environment lives; `usual` comes first."""
    lines = sorted(_TARGETS, key=lambda line: _TARGETS[line] is not usual)
    return _TARGETS[asking.pick("Where does the environment live?", lines, **streams)]


def fact(key: str, source: Environment | None, **streams: Any) -> str:
    """A region, account or domain; that of `source` is the default."""
    default = str(getattr(source, key)) if source else ""
    origin = f" (from `{source.name}`)" if source and default else ""
    return asking.fill(f"{key}{origin}:", partial(documents.check_fact, key), default, **streams)
