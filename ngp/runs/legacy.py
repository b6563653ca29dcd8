"""Units of legacy modules: planned and destroyed like any other, applied only with consent."""

from __future__ import annotations

from collections.abc import Sequence

from ngp.catalogue.module import ModuleStatus
from ngp.environments.environment import StateMode
from ngp.environments.resolving import Resolved
from ngp.errors import Finding, RefusedError

FLAG = "--accept-legacy"


def require_none(resolved: Resolved, chosen: Sequence[str]) -> None:
    """Raise RefusedError (3) with every legacy unit that an apply of the `chosen` units (none: all) could change."""
    environment = resolved.environment
    # With one state, a chosen unit includes the units that it needs.
    names = environment.units if environment.state is StateMode.SINGLE or not chosen else dict.fromkeys(chosen)
    found = []
    for name in names:
        module = resolved.catalogue.modules[environment.units[name].module]
        if module.manifest.status is ModuleStatus.LEGACY:
            found.append(
                Finding(
                    f"`{name}` uses the legacy module `{module.name}`",
                    where=str(module.path / "module.yaml"),
                    why=module.manifest.summary.rstrip("."),
                    todo=f"use another module for new units; to apply this one anyway: {FLAG}",
                )
            )
    if found:
        raise RefusedError(found)
