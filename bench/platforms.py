"""Makes platforms of any size: one graph of units, for ngp and for each of its peers."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ngp import processes, shipped
from ngp.environments import platforms
from ngp.rendering import exact, roots, trees
from ngp.runs import wires

ENVIRONMENT, DOMAIN = "bench", "bench.example.test"
ACCOUNT, REGION = "123456789012", "eu-central-1"
INPUTS = ("first", "second", "third")  # of the module `cell`: the units that it needs
_MODULES = Path(__file__).parent / "modules"
_OTHER_CIDR = "10.251.0.0/16"
_STAND_IN = "vpc-00000000000000000"  # what a wired input is where nobody wires


class Kind(Enum):
    """The tool that a platform is made for. The roots are equal; the files with the order differ."""

    NGP = "ngp"
    TERRAFORM = "terraform"
    TERRAGRUNT = "terragrunt"
    TERRAMATE = "terramate"


@dataclass(frozen=True)
class Unit:
    name: str
    needs: tuple[str, ...]

    @property
    def module(self) -> str:
        return "cell" if self.needs else "base"


def graph(count: int) -> tuple[Unit, ...]:
    """`count` units in waves, in an order in which they can run; always the same for the same count.

    The waves are as wide as there are waves (but four at least). A unit needs three of the wave before its own.
    """
    width = max(4, math.isqrt(count - 1) + 1)
    return tuple(Unit(_name(*divmod(number, width)), _needs(*divmod(number, width), width)) for number in range(count))


def make(folder: Path, count: int, kinds: Iterable[Kind] = tuple(Kind)) -> dict[Kind, Path]:
    """Lay the platform of `count` units out below `folder`, once for each kind; give the folder of each.

    ngp's own is always there, for the others are made of what it renders.

    What ngp renders is written without a disk flush for each file, so that ten thousand units take seconds.
    """
    units = graph(count)
    source = _lay_source(folder / Kind.NGP.value, units)
    tree = trees.collect(platforms.load(source))
    _write(source, trees.writes(tree))
    made = {kind: folder / kind.value for kind in kinds}
    for kind, platform in made.items():
        if kind is Kind.NGP:
            continue
        shutil.copytree(_MODULES, platform / "modules")
        _write(platform, {path: text for path, text in tree.files.items() if path.parts[0] == "environments"})
        for unit in units:
            _write(root(platform, unit.name), _extra(kind, unit))
    return made


def root(platform: Path, unit: str) -> Path:
    """Return a unit's Terraform root in a platform of any kind."""
    return platform / "environments" / ENVIRONMENT / "units" / unit


def change(platform: Path, unit: str) -> None:
    """Change the addresses of a unit, in the operator's files (if they exist) and in the rendered ones."""
    written = platform / "environments" / ENVIRONMENT / "terraform.tfvars"
    if written.is_file():
        lines = written.read_text(encoding="utf-8").splitlines(keepends=True)
        changed = (_value(unit, _OTHER_CIDR) if line.startswith(f"{unit} ") else line for line in lines)
        written.write_text("".join(changed), encoding="utf-8")
    rendered = root(platform, unit) / roots.VALUES
    values = json.loads(rendered.read_text(encoding="utf-8"))
    rendered.write_text(exact.dump({**values, "cidr": _OTHER_CIDR}), encoding="utf-8")


def commit(folder: Path) -> None:
    """Make `folder` a Git repository with everything committed on `main`."""
    for words in (("init", "--quiet", "--initial-branch=main"), ("add", "."), ("commit", "--quiet", "-m", "platform")):
        git(folder, *words)


def git(folder: Path, *words: str) -> None:
    """Run Git in `folder` with a neutral identity. Raises RuntimeError with its output on failure."""
    people = {f"GIT_{role}_{what}": "bench" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(folder), **people}
    done = processes.run(processes.ProcessRequest(("git", *words), folder, env))
    if done.exit_code != 0:
        raise RuntimeError(f"git {' '.join(words)}: {done.stderr}")


def _name(wave: int, place: int) -> str:
    return f"w{wave + 1:03}-u{place + 1:03}"


def _needs(wave: int, place: int, width: int) -> tuple[str, ...]:
    if wave == 0:
        return ()
    return tuple(_name(wave - 1, (place + step) % width) for step in (0, 1, width // 2))


def _lay_source(platform: Path, units: tuple[Unit, ...]) -> Path:
    """What an operator of ngp writes: nothing is rendered yet."""
    shutil.copytree(_MODULES, platform / "modules")
    shutil.copyfile(shipped.lock_file(), platform / ".terraform.lock.hcl")
    home = f"environments/{ENVIRONMENT}"
    values = (_value(unit.name, f"10.{number % 250}.0.0/16") for number, unit in enumerate(units))
    texts = {
        "ngp.yaml": "name: bench\n",
        ".gitignore": f".ngp/\n.terraform/\n{wires.FILE}\n",
        f"{home}/environment.yaml": "".join(_environment(units)),
        f"{home}/terraform.tfvars": "".join(values),
    }
    _write(platform, texts)
    return platform


def _value(unit: str, cidr: str) -> str:
    return f'{unit} = {{ cidr = "{cidr}" }}\n'


def _environment(units: tuple[Unit, ...]) -> Iterator[str]:
    yield f'target: sandbox\naccount: "{ACCOUNT}"\nregion: {REGION}\ndomain: {DOMAIN}\n\nunits:\n'
    for unit in units:
        yield f"  {unit.name}: {{module: {unit.module}}}\n"
    if any(unit.needs for unit in units):
        yield "wiring:\n"
    for unit in units:
        if unit.needs:
            yield f"  {unit.name}:\n"
            yield from (f"    {name}: {needed}.vpc_id\n" for name, needed in zip(INPUTS, unit.needs, strict=True))


def _extra(kind: Kind, unit: Unit) -> dict[str, str]:
    """What stands in a root of another kind beside what ngp renders."""
    beside = json.dumps([f"../{name}" for name in unit.needs])
    extra = {wires.FILE: json.dumps(dict.fromkeys(INPUTS, _STAND_IN))} if unit.needs else {}
    if kind is Kind.TERRAGRUNT:
        # it works in a copy, in which `//` keeps what the root calls
        source = f'terraform {{\n  source = "../../../..//environments/{ENVIRONMENT}/units/{unit.name}"\n}}\n'
        # the cheaper of its two ways: `dependency` blocks would read the outputs through Terraform
        order = f"\ndependencies {{\n  paths = {beside}\n}}\n" if unit.needs else ""
        extra["terragrunt.hcl"] = source + order
    if kind is Kind.TERRAMATE:
        extra["stack.tm.hcl"] = f'stack {{\n  name  = "{unit.name}"\n  id    = "{unit.name}"\n  after = {beside}\n}}\n'
    return extra


def _write(folder: Path, texts: Mapping[str, str] | Mapping[Path, str]) -> None:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
