"""Data-bearing resources are not deleted or replaced without a named consent."""

from types import SimpleNamespace

import pytest

from ngp.catalogue.module import Effect, Manifest, Upgrade
from ngp.errors import RefusedError
from ngp.runs import data_loss
from ngp.terraform.plans import Action, Change

MANIFEST = Manifest("Store", "Keeps things", "storage", data=("aws_s3_bucket.files", "module.inner.aws_ebs_volume.x"))
RESOLVED = SimpleNamespace(
    environment=SimpleNamespace(units={"shop": SimpleNamespace(name="shop", module="store")}),
    catalogue=SimpleNamespace(modules={"store": SimpleNamespace(manifest=MANIFEST)}),
)
LOSSES = [Action.DELETE, Action.REPLACE, Action.FORGET, Action.UNKNOWN]


def lost(address, action=Action.REPLACE, accepted=(), *, kind="t", unit="shop", mode="managed"):
    return data_loss.find(RESOLVED, {unit: [Change(address, kind, action, mode=mode)]}, accepted)


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
@pytest.mark.parametrize("action", LOSSES)
def test_a_loss_names_the_flag_that_agrees_to_it(address, action):
    (one,) = lost(address, action)
    assert address in one.what
    assert "--accept-data-loss shop" in one.todo
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


@pytest.mark.parametrize("action", LOSSES)
@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("aws_db_instance.mysql", "aws_db_instance"),  # at the root, as in a copied state
        ("module.shop.aws_cloudwatch_log_group.this", "aws_cloudwatch_log_group"),  # no manifest names it
        ("module.gone.aws_s3_bucket.this[0]", "aws_s3_bucket"),  # of a unit that goes away
        ("module.other.module.inner.aws_kms_key.this", "aws_kms_key"),
    ],
)
def test_a_type_that_holds_data_counts_at_every_address(address, kind, action):
    (one,) = lost(address, action, kind=kind)
    assert address in one.what
    assert f"{kind} holds" in one.why


@pytest.mark.parametrize(
    ("before", "is_lost"),
    [({"type": "SecureString"}, True), ({"type": "String"}, False), ({"type": "StringList"}, False), (None, True)],
)
def test_a_parameter_holds_a_secret_if_it_is_a_secure_string(before, is_lost):
    change = Change("aws_ssm_parameter.x", "aws_ssm_parameter", Action.DELETE, before=before)
    assert bool(data_loss.find(RESOLVED, {"shop": [change]}, ())) is is_lost


@pytest.mark.parametrize(
    "kind",
    [
        "aws_route53_zone",
        "aws_prometheus_workspace",
        "aws_dsql_cluster",
        "aws_docdb_cluster_snapshot",
        "aws_cloudwatch_event_archive",
        "aws_workspaces_workspace",
        "aws_lightsail_instance",
        "aws_kms_replica_external_key",
        "aws_grafana_workspace",
    ],
)
def test_every_family_of_types_that_hold_data_counts(kind):
    assert len(lost(f"{kind}.x", Action.DELETE, kind=kind)) == 1


def test_the_manifest_counts_at_the_root_too():
    assert len(lost("aws_s3_bucket.files", Action.DELETE)) == 1


def test_the_inputs_that_can_cost_the_data_are_named_and_no_others():
    upgrade = {
        "encrypted": Upgrade(Effect.REPLACE, "a bucket is made anew", ("aws_s3_bucket.files",)),
        "logging": Upgrade(Effect.REPLACE, "logs go elsewhere", ("aws_s3_bucket.logs",)),
    }
    manifest = Manifest("Store", "Keeps things", "storage", data=MANIFEST.data, upgrade=upgrade)
    resolved = SimpleNamespace(
        environment=RESOLVED.environment,
        catalogue=SimpleNamespace(modules={"store": SimpleNamespace(manifest=manifest)}),
    )
    change = Change("module.shop.aws_s3_bucket.files", "aws_s3_bucket", Action.REPLACE, mode="managed")
    (one,) = data_loss.find(resolved, {"shop": [change]}, ())
    assert "`encrypted`: a bucket is made anew" in one.why
    assert "logging" not in one.why


def test_a_unit_that_is_gone_keeps_the_manifest_of_the_module_of_its_name():
    (one,) = lost("module.store.aws_s3_bucket.files", Action.DELETE, unit="root")
    assert "the module of `store`" in one.why


def test_data_that_is_only_read_is_not_lost():
    assert lost("data.aws_s3_bucket.x", Action.DELETE, kind="aws_s3_bucket", mode="data") == []


@pytest.mark.parametrize("action", [Action.NO_OP, Action.CREATE, Action.READ, Action.UPDATE])
def test_what_keeps_a_database_is_no_loss(action):
    assert lost("aws_db_instance.mysql", action, kind="aws_db_instance") == []


@pytest.mark.parametrize(
    ("address", "accepted"),
    [
        ("aws_s3_bucket.x", "aws_s3_bucket.x"),
        ('module.shop.aws_s3_bucket.x["a.b"]', 'module.shop.aws_s3_bucket.x["a.b"]'),
        ('module.shop.aws_s3_bucket.x["a[0]"]', "module.shop.aws_s3_bucket.x"),
        ("module.shop.aws_s3_bucket.x[0] (deposed object 1a2b)", "module.shop.aws_s3_bucket.x[0]"),
        ("aws_s3_bucket.x", "shop"),  # the unit whose state holds it
        ("module.gone.aws_s3_bucket.x", "gone"),  # or the one it is of
    ],
)
def test_an_address_or_a_unit_is_accepted(address, accepted):
    assert lost(address, kind="aws_s3_bucket", accepted=(accepted,)) == []


@pytest.mark.parametrize(
    ("address", "accepted"),
    [
        ("module.shop.aws_s3_bucket.x[0]", "module.shop.aws_s3_bucket.x[1]"),
        ("module.shop.aws_s3_bucket.xy", "module.shop.aws_s3_bucket.x"),
        ("module.shop.aws_s3_bucket.x", "aws_s3_bucket.x"),
        ("module.shop.aws_s3_bucket.x", "store"),
        ("module.shop.aws_s3_bucket.x", ""),
    ],
)
def test_another_address_or_unit_accepts_nothing(address, accepted):
    assert len(lost(address, kind="aws_s3_bucket", accepted=(accepted,))) == 1


def test_the_named_address_accepts_just_that_loss():
    (one,) = lost('module.shop.aws_s3_bucket.x["a"]', kind="aws_s3_bucket")
    assert one.todo.endswith("--accept-data-loss 'module.shop.aws_s3_bucket.x[\"a\"]' for this resource alone")


def test_every_loss_is_told_at_once():
    bucket, table = (Change(f"{kind}.x", kind, Action.DELETE) for kind in ("aws_s3_bucket", "aws_dynamodb_table"))
    with pytest.raises(RefusedError) as caught:
        data_loss.require_none(RESOLVED, {"shop": [bucket], "root": [table]}, ())
    assert [one.what.split()[1] for one in caught.value.findings] == ["aws_s3_bucket.x", "aws_dynamodb_table.x"]
    with pytest.raises(RefusedError) as caught:
        data_loss.require_none(RESOLVED, {"shop": [bucket], "root": [table]}, ("shop",))
    assert len(caught.value.findings) == 1


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
    changes = [Change(f"module.shop.{each}", "t", action) for each in addresses]
    return data_loss.find(resolved, {"shop": changes}, accepted)


@pytest.mark.parametrize("action", [Action.DELETE, Action.REPLACE])
def test_members_of_a_quorum_do_not_go_together(action):
    members = ('aws_instance.manager["1"]', 'aws_instance.manager["2"]')
    (one,) = lost_of_cluster(*members, action=action)
    both = 'module.shop.aws_instance.manager["1"], module.shop.aws_instance.manager["2"]'
    assert one.what == f"{both} would be deleted or replaced at the same time"
    assert ("-target" in one.todo) is (action is Action.REPLACE)  # `ngp destroy` takes none
    assert one.todo.endswith("--accept-data-loss shop")
    assert lost_of_cluster(*members, action=action, accepted=("shop",)) == []
    named = tuple(f"module.shop.{each}" for each in members)
    assert lost_of_cluster(*members, action=action, accepted=named) == []
    assert len(lost_of_cluster(*members, action=action, accepted=named[:1])) == 1


def test_one_member_may_go():
    assert lost_of_cluster('aws_instance.manager["1"]') == []
    assert lost_of_cluster('aws_instance.manager["1"]', 'aws_instance.worker["1"]') == []
    assert lost_of_cluster('aws_instance.manager["1"]', 'aws_instance.manager["2"]', action=Action.UPDATE) == []


def test_a_group_of_machines_is_a_whole_quorum():
    assert len(lost_of_cluster('aws_autoscaling_group.node["master"]')) == 1


def test_a_loss_is_told_with_what_the_manifest_says_of_such_a_change():
    (one,) = lost_of_cluster('aws_instance.manager["1"]', 'aws_instance.manager["2"]')
    assert one.why.endswith("; possible causes: `key_name`: Go one at a time.")
