"""What the leader does every minute: network, labels, tokens, dead nodes, stacks and their secrets."""

import base64
import json
import os
import time

import pytest

pytestmark = [pytest.mark.proves("scripts", "swarm"), pytest.mark.integration]
ROUTER = 'version: "3.8"\nservices: {router: {image: "traefik:v3"}}\n'


@pytest.fixture
def leader(region):
    return manager(region, "m1", leads=True)


def manager(region, name, leads=False, **settings):
    """A manager as swarm-join.sh leaves it."""
    region.seat(name, leads)
    region.write("files/stacks/router/stack.yml", ROUTER)
    return region.node(name, "manager", name[1:], **settings)


def sync(node):
    result = node.run("swarm-sync.sh")
    assert result.returncode == 0, result.stderr
    return result


def calls(region, *start):
    return [call for call in region.cluster()["calls"] if call[1 : 1 + len(start)] == list(start)]


def test_leader_deploys_the_router_once(region, leader):
    sync(leader)
    sync(leader)
    assert region.cluster()["stacks"]["router"]["text"] == ROUTER
    assert [call[3:5] for call in calls(region, "stack", "deploy")] == [["--with-registry-auth", "--prune"]]


def test_only_the_leader_acts(region, leader):
    follower = manager(region, "m2")
    sync(follower)
    assert region.cluster()["stacks"] == {}
    assert region.cluster()["networks"] == []


def test_node_without_docker_has_nothing_to_do(region):
    node = region.node("m1", "manager", "1")
    node.command("docker", "exit 127")
    sync(node)


@pytest.mark.parametrize(("encrypted", "options"), [("true", ["--opt", "encrypted"]), ("false", [])])
def test_network_of_the_router_is_made_once(region, encrypted, options):
    node = manager(region, "m1", leads=True, OVERLAY_ENCRYPTED=encrypted)
    sync(node)
    sync(node)
    made = ["m1", "network", "create", "--driver", "overlay", "--attachable", *options, "proxy"]
    assert calls(region, "network", "create") == [made]


def test_changed_stack_is_deployed_again_and_next_leader_knows(region, leader):
    sync(leader)
    follower = manager(region, "m2")
    region.edit_cluster(leader="m2")
    sync(follower)
    assert len(calls(region, "stack", "deploy")) == 1
    region.write("files/stacks/router/stack.yml", ROUTER.replace("v3", "v4"))
    sync(follower)
    assert "traefik:v4" in region.cluster()["stacks"]["router"]["text"]


def test_broken_stack_keeps_none_back_and_is_tried_again(region, leader):
    region.write("files/stacks/app/stack.yml", "broken")
    result = leader.run("swarm-sync.sh")
    assert result.returncode == 1
    assert "app could not be deployed" in result.stderr
    assert list(region.cluster()["stacks"]) == ["router"]
    region.write("files/stacks/app/stack.yml", ROUTER)
    sync(leader)
    assert sorted(region.cluster()["stacks"]) == ["app", "router"]


def test_stack_whose_file_is_gone_is_removed(region, leader):
    region.write("files/stacks/app/stack.yml", ROUTER)
    sync(leader)
    (region.path / "files/stacks/app/stack.yml").unlink()
    sync(leader)
    assert list(region.cluster()["stacks"]) == ["router"]
    assert list(region.cluster()["configs"]) == ["ngp.stack.router"]


def test_empty_prefix_removes_nothing(region, leader):
    sync(leader)
    (region.path / "files/stacks/router/stack.yml").unlink()
    sync(leader)
    assert list(region.cluster()["stacks"]) == ["router"]


def test_bucket_that_does_not_answer_changes_nothing(region, leader):
    sync(leader)
    region.write("down", "")
    assert leader.run("swarm-sync.sh").returncode != 0
    assert list(region.cluster()["stacks"]) == ["router"]


def write_registry(region, version, secret_version):
    secrets = [
        {"name": name, "secret_arn": "arn:s", "field": name, "version": secret_version}
        for name in ("htpasswd", "http_secret")
    ]
    region.write("files/stacks/registry/secrets.json", json.dumps(secrets))
    region.write("files/stacks/registry/stack.yml", "name: ${SECRET_htpasswd}")
    value = json.dumps({"htpasswd": f"user:hash|{version}\n", "http_secret": f"s{version}"})
    region.write("secrets/arn:s", json.dumps({"VersionId": version, "SecretString": value}))


def test_secrets_of_a_stack_become_docker_secrets(region, leader):
    write_registry(region, "terraform-20260101000000000000000001", 1)
    sync(leader)
    cluster = region.cluster()
    variables = cluster["stacks"]["registry"]["variables"]
    assert cluster["secrets"][variables["SECRET_htpasswd"]] == "user:hash|terraform-20260101000000000000000001\n"
    assert cluster["secrets"][variables["SECRET_http_secret"]] == "sterraform-20260101000000000000000001"
    assert all(name.startswith("registry_") and len(name) <= 64 for name in variables.values())


def test_new_secret_gets_a_new_name_and_the_old_one_is_kept(region, leader):
    write_registry(region, "terraform-20260101000000000000000001", 1)
    sync(leader)
    before = region.cluster()["stacks"]["registry"]["variables"]
    write_registry(region, "terraform-20260101000000000000000002", 2)
    sync(leader)
    after = region.cluster()["stacks"]["registry"]["variables"]
    assert set(before.values()).isdisjoint(after.values())
    assert set(region.cluster()["secrets"]) == {*before.values(), *after.values()}


def test_secret_values_are_in_no_argument_and_no_log(region, leader):
    write_registry(region, "v1", 1)
    result = sync(leader)
    assert "user:hash" not in result.stderr + result.stdout
    assert "user:hash" not in json.dumps(region.cluster()["calls"])


def test_rotated_tokens_are_stored(region, leader):
    region.edit_cluster(rotation=1)
    sync(leader)
    assert region.parameters()["token-worker"] == "TOKEN-worker#1"


def add_node(region, name, **facts):
    nodes = region.cluster()["nodes"]
    nodes[name] = {"state": "active", "role": "worker", "address": "10.0.0.9", **facts}
    region.edit_cluster(nodes=nodes)


def test_pool_becomes_a_node_label_once(region, leader):
    add_node(region, "w2", engine={"ngp.pool": "web", "ngp.instance": "i-w2"})
    add_node(region, "w3", labels={"pool": "mine"})
    sync(leader)
    sync(leader)
    nodes = region.cluster()["nodes"]
    assert nodes["w2"]["labels"] == {"pool": "web"}
    assert nodes["w3"]["labels"] == {"pool": "mine"}
    assert len(calls(region, "node", "update")) == 1


@pytest.mark.parametrize(
    ("role", "state"),
    [("worker", "terminated"), ("worker", ""), ("worker", "running"), ("worker", "stopped"), ("manager", "terminated")],
)
def test_silent_node_goes_only_with_its_instance(region, leader, state, role):
    add_node(region, "n2", role=role, dead=True, engine={"ngp.instance": "i-n2"})
    if state:
        region.write("instances/i-n2", state)
    sync(leader)
    assert ("n2" in region.cluster()["nodes"]) == (state in {"running", "stopped"})


def test_silent_node_goes_when_its_instance_joined_anew(region, leader):
    add_node(region, "old", dead=True, engine={"ngp.instance": "i-w"})
    add_node(region, "new", engine={"ngp.instance": "i-w"})
    region.write("instances/i-w", "running")
    sync(leader)
    assert set(region.cluster()["nodes"]) == {"m1", "new"}


def test_living_and_unknown_nodes_stay(region, leader):
    add_node(region, "alive", engine={"ngp.instance": "i-alive"})
    add_node(region, "foreign", dead=True)
    sync(leader)
    assert {"alive", "foreign"} <= set(region.cluster()["nodes"])


def store(region, slot, address):
    region.write(f"parameters/ngp%shop%dev%swarm%swarm%life-1%managers%{slot}", address)


def test_address_at_which_no_manager_is_any_more_is_forgotten(region, leader):
    add_node(region, "m2", role="manager", address="10.0.0.2", dead=True)
    add_node(region, "w3", address="10.0.0.3")
    for slot, address in {"1": "10.0.0.1", "2": "10.0.0.2", "3": "10.0.0.3"}.items():
        store(region, slot, address)
    sync(leader)
    kept = {name: value for name, value in region.parameters().items() if name.startswith("managers/")}
    assert kept == {"managers/1": "10.0.0.1", "managers/2": "10.0.0.2"}, "a manager that is silent may come back"


def leave(region, *instances, **tags):
    wanted = {"Project": "shop", "Environment": "dev", "Cluster": "swarm", **tags}
    states = [{"InstanceId": each, "LifecycleState": "Terminating:Wait"} for each in instances]
    states.append({"InstanceId": "i-stays", "LifecycleState": "InService"})
    group = {"AutoScalingGroupName": "shop-a-swarm-Worker-web-dev", "tags": wanted, "Instances": states}
    region.write("groups.json", json.dumps([group]))


def let_go(region):
    file = region.path / "let_go"
    return [line.split()[-1] for line in file.read_text().splitlines()] if file.exists() else []


def test_worker_that_is_to_end_is_drained_and_goes_once_no_task_runs_there(region, leader):
    add_node(region, "w2", engine={"ngp.instance": "i-w2"}, tasks=["Running 3 minutes ago", "Shutdown 1 second ago"])
    add_node(region, "w3", engine={"ngp.instance": "i-stays"})
    leave(region, "i-w2")
    sync(leader)
    nodes = region.cluster()["nodes"]
    assert (nodes["w2"].get("drained"), nodes["w3"].get("drained"), let_go(region)) == (True, None, [])
    nodes["w2"]["tasks"] = ["Shutdown 9 seconds ago", "Failed 2 hours ago"]
    region.edit_cluster(nodes=nodes)
    sync(leader)
    assert (region.path / "let_go").read_text() == "shop-a-swarm-Worker-web-dev drain i-w2\n"


def test_instance_that_is_silent_or_no_member_goes_at_once(region, leader):
    add_node(region, "w2", dead=True, engine={"ngp.instance": "i-w2"}, tasks=["Running 3 minutes ago"])
    region.write("instances/i-w2", "running")
    leave(region, "i-w2", "i-never-joined")
    sync(leader)
    assert let_go(region) == ["i-w2", "i-never-joined"]


def test_workers_of_another_cluster_are_left_alone(region, leader):
    leave(region, "i-w2", Cluster="blue")
    sync(leader)
    assert let_go(region) == []


def test_only_a_minute_in_which_all_went_well_counts_as_kept(region, leader):
    region.write("files/stacks/app/stack.yml", "broken")
    assert leader.run("swarm-sync.sh").returncode == 1
    assert not (region.path / "counted").exists()
    region.write("files/stacks/app/stack.yml", ROUTER)
    sync(leader)
    assert (region.path / "counted").read_text() == "ngp/swarm shop-a-swarm-dev-kept 1\n"


def test_stack_whose_list_of_secrets_is_no_json_is_not_deployed(region, leader):
    write_registry(region, "v1", 1)
    region.write("files/stacks/registry/secrets.json", "[{")
    assert leader.run("swarm-sync.sh").returncode == 1
    assert list(region.cluster()["stacks"]) == ["router"]


ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


def write_login(region, field="login", password="p|w'd"):
    login = [{"host": "registry.example.com", "secret_arn": "arn:s", "field": field, "version": 1}]
    region.write("files/stacks/registry/logins.json", json.dumps(login))
    region.write("files/stacks/registry/stack.yml", ROUTER)
    value = json.dumps({"login": f"user:{password}"})
    region.write("secrets/arn:s", json.dumps({"VersionId": "v", "SecretString": value}))


def age(file, minutes):
    then = time.time() - minutes * 60
    os.utime(file, (then, then))


def test_services_get_the_login_to_their_registry_and_again_after_six_hours(region, leader):
    images = {"shop_web": f"{ECR}/shop/web:1@sha256:0", "own": "registry.example.com/own:1", "router": "traefik:v3"}
    write_login(region)
    region.seat("m1", True)
    region.edit_cluster(services=images)
    sync(leader)
    logins = region.cluster()["logins"]
    assert sorted(logins) == ["own", "shop_web"]
    auth = logins["own"]["auths"]["registry.example.com"]["auth"]
    assert base64.b64decode(auth).decode() == "user:p|w'd"
    assert logins["shop_web"]["credHelpers"] == {ECR: "ecr-login"}
    assert not logins["shop_web"]["caches"], "the helper's login may be six hours old, and end before the next"
    for minutes, renewed in ((0, 2), (350, 2), (361, 4)):
        age(leader.path / "state/logins", minutes)
        sync(leader)
        assert len(calls(region, "service", "update")) == renewed


def test_new_login_reaches_services_at_once(region, leader):
    write_login(region)
    region.edit_cluster(services={"own": "registry.example.com/own:1"})
    sync(leader)
    write_login(region, password="new")
    file = region.path / "files/stacks/registry/logins.json"
    file.write_text(file.read_text().replace('"version": 1', '"version": 2'))
    sync(leader)
    auth = region.cluster()["logins"]["own"]["auths"]["registry.example.com"]["auth"]
    assert base64.b64decode(auth).decode() == "user:new"


def test_login_is_in_no_argument_and_for_root_only(region, leader):
    write_login(region)
    sync(leader)
    assert "p|w" not in json.dumps(region.cluster()["calls"])
    file = leader.path / "root/.docker/config.json"
    assert (file.stat().st_mode & 0o777, list(file.parent.iterdir())) == (0o600, [file])


def test_login_that_is_not_there_is_told_and_stacks_are_deployed(region, leader):
    write_login(region, field="other")
    result = leader.run("swarm-sync.sh")
    assert result.returncode == 1
    assert "no field other: raise secret_version" in result.stderr
    assert sorted(region.cluster()["stacks"]) == ["registry", "router"]
    assert not (region.path / "counted").exists()


ROLE = "arn:aws:iam::123456789012:role/images"


def write_role(region, arn=ROLE):
    region.write("files/stacks/registry/roles.json", json.dumps([{"name": "storage", "role_arn": arn}]))


def session(node):
    return json.loads((node.path / "roles/registry/storage/session.json").read_text())


def test_every_manager_keeps_the_sessions_of_roles(region, leader):
    write_role(region)
    follower = manager(region, "m2")
    for node in (leader, follower):
        sync(node)
        assert session(node)["Version"] == 1
        folder = node.path / "roles/registry/storage"
        assert "credential_process = cat /run/ngp/role/session.json" in (folder / "config").read_text()
        assert (folder / "session.json").stat().st_mode & 0o777 == 0o600
    assert (region.path / "assumed").read_text() == f"{ROLE} ngp-swarm 3600\n" * 2


def test_session_is_renewed_before_it_ends_and_for_another_role(region, leader):
    write_role(region)
    file = leader.path / "roles/registry/storage/session.json"
    sync(leader)
    for minutes, number in ((0, 1), (15, 1), (25, 2)):
        age(file, minutes) if minutes else None
        sync(leader)
        assert session(leader)["AccessKeyId"] == f"ASIA{number}"
    write_role(region, ROLE + "2")
    sync(leader)
    assert session(leader)["AccessKeyId"] == "ASIA3"


def test_role_that_is_refused_keeps_its_session_and_is_told(region, leader):
    write_role(region)
    sync(leader)
    age(leader.path / "roles/registry/storage/session.json", 30)
    region.write("refused", "")
    result = leader.run("swarm-sync.sh")
    assert result.returncode == 1
    assert f"no session of the role storage of stack registry: {ROLE}" in result.stderr
    assert session(leader)["AccessKeyId"] == "ASIA1"
    assert len(list((leader.path / "roles/registry/storage").iterdir())) == 3


def test_list_of_roles_that_is_no_json_is_told(region, leader):
    region.write("files/stacks/registry/roles.json", "{")
    assert leader.run("swarm-sync.sh").returncode == 1
