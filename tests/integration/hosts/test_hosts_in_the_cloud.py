"""Hosts of the sandbox: found by their tags, page by page, with the states that EC2 gives them."""

import os
import subprocess

import pytest

from ngp.aws import access
from ngp.aws.session import Session
from ngp.hosts import console, instance_connect, inventory
from ngp.hosts.cloud import CloudSource
from ngp.hosts.host import HostState
from tests.harness import new_account

pytestmark = pytest.mark.sandbox
ACCOUNT = new_account()


@pytest.fixture
def session(sandbox):
    return Session(access.sandbox(os.environ, sandbox.url, "eu-central-1", ACCOUNT))


def launch(session, name, count=1, **tags):
    found = {"Project": "shop", "Environment": "qa", "Cluster": "web", "Packages": "|a|b|", "Name": name, **tags}
    said = [{"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in found.items()]}]
    image = session.call("ec2", "describe_images", Owners=["amazon"])["Images"][0]["ImageId"]
    made = session.call("ec2", "run_instances", ImageId=image, MinCount=count, MaxCount=count, TagSpecifications=said)
    return [one["InstanceId"] for one in made["Instances"]]


def test_instances_are_found_by_their_tags_with_what_they_do(session, monkeypatch):
    from ngp.hosts import cloud

    monkeypatch.setattr(cloud, "_PAGE", 5)
    many = launch(session, "web", 12)
    [stopped] = launch(session, "db", Cluster="data")
    [gone] = launch(session, "gone")
    launch(session, "other", Project="another")
    launch(session, "prod", Environment="prod")
    session.call("ec2", "stop_instances", InstanceIds=[stopped])
    session.call("ec2", "terminate_instances", InstanceIds=[gone])
    found = inventory.collect([CloudSource(session, "shop", "qa")])
    assert [host.id for host in found] == [stopped, *sorted(many)]
    assert found[0].state is HostState.STOPPED
    assert {(host.state, host.cluster, host.packages, host.user) for host in found[1:]} == {
        (HostState.RUNNING, "web", ("a", "b"), "admin")
    }
    assert all(host.address for host in found[1:])
    everywhere = inventory.collect([CloudSource(session, "shop")])
    assert {host.environment for host in everywhere} == {"qa", "prod"}
    # what its console says holds no keys, and one that is gone has no console: nobody vouches
    assert console.keys(session, many[0]) == console.keys(session, "i-0123456789abcdef0") == ()


def test_ec2_instance_connect_takes_the_public_key(session, tmp_path):
    [number] = launch(session, "connect")
    [host] = [one for one in CloudSource(session, "shop", "qa").hosts() if one.id == number]
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ngp", "-f", tmp_path / "key"], check=True)
    instance_connect.push(host, session, host.user, (tmp_path / "key.pub").read_text().strip())


def test_a_security_group_that_opens_the_port_is_seen(session):
    [number] = launch(session, "closed", Environment="closed")
    group = session.call("ec2", "create_security_group", GroupName="closed", Description="closed")["GroupId"]
    session.call("ec2", "modify_instance_attribute", InstanceId=number, Groups=[group])
    [host] = CloudSource(session, "shop", "closed").hosts()
    assert (host.id, host.opens_ssh) == (number, False)
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    session.call("ec2", "authorize_security_group_ingress", GroupId=group, IpPermissions=[rule])
    [host] = CloudSource(session, "shop", "closed").hosts()
    assert host.opens_ssh is True
