"""Every source of hosts keeps the same rules, and hosts are kept for seconds."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from ngp.errors import NgpError, UsageError
from ngp.hosts import console, inventory
from ngp.hosts.cloud import CloudSource
from ngp.hosts.host import Host, HostState, from_data, order, to_data
from ngp.hosts.states import StateSource
from ngp.hosts.static import FileSource

TAGS = {"Project": "shop", "Environment": "qa", "Cluster": "web", "ngp:unit": "swarm", "Packages": "|a|b-c|"}


class Ec2:
    """A double of `aws.session.Session` that gives instances page by page, and honours what CloudSource filters by."""

    def __init__(self, instances, size=2):
        self.instances, self.size, self.calls = instances, size, 0

    def call(self, service, operation, **asked):
        filters, token = asked["Filters"], asked.get("NextToken", "0")
        assert (service, operation) == ("ec2", "describe_instances")
        self.calls += 1
        wanted = {each["Name"]: each["Values"] for each in filters}
        kept = [each for each in self.instances if self._takes(each, wanted)]
        at = int(token)
        page = {"Reservations": [{"Instances": [each]} for each in kept[at : at + self.size]]}
        return page | ({"NextToken": str(at + self.size)} if at + self.size < len(kept) else {})

    @staticmethod
    def _takes(instance, wanted):
        tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
        states = wanted["instance-state-name"]
        named = all(
            tags.get(key.removeprefix("tag:")) in values or (values == ["*"] and key.removeprefix("tag:") in tags)
            for key, values in wanted.items()
            if key.startswith("tag:")
        )
        return named and instance["State"]["Name"] in states


def instance(number, name, state="running", **tags):
    found = {**TAGS, "Name": name, **tags}
    return {
        "InstanceId": f"i-{number}",
        "State": {"Name": state},
        "PrivateIpAddress": f"10.0.0.{number}",
        "PublicDnsName": "",
        "Tags": [{"Key": key, "Value": value} for key, value in found.items()],
    }


def state(*rows):
    instances = [
        {
            "attributes": {
                "id": f"i-{number}",
                "private_ip": f"10.0.0.{number}",
                "tags_all": {**TAGS, "Name": name, **tags},
                "instance_state": "running",
            },
            **more,
        }
        for number, name, tags, more in rows
    ]
    return json.dumps(
        {"version": 4, "resources": [{"type": "aws_instance", "mode": "managed", "instances": instances}]}
    )


def cloud(tmp_path):
    rows = [instance(2, "two"), instance(1, "one"), instance(3, "three"), instance(9, "nine", Environment="prod")]
    return CloudSource(Ec2(rows), "shop", "qa")


def states(tmp_path):
    rows = [(n, name, {}, {}) for n, name in ((2, "two"), (1, "one"), (3, "three"))]
    rows.append((9, "nine", {"Environment": "prod"}, {}))
    return StateSource(lambda: {"a": state(*rows)}, "shop", "qa")


def static(tmp_path):
    one = "  {0}: {{environment: {1}, address: 10.0.0.{2}, cluster: web, unit: swarm, packages: [a, b-c]}}\n"
    rows = (("two", "qa", 2), ("one", "qa", 1), ("three", "qa", 3), ("nine", "prod", 9))
    (tmp_path / "hosts.yaml").write_text("hosts:\n" + "".join(one.format(*row) for row in rows))
    return FileSource(tmp_path, "qa")


@pytest.mark.parametrize("make", [cloud, states, static])
def test_every_source_tells_the_hosts_of_its_environment_with_what_selects_them(make, tmp_path):
    found = inventory.collect([make(tmp_path)])
    assert [host.name for host in found] == ["one", "three", "two"]
    for host in found:
        assert (host.environment, host.cluster, host.unit, host.packages) == ("qa", "web", "swarm", ("a", "b-c"))
        assert host.address.startswith("10.0.0.")
        assert host.is_up
        assert from_data(json.loads(json.dumps(to_data(host)))) == replace(host, tags=dict(host.tags))
    assert len({host.id for host in found}) == 3


@pytest.mark.parametrize("make", [cloud, states, static])
def test_every_source_gives_the_same_order_each_time(make, tmp_path):
    source = make(tmp_path)
    assert inventory.collect([source]) == inventory.collect([source])


def test_all_pages_are_read():
    session = Ec2([instance(n, f"web-{n}") for n in range(25)], size=10)
    found = inventory.collect([CloudSource(session, "shop", "qa")])
    assert [host.name for host in found] == [f"web-{n}" for n in range(25)]
    assert session.calls == 3


def test_instances_of_another_project_are_not_told():
    assert CloudSource(Ec2([instance(1, "one", Project="other")]), "shop", "qa").hosts() == []


def test_an_instance_that_ends_while_another_has_its_name_is_being_replaced():
    rows = [instance(1, "a", "shutting-down"), instance(2, "a", "pending"), instance(3, "b", "shutting-down")]
    found = {host.id: host.state for host in CloudSource(Ec2(rows), "shop", "qa").hosts()}
    assert found == {"i-1": HostState.REPLACED, "i-2": HostState.PENDING, "i-3": HostState.ENDING}
    grouped = instance(4, "c", "shutting-down", **{"aws:autoscaling:groupName": "workers"})
    assert CloudSource(Ec2([grouped]), "shop", "qa").hosts()[0].state is HostState.REPLACED


def test_stopped_instances_are_told_as_such_and_no_command_goes_there():
    [found] = CloudSource(Ec2([instance(1, "a", "stopped")]), "shop", "qa").hosts()
    assert found.state is HostState.STOPPED
    assert not found.is_up


def test_a_state_tells_what_terraform_will_replace():
    rows = [(1, "a", {}, {"status": "tainted"}), (2, "b", {}, {"deposed": "12345678"}), (3, "c", {}, {})]
    found = [host.state for host in StateSource(lambda: {"x": state(*rows)}, "shop").hosts()]
    assert found == [HostState.REPLACED, HostState.REPLACED, HostState.RUNNING]


def test_what_is_no_state_is_refused():
    with pytest.raises(NgpError, match="not a Terraform state"):
        StateSource(lambda: {"x": '{"resources": [{"type": "aws_instance", "instances": [{}]}]}'}, "shop").hosts()


@pytest.mark.parametrize("address", ["-oProxyCommand=x", "a b", "a\x1b[2J", ""])
def test_an_address_that_ssh_would_take_for_an_option_is_refused(address, tmp_path):
    (tmp_path / "hosts.yaml").write_text(f"hosts:\n  a: {{environment: qa, address: {json.dumps(address)}}}\n")
    with pytest.raises(UsageError) as refused:
        FileSource(tmp_path).hosts()
    assert "hosts.yaml:2" in str(refused.value)


def test_a_key_that_is_not_whole_is_refused_with_its_line(tmp_path):
    whole = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9Vj2Vd0Ge4bq8hZ1SPLPnFvVKkYzWQmS0u6ZlDXc3T"
    row = "hosts:\n  a:\n    environment: qa\n    address: 10.0.0.1\n    host_keys:\n      - {}\n      - {}\n"
    (tmp_path / "hosts.yaml").write_text(row.format(whole, f"{whole} root@a"))
    assert FileSource(tmp_path).hosts()[0].host_keys == (whole, f"{whole} root@a")
    (tmp_path / "hosts.yaml").write_text(row.format(whole, whole[:-8]))
    with pytest.raises(UsageError, match="the text after `ssh-ed25519` is not a whole key") as refused:
        FileSource(tmp_path).hosts()
    assert "hosts.yaml:" in str(refused.value)


def test_the_first_source_counts_for_a_host_that_two_know():
    first, second = Host("a", "i-1", "qa", state=HostState.STOPPED), Host("a", "i-1", "qa")
    sources = [type("S", (), {"hosts": lambda self, one=one: [one]})() for one in (first, second)]
    assert inventory.collect(sources) == [first]


def test_numbers_in_names_count():
    names = ["web-10", "web-9", "api", "web-1"]
    assert [h.name for h in sorted((Host(n, n, "qa") for n in names), key=order)] == ["api", "web-1", "web-9", "web-10"]


def test_hosts_are_kept_for_seconds_in_a_private_file(tmp_path):
    now = [1000.0]
    cache = inventory.Cache(tmp_path / "cache", 20.0, lambda: now[0])
    asked = []

    def find():
        asked.append(1)
        return [Host("a", "i-1", "qa", tags={"x": "y"})]

    first = cache.recall("account 1", find)
    assert cache.recall("account 1", find) == first
    assert len(asked) == 1
    cache.recall("account 2", find)
    assert len(asked) == 2
    now[0] += 20
    cache.recall("account 1", find)
    assert len(asked) == 3
    [kept, _] = (tmp_path / "cache").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert (tmp_path / "cache").stat().st_mode & 0o077 == 0


def test_a_torn_entry_is_asked_for_again(tmp_path):
    cache = inventory.Cache(tmp_path)
    cache.recall("k", lambda: [Host("a", "i-1", "qa")])
    [path] = tmp_path.iterdir()
    path.write_text(path.read_text()[:40])
    assert cache.recall("k", list) == []


def test_host_keys_are_read_from_the_last_boot_on_the_console():
    block = "-----BEGIN SSH HOST KEY KEYS-----\r\n{}\r\n-----END SSH HOST KEY KEYS-----\r\n"
    old, new = block.format("ssh-ed25519 AAAAold root@a"), block.format("ssh-ed25519 AAAAnew root@a\r\nssh-rsa AAAAb x")
    assert console.parse(f"boot {old} [ 12.3] cloud-init: boot {new} login:") == (
        "ssh-ed25519 AAAAnew",
        "ssh-rsa AAAAb",
    )
    assert console.parse("-----BEGIN SSH HOST KEY KEYS-----\nssh-ed25519 AAAA") == ()


def test_the_latest_output_counts_where_that_of_the_boot_is_gone():
    block = "-----BEGIN SSH HOST KEY KEYS-----\n{}\n-----END SSH HOST KEY KEYS-----\n"

    class Ec2:
        def __init__(self, boot, latest):
            self.texts, self.calls = {False: boot, True: latest}, []

        def call(self, service, operation, *, absent, **asked):
            self.calls.append(asked.get("Latest", False))
            text = self.texts[self.calls[-1]]
            if text in absent:
                return None
            return {"Output": block.format(text) if text else ""}

    for boot, latest, keys, calls, notes in (
        ("ssh-rsa AAAAa", "ssh-rsa AAAAb", ("ssh-rsa AAAAa",), [False], 0),
        ("", "ssh-rsa AAAAb", ("ssh-rsa AAAAb",), [False, True], 1),
        ("", "UnsupportedOperation", (), [False, True], 0),
        ("InvalidInstanceID.NotFound", "ssh-rsa AAAAb", (), [False], 0),
    ):
        session, said = Ec2(boot, latest), []
        assert (console.keys(session, "i-1", said.append), session.calls, len(said)) == (keys, calls, notes)


@pytest.mark.parametrize("later", ["ssh-rsa AAAAforged", "ssh-rsa AAAAb\nssh-rsa AAAAforged", ""])
def test_a_key_that_came_later_on_the_console_is_not_trusted(later):
    """The latest output has what any program on the host wrote to its console."""
    block = "-----BEGIN SSH HOST KEY KEYS-----\n{}\n-----END SSH HOST KEY KEYS-----\n"
    texts = {"": "", True: block.format("ssh-rsa AAAAb") + block.format(later)}
    session = SimpleNamespace(call=lambda *_, **asked: {"Output": texts[asked.get("Latest", "")]})
    with pytest.raises(NgpError, match="latest console output of i-1 has different host keys"):
        console.keys(session, "i-1")
    texts[True] = block.format("ssh-rsa AAAAb") * 2  # it booted twice
    assert console.keys(session, "i-1") == ("ssh-rsa AAAAb",)
