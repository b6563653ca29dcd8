"""The context of a run, shared by all its units: AWS, Terraform, files, events and the stop signal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ngp.runs import access, addresses, copies, graph, guards, secrets, units
from ngp.runs.request import Caller, Emit, RunRequest
from ngp.runs.results import Orphan
from ngp.runs.units import Unit
from ngp.terraform import commands, driver

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved


@dataclass(frozen=True)
class RunContext:
    """Everything that a run uses. `units` are all of the environment's; `needs` is the graph of those in this run."""

    run_id: str
    request: RunRequest
    resolved: Resolved
    caller: Caller
    units: Mapping[str, Unit]
    needs: graph.Needs
    waves: Mapping[str, int]  # of all units, from 1
    access: access.Access
    terraform: driver.Terraform
    folder: Path  # .ngp/runs/ID
    emit: Emit  # the journal first, then the caller
    tree: copies.ShadowTree  # the shadow tree of previews
    guard: guards.PlanGuard = field(default_factory=guards.PlanGuard)  # the guard of plans made there
    orphans: Callable[[], tuple[Orphan, ...]] = tuple  # returns the orphans once they are found

    @property
    def stop(self) -> threading.Event:
        return self.caller.stop

    @property
    def name(self) -> str:
        return self.resolved.environment.name

    def log(self, unit: str) -> Path:
        return self.folder / f"{unit}.log"

    def log_name(self, unit: str) -> str:
        """The path of the log relative to the platform, for results."""
        return str(self.log(unit).relative_to(self.resolved.platform.path))

    def options(self, unit: str) -> commands.PlanOptions:
        """The plan options for one unit alone, with only its own addresses."""
        options = self.request.options
        if unit == units.SINGLE:
            return options
        return replace(
            options, targets=addresses.own(options.targets, unit), replace=addresses.own(options.replace, unit)
        )

    def secrets(self, unit: Unit) -> dict[str, str]:
        """The values of a unit's secret references, for Terraform's environment only."""
        return secrets.resolve(unit.secrets, self.caller.settings.environ, self.access.session)

    def data(self, unit: str, kind: str) -> Path:
        """The unit's TF_DATA_DIR. Previews have their own, because they use another backend."""
        return self.resolved.platform.workspace.data(self.name, unit, kind)

    def sources(self) -> list[Path]:
        """The folders of all modules that the environment's units use."""
        return [source for unit in self.units.values() for source in unit.sources.values()]

    def copy(self, unit: Unit) -> Path:
        """The path of OpenTofu's copy of the unit's root."""
        return self._working.path(unit.root)

    def root(self, unit: Unit) -> driver.Root:
        """The prepared root in which the unit is changed: its own, or OpenTofu's copy of it."""
        return copies.working_root(unit, self._working, self.data(unit.name, "root"), self.terraform.binary)

    @property
    def _working(self) -> copies.ShadowTree:
        platform = self.resolved.platform
        return copies.ShadowTree(platform.workspace.opentofu(self.name), platform.path)
