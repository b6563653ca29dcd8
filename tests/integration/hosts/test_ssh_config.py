"""ssh_config means to `ngp host exec` what it means to OpenSSH: jump hosts, agents, certificates, aliases."""

import subprocess
from dataclasses import replace

import pytest

from ngp.hosts import openssh, remote
from ngp.hosts.host import Host
from ngp.hosts.login_failures import LoginError
from ngp.hosts.logins import Login, _bastion
from ngp.hosts.trust import Trust
from tests.integration.hosts.sshds import free_port, key, sshd


def keygen(*words):
    subprocess.run(["ssh-keygen", "-q", *map(str, words)], check=True)


@pytest.fixture
def stranger(farm):
    """A machine that only known_hosts files can vouch for."""
    return replace(farm.host(1), host_keys=())


@pytest.fixture
def both(farm, tmp_path):
    """`both(host, config, known)` logs in by asyncssh, then by ssh: what went wrong, and ssh's exit code."""

    def log_in(host, config, known="", command="true"):
        (tmp_path / "known").write_text(known)
        path = tmp_path / "ssh_config"
        path.write_text(
            config.format(farm=farm, folder=tmp_path) + f"\nHost *\n  UserKnownHostsFile {tmp_path}/known\n"
        )
        login = Login(Trust(tmp_path / "trust", tmp_path), config=path, connect_s=5.0, login_s=5.0)
        [result] = remote.run_all([host], command, remote.Options(login), lambda _: None)
        done = subprocess.run(openssh.login(host, [command], login), capture_output=True, text=True)
        return result.problem, done.returncode

    return log_in


OWN = "IdentityFile {farm.folder}/user\nIdentitiesOnly yes\nIdentityAgent none\n"


@pytest.mark.parametrize(
    ("config", "name", "known"),
    [
        ("HostKeyAlias the-web", "the-web", True),
        ("HostKeyAlias the-web", "127.0.7.1", False),
        ("HostKeyAlias the-web", "[the-web]:{port}", False),  # an alias goes without a port
        ("HostKeyAlias The-Web", "the-web", True),
        ("Hostname 127.0.7.2", "[127.0.7.2]:{port}", True),
        ("Hostname 127.0.7.2", "[127.0.7.1]:{port}", False),
    ],
)
def test_a_key_is_looked_up_under_the_name_that_ssh_config_gives(farm, stranger, both, config, name, known):
    said = f"Host 127.0.7.1\n  {config}\nHost *\n{OWN}"
    problem, code = both(stranger, said, f"{name.format(port=farm.port)} {farm.host_key}\n")
    assert (problem == "", code == 0) == (known, known), (problem, code)


def test_a_port_of_ssh_config_is_looked_up_too(farm, stranger, both):
    host = replace(stranger, port=22)
    said = f"Host 127.0.7.1\n  Port {farm.port}\nHost *\n{OWN}"
    assert both(host, said, f"[127.0.7.1]:{farm.port} {farm.host_key}\n") == ("", 0)


def test_a_host_with_a_name_instead_of_an_address_is_reached(farm, tmp_path):
    with sshd(tmp_path, ["127.0.0.1"], farm.port, farm.folder / "host", farm.folder / "authorized"):
        host = replace(farm.host(1), private_address="", public_dns="localhost")
        [result] = remote.run_all([host], "true", farm.options(tmp_path), lambda _: None)
    assert result.is_good, result.problem


def test_a_name_that_nobody_knows_is_said_in_words(farm, tmp_path):
    host = replace(farm.host(1), private_address="", public_dns="nowhere.invalid")
    [result] = remote.run_all([host], "true", farm.options(tmp_path), lambda _: None)
    assert "[errno" not in result.problem
    assert result.todo == "check its name in DNS"


@pytest.fixture
def jumps(farm, tmp_path):
    """Two more sshds to jump through, `first` and `second` in the ssh_config; `came` says who was logged in at them."""
    farm_key, ports = farm.host_key, {"first": free_port(), "second": free_port()}
    entries, known = "", f"[127.0.7.1]:{farm.port} {farm_key}\n"
    for number, (name, port) in enumerate(ports.items(), 230):
        entries += f"Host {name}\n  HostName 127.0.7.{number}\n  Port {port}\n  HostKeyAlias {name}\n"
        known += f"{name} {farm_key}\n"
    more = ["LogLevel VERBOSE"]
    with (
        sshd(tmp_path, ["127.0.7.230"], ports["first"], farm.folder / "host", farm.folder / "authorized", more=more),
        sshd(tmp_path, ["127.0.7.231"], ports["second"], farm.folder / "host", farm.folder / "authorized", more=more),
    ):

        def came():
            logs = {name: tmp_path / f"sshd-127.0.7.{n}-{ports[name]}.log" for n, name in enumerate(ports, 230)}
            return {name: log.read_text().count("Accepted publickey") for name, log in logs.items()}

        yield entries, known, came


def test_jump_hosts_are_taken_as_ssh_takes_them(stranger, both, jumps):
    entries, known, came = jumps
    for words, times in (("first", (2, 0)), ("first,second", (4, 2)), ("none", (4, 2))):
        said = f"Host 127.0.7.1\n  ProxyJump {words}\n{entries}Host *\n{OWN}"
        assert both(stranger, said, known) == ("", 0)
        assert tuple(came().values()) == times
    behind = entries.replace("Host second\n", "Host second\n  ProxyJump first\n")
    said = f"Host 127.0.7.1\n  ProxyJump second\n{behind}Host *\n{OWN}"
    assert both(stranger, said, known) == ("", 0)
    assert tuple(came().values()) == (6, 4)


def test_a_jump_host_that_fails_is_named(farm, stranger, both, jumps, tmp_path):
    entries, known, _ = jumps
    said = f"Host 127.0.7.1\n  ProxyJump first\n{entries}Host *\n{OWN}"
    problem, code = both(stranger, said, known.replace("first ", "other "))
    assert (problem, code) == ("cannot connect through the jump host first: its host key is not known", 255)
    problem, code = both(stranger, said, known.replace(f"first {farm.host_key}", f"first {key(tmp_path / 'another')}"))
    assert (problem, code) == ("cannot connect through the jump host first: its host key has changed", 255)
    problem, _ = both(stranger, said.replace("ProxyJump first", "ProxyJump nobody@first"), known)
    assert problem.startswith("cannot connect through the jump host nobody@first: sshd refused the login")
    problem, _ = both(stranger, said.replace("ProxyJump first", "ProxyJump 127.0.7.201:9"), known)
    assert problem == "cannot connect through the jump host 127.0.7.201:9: connection refused"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ("", "a", 22)),
        ("me@a:2222", ("me", "a", 2222)),
        ("ssh://me@a", ("me", "a", 22)),
        ("[::1]:2222", ("", "::1", 2222)),
        ("-oProxyCommand=id", None),
        ("a;id", None),
    ],
)
def test_what_a_jump_host_is_written_as(text, expected):
    if expected is None:
        with pytest.raises(LoginError, match="is not a valid host"):
            _bastion(text)
        return
    host = _bastion(text)
    assert (host.user, host.address, host.port) == expected


@pytest.fixture
def agent(farm, tmp_path):
    """A real ssh-agent that holds the key of the farm; gives its socket."""
    socket = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    while not socket.exists():
        assert process.poll() is None
    env = {"SSH_AUTH_SOCK": str(socket), "PATH": "/usr/bin:/bin"}
    subprocess.run(["ssh-add", "-q", farm.folder / "user"], env=env, check=True, capture_output=True)
    yield socket
    process.terminate()
    process.wait(10)


def test_keys_of_an_agent_are_offered(farm, both, agent, tmp_path, monkeypatch):
    assert both(farm.host(1), "IdentityAgent {folder}/agent") == ("", 0)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
    assert both(farm.host(1), "Compression no") == ("", 0)
    keygen("-t", "ed25519", "-N", "", "-f", tmp_path / "other")
    problem, code = both(farm.host(1), "IdentityFile {folder}/other\nIdentitiesOnly yes")
    assert problem.startswith("sshd refused the login")
    assert code == 255


def test_an_agent_signs_for_a_key_whose_file_needs_a_passphrase(farm, both, agent, tmp_path):
    (tmp_path / "locked").write_bytes((farm.folder / "user").read_bytes())
    (tmp_path / "locked").chmod(0o600)
    keygen("-p", "-P", "", "-N", "a passphrase", "-f", tmp_path / "locked")
    (tmp_path / "locked.pub").write_bytes((farm.folder / "user.pub").read_bytes())
    said = "IdentityFile {folder}/locked\nIdentitiesOnly yes\nIdentityAgent {folder}/agent"
    assert both(farm.host(1), said) == ("", 0)


@pytest.fixture
def certified(farm, tmp_path):
    """A machine that knows users and is known itself by a certificate alone."""
    for name in ("ca", "mine", "theirs"):
        key(tmp_path / name)
    import getpass

    keygen("-s", tmp_path / "ca", "-I", "me", "-n", getpass.getuser(), tmp_path / "mine.pub")
    keygen("-s", tmp_path / "ca", "-I", "it", "-h", "-n", "127.0.7.240,the-web", tmp_path / "theirs.pub")
    more = [f"TrustedUserCAKeys {tmp_path}/ca.pub", f"HostCertificate {tmp_path}/theirs-cert.pub"]
    host = replace(farm.host(240), port=free_port(), host_keys=())
    with sshd(tmp_path, [host.address], host.port, tmp_path / "theirs", "none", more=more):
        yield host, f"@cert-authority * {(tmp_path / 'ca.pub').read_text()}"


def test_certificates_of_users_and_hosts_count(both, certified, tmp_path):
    host, known = certified
    mine = "IdentityFile {folder}/mine\nIdentitiesOnly yes\nIdentityAgent none"
    assert both(host, mine, known) == ("", 0)  # mine-cert.pub lies beside it
    assert both(host, f"HostKeyAlias the-web\n{mine}", known) == ("", 0)
    (tmp_path / "mine-cert.pub").rename(tmp_path / "elsewhere.pub")
    assert both(host, mine, known)[1] == 255
    assert both(host, f"CertificateFile {{folder}}/elsewhere.pub\n{mine}", known) == ("", 0)


def test_a_certificate_for_another_name_or_of_another_authority_does_not_count(both, certified, tmp_path):
    host, known = certified
    mine = "IdentityFile {folder}/mine\nIdentitiesOnly yes\nIdentityAgent none"
    problem, code = both(host, f"HostKeyAlias other\n{mine}", known)
    assert ("host key" in problem, code) == (True, 255)
    problem, code = both(host, mine, f"@cert-authority * {key(tmp_path / 'stranger')}\n")
    assert ("host key" in problem, code) == (True, 255)
    problem, code = both(host, mine, f"@revoked * {(tmp_path / 'theirs.pub').read_text()}{known}")
    assert ("host key" in problem, code) == (True, 255)


def test_a_user_certificate_that_an_agent_holds_counts(both, certified, agent, tmp_path):
    host, known = certified
    env = {"SSH_AUTH_SOCK": str(agent), "PATH": "/usr/bin:/bin"}
    subprocess.run(["ssh-add", "-q", tmp_path / "mine"], env=env, check=True, capture_output=True)
    assert both(host, "IdentityFile none\nIdentityAgent {folder}/agent", known) == ("", 0)


def test_a_bracketed_address_is_one():
    assert _bastion("[::1]") == Host("::1", "::1", "", private_dns="::1")
