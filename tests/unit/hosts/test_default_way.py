"""The way to a host where the line names none: Session Manager where no security group opens the port of its sshd."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from ngp.aws.failures import DeniedError
from ngp.aws.session import Session
from ngp.commands.hosting import SelectedHosts
from ngp.errors import MissingError
from ngp.hosts import firewall, session_manager
from ngp.hosts.cloud import CloudSource
from ngp.hosts.host import Host, HostState, from_data, to_data
from ngp.hosts.logins import Login
from ngp.hosts.selector import Selector

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
    """The hosts of a line, as a line names no way to them."""

    def make(*hosts, **environ):
        session = Session({"AWS_REGION": "eu-central-1", **environ})
        return SelectedHosts(SimpleNamespace(session=lambda _: session), Selector("qa"), list(hosts))

    return make


@pytest.fixture
def context(tmp_path):
    for name in ("aws", "session-manager-plugin"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    from ngp.settings import Settings

    flags = {"is_ci": False, "is_interactive": False, "stdout_is_terminal": False, "stderr_is_terminal": False}
    return SimpleNamespace(settings=Settings({"PATH": str(tmp_path)}, tmp_path, tmp_path, **flags))


def test_only_hosts_without_an_open_port_go_through_session_manager(meant, context, capsys):
    opened = replace(HOST, name="web-2", opens_ssh=True)
    stopped = replace(HOST, name="web-3", state=HostState.STOPPED)
    login = meant(HOST, opened, stopped).by_default(context, Login(None))
    assert login.proxy(HOST)[:5] == ("aws", "ssm", "start-session", "--target", HOST.id)
    assert login.proxy(opened) == ()
    said = capsys.readouterr().err
    assert said == "web-1: connecting through Session Manager; to connect directly: --via ssh\n"


def test_open_ports_and_the_sandbox_leave_the_login_as_it_is(meant, context, capsys):
    login = Login(None)
    assert meant(replace(HOST, opens_ssh=True)).by_default(context, login) is login
    assert meant(HOST, AWS_ENDPOINT_URL="http://127.0.0.1:1").by_default(context, login) is login
    assert capsys.readouterr().err == ""


def test_the_line_forces_another_way(meant, context):
    login = Login(None)
    with meant(HOST).entering(context, login, "ssh") as entered:
        assert entered is login
    with meant(HOST).entering(context, login, "") as entered:
        assert entered.proxy(HOST)


def test_what_session_manager_needs_is_told_with_the_way_around(meant, context, tmp_path):
    (tmp_path / "session-manager-plugin").unlink()
    with pytest.raises(MissingError, match="session-manager-plugin") as missing:
        meant(HOST).by_default(context, Login(None))
    assert "--via ssh" in missing.value.findings[0].todo
