"""The environment to plan and apply: an empty region, the contestants, and their commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path

from bench import platforms
from bench.cases.options import Options
from bench.contest import Contestant, nothing
from bench.lab import TERRAGRUNT, Lab, forget
from bench.measuring import Command, Sample, measure, run
from bench.platforms import ACCOUNT, ENVIRONMENT, REGION, Kind
from ngp import shipped
from ngp.environments.environment import StateKind
from ngp.state import locations
from ngp.terraform import child_environ, lockfile, serving
from ngp.terraform.driver import Root, Terraform

INIT = "terraform init -no-color"


@dataclass
class Bench:
    """The same units for ngp, Terraform and Terragrunt, with their states in the same place."""

    lab: Lab
    options: Options

    @cached_property
    def made(self) -> Mapping[Kind, Path]:
        made = self.lab.make(self.options.units, (Kind.NGP, Kind.TERRAFORM, Kind.TERRAGRUNT))
        self.lab.api.lend(made[Kind.NGP])
        return made

    @cached_property
    def waves(self) -> list[list[str]]:
        units = [unit.name for unit in platforms.graph(self.options.units)]
        return [list(wave) for _, wave in groupby(units, key=lambda name: name.partition("-")[0])]

    def empty_region(self) -> None:
        """Delete all resources of the units, and their states."""
        place = locations.derive("bench", ACCOUNT, REGION, ENVIRONMENT, "", kind=StateKind.S3.value)
        self.lab.api.reset(place.bucket)

    def forget_ours(self) -> None:
        """Reset ngp's caches: schemas, facts and initialised roots."""
        kept = self.made[Kind.NGP] / ".ngp"
        forget(self.lab.cache, *(kept / name for name in ("cache", "data", "previews", "runs")))

    def forget_theirs(self, kind: Kind) -> None:
        """Delete the initialisation of all roots of that kind."""
        for unit in sum(self.waves, []):
            root = platforms.root(self.made[kind], unit)
            forget(root / ".terraform", root / ".terragrunt-cache")

    def ngp(self, *words: str) -> Command:
        return replace(self.lab.ngp(self.made[Kind.NGP], *words), env=self.lab.ours)

    def each(self, script: str, units: Sequence[str] = ()) -> Command:
        """Return a shell line that runs in every root, as many at a time as ngp runs units."""
        home = platforms.root(self.made[Kind.TERRAFORM], "")
        inner = f'cd "$1" && {script}'
        argv = ("xargs", "-P", str(self.options.parallelism), "-I", "{}", "sh", "-c", inner, "sh", "{}")
        names = "".join(f"{name}\n" for name in units or sum(self.waves, []))
        return replace(self.lab.peer(home, *argv), env=self.lab.theirs, stdin=names)

    def contestant(self, name: str, *commands: Command, prepare: Sequence[Callable[[], None]] = ()) -> Contestant:
        """Return a contestant that runs commands, one after the other."""

        def act() -> Sample:
            return measure(lambda: _run_all(commands), self.lab.api)

        def ready() -> None:
            for step in prepare:
                step()

        return Contestant(name, act, ready if prepare else nothing)

    def terragrunt(self, verb: str, prepare: Sequence[Callable[[], None]] = ()) -> Contestant | None:
        """Return Terragrunt over all units; None if it is not installed."""
        if not self.lab.has(TERRAGRUNT):
            return None
        at_once = str(self.options.parallelism)
        words = (TERRAGRUNT, "run", "--all", verb, "--non-interactive", "--parallelism", at_once)
        home = platforms.root(self.made[Kind.TERRAGRUNT], "")
        command = replace(self.lab.peer(home, *words), env=self.lab.theirs)
        return self.contestant(TERRAGRUNT, command, prepare=prepare)

    def pooled(self, name: str, command: Command) -> Contestant | None:
        """Return ngp with a running, warm pool; None if this ngp has no pool."""
        if not self.lab.has_pool:
            return None
        start, stop = self.ngp("pool", "start"), self.ngp("pool", "stop")
        act = self.contestant(name, command).act
        return Contestant(name, act, lambda: _run_all([start, command]), lambda: run(stop))

    @contextmanager
    def terraform(self, *, served: bool = False) -> Iterator[Terraform]:
        """Return Terraform as ngp runs it, with or without the proxy."""
        lab = self.lab
        environ = child_environ.build(lab.plain, lab.api.environ(lab.plain))
        if not served:
            yield Terraform(lab.terraform, environ, lab.mirror)
            return
        found = serving.find_packages(lockfile.load(shipped.lock_file()), lab.terraform.platform, lab.mirror)
        with serving.open_serving(found, environ, {}, lab.cache, print) as way:
            assert way is not None
            yield Terraform(lab.terraform, environ, lab.mirror, way)

    def root(self, unit: str, *, served: bool = False) -> Root:
        """Return a root for plain Terraform; a served one is initialised separately."""
        path = platforms.root(self.made[Kind.TERRAFORM], unit)
        return Root(path, path / (".terraform-served" if served else ".terraform"))


def _run_all(commands: Sequence[Command]) -> None:
    for command in commands:
        run(command)
