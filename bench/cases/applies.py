"""Applying a whole environment in an empty region."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from bench.cases.environment import INIT, Bench
from bench.contest import OURS, Case, Contestant, Goal, Scores, present, times
from bench.lab import TERRAFORM
from bench.measuring import FailedError, measure, run
from bench.platforms import ENVIRONMENT, Kind
from ngp import processes
from ngp.terraform import commands
from ngp.terraform.attempts import Attempt
from ngp.terraform.commands import PlanOptions
from ngp.terraform.driver import Terraform


def cases(bench: Bench) -> Iterator[Case]:
    """Return two cases: saved plans alone, and everything from nothing."""
    plans = bench.lab.folder / "plans"
    plans.mkdir()
    yield _saved(bench, plans)
    yield _whole(bench, plans)


def _saved(bench: Bench, plans: Path) -> Case:
    same = _save(bench, plans)
    by_hand = bench.each(f'terraform apply -no-color "{plans}/$1.plan"')
    return Case(
        "apply-saved",
        f"Apply of {bench.options.units} saved plans",
        f"The same plan files, {bench.options.parallelism} at a time, in an empty region: `terraform apply FILE` by "
        "hand, and by ngp's driver and proxy, whose start counts. The resources are such that the provider waits for "
        "none of them.",
        (
            Contestant(OURS, lambda: measure(lambda: _apply(bench, plans), bench.lab.api), bench.empty_region),
            bench.contestant(TERRAFORM, by_hand, prepare=[bench.empty_region]),
        ),
        (times(2, TERRAFORM, what="own_s"), Goal("plan JSON identical, planned plainly and by the proxy", (), same)),
        bench.options.repeats,
    )


def _whole(bench: Bench, plans: Path) -> Case:
    at_once, file, empty = str(bench.options.parallelism), f'"{plans}/$1.again"', [bench.empty_region]
    words = ("apply", ENVIRONMENT, "--auto-approve", "--parallelism", at_once)
    ours = bench.ngp(*words)
    script = f"{INIT} && terraform plan -no-color -out={file} && terraform apply -no-color {file}"
    by_hand = [bench.each(script, wave) for wave in bench.waves]
    return Case(
        "apply-all",
        f"Everything: {bench.options.units} units from nothing to applied",
        f"`ngp apply --auto-approve`: one plan for all units, applied as it is (with `--apart`: each unit previewed, "
        "planned and applied by itself); what is cached stays. By hand: `init`, `plan`, `apply` of each unit, wave "
        f"after wave. {at_once} at a time.",
        present(
            [
                bench.contestant(OURS, ours, prepare=empty),
                bench.contestant(f"{OURS} --apart", bench.ngp(*words, "--apart"), prepare=empty),
                bench.contestant(TERRAFORM, *by_hand, prepare=empty),
                bench.terragrunt("apply", prepare=empty),
            ]
        ),
        (times(15, TERRAFORM),),
        repeats=1,  # it is long
    )


def _save(bench: Bench, plans: Path) -> Any:
    """Save the plans of all units, plainly and by the proxy; give the judge of whether they say the same."""
    bench.forget_theirs(Kind.TERRAFORM)
    bench.empty_region()
    run(bench.each(f'{INIT} && terraform plan -no-color -out="{plans}/$1.plan"'))
    names = sum(bench.waves, [])
    with bench.terraform(served=True) as terraform:
        equal = [_is_same(bench, terraform, plans, name) for name in names]

    def judge(scores: Scores) -> tuple[str, bool]:  # noqa: ARG001  it is known already
        return f"{sum(equal)} of {len(equal)}", all(equal)

    return judge


def _is_same(bench: Bench, terraform: Terraform, plans: Path, unit: str) -> bool:
    root = bench.root(unit, served=True)
    file = plans / f"{unit}.served"
    if not (terraform.init(root).is_ok and terraform.plan(root, PlanOptions(out=file)).is_ok):
        raise FailedError(f"plan of {unit} by the proxy")
    return _show(terraform, bench, unit, plans / f"{unit}.plan") == _show(terraform, bench, unit, file)


def _show(terraform: Terraform, bench: Bench, unit: str, file: Path) -> dict[str, Any]:
    """The JSON of a saved plan, but for when it was made."""
    root, said = bench.root(unit, served=True), ""
    assert terraform.serving is not None

    def go(attempt: Attempt) -> str:
        nonlocal said
        environ = {**terraform.environ, "TF_DATA_DIR": str(root.data), **attempt.environ}
        argv = commands.show(terraform.binary.argv, file)
        done = processes.run(processes.ProcessRequest(argv, root.path, environ))
        said = done.stdout
        return done.stderr if done.exit_code else ""

    terraform.serving.run(root.path, root.data, "show", go)
    document: dict[str, Any] = json.loads(said)
    document.pop("timestamp", None)
    return document


def _apply(bench: Bench, plans: Path) -> None:
    """Apply all saved plans by ngp's driver, so many at a time."""
    names = sum(bench.waves, [])
    with bench.terraform(served=True) as terraform, ThreadPoolExecutor(bench.options.parallelism) as pool:
        results = pool.map(partial(_apply_one, bench, terraform, plans), names)
        failed = [name for name, is_ok in zip(names, results, strict=True) if not is_ok]
    if failed:
        raise FailedError(f"apply of {', '.join(failed)} by the proxy")


def _apply_one(bench: Bench, terraform: Terraform, plans: Path, unit: str) -> bool:
    return terraform.apply(bench.root(unit, served=True), plans / f"{unit}.plan").is_ok
