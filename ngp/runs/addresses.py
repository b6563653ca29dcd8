"""Resource addresses: the unit that one belongs to, and ``UNIT:ADDRESS`` for `-target` and `-replace`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ngp.environments.environment import StateMode
from ngp.errors import UsageError, nearest

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved

_NAMED = re.compile(r"([a-z][a-z0-9-]*):(.+)")
_INSTANCE = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\]')
_OWNER = re.compile(r"module\.([^.\[]+)(?:[.\[]|$)")
_IN_MODULE = re.compile(r"module\.([a-z][a-z0-9-]*)(?:[.\[].*)?")


@dataclass(frozen=True)
class ResourceAddress:
    """An address as Terraform knows it in a root, and its unit ("" if unknown)."""

    unit: str
    address: str


def parse(words: Iterable[str], flag: str, chosen: Sequence[str], resolved: Resolved) -> list[ResourceAddress]:
    """Parse addresses: ``UNIT:ADDRESS`` (relative to the unit's module or to the root), an address from the root
    (``module.UNIT…``), or any address if exactly one unit is chosen.

    Raises UsageError (64) for an address whose unit is unknown, not chosen or ambiguous.
    """
    return [_parse(word, flag, chosen, resolved) for word in words]


def find(word: str, resolved: Resolved) -> ResourceAddress:
    """Return what a word means: a whole unit, or an address in one. Raises UsageError (64) if it means no unit."""
    if word in resolved.environment.units:
        return ResourceAddress(word, f"module.{word}")
    found = _parse(word, "ADDRESS", (), resolved)
    if not found.unit:
        raise UsageError(f"cannot tell which unit {word} belongs to", todo=f"write UNIT:{word}")
    return found


def own(addresses: Iterable[str], unit: str) -> tuple[str, ...]:
    """Return the addresses that belong to one unit."""
    return tuple(one for one in addresses if (found := _IN_MODULE.fullmatch(one)) is None or found[1] == unit)


def without_keys(address: str) -> str:
    """Return an address without instance keys and without the mark of a deposed object."""
    return _INSTANCE.sub("", address).partition(" (deposed")[0]


def owner(address: str) -> str:
    """Return the module of the root that contains an address or a module path, "" for the root itself."""
    found = _OWNER.match(address)
    return found[1] if found else ""


def _parse(word: str, flag: str, chosen: Sequence[str], resolved: Resolved) -> ResourceAddress:
    units = resolved.environment.units
    named = _NAMED.fullmatch(word)
    inside = _IN_MODULE.fullmatch(named[2] if named else word)
    unit = named[1] if named else inside[1] if inside and inside[1] in units else chosen[0] if len(chosen) == 1 else ""
    if named and unit not in units:
        raise UsageError(f"{flag} {word}: the unit `{unit}` does not exist", todo=nearest(unit, units))
    if not unit and resolved.environment.state is not StateMode.SINGLE:
        raise UsageError(
            f"{flag} {word}: cannot tell which unit this address belongs to",
            todo=f"write UNIT:ADDRESS, such as {next(iter(units), 'network')}:{word}",
        )
    if unit and chosen and unit not in chosen:
        raise UsageError(
            f"{flag} {word}: you did not choose the unit `{unit}`", todo=f"add `{unit}` to the units of the command"
        )
    address = named[2] if named else word
    if unit and not address.startswith((f"module.{unit}.", f"module.{unit}[")) and address != f"module.{unit}":
        address = f"module.{unit}.{address}"
    return ResourceAddress(unit, address)
