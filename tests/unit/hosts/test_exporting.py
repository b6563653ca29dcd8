"""`ngp host export`: what ssh and Ansible read connects as ngp does, for hosts of every source."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest

from ngp import settings
from ngp.aws.session import Session
from ngp.errors import UsageError
from ngp.hosts import exporting, system_ssh, user_config
from ngp.hosts.exporting import ExportedHost
from ngp.hosts.host import Host
from ngp.hosts.logins import Login
from ngp.hosts.selected import SelectedHosts
from ngp.hosts.selector import Selector
from ngp.hosts.trust import Trust
from tests.prerequisites import missing

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
DIRECT = Host("web-1", "i-1", "qa", cluster="web", unit="shop", public_dns="ec2.example.com", user="admin")
CLOSED = Host("web 2", "i-0123456789abcdef0", "qa", private_address="10.0.0.2", user="admin", opens_ssh=False)
FROM_STATE = Host("db", "i-3", "qa", private_address="10.0.0.3", user="admin", source="state")
FROM_FILE = Host("metal", "metal", "lab", private_address="2001:db8::4", port=2222, source="file", host_keys=(KEY,))
NOWHERE = Host("ghost", "i-5", "qa")
HOSTS = [DIRECT, CLOSED, FROM_STATE, FROM_FILE, NOWHERE]


@pytest.fixture
def ssh_config(tmp_path):
    if not shutil.which("ssh"):
        missing("OpenSSH's client (openssh-client)")
    path = tmp_path / "ssh_config"
    path.write_text(
        "Host 10.0.*\n  ProxyJump bastion\n"
        "Host 2001:db8::*\n  HostKeyAlias The-Metal\n  IdentityFile '/keys/of metal'\n  User operator\n"
        "Host *\n  ServerAliveInterval 5\n  IdentitiesOnly yes\n"
    )
    return path


@pytest.fixture
def selected(tmp_path):
    """The hosts of a line, on a machine without the AWS CLI."""
    session = Session({"AWS_REGION": "eu-central-1"}, profile="shop")
    reach = SimpleNamespace(
        session=lambda _: session,
        settings=settings.read(),
        trust=lambda: Trust(tmp_path / "100% mine", tmp_path),
    )
    return SelectedHosts(reach, Selector(), HOSTS)


def options(path, name):
    """What ssh reads for a name."""
    done = subprocess.run(["ssh", "-G", "-F", path, name], capture_output=True, text=True, check=True)
    found = {}
    for line in done.stdout.splitlines():
        key, _, value = line.partition(" ")
        found.setdefault(key, value)
    return found


def test_ssh_connects_as_ngp_does(selected, ssh_config, tmp_path):
    path = tmp_path / "exported"
    path.write_text(
        exporting.config(exporting.collect(selected, "", ssh_config, tmp_path)) + f"Host *\n  Include {ssh_config}\n"
    )
    found = {name: options(path, name) for name in ("web-1", "web-2", "db", "metal")}
    assert [one["hostname"] for one in found.values()] == ["ec2.example.com", "10.0.0.2", "10.0.0.3", "2001:db8::4"]
    assert [one["user"] for one in found.values()] == ["admin", "admin", "admin", "operator"]
    assert [one["port"] for one in found.values()] == ["22", "22", "22", "2222"]
    assert [one.get("proxyjump") for one in found.values()] == [None, None, "bastion", None]
    assert found["web-2"]["proxycommand"] == (
        "aws ssm start-session --target i-0123456789abcdef0 --document-name AWS-StartSSHSession"
        " --parameters portNumber=22 --region eu-central-1 --profile shop"
    )
    assert (found["metal"]["hostkeyalias"], found["metal"]["identityfile"]) == ("the-metal", "/keys/of metal")
    assert {one["serveraliveinterval"] for one in found.values()} == {"5"}
    assert {one["stricthostkeychecking"] for one in found.values()} == {"true"}
    known = Path(found["metal"]["globalknownhostsfile"].partition(f"{tmp_path}/100%% mine/lab/known_hosts ")[2])
    assert Path(str(known).replace("%%", "%")).read_text() == f"the-metal {KEY}\n"
    assert "# ghost is running and has no address" in path.read_text()


LINES = """
Host 10.0.2.1
  HostName real.example.com
  UserKnownHostsFile /one /two
Host 10.0.2.2
  Port 2222
Host 10.0.2.3
  IdentityFile /of/the/closed
  CertificateFile /of/the/closed-cert.pub
  HostKeyAlias closed
  ProxyJump other
Host 10.0.2.4
  ProxyCommand none
Host 10.0.2.5
  ProxyCommand nc %h %p
Host * !10.0.1.*
  ProxyJump bastion
"""


def test_ssh_takes_from_ssh_config_what_ngp_takes(selected, tmp_path):
    """Lines that another host lacks, names that lead elsewhere, and those of hosts through Session Manager."""
    mine, path, addresses = tmp_path / "ssh_config", tmp_path / "exported", [f"10.0.2.{last}" for last in range(1, 6)]
    mine.write_text(LINES)
    hosts = [
        Host(address.replace(".", "-"), f"i-{number}", "qa", private_address=address, user="admin", host_keys=(KEY,))
        for number, address in enumerate(["10.0.1.1", *addresses])
    ]
    hosts[3] = replace(hosts[3], opens_ssh=False)
    text = exporting.config(exporting.collect(replace(selected, hosts=hosts), "", mine, tmp_path))
    path.write_text(f"{text}Host *\n  Include {mine}\n")
    found = {host.address: options(path, host.name) for host in hosts}
    proxies = ("proxyjump", "proxycommand")
    assert [[one.get(name) for name in proxies if one.get(name, "none") != "none"] for one in found.values()] == [
        [],
        ["bastion"],
        ["bastion"],
        [found["10.0.2.3"]["proxycommand"]],
        [],
        ["nc %h %p"],
    ]
    assert found["10.0.2.3"]["proxycommand"].startswith("aws ssm start-session --target i-3 ")
    assert text.count("ProxyJump none") == 2  # one more would take the place of `ProxyCommand nc`
    closed = {name: found["10.0.2.3"][name] for name in ("identityfile", "certificatefile", "hostkeyalias")}
    assert {*closed.values()} == {"/of/the/closed", "/of/the/closed-cert.pub", "closed"}
    assert (found["10.0.2.1"]["hostname"], found["10.0.2.1"]["userknownhostsfile"]) == ("real.example.com", "/one /two")
    for address, name in (("10.0.2.1", "real.example.com"), ("10.0.2.2", "[10.0.2.2]:2222"), ("10.0.2.3", "closed")):
        last = Path(found[address]["globalknownhostsfile"].rpartition("known_hosts ")[2].replace("%%", "%"))
        assert last.read_text() == f"{name} {KEY}\n"
    assert "aliases" not in found["10.0.2.5"]["globalknownhostsfile"]


@pytest.mark.parametrize(
    ("address", "name"), [("10.0.2.1", "real.example.com"), ("10.0.2.2", "[10.0.2.2]:2222"), ("10.0.2.4", None)]
)
def test_ssh_has_the_keys_under_the_name_of_ssh_config(ssh_config, tmp_path, address, name):
    ssh_config.write_text(LINES)
    host = Host("web", "i-1", "qa", private_address=address, host_keys=(KEY,))
    login = Login(Trust(tmp_path / "kept", tmp_path), config=ssh_config)
    login.trust.learn([host])
    argv = system_ssh._command(host, login, (), settings.read(), tmp_path)
    known = next(word for word in argv if word.startswith("GlobalKnownHostsFile=")).split('"')[1::2]
    assert [Path(path).read_text() for path in known[1:]] == ([f"{name} {KEY}\n"] if name else [])


def test_an_option_of_the_line_counts_before_the_default_way(selected, ssh_config, tmp_path):
    entries = exporting.collect(replace(selected, hosts=[CLOSED]), "ssh", ssh_config, tmp_path)
    assert "ProxyJump bastion" in exporting.config(entries)
    with pytest.raises(UsageError, match="an export cannot use `--via instance-connect`"):
        exporting.require_way("instance-connect")


def test_what_every_host_gets_is_not_repeated(ssh_config, tmp_path):
    found = user_config.about(["192.0.2.1", "10.0.0.1"], ssh_config, settings.read(), tmp_path)
    assert found == {"192.0.2.1": {}, "10.0.0.1": {"ProxyJump": ["ProxyJump bastion"]}}
    assert user_config.about(["10.0.0.1"], tmp_path / "nowhere", settings.read(), tmp_path) == {"10.0.0.1": {}}


def test_ansible_reads_what_is_written(selected, ssh_config, tmp_path):
    path = tmp_path / "inventory.json"
    inventory = exporting.inventory(exporting.collect(selected, "", ssh_config, tmp_path))
    path.write_text(json.dumps(inventory))
    hosts, groups = inventory["all"]["hosts"], inventory["all"]["children"]
    assert hosts["web-1"] == {"ansible_host": "ec2.example.com", "ansible_user": "admin"}
    assert (hosts["metal"]["ansible_host"], hosts["metal"]["ansible_port"]) == ("2001:db8::4", 2222)
    assert "ProxyCommand=aws ssm start-session" in hosts["web-2"]["ansible_ssh_common_args"]
    assert "StrictHostKeyChecking=yes" in groups["env_qa"]["vars"]["ansible_ssh_common_args"]
    assert {name: [*group["hosts"]] for name, group in groups.items()} == {
        "env_qa": ["web-1", "web-2", "db", "ghost"],
        "env_lab": ["metal"],
        "cluster_web": ["web-1"],
        "unit_shop": ["web-1"],
    }
    # Ansible's YAML plug-in knows these keys of a group, and no other
    assert all({*group} <= {"hosts", "vars", "children"} for group in [*groups.values(), inventory["all"]])
    if not shutil.which("ansible-inventory"):
        return
    done = subprocess.run(["ansible-inventory", "-i", path, "--list"], capture_output=True, text=True, check=True)
    read = json.loads(done.stdout)
    assert done.stderr == ""
    common = groups["env_qa"]["vars"]["ansible_ssh_common_args"]
    assert read["_meta"]["hostvars"]["web-1"] == {**hosts["web-1"], "ansible_ssh_common_args": common}
    assert read["_meta"]["hostvars"]["web-2"] == hosts["web-2"]
    assert sorted(read["env_qa"]["hosts"]) == ["db", "ghost", "web-1", "web-2"]


def test_ssh_takes_the_options_for_ansible(selected, ssh_config, tmp_path):
    import shlex

    inventory = exporting.inventory(exporting.collect(selected, "", ssh_config, tmp_path))
    words = shlex.split(inventory["all"]["hosts"]["web-2"]["ansible_ssh_common_args"])
    done = subprocess.run(["ssh", "-G", "-F", "none", *words, "10.0.0.2"], capture_output=True, text=True, check=True)
    assert f"{tmp_path}/100%% mine/qa/known_hosts" in done.stdout
    assert "\nproxycommand aws ssm start-session --target i-0123456789abcdef0 " in done.stdout


ODD_NAMES = ("{{ lookup('pipe', 'id') }}", "qa\n  ProxyCommand sh", "../../x", "..", 'a" b', "-x", "_", "é", "x" * 200)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_tag_cannot_write_lines_of_ssh_config_templates_or_paths(selected, ssh_config, tmp_path, name):
    """Without a platform, the tag `Environment` may hold anything."""
    host = replace(DIRECT, environment=name, host_keys=(KEY,))
    entries = exporting.collect(replace(selected, hosts=[host]), "", ssh_config, tmp_path)
    (path,) = entries[host].known_hosts
    assert path.parent.parent == tmp_path / "100% mine"
    assert path.read_text() == f"ec2.example.com {KEY} i-1\n"
    assert path.parent.name.startswith("+")
    assert len(exporting.config(entries).splitlines()) == 5
    text = json.dumps(exporting.inventory(entries), ensure_ascii=False)
    assert "lookup(" not in text


def test_ansible_takes_no_value_for_a_template():
    entry = ExportedHost((Path("/{{ 1 }}/{% x %}/{#/{x}"),))
    found = exporting.inventory({DIRECT: entry})["all"]["children"]["env_qa"]["vars"]["ansible_ssh_common_args"]
    assert '"/{{ 1 }}/{%% x %%}/{#/{x}"' in jinja2.Template(found).render()


def test_a_host_without_an_environment_has_its_own_options():
    host = Host("a", "a", "", private_address="10.0.0.1")
    found = exporting.inventory({host: ExportedHost((Path("/known"),))})["all"]
    assert "/known" in found["hosts"]["a"]["ansible_ssh_common_args"]
    assert found["children"] == {}
