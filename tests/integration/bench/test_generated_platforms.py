"""The benchmark's platforms: one graph, whoever reads it."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import platforms
from bench.platforms import Kind
from ngp.runs import graph

COUNT = 14  # three full waves and a begun one


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return platforms.make(tmp_path_factory.mktemp("platforms"), COUNT)


def _files(folder):
    """All but what ngp keeps for itself."""
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name.parts[0] != ".ngp"}


def _order(platform, file, pattern):
    """Unit → the units that its file names."""
    return {
        path.parent.name: {name.removeprefix("../") for name in json.loads(found[1])} if found else set()
        for path in platform.rglob(file)
        for found in [re.search(pattern, path.read_text())]
    }


@given(st.integers(1, 3000))
def test_a_unit_needs_three_others_of_the_wave_before(count):
    units = platforms.graph(count)
    assert len({unit.name for unit in units}) == len(units) == count
    waves = graph.numbers({unit.name: frozenset(unit.needs) for unit in units})
    for unit in units:
        assert len(set(unit.needs)) == (3 if waves[unit.name] > 1 else 0)
        assert {waves[needed] for needed in unit.needs} <= {waves[unit.name] - 1}
        assert unit.name.startswith(f"w{waves[unit.name]:03}-")


def test_every_kind_describes_the_same_graph(made, ngp_in):
    wanted = {unit.name: set(unit.needs) for unit in platforms.graph(COUNT)}
    wires = ngp_in(made[Kind.NGP]).call("graph", "bench", "--json").document["wires"]
    ours = {name: {wire["origin"].partition(".")[0] for wire in wires if wire["unit"] == name} for name in wanted}
    assert ours == wanted
    assert _order(made[Kind.TERRAGRUNT], "terragrunt.hcl", r"paths = (\[.*\])") == wanted
    assert _order(made[Kind.TERRAMATE], "stack.tm.hcl", r"after = (\[.*\])") == wanted


def test_every_kind_has_the_same_roots(made):
    trees = {kind: _files(folder / "environments" / "bench" / "units") for kind, folder in made.items()}
    for name, text in trees[Kind.NGP].items():
        assert {trees[kind][name] for kind in Kind} == {text}, name
    beside = {path.name for kind in Kind for path in trees[kind].keys() - trees[Kind.NGP].keys()}
    assert beside == {"wired.auto.tfvars.json", "terragrunt.hcl", "stack.tm.hcl"}


def test_the_same_size_gives_the_same_files(made, tmp_path):
    again = platforms.make(tmp_path, COUNT)
    assert {kind: _files(folder) for kind, folder in again.items()} == {
        kind: _files(folder) for kind, folder in made.items()
    }


def test_the_platform_is_valid_and_rendered(made, ngp_in):
    for argv in (("validate", "bench", "--no-terraform"), ("render", "--check")):
        done = ngp_in(made[Kind.NGP]).call(*argv)
        assert done.exit_code == 0, done.stderr
