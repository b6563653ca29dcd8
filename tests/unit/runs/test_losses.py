"""Data-bearing resources are not deleted or replaced without a named consent."""

from types import SimpleNamespace

import pytest

from ngp.catalogue.module import Manifest
from ngp.errors import RefusedError
from ngp.runs import losses
from ngp.terraform.plans import Action, Change

MANIFEST = Manifest("Store", "Keeps things", "storage", data=("aws_s3_bucket.files", "module.inner.aws_ebs_volume.x"))
RESOLVED = SimpleNamespace(
    environment=SimpleNamespace(units={"shop": SimpleNamespace(name="shop", module="store")}),
    catalogue=SimpleNamespace(modules={"store": SimpleNamespace(manifest=MANIFEST)}),
)


def lost(address, action=Action.REPLACE, accepted=()):
    return losses.find(RESOLVED, [Change(address, "t", action)], accepted)


@pytest.mark.parametrize(
    "address",
    [
        "module.shop.aws_s3_bucket.files",
        "module.shop.aws_s3_bucket.files[0]",
        'module.shop.aws_s3_bucket.files["a.b"]',
        "module.shop.aws_s3_bucket.files (deposed object 1a2b)",
        "module.shop.module.inner.aws_ebs_volume.x",
    ],
)
@pytest.mark.parametrize("action", [Action.DELETE, Action.REPLACE])
def test_a_loss_names_the_flag_that_agrees_to_it(address, action):
    (one,) = lost(address, action)
    assert address in one.what
    assert one.todo.endswith("--accept-data-loss shop")
    assert lost(address, action, ("shop",)) == []


@pytest.mark.parametrize(
    ("address", "action"),
    [
        ("module.shop.aws_s3_bucket.files", Action.UPDATE),
        ("module.shop.aws_s3_bucket.files", Action.CREATE),
        ("module.shop.aws_s3_bucket.logs", Action.DELETE),
        ("module.other.aws_s3_bucket.files", Action.DELETE),
        ("terraform_data.x", Action.DELETE),
    ],
)
def test_anything_else_is_no_loss(address, action):
    assert lost(address, action) == []


def test_every_loss_is_told_at_once():
    changes = [Change(f"module.shop.aws_s3_bucket.files[{i}]", "t", Action.DELETE) for i in range(2)]
    with pytest.raises(RefusedError) as caught:
        losses.require_none(RESOLVED, changes, ())
    assert len(caught.value.findings) == 2
