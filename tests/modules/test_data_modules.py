"""Database, cache, load balancer and cleanup on the sandbox: brought up side by side, looked at again, taken down.

The tests stand in the order in which they are to run; the last destroys what the first made.
"""

import json

import pytest

from tests.modules.lab import Lab, lay_platform, open_lab

MODULES = ("network", "rds-postgres", "elasticache", "alb", "docker-cleanup")
CHOSEN = ("network", "rds-postgres", "elasticache", "alb-shop=alb", "docker-cleanup")
UNITS = {name.split("=")[0] for name in CHOSEN}
VALUES = {
    "pre_tag": "lab-one",
    "post_tag": "lab",
    "rds-postgres.deletion_protection": "false",
    "rds-postgres.skip_final_snapshot": "true",
    "rds-postgres.secret_recovery_days": "0",
    "rds-postgres.notify_events": "true",
    "elasticache.skip_final_snapshot": "true",
    "alb-shop.hostname": "shop",
    "alb-shop.service_port": "8080",
    "alb-shop.access_logs": "true",
    "alb-shop.force_destroy": "true",
    "docker-cleanup.swarm_stack_prefix": "stacks/",
    "docker-cleanup.swarm_image_cache": "",
}
# Any bucket will do for a stack file: a cluster of its own would take minutes.
WIRES = {"docker-cleanup.swarm_stack_bucket": "alb-shop.alb_logs_bucket"}
pytestmark = [
    pytest.mark.proves("applied", "network", "rds-postgres", "elasticache", "alb", "docker-cleanup"),
    pytest.mark.integration,
    pytest.mark.terraform,
    pytest.mark.sandbox,
    pytest.mark.slow,
    pytest.mark.timeout(1500),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory, ngp_in):
    path = tmp_path_factory.mktemp("lab")
    lay_platform(path, *MODULES)
    with open_lab(Lab(ngp_in(path))) as made:
        made.configure(*CHOSEN, values=VALUES, wires=WIRES)
        yield made


@pytest.fixture(scope="module")
def applied(lab):
    return lab.document("apply", "lab", "--auto-approve")


def test_all_come_up_and_a_second_plan_is_empty(lab, applied):
    assert {unit["unit"]: unit["outcome"] for unit in applied["units"]} == dict.fromkeys(UNITS, "applied")
    assert lab.ngp.run("plan", "lab", "--detailed-exitcode").exit_code == 0


def test_password_is_in_the_secret_and_not_in_the_outputs(lab, applied):
    shown = lab.outputs("rds-postgres")
    secret = lab.client("secretsmanager").get_secret_value(SecretId=shown["rds_password_secret_arn"])["SecretString"]
    assert len(secret) == 32
    assert lab.outputs("rds-postgres", "--reveal")["rds_password"] == secret
    assert secret not in json.dumps(shown)


def test_database_refuses_plain_connections_and_is_private(lab, applied):
    rds = lab.client("rds")
    [database] = rds.describe_db_instances()["DBInstances"]
    assert database["StorageEncrypted"]
    assert not database["PubliclyAccessible"]
    [group] = [each["DBParameterGroupName"] for each in database["DBParameterGroups"]]
    parameters = rds.describe_db_parameters(DBParameterGroupName=group)["Parameters"]
    assert {each["ParameterName"]: each["ParameterValue"] for each in parameters}["rds.force_ssl"] == "1"


def test_cache_lets_in_users_of_iam_only(lab, applied):
    cache = lab.client("elasticache")
    [group] = cache.describe_replication_groups()["ReplicationGroups"]
    assert (group["TransitEncryptionEnabled"], group["AtRestEncryptionEnabled"]) == (True, True)
    [people] = cache.describe_user_groups(UserGroupId=group["UserGroupIds"][0])["UserGroups"]
    assert people["UserIds"] == list(lab.outputs("elasticache")["elasticache_users"].values())
    users = [cache.describe_users(UserId=each)["Users"][0] for each in people["UserIds"]]
    assert [user["Authentication"]["Type"] for user in users] == ["iam"]


def test_destroy_leaves_nothing(lab, applied):
    consent = [word for name in UNITS for word in ("--accept-data-loss", name)]
    document = lab.document("destroy", "lab", "--auto-approve", *consent)
    assert {unit["outcome"] for unit in document["units"]} == {"destroyed"}
    assert lab.client("rds").describe_db_instances()["DBInstances"] == []
    assert lab.client("elasticache").describe_replication_groups()["ReplicationGroups"] == []
    assert lab.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert lab.client("secretsmanager").list_secrets()["SecretList"] == []
