"""Planning one unit of an existing environment."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack

from bench import platforms
from bench.cases.environment import INIT, Bench
from bench.cases.plans import POOLED
from bench.contest import OURS, Case, Contestant, present, times
from bench.lab import TOFU, forget
from bench.measuring import FailedError, Sample, run
from bench.platforms import ENVIRONMENT, Kind
from ngp.runs import wires
from ngp.terraform.commands import PlanOptions
from ngp.terraform.driver import Root, Terraform

_FIRST, _AGAIN = "by ngp's proxy, first", "by ngp's proxy, again"
_PLAIN = "terraform plan"


def cases(bench: Bench) -> Iterator[Case]:
    """Return two cases: Terraform's process alone, and the whole command."""
    bench.empty_region()
    run(bench.ngp("apply", ENVIRONMENT, "--auto-approve"))
    _hand_on(bench)
    unit = bench.waves[-1][-1]
    run(bench.each(INIT, [unit]))
    with ExitStack() as stack:
        yield Case(
            "plan-child",
            "Terraform's own process: plan of one unit",
            "The same `terraform plan` by ngp's driver, in an initialised root in which nothing changes: plainly, and "
            "with ngp's proxy, which knows no schema yet (first) or has served the same before (again).",
            _children(bench, unit, stack),
            (times(4, _PLAIN, ours=_FIRST), times(20, _PLAIN, ours=_AGAIN)),
            bench.options.repeats,
        )
    yield Case(
        "plan-command",
        "The whole command: plan of one unit, again",
        f"`ngp plan {ENVIRONMENT} UNIT` of a unit that takes from three others, in an environment in which nothing "
        "changes, beside plain `plan` in the unit's initialised root.",
        present(
            [
                bench.contestant(OURS, bench.ngp("plan", ENVIRONMENT, unit)),
                bench.pooled(POOLED, bench.ngp("plan", ENVIRONMENT, unit)),
                bench.contestant(_PLAIN, bench.each("terraform plan -no-color", [unit])),
                _tofu(bench, unit),
            ]
        ),
        (times(8, _PLAIN, ours=POOLED),),
        bench.options.repeats,
    )


def _hand_on(bench: Bench) -> None:
    """Give Terraform by hand the values that ngp has wired, so that it has nothing to do either."""
    for unit in sum(bench.waves[1:], []):
        source, target = (platforms.root(bench.made[kind], unit) for kind in (Kind.NGP, Kind.TERRAFORM))
        shutil.copyfile(source / wires.FILE, target / wires.FILE)


def _children(bench: Bench, unit: str, stack: ExitStack) -> tuple[Contestant, ...]:
    own = ExitStack()
    stack.callback(own.close)
    terraform: list[Terraform] = []

    def open_cold() -> None:
        own.close()
        forget(bench.lab.cache)
        root = bench.root(unit, served=True)
        forget(root.data)
        terraform[:] = [own.enter_context(bench.terraform(served=True))]
        if not terraform[0].init(root).is_ok:
            raise FailedError("init by the proxy")

    def served() -> Sample:
        return _plan(terraform[0], bench.root(unit, served=True))

    def plain() -> Sample:
        with bench.terraform() as one:
            return _plan(one, bench.root(unit))

    def warm() -> None:
        open_cold()
        served()

    return Contestant(_FIRST, served, open_cold), Contestant(_AGAIN, served, warm), Contestant(_PLAIN, plain)


def _plan(terraform: Terraform, root: Root) -> Sample:
    """Plan; the time is that of Terraform's process, from its start to its end."""
    result = terraform.plan(root, PlanOptions())
    if not result.is_ok or result.has_changes:
        raise FailedError(f"plan of {root.path.name}: {result.diagnostics or 'there are changes'}")
    return Sample(result.duration_s)


def _tofu(bench: Bench, unit: str) -> Contestant | None:
    """OpenTofu in a root of its own: the same text, without the lock file, which names another registry."""
    if not bench.lab.has(TOFU):
        return None
    source, home = platforms.root(bench.made[Kind.TERRAFORM], unit), f"{unit}-tofu"
    root = platforms.root(bench.made[Kind.TERRAFORM], home)
    shutil.copytree(source, root, ignore=shutil.ignore_patterns(".terraform*"))
    run(bench.each("tofu init -no-color", [home]))
    return bench.contestant("tofu plan", bench.each("tofu plan -no-color", [home]))
