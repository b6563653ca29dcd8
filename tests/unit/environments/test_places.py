"""Where the files and states of an environment are, and what is not written over there."""

from dataclasses import replace
from pathlib import Path

import pytest

from ngp.environments import documents, new_environment, platforms, state_locations
from ngp.environments.environment import StateKind, StateMode
from ngp.errors import UsageError
from ngp.workspace import Workspace


@pytest.mark.parametrize(
    ("file", "says"), [("environment.yaml", "already exists"), ("terraform.tfvars", "this file already exists")]
)
def test_a_new_environment_writes_over_nothing(house, file, says):
    path = house.path / "environments/new" / file
    new_environment.require_new(house.platform, "new")
    path.parent.mkdir()
    new_environment.require_new(house.platform, "new")
    path.write_text("mine")
    with pytest.raises(UsageError, match=says) as caught:
        new_environment.require_new(house.platform, "new")
    assert caught.value.findings[0].where == str(path)


def test_a_folder_is_of_an_environment_only_with_its_file(house):
    inside = house.path / "environments/dev/units/x"
    assert platforms.environment_at(house.path, inside) == "dev"
    assert platforms.environment_at(house.path, house.path / "environments") == ""
    assert platforms.environment_at(house.path, house.path / "environments/none") == ""
    (house.path / "modules/environment.yaml").write_text("")
    assert platforms.environment_at(house.path, house.path / "modules") == ""


def test_units_have_roots_of_their_own_or_share_one(house):
    environment = documents.load(house.platform, "dev")
    assert environment.root("network") == environment.path / "units/network"
    assert replace(environment, state=StateMode.SINGLE).root("network") == environment.path / "root"


def test_local_states_are_in_the_workspace_that_is_named(house):
    platform, environment = replace(house.platform, state=StateKind.LOCAL), documents.load(house.platform, "dev")
    usual = state_locations.locate(platform, environment, "network")
    assert usual.path == platform.workspace.states / "dev/network.tfstate"
    named = state_locations.locate(platform, environment, "network", workspace=Workspace(Path("other")))
    assert named.path == Path("other/state/dev/network.tfstate")
    assert state_locations.on_disk(platform).path.parent.parent == platform.workspace.states
