"""Finds the origin of a finding about a draft: a flag, a dummy or a saved line, never an unsaved one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ngp.environments.drafts import Choice
from ngp.environments.environment import Environment
from ngp.environments.tfvars_edits import Key
from ngp.environments.values import Values
from ngp.errors import Finding


@dataclass(frozen=True)
class Origins:
    """The contents of environment.yaml and terraform.tfvars, `saved` and `drafted`.

    `dummies` has the keys that got a dummy, each with the dummy's place.
    """

    saved: tuple[Environment, Values]
    drafted: tuple[Environment, Values]
    choice: Choice
    dummies: Mapping[Key, str]

    def locate(self, finding: Finding) -> Finding:
        """Return the finding at the place that the operator can change."""
        path, _, line = finding.where.rpartition(":")
        if not line.isdigit():
            return finding
        if path == str(self.drafted[1].path):
            return replace(finding, where=self._value(int(line)) or path)
        if path == self.drafted[0].where(""):
            return replace(finding, where=self._fact(int(line)) or path)
        return finding

    def _value(self, line: int) -> str:
        key = next((key for key, at in _lines(self.drafted[1]).items() if at == line), ())
        if key in self.choice.settings:
            return f"--set {'.'.join(key)}"
        if key in self.dummies:
            return self.dummies[key]
        saved = _lines(self.saved[1]).get(key)
        return f"{self.saved[1].path}:{saved}" if saved else ""

    def _fact(self, line: int) -> str:
        saved, drafted = self.saved[0], self.drafted[0]
        key = min((key for key, at in drafted.lines.items() if at == line), key=len, default="")
        if key in saved.lines:
            return saved.where(key)
        kind, _, rest = key.partition(".")
        if kind == "units" and rest in (self.choice.units or {}):
            return f"--module {rest}"
        unit, _, name = rest.partition(".")
        ref = self.choice.wires.get((unit, name)) if kind == "wiring" else None
        return f"--wire {rest}={ref}" if ref else ""


def _lines(values: Values) -> dict[Key, int]:
    """Return the line of each key of a terraform.tfvars, the inner keys of an object before the object's own."""
    inner = {(unit, name): each.place.line for unit, found in values.objects.items() for name, each in found.items()}
    return inner | {(name,): place.line for name, place in values.places.items()}
