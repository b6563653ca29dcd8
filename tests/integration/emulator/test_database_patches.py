"""What the repaired emulator answers about databases and caches where plain moto would not answer as AWS does."""

import pytest

from ngp.aws import access
from ngp.aws.session import Session
from ngp.errors import NgpError
from tests.harness import new_account

pytestmark = pytest.mark.sandbox
ACCOUNT = new_account()
DATABASE = {"Engine": "postgres", "DBInstanceClass": "db.t4g.small", "AllocatedStorage": 20}
CACHE = {
    "ReplicationGroupDescription": "c",
    "Engine": "valkey",
    "EngineVersion": "8.0",
    "CacheNodeType": "cache.t4g.small",
}


@pytest.fixture
def session(sandbox):
    return Session(access.sandbox({}, sandbox.url, "eu-central-1", ACCOUNT))


def database(session, name):
    return session.call("rds", "describe_db_instances", DBInstanceIdentifier=name)["DBInstances"][0]


def cache(session, name):
    return session.call("elasticache", "describe_replication_groups", ReplicationGroupId=name)["ReplicationGroups"][0]


def node(session, name):
    return session.call("elasticache", "describe_cache_clusters", CacheClusterId=name)["CacheClusters"][0]


def test_each_database_is_found_by_an_id_of_its_own(session):
    for name in ("first", "second"):
        session.call("rds", "create_db_instance", DBInstanceIdentifier=name, **DATABASE)
    wanted = [{"Name": "dbi-resource-id", "Values": [database(session, "second")["DbiResourceId"]]}]
    found = session.call("rds", "describe_db_instances", Filters=wanted)["DBInstances"]
    assert [one["DBInstanceIdentifier"] for one in found] == ["second"]
    assert database(session, "second")["DbiResourceId"] == found[0]["DbiResourceId"]


def test_performance_insights_are_remembered_and_can_be_turned_off(session):
    insights = {"EnablePerformanceInsights": True, "PerformanceInsightsRetentionPeriod": 7}
    insights |= {"DatabaseInsightsMode": "standard", "EngineLifecycleSupport": "paid"}
    session.call("rds", "create_db_instance", DBInstanceIdentifier="measured", **DATABASE, **insights)
    shown = database(session, "measured")
    assert (shown["PerformanceInsightsEnabled"], shown["PerformanceInsightsRetentionPeriod"]) == (True, 7)
    assert (shown["DatabaseInsightsMode"], shown["EngineLifecycleSupport"]) == ("standard", "paid")
    session.call("rds", "modify_db_instance", DBInstanceIdentifier="measured", EnablePerformanceInsights=False)
    assert database(session, "measured")["PerformanceInsightsEnabled"] is False


def test_parameter_that_was_set_is_the_users(session):
    group = {"DBParameterGroupName": "own"}
    session.call("rds", "create_db_parameter_group", DBParameterGroupFamily="postgres17", Description="d", **group)
    one = {"ParameterName": "log_lock_waits", "ParameterValue": "1", "ApplyMethod": "immediate"}
    session.call("rds", "modify_db_parameter_group", Parameters=[one], **group)
    assert session.call("rds", "describe_db_parameters", **group)["Parameters"] == [{**one, "Source": "user"}]


def test_replication_group_has_the_nodes_asked_for_and_takes_them_with_it(session):
    more = {"SecurityGroupIds": ["sg-1"], "AtRestEncryptionEnabled": True, "TransitEncryptionEnabled": True}
    session.call(
        "elasticache", "create_replication_group", ReplicationGroupId="three", NumCacheClusters=3, **CACHE, **more
    )
    assert cache(session, "three")["MemberClusters"] == ["three-001", "three-002", "three-003"]
    shown = node(session, "three-003")
    assert (shown["CacheClusterStatus"], shown["EngineVersion"]) == ("available", "8.0")
    assert shown["AtRestEncryptionEnabled"]
    assert shown["TransitEncryptionEnabled"]
    assert [each["SecurityGroupId"] for each in shown["SecurityGroups"]] == ["sg-1"]
    assert shown["CacheParameterGroup"]["CacheParameterGroupName"] == "default.valkey8"

    session.call("elasticache", "delete_replication_group", ReplicationGroupId="three")
    for gone in (lambda: cache(session, "three"), lambda: node(session, "three-001")):
        with pytest.raises(NgpError):
            gone()


def test_replication_group_can_be_changed(session):
    session.call("elasticache", "create_replication_group", ReplicationGroupId="changed", NumCacheClusters=1, **CACHE)
    changes = {"EngineVersion": "8.1", "SecurityGroupIds": ["sg-2"], "SnapshotWindow": "01:00-02:00"}
    session.call(
        "elasticache",
        "modify_replication_group",
        ReplicationGroupId="changed",
        UserGroupIdsToAdd=["people"],
        ApplyImmediately=True,
        **changes,
    )
    assert node(session, "changed-001")["EngineVersion"] == "8.1"
    assert node(session, "changed-001")["SecurityGroups"][0]["SecurityGroupId"] == "sg-2"
    assert cache(session, "changed")["SnapshotWindow"] == "01:00-02:00"
    assert cache(session, "changed")["UserGroupIds"] == ["people"]
    session.call(
        "elasticache", "modify_replication_group", ReplicationGroupId="changed", UserGroupIdsToRemove=["people"]
    )
    assert cache(session, "changed").get("UserGroupIds", []) == []


def test_user_group_is_made_changed_and_deleted(session):
    def ask(verb, **more):
        return session.call("elasticache", f"{verb}_user_group", UserGroupId="people", **more)

    def users():
        return session.call("elasticache", "describe_user_groups", UserGroupId="people")["UserGroups"][0]["UserIds"]

    for name in ("anna", "bob"):
        more = {"UserName": name, "Engine": "valkey", "AccessString": "on ~* +@read"}
        session.call("elasticache", "create_user", UserId=name, AuthenticationMode={"Type": "iam"}, **more)
    with pytest.raises(NgpError):
        ask("create", Engine="valkey", UserIds=["nobody"])
    made = ask("create", Engine="valkey", UserIds=["anna"], Tags=[{"Key": "Name", "Value": "people"}])
    assert (made["Status"], users()) == ("active", ["anna"])
    with pytest.raises(NgpError):
        ask("create", Engine="valkey", UserIds=["anna"])
    tags = session.call("elasticache", "list_tags_for_resource", ResourceName=made["ARN"])["TagList"]
    assert tags == [{"Key": "Name", "Value": "people"}]
    ask("modify", UserIdsToAdd=["bob"], UserIdsToRemove=["anna"])
    assert users() == ["bob"]
    ask("delete")
    with pytest.raises(NgpError):
        users()


def test_subnet_group_of_a_cache_is_gone_when_it_was_deleted(session):
    group = {"CacheSubnetGroupName": "private"}
    session.call(
        "elasticache", "create_cache_subnet_group", CacheSubnetGroupDescription="d", SubnetIds=["subnet-1"], **group
    )
    session.call("elasticache", "delete_cache_subnet_group", **group)
    for call in ("describe_cache_subnet_groups", "delete_cache_subnet_group"):
        with pytest.raises(NgpError):
            session.call("elasticache", call, **group)
