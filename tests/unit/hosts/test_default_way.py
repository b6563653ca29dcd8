"""The way to a host where the line names none: Session Manager where no security group opens the port of its sshd."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from ngp import settings
from ngp.aws.failures import DeniedError
from ngp.aws.session import Session
from ngp.errors import MissingError, UsageError
from ngp.hosts import firewall, session_manager, ways
from ngp.hosts.cloud import CloudSource
from ngp.hosts.host import Host, HostState, from_data, to_data
from ngp.hosts.logins import Login
from ngp.hosts.selected import SelectedHosts
from ngp.hosts.selector import Selector
from ngp.views import hosts as view

WORLD, OTHERS = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, {"UserIdGroupPairs": [{"GroupId": "sg-bastion"}]}
ITSELF = {"UserIdGroupPairs": [{"GroupId": "sg-2"}]}
HOST = Host("web-1", "i-0123456789abcdef0", "qa", private_address="10.0.0.1", opens_ssh=False)


def rule(protocol="tcp", first=22, last=22, **source):
    ports = {} if protocol == "-1" else {"FromPort": first, "ToPort": last}
    return {"IpProtocol": protocol, **ports, **source}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([rule(**WORLD)], True),
        ([rule(first=0, last=65535, Ipv6Ranges=[{"CidrIpv6": "::/0"}])], True),
        ([rule(first=22, last=80, PrefixListIds=[{"PrefixListId": "pl-1"}])], True),
        ([rule("-1", **WORLD)], True),
        ([rule(**OTHERS)], True),  # a bastion's
        ([], False),
        ([rule(first=23, last=80, **WORLD), rule(first=1, last=21, **WORLD)], False),
        ([rule("udp", **WORLD)], False),
        ([rule("-1", **ITSELF), rule(**ITSELF)], False),  # members among themselves
        ([rule()], False),
    ],
)
def test_rules_that_let_anybody_reach_the_port(rules, expected):
    assert firewall.opens(22, ["sg-1", "sg-2"], {"sg-1": [], "sg-2": rules}) is expected


def test_a_group_that_nobody_knows_leaves_it_open():
    assert firewall.opens(22, ["sg-1", "sg-2"], {"sg-1": []}) is None
    assert firewall.opens(22, [], {}) is None
    assert firewall.opens(22, ["sg-1", "sg-2"], {"sg-1": [rule(**WORLD)]}) is True


class Ec2:
    def __init__(self, groups, denied=False):
        self.groups, self.denied, self.asked = groups, denied, []

    def call(self, service, operation, **said):
        if operation == "describe_security_groups":
            self.asked.append(said["Filters"][0]["Values"])
            if self.denied:
                raise DeniedError("no right to look")
            return {"SecurityGroups": [{"GroupId": one, "IpPermissions": self.groups[one]} for one in self.asked[-1]]}
        found = [
            {
                "InstanceId": f"i-{number}",
                "State": {"Name": "running"},
                "Tags": [{"Key": "Name", "Value": group}],
                "SecurityGroups": [{"GroupId": group, "GroupName": group}],
            }
            for number, group in enumerate(self.groups)
        ]
        return {"Reservations": [{"Instances": found}]}


def test_the_cloud_tells_which_hosts_open_their_port():
    session = Ec2({"sg-open": [rule(**WORLD)], "sg-closed": []})
    hosts = CloudSource(session, "shop", "qa").hosts()
    assert {host.name: host.opens_ssh for host in hosts} == {"sg-open": True, "sg-closed": False}
    assert session.asked == [["sg-closed", "sg-open"]]
    assert [from_data(json.loads(json.dumps(to_data(host)))).opens_ssh for host in hosts] == [True, False]
    denied = CloudSource(Ec2({"sg-closed": []}, denied=True), "shop", "qa").hosts()
    assert [host.opens_ssh for host in denied] == [None]


def test_many_groups_are_asked_for_in_parts():
    session = Ec2({f"sg-{number}": [] for number in range(450)})
    assert len(CloudSource(session, "shop", "qa").hosts()) == 450
    assert [len(some) for some in session.asked] == [200, 200, 50]


@pytest.mark.parametrize(
    ("opens", "tag", "expected"),
    [
        (False, "", True),
        (True, "", False),
        (None, "", False),
        (True, "ssm", True),
        (None, "ssm", True),
        (False, "ssh", False),
    ],
)
def test_a_tag_counts_before_security_groups(opens, tag, expected):
    host = replace(HOST, opens_ssh=opens, tags={"ngp:via": tag} if tag else {})
    assert session_manager.is_default(host) is expected


@pytest.fixture
def meant(tmp_path):
    """The hosts of a line, as a line names no way to them, on a machine with what Session Manager needs."""
    for name in ("aws", "session-manager-plugin"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    surroundings = SimpleNamespace(environ={"PATH": str(tmp_path)})

    def make(*hosts, **environ):
        session = Session({"AWS_REGION": "eu-central-1", **environ})
        reach = SimpleNamespace(session=lambda _: session, settings=surroundings, trust=lambda: None)
        return SelectedHosts(reach, Selector("qa"), list(hosts))

    return make


def test_only_hosts_without_an_open_port_go_through_session_manager(meant):
    opened = replace(HOST, name="web-2", opens_ssh=True)
    stopped = replace(HOST, name="web-3", state=HostState.STOPPED)
    told = []
    login = ways.by_default(meant(HOST, opened, stopped), Login(None), told.append)
    assert login.proxy(HOST)[:5] == ("aws", "ssm", "start-session", "--target", HOST.id)
    assert login.proxy(opened) == ()
    assert told == [[HOST]]


def test_it_is_said_which_hosts_these_are(capsys):
    view.print_session_manager(settings.read(), [replace(HOST, name="web\n1")])
    view.print_session_manager(settings.read(), [HOST, HOST])
    assert capsys.readouterr().err == (
        "web\\n1: connecting through Session Manager; to connect directly: --via ssh\n"
        "2 hosts: connecting through Session Manager; to connect directly: --via ssh\n"
    )


def test_open_ports_and_the_sandbox_leave_the_login_as_it_is(meant):
    login = Login(None)
    assert ways.by_default(meant(replace(HOST, opens_ssh=True)), login, pytest.fail) is login
    assert ways.by_default(meant(HOST, AWS_ENDPOINT_URL="http://127.0.0.1:1"), login, pytest.fail) is login


def test_the_line_forces_another_way(meant):
    login = Login(None)
    with ways.enter(meant(HOST), login, "ssh", pytest.fail) as entered:
        assert entered is login
    with ways.enter(meant(HOST), login, "", list) as entered:
        assert entered.proxy(HOST)
    with pytest.raises(UsageError, match="unknown way `--via ftp`"), ways.enter(meant(HOST), login, "ftp", list):
        pytest.fail("there is no such way")


def test_what_session_manager_needs_is_told_with_the_way_around(meant, tmp_path):
    hosts = meant(HOST)
    (tmp_path / "session-manager-plugin").unlink()
    with pytest.raises(MissingError, match="session-manager-plugin") as missing:
        ways.by_default(hosts, Login(None), pytest.fail)
    assert "--via ssh" in missing.value.findings[0].todo


def test_of_a_selection_those_that_are_up_have_names_that_differ(meant):
    stopped = replace(HOST, id="i-2", state=HostState.STOPPED)
    twin = replace(HOST, id="i-3")
    assert [one.name for one in meant(HOST, stopped, twin).at_work().hosts] == [f"web-1-{HOST.id}", "web-1-i-3"]
    with pytest.raises(UsageError, match="no running hosts found in `qa`") as refused:
        meant(stopped).running()
    assert refused.value.findings[0].why == "web-1 (i-2): stopped"
    with pytest.raises(UsageError, match="no running hosts found in `qa`") as refused:
        meant(HOST, replace(stopped, name="old")).one(["old"])
    assert refused.value.findings[0].why == "old (i-2): stopped"
    assert meant(HOST, stopped).one(["web"]).hosts == [HOST]


def test_a_limit_bounds_both_parts_of_a_login(meant):
    login = meant(HOST).login(limit_s=5)
    assert (login.connect_s, login.login_s) == (5, 5)
    assert meant(HOST).login(limit_s=15).connect_s == Login(None).connect_s


def test_a_dry_run_tells_the_way_to_each_running_host(meant, tmp_path):
    opened = replace(HOST, id="i-2", opens_ssh=True)
    hosts = meant(HOST, opened, replace(HOST, id="i-3", state=HostState.STOPPED))
    assert ways.choose(hosts, "") == {HOST: "ssm", opened: "ssh"}
    assert set(ways.choose(hosts, "ssh").values()) == {"ssh"}
    assert set(ways.choose(hosts, "instance-connect", "admin").values()) == {"instance-connect"}
    with pytest.raises(UsageError, match="no user is set"):
        ways.choose(hosts, "instance-connect")
    with pytest.raises(UsageError, match="is not an EC2 instance"):
        ways.choose(meant(replace(HOST, id="web-1")), "ssm")
    with pytest.raises(UsageError, match="unknown way `--via ftp`"):
        ways.choose(hosts, "ftp")
    (tmp_path / "aws").unlink()
    with pytest.raises(MissingError, match="aws"):
        ways.choose(hosts, "")
