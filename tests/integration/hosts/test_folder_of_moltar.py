"""A folder of Moltar's, without ngp.yaml, from its profile to a command on its machines: the sandbox plays EC2.

The machines are one real sshd behind the double of Session Manager.
"""

import os

import pytest

from ngp.aws import access
from ngp.aws.session import Session
from ngp.hosts import session_manager
from tests.doubles import session_manager as session_manager_double
from tests.harness import new_account

pytestmark = pytest.mark.sandbox
ACCOUNT, REGION = new_account(), "eu-west-1"


def launch(session, name, **tags):
    found = {"Project": "Shop Two", "Environment": "qa", "Cluster": "web", "Packages": "|shop|", "Name": name}
    found |= {"ngp:via": "ssm", **tags}
    said = [{"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in found.items()]}]
    image = session.call("ec2", "describe_images", Owners=["amazon"])["Images"][0]["ImageId"]
    made = session.call("ec2", "run_instances", ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=said)
    return made["Instances"][0]["InstanceId"]


@pytest.fixture
def folder(sandbox, farm, tmp_path, monkeypatch):
    """The folder, whose profile is `shop_two`. Real AWS is the sandbox; ssh_config knows its machines by an alias."""
    session = Session(access.sandbox({}, sandbox.url, REGION, ACCOUNT))
    for instance in session.call("ec2", "describe_instances")["Reservations"]:
        session.call("ec2", "terminate_instances", InstanceIds=[one["InstanceId"] for one in instance["Instances"]])
    home, place = tmp_path / "home", tmp_path / "work" / "below"
    for path in (home / ".aws", home / ".ssh", place):
        path.mkdir(parents=True, mode=0o700)
    (home / ".aws/credentials").write_text(f"[shop_two]\naws_access_key_id={ACCOUNT}\naws_secret_access_key=x\n")
    (home / "known").write_text(f"farm {farm.host_key}\n")
    (home / "ssh_config").write_text(f"HostKeyAlias farm\nUserKnownHostsFile {home}/known\n{farm.config.read_text()}")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", session_manager_double.lay(tmp_path, "127.0.7.1", farm.port))
    monkeypatch.setenv("NGP_SSH_CONFIG", str(home / "ssh_config"))
    monkeypatch.setenv("NGP_USER", farm.host(1).user)
    guarded = access.real
    monkeypatch.setattr(access, "real", lambda *words: guarded(*words) | {"AWS_ENDPOINT_URL": sandbox.url})
    monkeypatch.setattr(session_manager, "is_there", lambda session: True)
    (place.parent / ".package-name").write_text("shop\n")
    return place, session


def test_it_is_enough_for_every_command(folder, ngp_in, tmp_path):
    place, session = folder
    (place.parent / ".moltar-project").write_text("Shop Two\n")
    web, db = launch(session, "web-1"), launch(session, "db-1", Cluster="data", Packages="|db|")
    launch(session, "other", Project="Shop Three")
    launch(session, "old-1", Environment="stage")
    ngp = ngp_in(place)

    shown = ngp.call("host", "list", "qa", "--json").document["hosts"]
    assert [(one["name"], one["id"]) for one in shown] == [("db-1", db), ("web-1", web)]
    (place.parent / ".moltar-project").rename(place.parent / ".project-name")
    shown = ngp.call("moltar", "/", "ls").stdout.splitlines()
    assert [line.split()[0] for line in shown[1:]] == ["db-1", "web-1", "old-1"]
    [line] = ngp.call(
        "host", "list", "/", "--package", "shop", "--format", "tsv", "--tag", "Name=web-1"
    ).stdout.splitlines()
    address = ngp.call("moltar", "qa/web", "hostname", "web").stdout.strip()
    assert address in line

    done = ngp.call("moltar", "-p", "qa", "exec", "echo $((6*7))")
    assert (done.exit_code, done.stdout) == (0, "web-1 | 42\n"), done.stderr
    [called] = (tmp_path / "told").read_text().splitlines()
    assert f"--target {web} " in called
    assert "--region eu-west-1 --profile shop_two" in called
    (place / "motd").write_text("hello\n")
    assert ngp.call("moltar", "qa/data", "scp", "motd", f":{tmp_path}/there").exit_code == 0
    assert (tmp_path / "there").read_text() == "hello\n"
    assert ngp.call("moltar", "qa", "deploy", "nothing").exit_code == 64  # no tag names it

    kept = list((tmp_path / "home/.cache/ngp/hosts").rglob("*.json"))
    assert kept
    assert not [path for path in kept if path.stat().st_mode & 0o077]
    assert ACCOUNT not in "".join(path.read_text() for path in kept)


def test_what_it_lacks_is_said(folder, ngp_in, monkeypatch):
    place, _ = folder
    ngp = ngp_in(place)
    done = ngp.call("moltar", "qa", "ls")
    assert (done.exit_code, "project name not found" in done.stderr) == (64, True)
    (place / ".project-name").write_text("Shop Nine\n")
    done = ngp.call("host", "list", "qa")
    assert done.exit_code == 69
    assert "no profile is named Shop Nine or shop_nine or shop-nine" in done.stderr
    (place / ".project-name").write_text("shop_two\n")
    done = ngp.call("host", "exec", "qa", "-n", "--", "true")
    assert (done.exit_code, "no hosts found in `qa`" in done.stderr) == (64, True), done.stderr
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert ngp.call("host", "list", "qa", "--fresh").exit_code == 3  # that of a shell could be anybody's


def test_a_sandbox_that_does_not_run_has_no_hosts(platform, ngp, monkeypatch):
    from ngp.hosts import cloud, reach
    from ngp.hosts.host import Host

    for selection in ("dev", "/"):
        done = ngp.call("host", "list", selection)
        assert (done.exit_code, done.stdout) == (69, "")
        assert done.stderr.count("the sandbox is not running") == 1
        assert "ngp apply dev" in done.stderr
    asked = reach.Reach.session
    monkeypatch.setattr(reach.Reach, "session", lambda self, name: os if name == "prod" else asked(self, name))
    monkeypatch.setattr(
        cloud.CloudSource, "hosts", lambda self: [Host("db", "i-1", "prod", private_address="10.0.0.1")]
    )
    done = ngp.call("host", "list", "/", "--format", "tsv")
    assert (done.exit_code, done.stdout.split("\t")[0]) == (0, "db")
    assert "the hosts of dev, so they are missing: the sandbox is not running" in done.stderr
