"""Changes of databases wait for the maintenance window, as in RDS: asked of the patched moto in this process."""

import pytest
from botocore.exceptions import ClientError

NAME = {"DBInstanceIdentifier": "shop"}


@pytest.fixture
def rds(client):
    """A client of RDS with the database `shop` and parameter groups for two major versions."""
    made = client("rds")
    for version in ("16", "17"):
        family = f"postgres{version}"
        made.create_db_parameter_group(
            DBParameterGroupName=f"own{version}", DBParameterGroupFamily=family, Description="d"
        )
    made.create_db_instance(
        Engine="postgres",
        EngineVersion="16.4",
        DBInstanceClass="db.t4g.small",
        AllocatedStorage=20,
        DBParameterGroupName="own16",
        BackupRetentionPeriod=7,
        MasterUserPassword="long enough",
        **NAME,
    )
    return made


def shown(client, name="shop"):
    return client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def group(client):
    found = shown(client)["DBParameterGroups"]
    assert len(found) == 1
    return found[0]["DBParameterGroupName"], found[0]["ParameterApplyStatus"]


CHANGES = {
    "AllocatedStorage": 40,
    "DBInstanceClass": "db.m7g.large",
    "EngineVersion": "16.8",
    "MultiAZ": True,
    "StorageType": "gp3",
}


@pytest.mark.parametrize("more", [{}, {"ApplyImmediately": False}])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_waits_and_the_old_value_stays(rds, name, more):
    before = shown(rds)
    answer = rds.modify_db_instance(**NAME, **{name: CHANGES[name]}, **more)["DBInstance"]
    after = shown(rds)
    assert answer["PendingModifiedValues"] == after["PendingModifiedValues"] == {name: CHANGES[name]}
    assert after[name] == before[name] != CHANGES[name]


def test_applying_at_once_applies_what_waited_too(rds):
    rds.modify_db_instance(**NAME, **CHANGES)
    rds.modify_db_instance(**NAME, ApplyImmediately=True, AllocatedStorage=60)
    after = shown(rds)
    assert {name: after[name] for name in CHANGES} == CHANGES | {"AllocatedStorage": 60}
    assert after["PendingModifiedValues"] == {}


def test_what_waits_is_gathered_changed_and_taken_back(rds):
    rds.modify_db_instance(**NAME, AllocatedStorage=40)
    rds.modify_db_instance(**NAME, DBInstanceClass="db.m7g.large")
    rds.modify_db_instance(**NAME, AllocatedStorage=50)
    assert shown(rds)["PendingModifiedValues"] == {"AllocatedStorage": 50, "DBInstanceClass": "db.m7g.large"}
    rds.modify_db_instance(**NAME, AllocatedStorage=20)
    assert shown(rds)["PendingModifiedValues"] == {"DBInstanceClass": "db.m7g.large"}


def test_a_reboot_does_not_apply_what_waits_for_the_window(rds):
    rds.modify_db_instance(**NAME, DBInstanceClass="db.m7g.large")
    rds.reboot_db_instance(**NAME)
    assert shown(rds)["PendingModifiedValues"] == {"DBInstanceClass": "db.m7g.large"}


def test_what_rds_changes_at_once_does_not_wait(rds):
    rds.modify_db_instance(**NAME, MasterUserPassword="another one", BackupRetentionPeriod=14, DeletionProtection=True)
    after = shown(rds)
    assert after["PendingModifiedValues"] == {}
    assert (after["BackupRetentionPeriod"], after["DeletionProtection"]) == (14, True)


def test_turning_backups_off_waits(rds):
    rds.modify_db_instance(**NAME, BackupRetentionPeriod=0)
    after = shown(rds)
    assert (after["BackupRetentionPeriod"], after["PendingModifiedValues"]) == (7, {"BackupRetentionPeriod": 0})


def test_a_new_name_waits(rds):
    rds.modify_db_instance(**NAME, NewDBInstanceIdentifier="store")
    assert shown(rds)["PendingModifiedValues"] == {"DBInstanceIdentifier": "store"}
    rds.modify_db_instance(**NAME, ApplyImmediately=True)
    assert shown(rds, "store")["PendingModifiedValues"] == {}


def test_another_parameter_group_is_there_at_once_and_needs_a_reboot(rds):
    rds.create_db_parameter_group(DBParameterGroupName="more", DBParameterGroupFamily="postgres16", Description="d")
    assert group(rds) == ("own16", "in-sync")
    rds.modify_db_instance(**NAME, DBParameterGroupName="more", ApplyImmediately=True)
    assert group(rds) == ("more", "pending-reboot")
    rds.modify_db_instance(**NAME, DBParameterGroupName="more")
    assert group(rds) == ("more", "pending-reboot")
    rds.reboot_db_instance(**NAME)
    assert group(rds) == ("more", "in-sync")


def test_an_upgrade_that_waits_keeps_the_old_parameter_group_in_use(rds):
    upgrade = {"EngineVersion": "17.2", "AllowMajorVersionUpgrade": True, "DBParameterGroupName": "own17"}
    rds.modify_db_instance(**NAME, **upgrade)
    assert (group(rds), shown(rds)["PendingModifiedValues"]) == (("own16", "in-sync"), {"EngineVersion": "17.2"})
    with pytest.raises(ClientError, match="InvalidDBParameterGroupState"):
        rds.delete_db_parameter_group(DBParameterGroupName="own16")
    rds.modify_db_instance(**NAME, ApplyImmediately=True)
    assert (group(rds), shown(rds)["EngineVersion"]) == (("own17", "in-sync"), "17.2")
    rds.delete_db_parameter_group(DBParameterGroupName="own16")


def test_a_replica_waits_for_nothing(rds):
    rds.modify_db_instance(**NAME, DBInstanceClass="db.m7g.large")
    rds.create_db_instance_read_replica(DBInstanceIdentifier="copy", SourceDBInstanceIdentifier="shop")
    assert shown(rds, "copy")["PendingModifiedValues"] == {}


def test_an_unknown_instance_is_refused(rds):
    with pytest.raises(ClientError, match="DBInstanceNotFound"):
        rds.modify_db_instance(DBInstanceIdentifier="nobody", AllocatedStorage=40)


def test_throughput_that_waited_comes_with_its_storage_type(rds):
    rds.modify_db_instance(**NAME, StorageThroughput=500)
    rds.modify_db_instance(**NAME, StorageType="gp3")
    rds.modify_db_instance(**NAME, ApplyImmediately=True)
    after = shown(rds)
    assert (after["StorageType"], after["StorageThroughput"]) == ("gp3", 500)
