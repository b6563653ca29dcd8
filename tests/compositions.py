"""Choices of modules, worked out from their manifests alone: what goes together, and what does not."""

from functools import cache
from itertools import permutations
from pathlib import Path
from random import Random

from ngp.catalogue import loading
from ngp.catalogue.module import ModuleStatus

ROOT = Path(__file__).parents[1]


@cache
def catalogue():
    """The modules of this repository."""
    return loading.load(ROOT / "modules")


def providers(known, name, user):
    return [each for each, module in known.items() if name in module.manifest.provides and each != user]


def closure(known, chosen):
    """All modules of a choice with what they need, and the needs that no module or more than one could meet."""
    units, unmet = set(chosen), set()
    waiting = list(chosen)
    while waiting:
        user = waiting.pop()
        for name in known[user].manifest.requires:
            if any(name in known[other].outputs for other in units - {user}):
                continue
            found = providers(known, name, user)
            if len(found) == 1:
                units.add(found[0])
                waiting.append(found[0])
            else:
                unmet.add((user, name))
    return units, unmet


def conflicts(known, units):
    """The pairs that cannot stand side by side; the first of a pair says so."""
    return [(one, other) for one, other in permutations(sorted(units), 2) if other in known[one].manifest.conflicts]


def is_legal(known, chosen):
    units, unmet = closure(known, chosen)
    return not unmet and not conflicts(known, units)


def pick(known, seed, size):
    """A legal choice of `size` modules, the same for the same catalogue and seed; legacy ones need a consent."""
    names = sorted(name for name, module in known.items() if module.manifest.status is ModuleStatus.STABLE)
    drawn = Random(seed)
    while True:
        chosen = drawn.sample(names, size)
        if is_legal(known, chosen) and closure(known, chosen)[0] <= set(names):
            return chosen
