"""The demo region of this repository: one joint plan and apply, compared with unit by unit."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench import platforms
from bench.cases.environment import Bench
from bench.contest import OURS, Case, Contestant, times
from bench.measuring import Command, measure, run

APART = "ngp --apart"
_ENVIRONMENT = "dev"
_SHARE = 0.58  # of the time that it takes unit by unit
_CARRIED = ("modules", "environments", "templates", "ngp.yaml", ".terraform.lock.hcl", ".gitignore")


def cases(bench: Bench) -> Iterator[Case]:
    """Return one case: from an empty sandbox to 137 resources."""
    yield Case(
        "apply-region",
        "The demo region, from nothing to applied",
        "`ngp apply dev --auto-approve` of this repository, 5 units and 137 resources, in a sandbox that was started "
        "and is empty: one plan for all units, applied as it is; and with `--apart` each unit planned again and "
        "applied by itself, wave after wave.",
        (_contestant(bench, OURS), _contestant(bench, APART, "--apart")),
        (times(1 / _SHARE, APART),),
        repeats=2,
    )


def _contestant(bench: Bench, name: str, *words: str) -> Contestant:
    platform = _lay(bench.lab.folder / "region" / name.replace(" ", ""))
    ngp = partial(_ngp, bench, platform)

    def prepare() -> None:
        run(ngp("sandbox", "stop"))
        run(ngp("sandbox", "start"))

    def finish() -> None:
        run(ngp("sandbox", "stop"))

    apply = ngp("apply", _ENVIRONMENT, "--auto-approve", *words)
    return Contestant(name, lambda: measure(lambda: run(apply), bench.lab.api), prepare, finish)


def _ngp(bench: Bench, platform: Path, *words: str) -> Command:
    return replace(bench.lab.ngp(platform, *words), env=bench.lab.ours)


def _lay(folder: Path) -> Path:
    """A copy of this repository's platform, in a Git repository of its own."""
    top = Path(__file__).parents[2]
    names = subprocess.run(["git", "ls-files", "-z", *_CARRIED], cwd=top, capture_output=True, text=True, check=True)
    for name in filter(None, names.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(top / name, folder / name)
    platforms.commit(folder)
    return folder
