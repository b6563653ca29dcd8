"""Planning a whole environment whose region is empty."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.cases.environment import INIT, Bench
from bench.contest import OURS, Case, present, times
from bench.lab import TERRAFORM, TERRAGRUNT
from bench.measuring import Command
from bench.platforms import ENVIRONMENT, Kind

_PLAN = f"{INIT} && terraform plan -no-color"
POOLED = "ngp, pool running"


def cases(bench: Bench) -> Iterator[Case]:
    """Return two cases: without any initialisation or cache, and repeated."""
    yield _first(bench)
    yield _again(bench)


def _first(bench: Bench) -> Case:
    units, at_once = bench.options.units, bench.options.parallelism
    empty, by_hand, terragrunt = bench.empty_region, Kind.TERRAFORM, Kind.TERRAGRUNT
    return Case(
        "plan-first",
        f"Plan of {units} units, first",
        f"`init` and `plan` of {units} units, {at_once} at a time, the region empty, the provider's package on the "
        "disk already. ngp previews what is wired to units that are not there yet; the peers get a stand-in for it.",
        present(
            [
                bench.contestant(OURS, _ours(bench), prepare=[empty, bench.forget_ours]),
                bench.contestant(TERRAFORM, bench.each(_PLAN), prepare=[empty, partial(bench.forget_theirs, by_hand)]),
                bench.terragrunt("plan", prepare=[empty, partial(bench.forget_theirs, terragrunt)]),
            ]
        ),
        (times(12, TERRAFORM), times(12, TERRAGRUNT), times(3, TERRAFORM, what="memory_mb")),
        bench.options.repeats,
    )


def _again(bench: Bench) -> Case:
    return Case(
        "plan-again",
        f"Plan of {bench.options.units} units, again",
        "The same once more: nothing has changed, and everybody keeps what the first time left on the disk. Terraform "
        "runs `init` again, as a script does; ngp sees that it need not.",
        present(
            [
                bench.contestant(OURS, _ours(bench)),
                bench.pooled(POOLED, _ours(bench)),
                bench.contestant(TERRAFORM, bench.each(_PLAN)),
                bench.terragrunt("plan"),
            ]
        ),
        (
            times(30, TERRAFORM, ours=POOLED),
            times(30, TERRAGRUNT, ours=POOLED),
            times(3, TERRAFORM, ours=POOLED, what="memory_mb"),
        ),
        bench.options.repeats,
    )


def _ours(bench: Bench) -> Command:
    return bench.ngp("plan", ENVIRONMENT, "--parallelism", str(bench.options.parallelism))
