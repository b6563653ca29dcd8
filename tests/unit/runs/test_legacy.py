"""Units of legacy modules are applied with a consent only."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from ngp.catalogue.module import Manifest, ModuleStatus
from ngp.environments.environment import StateMode
from ngp.errors import RefusedError
from ngp.runs import legacy

OLD = Manifest("Old", "Unsupported since 2021.", "runtime", status=ModuleStatus.LEGACY)
NEW = Manifest("New", "Goes on.", "runtime")


def region(state=StateMode.PER_MODULE, **modules):
    return SimpleNamespace(
        environment=SimpleNamespace(
            state=state, units={unit: SimpleNamespace(name=unit, module=module) for unit, module in modules.items()}
        ),
        catalogue=SimpleNamespace(
            modules={
                name: SimpleNamespace(name=name, path=Path("modules") / name, manifest=manifest)
                for name, manifest in (("old", OLD), ("new", NEW))
            }
        ),
    )


def refused(resolved, *chosen):
    with pytest.raises(RefusedError) as caught:
        legacy.require_none(resolved, chosen)
    return caught.value.findings


def test_every_legacy_unit_is_told_with_the_reason_and_the_flag():
    first, second = refused(region(a="old", b="new", c="old"))
    assert (first.what, second.what) == (
        "`a` uses the legacy module `old`",
        "`c` uses the legacy module `old`",
    )
    assert (first.where, first.why) == ("modules/old/module.yaml", "Unsupported since 2021")
    assert first.todo.endswith("--accept-legacy")


def test_only_what_is_applied_is_asked_about():
    legacy.require_none(region(a="old", b="new"), ("b",))
    legacy.require_none(region(b="new"), ())
    assert len(refused(region(a="old", b="new"), "a")) == 1


def test_one_state_is_asked_about_as_a_whole():
    assert len(refused(region(StateMode.SINGLE, a="old", b="new"), "b")) == 1
