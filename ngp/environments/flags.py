"""What the flags of `ngp configure` say: ``--module UNIT=MODULE``, ``--set UNIT.KEY=VALUE``, ``--wire …``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ngp.environments.drafts import Choice, Subject
from ngp.environments.environment import NAME, NAME_LENGTH, OutputRef
from ngp.environments.tfvars_edits import Key
from ngp.environments.values import COMMON_INPUTS, FACTS
from ngp.errors import Finding, require

_KEY = re.compile(r"(?:(?P<unit>[a-z][a-z0-9-]*)\.)?(?P<name>[A-Za-z_][A-Za-z0-9_-]*)")
_WIRE = re.compile(r"(?P<unit>[a-z][a-z0-9-]*)\.(?P<input>[\w-]+)=(?P<from>[a-z][a-z0-9-]*)\.(?P<output>[\w-]+)")


def choice(subject: Subject, modules: Iterable[str], settings: Iterable[str], wires: Iterable[str]) -> Choice:
    """The choice that the flags make; one UsageError names all that cannot be read."""
    findings: list[Finding] = []
    found = Choice(
        units=_units(subject, modules, findings),
        settings=_settings(settings, findings),
        wires=_wires(wires, findings),
    )
    require(findings)
    return found


def _units(subject: Subject, modules: Iterable[str], findings: list[Finding]) -> dict[str, str] | None:
    """Unit → module. A name alone is a unit that is there already, or else a module."""
    present = subject.environment.units
    units: dict[str, str] = {}
    for text in modules:
        unit, sign, module = text.partition("=")
        if not sign:
            module = present[unit].module if unit in present else unit
        where = f"--module {text}"
        if not re.fullmatch(NAME, unit) or len(unit) > NAME_LENGTH or unit in (*COMMON_INPUTS, *FACTS):
            why = f"a name has at most {NAME_LENGTH} lower-case letters, digits and dashes, and no name of an input"
            findings.append(Finding(f"`{unit}` is not a valid unit name", where, why))
        elif unit in units and units[unit] != module:
            findings.append(Finding(f"the unit `{unit}` is named twice", where, "a unit has one module"))
        units[unit] = module
    return units or None


def _settings(settings: Iterable[str], findings: list[Finding]) -> dict[Key, str]:
    found: dict[Key, str] = {}
    for text in settings:
        key, sign, value = text.partition("=")
        match = _KEY.fullmatch(key.strip())
        if not sign or not match:
            form = "write UNIT.KEY=VALUE, or KEY=VALUE for a common input"
            findings.append(Finding(f"cannot read `{text}`", "--set", todo=form))
        else:
            found[(match["unit"], match["name"]) if match["unit"] else (match["name"],)] = value.strip()
    return found


def _wires(wires: Iterable[str], findings: list[Finding]) -> dict[tuple[str, str], OutputRef]:
    found = {}
    for text in wires:
        match = _WIRE.fullmatch(text.replace(" ", ""))
        if match:
            found[match["unit"], match["input"]] = OutputRef(match["from"], match["output"])
        else:
            findings.append(Finding(f"cannot read `{text}`", "--wire", todo="write UNIT.INPUT=UNIT.OUTPUT"))
    return found
