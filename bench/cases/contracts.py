"""Output contracts: which units a renamed output breaks, without Terraform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench import platforms
from bench.cases.options import Options
from bench.contest import Case, Contestant, Goal, Scores, nothing
from bench.lab import Lab, forget
from bench.measuring import Sample, measure, run
from bench.platforms import Kind

_UNITS, _GOAL_S = 200, 1.0
_OUTPUT = "modules/cell/cell-output.tf"
_FIRST, _AGAIN = "ngp module contracts, first", "ngp module contracts"


def cases(lab: Lab, options: Options) -> Iterator[Case]:
    """Return one case: a module renames an output that most of the units use."""
    platform = _prepare(lab)
    yield Case(
        "contracts",
        f"Output contracts of {_UNITS} units",
        f"`ngp module contracts --since main` (no cache yet, and again) in a platform of {_UNITS} units: the module of "
        "most of them renames the output that they take. Every unit that breaks is told, with its line.",
        (
            _contestant(lab, platform, _FIRST, is_first=True),
            _contestant(lab, platform, _AGAIN),
        ),
        (_goal(_FIRST), _goal(_AGAIN)),
        repeats=options.repeats,
    )
    forget(platform.parent)


def _prepare(lab: Lab) -> Path:
    """The platform as a Git repository; on a branch its module `cell` calls its output otherwise."""
    platform = lab.make(_UNITS, (Kind.NGP,))[Kind.NGP]
    platforms.git(platform, "checkout", "--quiet", "-b", "change")
    path = platform / _OUTPUT
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('output "vpc_id"', 'output "network_id"'), encoding="utf-8")
    platforms.git(platform, "commit", "--quiet", "--all", "--message", "change")
    return platform


def _contestant(lab: Lab, platform: Path, name: str, *, is_first: bool = False) -> Contestant:
    command = replace(lab.ngp(platform, "module", "contracts", "--since", "main"), exit_code=1)  # units break

    def forget_all() -> None:
        forget(platform / ".ngp", lab.cache)

    def act() -> Sample:
        return measure(lambda: run(command))

    return Contestant(name, act, forget_all if is_first else nothing)


def _goal(name: str) -> Goal:
    def judge(scores: Scores) -> tuple[str, bool]:
        taken_s = scores[name].median("wall_s")
        return f"{taken_s:.2f} s", taken_s < _GOAL_S

    return Goal(f"{name}: < {_GOAL_S:g} s", (name,), judge)
