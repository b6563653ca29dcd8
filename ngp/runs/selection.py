"""Selection of units by name, glob, tag and position in the graph.

A selection is a list of terms; its units are those of all terms together, without those of the terms with ``!``:

    NAME, GLOB    units by name: swarm, monitoring-*, ?db, [ab]-*
    tag:GLOB      units that have a tag in environment.yaml: tag:data
    TERM...       the units of the term and everything they need
    ...TERM       the units of the term and everything that needs them
    !TERM         not these; a selection of such terms only starts with all units
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ngp.errors import Finding, UsageError, nearest, require
from ngp.runs import graph

if TYPE_CHECKING:
    from ngp.environments.environment import Environment
    from ngp.environments.resolving import Resolved
    from ngp.runs.results import RunResult

_DOTS = "..."
_TAG = "tag:"
_GLOB = re.compile(r"[*?\[]")
GRAMMAR = "NAME, GLOB, tag:TAG, TERM... (and what it needs), ...TERM (and what needs it), !TERM (not these)"


@dataclass(frozen=True)
class Term:
    """One word of a selection."""

    text: str  # as typed
    pattern: str
    is_tag: bool = False
    with_needs: bool = False
    with_dependants: bool = False
    is_excluded: bool = False

    @property
    def is_name(self) -> bool:
        """Whether the term is just the name of a unit."""
        return self.text == self.pattern and not _GLOB.search(self.pattern)


def parse(word: str) -> Term:
    """Parse a word of the command line. Raises UsageError for one without a name."""
    body = word.removeprefix("!")
    inner = body.removeprefix(_DOTS)
    core = inner.removesuffix(_DOTS)
    pattern = core.removeprefix(_TAG)
    if not pattern:
        raise UsageError(f"`{word}` selects no unit", why="a name, a glob or a tag is missing", todo=f"write {GRAMMAR}")
    return Term(word, pattern, core != pattern, inner != core, body != inner, word != body)


def expand(words: Sequence[str] | None, resolved: Resolved) -> tuple[str, ...]:
    """Return the selected units in the order of environment.yaml; () without words, which means all units.

    Raises UsageError for a term that matches nothing, and for a selection without units: neither may turn into "all
    units".
    """
    if not words:
        return ()
    return expand_each(words, [resolved])[resolved.environment.name]


def expand_each(words: Sequence[str], resolved: Sequence[Resolved]) -> dict[str, tuple[str, ...]]:
    """Return the selected units of each environment, like `expand`; a term may match in any of them. {} means all."""
    terms = [parse(word) for word in words]
    if not terms or not resolved:
        return {}
    findings = [
        _unmatched(term, [one.environment for one in resolved])
        for term in terms
        if not any(_matches(term, one.environment) for one in resolved)
    ]
    require(findings)
    found = {one.environment.name: _select(terms, one) for one in resolved}
    if not any(found.values()):
        raise UsageError(f"`{' '.join(words)}` selects no unit", todo="remove a term that begins with `!`")
    return found


def _select(terms: Iterable[Term], resolved: Resolved) -> tuple[str, ...]:
    environment = resolved.environment
    needs = {name: frozenset(resolved.edges.get(name, ())) for name in environment.units}
    kept, dropped = set[str](), set[str]()
    starts_with_all = True
    for term in terms:
        (dropped if term.is_excluded else kept).update(_reach(term, environment, needs))
        starts_with_all &= term.is_excluded
    chosen = (set(environment.units) if starts_with_all else kept) - dropped
    return tuple(name for name in environment.units if name in chosen)


def _reach(term: Term, environment: Environment, needs: graph.Needs) -> set[str]:
    found = _matches(term, environment)
    upstream = graph.dependants(graph.reverse(needs), found) if term.with_needs else set()
    downstream = graph.dependants(needs, found) if term.with_dependants else set()
    return found | upstream | downstream


def _matches(term: Term, environment: Environment) -> set[str]:
    units = environment.units
    if term.is_tag:
        return {name for name, unit in units.items() if any(fnmatchcase(tag, term.pattern) for tag in unit.tags)}
    return {name for name in units if fnmatchcase(name, term.pattern)}


def _unmatched(term: Term, environments: Sequence[Environment]) -> Finding:
    head = f"`{environments[0].name}` has no unit" if len(environments) == 1 else "no environment has a unit"
    if term.is_tag:
        known: Mapping[str, None] = {
            tag: None for one in environments for unit in one.units.values() for tag in unit.tags
        }
        todo = nearest(term.pattern, known) if known else "give units tags in environment.yaml: `swarm: {tags: [apps]}`"
        return Finding(f"{head} with the tag `{term.pattern}`", todo=todo)
    names = {name for one in environments for name in one.units}
    choose = f"choose modules first: ngp configure {environments[0].name if len(environments) == 1 else 'ENV'}"
    todo = nearest(term.pattern, names) if names else choose
    if _GLOB.search(term.pattern):
        return Finding(f"{head} that matches `{term.pattern}`", todo=todo)
    return Finding(f"{head} `{term.pattern}`", todo=todo)


def feeders(result: RunResult) -> set[str]:
    """Return the units beyond a planned run whose outputs its units need and nobody has applied."""
    needed = {unknown.origin.partition(".")[0] for unit in result.units for unknown in unit.unknowns}
    return needed - {unit.unit for unit in result.units}
