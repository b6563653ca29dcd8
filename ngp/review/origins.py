"""Origins of a unit that its root does not show: outputs that feed wired inputs, secrets of ephemeral ones, the
Terraform that runs it, and the units in the one root of a `single` state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ngp import yaml
from ngp.environments import documents, platforms, tfvars
from ngp.environments.binding import Binding, ValueSource
from ngp.environments.environment import Platform
from ngp.environments.resolving import Resolved
from ngp.environments.values import Values
from ngp.errors import UsageError
from ngp.review.baseline import Baseline


def files(environment: str) -> tuple[str, str]:
    """Return the operator's two files of an environment, relative to the platform."""
    home = f"environments/{environment}"
    return f"{home}/{documents.FILE}", f"{home}/{tfvars.FILE}"


def moved(resolved: Resolved, baseline: Baseline) -> dict[str, list[str]]:
    """By unit, the inputs that come from elsewhere than in the commit, in words: ``vpc_id from network.vpc_id``.

    Where the commit's files cannot be read any more, that is every wired and every secret input.
    """
    document, values = files(resolved.environment.name)
    found: dict[str, list[str]] = {}
    if document in baseline.changed:
        wiring = _entry(_data(baseline.before.get(document, "")), "wiring")
        for unit, name, binding in _inputs(resolved, ValueSource.WIRE):
            if _entry(_entry(wiring, unit), name) != str(binding.wire):
                found.setdefault(unit, []).append(f"{name} from {binding.wire}")
    if values in baseline.changed:
        written = _values(baseline.before.get(values, ""))
        for unit, name, binding in _inputs(resolved, ValueSource.SECRET):
            old = written.unit(unit).get(name) or written.common.get(name)
            if old is None or old.value != binding.value:
                found.setdefault(unit, []).append(f"{name} from {binding.value}")
    return found


def is_other_terraform(platform: Platform, baseline: Baseline) -> bool:
    """Whether ngp.yaml names another Terraform than in the commit."""
    if platforms.FILE not in baseline.changed:
        return False
    data = _data(baseline.before.get(platforms.FILE, ""))
    return (_entry(data, "terraform") or "") != platform.terraform


def units(environment: str, baseline: Baseline) -> list[str]:
    """Return the units in the commit's environment.yaml if it has changed since; none if it cannot be read."""
    found = _entry(_data(baseline.before.get(files(environment)[0], "")), "units")
    return list(found) if isinstance(found, Mapping) else []


def _inputs(resolved: Resolved, source: ValueSource) -> Iterator[tuple[str, str, Binding]]:
    for unit, bindings in resolved.bindings.items():
        for name, binding in bindings.inputs.items():
            if binding.source is source:
                yield unit, name, binding


def _data(text: str) -> Any:
    try:
        return yaml.parse(text, Path(documents.FILE)).data
    except UsageError:
        return None


def _values(text: str) -> Values:
    path = Path(tfvars.FILE)
    try:
        return tfvars.parse(text, path)
    except UsageError:
        return Values(path)


def _entry(data: Any, key: str) -> Any:
    return data.get(key) if isinstance(data, Mapping) else None
