"""Changes of caches wait for the maintenance window, as in ElastiCache: asked of the patched moto in this process."""

import pytest
from botocore.exceptions import ClientError

NAME = {"ReplicationGroupId": "shop"}
CHANGES = {"EngineVersion": "8.1", "CacheNodeType": "cache.m7g.large"}
PARAMETERS = {"CacheParameterGroupName": "own"}


@pytest.fixture
def cache(client):
    """A client of ElastiCache with the replication group `shop` of one node."""
    made = client("elasticache")
    made.create_replication_group(
        ReplicationGroupDescription="d",
        Engine="valkey",
        EngineVersion="8.0",
        CacheNodeType="cache.t4g.small",
        NumCacheClusters=1,
        **NAME,
    )
    return made


def node(cache):
    return cache.describe_cache_clusters(CacheClusterId="shop-001")["CacheClusters"][0]


def group(cache):
    return cache.describe_replication_groups(**NAME)["ReplicationGroups"][0]


@pytest.mark.parametrize("more", [{}, {"ApplyImmediately": False}])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_waits_and_the_old_value_stays(cache, name, more):
    before = node(cache)
    cache.modify_replication_group(**NAME, **{name: CHANGES[name]}, **more)
    after = node(cache)
    assert after[name] == before[name] != CHANGES[name]
    assert after["PendingModifiedValues"] == {name: CHANGES[name]}


def test_parameters_and_the_engine_wait_too(cache):
    cache.modify_replication_group(**NAME, **PARAMETERS, Engine="redis")
    assert node(cache)["CacheParameterGroup"]["CacheParameterGroupName"] == "default.valkey8"
    assert node(cache)["Engine"] == "valkey"
    cache.modify_replication_group(**NAME, ApplyImmediately=True)
    assert node(cache)["CacheParameterGroup"]["CacheParameterGroupName"] == "own"
    assert node(cache)["Engine"] == "redis"


def test_applying_at_once_applies_what_waited_too_but_what_is_asked_for_counts(cache):
    cache.modify_replication_group(**NAME, **CHANGES)
    cache.modify_replication_group(**NAME, ApplyImmediately=True, EngineVersion="8.2")
    after = node(cache)
    assert (after["EngineVersion"], after["CacheNodeType"]) == ("8.2", CHANGES["CacheNodeType"])
    assert after["PendingModifiedValues"] == {}


def test_what_waits_is_gathered_and_taken_back(cache):
    for name, value in CHANGES.items():
        cache.modify_replication_group(**NAME, **{name: value})
    assert node(cache)["PendingModifiedValues"] == CHANGES
    cache.modify_replication_group(**NAME, EngineVersion="8.0")
    assert node(cache)["PendingModifiedValues"] == {"CacheNodeType": CHANGES["CacheNodeType"]}


def test_what_elasticache_changes_at_once_does_not_wait(cache):
    cache.modify_replication_group(**NAME, SnapshotWindow="01:00-02:00", SnapshotRetentionLimit=3)
    assert (group(cache)["SnapshotWindow"], group(cache)["SnapshotRetentionLimit"]) == ("01:00-02:00", 3)
    assert node(cache)["PendingModifiedValues"] == {}


@pytest.mark.parametrize("wanted", [False, True])
def test_minor_upgrades_are_turned_on_and_off(cache, wanted):
    cache.modify_replication_group(**NAME, AutoMinorVersionUpgrade=not wanted)
    cache.modify_replication_group(**NAME, AutoMinorVersionUpgrade=wanted)
    assert group(cache)["AutoMinorVersionUpgrade"] is wanted


def test_a_group_that_is_not_there_is_said(cache):
    with pytest.raises(ClientError, match="ReplicationGroupNotFound"):
        cache.modify_replication_group(ReplicationGroupId="other", EngineVersion="8.1")
