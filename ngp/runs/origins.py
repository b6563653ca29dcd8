"""Maps Terraform's diagnostics about a rendered root to the line that the operator wrote."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from ngp.environments import validations
from ngp.environments.resolving import Resolved
from ngp.terraform.events import Diagnostic

_ARGUMENT = re.compile(r"\s*([\w-]+)\s*=")
_CALL = re.compile(r'module "([^"]+)"')


def locate(resolved: Resolved, root: Path, diagnostic: Diagnostic) -> Diagnostic:
    """Return a diagnostic of the rendered `root` at the operator's line, relative to the platform.

    A diagnostic that concerns no input, or one that nobody wrote, is returned unchanged.
    """
    file, _, line = diagnostic.place.rpartition(":")
    if file != "main.tf" or not line.isdecimal():
        return diagnostic
    try:
        lines = (root / file).read_text(encoding="utf-8").splitlines()[: int(line)]
    except OSError:
        return diagnostic
    argument = _ARGUMENT.match(lines[-1]) if lines else None
    unit = next((match[1] for match in map(_CALL.match, reversed(lines)) if match), "")
    if argument is None or unit not in resolved.bindings:
        return diagnostic
    where = validations.place(resolved.environment, resolved.values, unit, argument[1])
    if not where:
        return diagnostic
    summary = f"{diagnostic.summary}: {unit}.{argument[1]}"
    return replace(diagnostic, summary=summary, place=where.removeprefix(f"{resolved.platform.path}/"))
