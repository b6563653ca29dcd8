"""Data-bearing resources are not deleted or replaced without a named consent."""

from types import SimpleNamespace

import pytest

from ngp.catalogue.module import Effect, Manifest, Upgrade
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


CLUSTER = Manifest(
    "Cluster",
    "Runs things",
    "runtime",
    quorum=("aws_instance.manager", "aws_autoscaling_group.node"),
    upgrade={"key_name": Upgrade(Effect.REPLACE, "Go one at a time.", ("aws_instance.manager",))},
)


def lost_of_cluster(*addresses, action=Action.REPLACE, accepted=()):
    resolved = SimpleNamespace(
        environment=RESOLVED.environment,
        catalogue=SimpleNamespace(modules={"store": SimpleNamespace(manifest=CLUSTER)}),
    )
    return losses.find(resolved, [Change(f"module.shop.{each}", "t", action) for each in addresses], accepted)


@pytest.mark.parametrize("action", [Action.DELETE, Action.REPLACE])
def test_members_of_a_quorum_do_not_go_together(action):
    members = ('aws_instance.manager["1"]', 'aws_instance.manager["2"]')
    (one,) = lost_of_cluster(*members, action=action)
    assert one.what == 'module.shop.aws_instance.manager["1"], module.shop.aws_instance.manager["2"] would go at once'
    assert "-target" in one.todo
    assert one.todo.endswith("--accept-data-loss shop")
    assert lost_of_cluster(*members, action=action, accepted=("shop",)) == []


def test_one_member_may_go():
    assert lost_of_cluster('aws_instance.manager["1"]') == []
    assert lost_of_cluster('aws_instance.manager["1"]', 'aws_instance.worker["1"]') == []
    assert lost_of_cluster('aws_instance.manager["1"]', 'aws_instance.manager["2"]', action=Action.UPDATE) == []


def test_a_group_of_machines_is_a_whole_quorum():
    assert len(lost_of_cluster('aws_autoscaling_group.node["master"]')) == 1


def test_a_loss_is_told_with_what_the_manifest_says_of_such_a_change():
    (one,) = lost_of_cluster('aws_instance.manager["1"]', 'aws_instance.manager["2"]')
    assert one.why.endswith("; what can do it: `key_name`: Go one at a time.")
