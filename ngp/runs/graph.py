"""Which unit needs which, and the waves that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter

Needs = Mapping[str, frozenset[str]]  # unit → the units whose outputs it takes


def waves(needs: Needs) -> tuple[tuple[str, ...], ...]:
    """Units by wave: a unit stands one wave after the last of those it needs. Linear in units and edges."""
    wave = numbers(needs)
    rows: list[list[str]] = [[] for _ in range(max(wave.values(), default=0))]
    for unit in sorted(wave):
        rows[wave[unit] - 1].append(unit)
    return tuple(tuple(row) for row in rows)


def numbers(needs: Needs) -> dict[str, int]:
    """The wave of each unit, counted from 1."""
    wave: dict[str, int] = {}
    for unit in TopologicalSorter(needs).static_order():
        wave[unit] = 1 + max((wave[needed] for needed in needs.get(unit, ())), default=0)
    return wave


def select(needs: Needs, units: Iterable[str]) -> dict[str, frozenset[str]]:
    """The graph of some units only; what they need beyond is not part of it. No units means all."""
    chosen = set(units) or set(needs)
    return {unit: needs[unit] & chosen for unit in needs if unit in chosen}


def reverse(needs: Needs) -> dict[str, frozenset[str]]:
    """Who stands on whom: the order in which a region is taken down."""
    turned: dict[str, set[str]] = {unit: set() for unit in needs}
    for unit, needed in needs.items():
        for one in needed:
            turned.setdefault(one, set()).add(unit)
    return {unit: frozenset(users) for unit, users in turned.items()}


def dependants(needs: Needs, units: Iterable[str]) -> set[str]:
    """Every unit that stands on one of `units`, directly or through others; without `units` themselves."""
    users, found, queue = reverse(needs), set[str](), list(units)
    start = set(queue)
    while queue:
        for user in users.get(queue.pop(), frozenset()):
            if user not in found:
                found.add(user)
                queue.append(user)
    return found - start
