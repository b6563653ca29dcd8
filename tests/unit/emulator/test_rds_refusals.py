"""Storage and upgrades that RDS refuses: asked of the patched moto in this process."""

import pytest
from botocore.exceptions import ClientError

NAME = {"DBInstanceIdentifier": "shop"}
NOW = {**NAME, "ApplyImmediately": True}


@pytest.fixture
def make(client):
    """Makes the database `shop`, and returns a client of RDS."""

    def make(size=20, version="17.4", kind="gp3", **more):
        rds = client("rds")
        own = {"Engine": "postgres", "EngineVersion": version, "DBInstanceClass": "db.t4g.small"}
        rds.create_db_instance(**NAME, **own, AllocatedStorage=size, StorageType=kind, **more)
        return rds

    return make


def shown(rds):
    found = rds.describe_db_instances(**NAME)["DBInstances"][0]
    return found["AllocatedStorage"], found.get("Iops"), found.get("StorageThroughput")


@pytest.mark.parametrize(("size", "kind", "wanted"), [(20, "gp3", (3000, 125)), (400, "gp3", (12000, 500))])
def test_storage_has_the_baseline_of_its_size(make, size, kind, wanted):
    assert shown(make(size, kind=kind)) == (size, *wanted)


def test_other_storage_has_none(make):
    assert shown(make(kind="gp2")) == (20, None, None)


def test_storage_that_grows_past_the_limit_has_the_new_baseline(make):
    rds = make()
    rds.modify_db_instance(**NOW, AllocatedStorage=400, Iops=12000)
    assert shown(rds) == (400, 12000, 500)


@pytest.mark.parametrize(
    ("size", "asked", "said"),
    [
        (
            20,
            {"AllocatedStorage": 400, "Iops": 3000},
            "Invalid iops value for engine name postgres and storage type gp3",
        ),
        (20, {"AllocatedStorage": 30, "Iops": 3000}, "You can't specify IOPS or storage throughput"),
        (400, {"StorageThroughput": 125}, "Invalid storage throughput value"),
    ],
)
def test_figures_that_do_not_go_with_the_size_are_refused(make, size, asked, said):
    rds = make(size)
    with pytest.raises(ClientError, match=said):
        rds.modify_db_instance(**NOW, **asked)


def test_a_new_database_is_held_to_the_same(make):
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        make(20, Iops=3000)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"EngineVersion": "17.2"}, "Cannot upgrade postgres from 17.4 to 17.2"),
        ({"EngineVersion": "16", "AllowMajorVersionUpgrade": True}, "Cannot upgrade postgres from 17.4 to 16"),
        ({"EngineVersion": "18"}, "The AllowMajorVersionUpgrade flag must be present"),
    ],
)
def test_an_older_version_and_a_major_one_that_is_not_allowed_are_refused(make, asked, said):
    rds = make()
    with pytest.raises(ClientError, match=said):
        rds.modify_db_instance(**NOW, **asked)


@pytest.mark.parametrize("version", ["17", "17.6"])
def test_a_newer_minor_version_and_the_major_version_alone_are_accepted(make, version):
    make().modify_db_instance(**NOW, EngineVersion=version)
