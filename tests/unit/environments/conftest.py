"""A small platform: a catalogue of six modules and room for environments."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.environments.house import MODULES, House


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A platform with the catalogue, and the environment dev of network and openvpn."""
    path = tmp_path / "platform"
    path.mkdir()
    made = House(path)
    (path / "ngp.yaml").write_text("name: demo\n")
    for name, parts in MODULES.items():
        made.module(name, *parts)
    made.environment()
    return made
