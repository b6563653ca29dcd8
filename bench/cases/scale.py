"""Large platforms: discovery, order, affected units, and checks for stale files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from bench import platforms
from bench.cases.options import Options
from bench.contest import Case, Contestant, Goal, Scores, nothing, present
from bench.lab import TERRAGRUNT, TERRAMATE, Lab, forget
from bench.measuring import Command, Sample, measure, run
from bench.platforms import Kind

_LIMIT_S = 300.0
_CHANGED = "w001-u003"


def cases(lab: Lab, options: Options) -> Iterator[Case]:
    """Return three cases with all sizes each, which separates the cost of a unit from that of a start."""
    made = {size: _prepare(lab, size) for size in options.sizes}
    graph, affected, check = "ngp graph", "ngp graph --affected", "ngp render --check"
    yield Case(
        "graph",
        "Discovery and order",
        "`ngp graph` (no cache yet, and again), `terragrunt find --dag`, `terramate list --run-order`: the same units, "
        "in the order in which they can run.",
        _all(made, lambda size, kinds: _graph(lab, size, kinds)),
        (
            *_faster(graph, options.sizes, "terragrunt find --dag", "terramate list --run-order"),
            *_constant(graph, options),
        ),
        repeats=options.repeats,
    )
    yield Case(
        "affected",
        "What a change affects",
        "One value of one unit of the first wave differs from `main`. ngp tells that unit and all that stand on it, "
        "the peers tell the unit.",
        _all(made, lambda size, kinds: _affected(lab, size, kinds)),
        (*_faster(affected, options.sizes, "terramate list --changed"), *_constant(affected, options)),
        repeats=options.repeats,
    )
    yield Case(
        "render-check",
        "Whether everything rendered is current",
        "`ngp render --check` of the whole platform; the peers render nothing.",
        _all(made, lambda size, kinds: (_timed(check, size, lab.ngp(kinds[Kind.NGP], "render", "--check")),)),
        (*_constant(check, options),),
        repeats=options.repeats,
    )
    forget(*(lab.folder / f"{size}-units" for size in options.sizes))


def _prepare(lab: Lab, size: int) -> dict[Kind, Path]:
    """The platforms as Git repositories; on a branch one value of one unit is another."""
    made = lab.make(size, (Kind.NGP, Kind.TERRAGRUNT, Kind.TERRAMATE))
    for folder in made.values():
        platforms.git(folder, "checkout", "--quiet", "-b", "change")
        platforms.change(folder, _CHANGED)
        platforms.git(folder, "commit", "--quiet", "--all", "--message", "change")
    return made


def _all(
    made: dict[int, dict[Kind, Path]], each: Callable[[int, dict[Kind, Path]], tuple[Contestant, ...]]
) -> tuple[Contestant, ...]:
    return tuple(one for size, kinds in made.items() for one in each(size, kinds))


def _graph(lab: Lab, size: int, kinds: dict[Kind, Path]) -> tuple[Contestant, ...]:
    ours = lab.ngp(kinds[Kind.NGP], "graph", platforms.ENVIRONMENT)

    def forget_all() -> None:
        forget(kinds[Kind.NGP] / ".ngp", lab.cache)

    return present(
        [
            _timed("ngp graph, first", size, ours, forget_all),
            _timed("ngp graph", size, ours),
            _peer(lab, size, kinds[Kind.TERRAGRUNT], TERRAGRUNT, "find", "--dag"),
            _peer(lab, size, kinds[Kind.TERRAMATE], TERRAMATE, "list", "--run-order"),
        ]
    )


def _affected(lab: Lab, size: int, kinds: dict[Kind, Path]) -> tuple[Contestant, ...]:
    words = ("graph", platforms.ENVIRONMENT, "--affected", "--since", "main")
    ours = lab.ngp(kinds[Kind.NGP], *words)
    return present(
        [
            _timed("ngp graph --affected", size, ours) if "--affected" in lab.says("graph", "--help") else None,
            _peer(lab, size, kinds[Kind.TERRAGRUNT], TERRAGRUNT, "find", "--filter", "[main...HEAD]"),
            _peer(lab, size, kinds[Kind.TERRAMATE], TERRAMATE, "list", "--changed", "--git-change-base", "main"),
        ]
    )


def _peer(lab: Lab, size: int, platform: Path, *words: str) -> Contestant | None:
    if not lab.has(words[0]):
        return None
    return _timed(" ".join(words[:3]), size, lab.peer(platform, *words))


def _timed(name: str, size: int, command: Command, prepare: Callable[[], None] = nothing) -> Contestant:
    def act() -> Sample:
        return measure(lambda: run(replace(command, timeout_s=_LIMIT_S)))

    return Contestant(_name(name, size), act, prepare)


def _faster(ours: str, sizes: tuple[int, ...], *peers: str) -> Iterator[Goal]:
    for size in sizes:
        for peer in peers:
            yield _faster_than(_name(ours, size), _name(peer, size))


def _faster_than(ours: str, peer: str) -> Goal:
    def judge(scores: Scores) -> tuple[str, bool]:
        us, them = scores[ours].median("wall_s"), scores[peer].median("wall_s")
        return f"{us:.2f} s against {them:.2f} s", us < them

    return Goal(f"{ours}: faster than {peer.partition(' (')[0]}", (ours, peer), judge)


def _constant(ours: str, options: Options) -> Iterator[Goal]:
    """One more unit costs between the two largest sizes at most a quarter more than between the two smallest.

    What a start costs is in neither: it takes three sizes.
    """
    if len(options.sizes) < 3:
        return
    sizes = sorted(options.sizes)

    def cost_ms(scores: Scores, small: int, large: int) -> float:
        few, many = (scores[_name(ours, size)].median("wall_s") for size in (small, large))
        return 1000 * (many - few) / (large - small)

    def judge(scores: Scores) -> tuple[str, bool]:
        first_ms, last_ms = cost_ms(scores, *sizes[:2]), cost_ms(scores, *sizes[-2:])
        return f"{first_ms:.2f} ms, then {last_ms:.2f} ms", last_ms <= 1.25 * first_ms

    needs = tuple(_name(ours, size) for size in sizes)
    yield Goal(f"{ours}: cost of one more unit constant", needs, judge)


def _name(name: str, size: int) -> str:
    return f"{name} ({size:,} units)"
