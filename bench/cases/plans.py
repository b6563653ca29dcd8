"""Planning a whole environment whose region is empty."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.cases.environment import INIT, Bench
from bench.contest import OURS, Case, present, times
from bench.lab import TERRAFORM, TERRAGRUNT
from bench.platforms import ENVIRONMENT, Kind

_PLAN = f"{INIT} && terraform plan -no-color"
POOLED = "ngp, pool running"


def cases(bench: Bench) -> Iterator[Case]:
    """Two cases: nothing is initialised or cached yet, and the same again."""
    units, at_once = bench.options.units, bench.options.parallelism
    ours = bench.ngp("plan", ENVIRONMENT, "--parallelism", str(at_once))
    by_hand, terragrunt = bench.each(_PLAN), bench.terragrunt("plan")
    has_terragrunt = bench.lab.has(TERRAGRUNT)
    about = (
        f"`init` and `plan` of {units} units, {at_once} at a time, the region empty, the provider's package on the "
        "disk already. ngp previews what is wired to units that are not there yet; the peers get a stand-in for it."
    )
    yield Case(
        "plan-first",
        f"Plan of {units} units, first",
        about,
        present(
            [
                bench.contestant(OURS, ours, prepare=[bench.empty_region, bench.forget_ours]),
                bench.contestant(
                    TERRAFORM, by_hand, prepare=[bench.empty_region, partial(bench.forget_theirs, Kind.TERRAFORM)]
                ),
                bench.contestant(
                    TERRAGRUNT, terragrunt, prepare=[bench.empty_region, partial(bench.forget_theirs, Kind.TERRAGRUNT)]
                )
                if has_terragrunt
                else None,
            ]
        ),
        (times(12, TERRAFORM), times(12, TERRAGRUNT), times(3, TERRAFORM, what="memory_mb")),
        bench.options.repeats,
    )
    yield Case(
        "plan-again",
        f"Plan of {units} units, again",
        "The same once more: nothing has changed, and everybody keeps what the first time left on the disk. Terraform "
        "runs `init` again, as a script does; ngp sees that it need not.",
        present(
            [
                bench.contestant(OURS, ours),
                bench.pooled(POOLED, *ours.argv[1:]),
                bench.contestant(TERRAFORM, by_hand),
                bench.contestant(TERRAGRUNT, terragrunt) if has_terragrunt else None,
            ]
        ),
        (
            times(30, TERRAFORM, ours=POOLED),
            times(30, TERRAGRUNT, ours=POOLED),
            times(3, TERRAFORM, ours=POOLED, what="memory_mb"),
        ),
        bench.options.repeats,
    )
