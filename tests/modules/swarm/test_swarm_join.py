"""How nodes become one cluster: election, joining, coming back, and never a second cluster."""

import time

import pytest

pytestmark = [pytest.mark.proves("scripts", "swarm"), pytest.mark.integration]
PREFIX = "/ngp/shop/dev/swarm/swarm/life-1"


def test_first_manager_initialises_and_stores_what_others_need(region):
    result = region.node("m1", "manager", "1").run("swarm-join.sh")
    assert result.returncode == 0, result.stderr
    assert region.parameters() == {
        "leader": "1",
        "managers/1": "10.0.0.1",
        "token-manager": "TOKEN-manager#0",
        "token-worker": "TOKEN-worker#0",
    }
    init = next(call for call in region.cluster()["calls"] if call[1:3] == ["swarm", "init"])
    assert init[3:] == [
        *("--advertise-addr", "10.0.0.1"),
        *("--default-addr-pool", "10.244.0.0/16", "--default-addr-pool-mask-length", "24"),
    ]


def test_tokens_are_encrypted_and_the_managers_comes_last(region):
    region.node("m1", "manager", "1").run("swarm-join.sh")
    puts = [line.split() for line in (region.path / "puts").read_text().splitlines()]
    assert puts == [
        [f"{PREFIX}/leader", "String", "False"],
        [f"{PREFIX}/managers/1", "String", "False"],
        [f"{PREFIX}/token-worker", "SecureString", "True"],
        [f"{PREFIX}/token-manager", "SecureString", "True"],
    ]


def test_racing_managers_make_one_cluster(region):
    nodes = [region.node(f"m{slot}", "manager", str(slot)) for slot in (1, 2, 3)]
    nodes += [region.node("w4", "worker")]
    running = [node.start("swarm-join.sh", JOIN_LIMIT_S="40") for node in nodes]
    outcomes = [(process.communicate(timeout=60)[1], process.returncode) for process in running]
    assert [code for _, code in outcomes] == [0, 0, 0, 0], outcomes
    cluster = region.cluster()
    assert cluster["inits"] == 1
    assert {name: node["role"] for name, node in cluster["nodes"].items()} == {
        "m1": "manager",
        "m2": "manager",
        "m3": "manager",
        "w4": "worker",
    }
    assert region.parameters()["managers/3"] == "10.0.0.3"


def test_member_joins_nothing_again(region):
    node = region.node("m1", "manager", "1")
    node.run("swarm-join.sh")
    assert node.run("swarm-join.sh").returncode == 0
    assert region.cluster()["inits"] == 1


def test_manager_that_died_between_initialising_and_storing_stores_at_next_boot(region):
    node = region.node("m1", "manager", "1")
    node.run("swarm-join.sh")
    for file in (region.path / "parameters").glob("*token*"):
        file.unlink()
    assert node.run("swarm-join.sh").returncode == 0
    assert region.parameters()["token-manager"] == "TOKEN-manager#0"


def test_replaced_manager_joins_a_living_one(region):
    for slot in ("1", "2"):
        region.node(f"m{slot}", "manager", slot).run("swarm-join.sh")
    cluster = region.cluster()
    cluster["nodes"]["m1"]["dead"] = True
    region.edit_cluster(nodes=cluster["nodes"], leader="m2")

    result = region.node("m11", "manager", "1").run("swarm-join.sh", JOIN_LIMIT_S="20")
    assert result.returncode == 0, result.stderr
    assert region.cluster()["inits"] == 1
    assert region.cluster()["nodes"]["m11"]["role"] == "manager"
    assert region.parameters()["managers/1"] == "10.0.0.11"


def test_manager_never_initialises_where_a_cluster_exists(region):
    region.node("m1", "manager", "1").run("swarm-join.sh")
    cluster = region.cluster()
    cluster["nodes"]["m1"]["dead"] = True
    region.edit_cluster(nodes=cluster["nodes"])

    begin = time.monotonic()
    result = region.node("m11", "manager", "1").run("swarm-join.sh")
    assert result.returncode == 1
    assert time.monotonic() - begin < 30
    assert "no living manager" in result.stderr
    assert "generation" in result.stderr
    assert region.cluster()["inits"] == 1


def test_replaced_manager_takes_its_slots_claim_up_where_no_token_was_stored(region):
    region.node("m0", "manager", "1")
    region.write(f"parameters/{PREFIX.strip('/').replace('/', '%')}%leader", "1")
    result = region.node("m1", "manager", "1").run("swarm-join.sh")
    assert result.returncode == 0, result.stderr
    assert region.cluster()["inits"] == 1


def test_manager_waits_for_the_elected_and_gives_up(region):
    region.write(f"parameters/{PREFIX.strip('/').replace('/', '%')}%leader", "1")
    result = region.node("m2", "manager", "2").run("swarm-join.sh")
    assert result.returncode == 1
    assert "no cluster came up" in result.stderr
    assert region.cluster()["inits"] == 0


def test_worker_never_stands_for_election(region):
    result = region.node("w1", "worker").run("swarm-join.sh")
    assert result.returncode == 1
    assert region.cluster()["inits"] == 0
    assert not (region.path / "puts").exists()


def test_nobody_initialises_while_aws_does_not_answer(region):
    region.write("down", "")
    result = region.node("m1", "manager", "1").run("swarm-join.sh")
    assert result.returncode == 1
    assert "RequestTimeout" in result.stderr
    assert region.cluster()["inits"] == 0


@pytest.mark.parametrize("state", ["locked", "error"])
def test_manager_with_a_sick_swarm_is_left_to_the_operator(region, state):
    node = region.node("m1", "manager", "1")
    node.run("swarm-join.sh")
    cluster = region.cluster()
    cluster["nodes"]["m1"]["state"] = state
    region.edit_cluster(nodes=cluster["nodes"])
    assert node.run("swarm-join.sh").returncode == 1
    assert "m1" in region.cluster()["nodes"]


def test_worker_with_a_sick_swarm_joins_anew(region):
    region.node("m1", "manager", "1").run("swarm-join.sh")
    node = region.node("w2", "worker")
    node.run("swarm-join.sh")
    cluster = region.cluster()
    cluster["nodes"]["w2"]["state"] = "error"
    region.edit_cluster(nodes=cluster["nodes"])
    assert node.run("swarm-join.sh").returncode == 0
    assert region.cluster()["nodes"]["w2"]["state"] == "active"


@pytest.mark.parametrize(
    ("role", "jobs", "leaves"),
    [
        ("worker", "71 poweroff.target start waiting", True),
        ("worker", "71 reboot.target start waiting", False),
        ("worker", "", False),
        ("manager", "71 poweroff.target start waiting", False),
    ],
)
def test_only_a_worker_that_powers_off_leaves(region, role, jobs, leaves):
    region.node("m1", "manager", "1").run("swarm-join.sh")
    node = region.node("n2", role, "2")
    node.run("swarm-join.sh")
    node.command("systemctl", f"echo '{jobs}'")
    assert node.run("swarm-leave.sh").returncode == 0
    assert ("n2" not in region.cluster()["nodes"]) == leaves
