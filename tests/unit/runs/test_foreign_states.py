"""A state that the other binary has written: OpenTofu can read it and tells of it, Terraform cannot and refuses it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from ngp.errors import NgpError
from ngp.runs import states
from ngp.runs.events import Note
from ngp.runs.units import Unit
from ngp.state.locations import StateLocation
from ngp.terraform.binary import Binary
from ngp.terraform.lockfile import NAME
from ngp.terraform.states import State

THEIRS, OURS = "registry.opentofu.org/hashicorp/aws", "registry.terraform.io/hashicorp/aws"
BUILT_IN = "terraform.io/builtin/terraform"
UNIT = Unit("app", "app", Path("roots/app"), StateLocation("s3", "bucket", "app.tfstate", ""), {})


@pytest.fixture
def told(tmp_path):
    """`told(flavour, *providers)` is what is said of a state with these providers."""

    def emit(flavour, *providers, locked=OURS):
        (tmp_path / NAME).write_text(f'provider "{locked}" {{\n  version = "1.0.0"\n}}\n')
        said = []
        context = SimpleNamespace(
            terraform=SimpleNamespace(binary=Binary((flavour,), "1.12.0", flavour)),
            resolved=SimpleNamespace(platform=SimpleNamespace(path=tmp_path)),
            emit=said.append,
        )
        states.require_readable(context, UNIT, State(providers=frozenset(providers)))
        return said

    return emit


def test_opentofu_tells_that_a_state_of_terraform_becomes_its_own(told):
    (note,) = told("tofu", OURS, BUILT_IN)
    assert isinstance(note, Note)
    assert "app: Terraform wrote its state" in note.text
    assert told("tofu", THEIRS, BUILT_IN) == []


def test_terraform_refuses_a_state_of_opentofu_and_says_how_to_hand_it_over(told):
    with pytest.raises(NgpError, match="written by OpenTofu") as caught:
        told("terraform", THEIRS, BUILT_IN)
    (finding,) = caught.value.findings
    assert finding.where == "s3://bucket/app.tfstate"
    assert f"in roots/app: terraform init (it complains), then terraform state replace-provider {THEIRS} {OURS}" in (
        finding.todo
    )


@pytest.mark.parametrize("providers", [(), (OURS, BUILT_IN)])
def test_terraform_reads_what_is_its_own(told, providers):
    assert told("terraform", *providers) == []


def test_terraform_reads_a_provider_of_opentofus_registry_that_is_locked_as_such(told):
    assert told("terraform", THEIRS, locked=THEIRS) == []
