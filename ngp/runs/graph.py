"""The dependency graph of units, and its waves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter

Needs = Mapping[str, frozenset[str]]  # unit → the units whose outputs it takes


def waves(needs: Needs) -> tuple[tuple[str, ...], ...]:
    """Return the units by wave: each is one wave after the last unit that it needs. Linear in units and edges."""
    wave = numbers(needs)
    rows: list[list[str]] = [[] for _ in range(max(wave.values(), default=0))]
    for unit in sorted(wave):
        rows[wave[unit] - 1].append(unit)
    return tuple(tuple(row) for row in rows)


def numbers(needs: Needs) -> dict[str, int]:
    """Return the wave of each unit, counted from 1."""
    wave: dict[str, int] = {}
    for unit in TopologicalSorter(needs).static_order():
        wave[unit] = 1 + max((wave[needed] for needed in needs.get(unit, ())), default=0)
    return wave


def select(needs: Needs, units: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the graph of some units, without edges to others. No units means all."""
    chosen = set(units) or set(needs)
    return {unit: needs[unit] & chosen for unit in needs if unit in chosen}


def reverse(needs: Needs) -> dict[str, frozenset[str]]:
    """Return the reversed graph, which is the order of destruction."""
    turned: dict[str, set[str]] = {unit: set() for unit in needs}
    for unit, needed in needs.items():
        for one in needed:
            turned.setdefault(one, set()).add(unit)
    return {unit: frozenset(users) for unit, users in turned.items()}


def dependants(needs: Needs, units: Iterable[str]) -> set[str]:
    """Return every unit that needs one of `units`, directly or indirectly, without `units` themselves."""
    users, found, queue = reverse(needs), set[str](), list(units)
    start = set(queue)
    while queue:
        for user in users.get(queue.pop(), frozenset()):
            if user not in found:
                found.add(user)
                queue.append(user)
    return found - start
