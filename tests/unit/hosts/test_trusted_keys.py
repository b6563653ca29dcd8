"""Which host keys are trusted: what a witness says, never what the host itself says first."""

import subprocess
import threading
import time
from pathlib import Path

import pytest

from ngp.errors import MissingError, NgpError, RefusedError
from ngp.hosts.host import Host
from ngp.hosts.trust import Lookup, Trust, named_files

HOST = Host("a", "i-1", "qa", private_address="10.0.0.1")


@pytest.fixture
def public(tmp_path):
    def make(name):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
        return " ".join((tmp_path / f"{name}.pub").read_text().split()[:2])

    return make


def test_a_witness_is_asked_once_and_its_keys_are_kept_in_a_private_file(tmp_path, public):
    asked, said = [], public("one")
    trust = Trust(tmp_path / "kept", tmp_path, lambda host: asked.append(host) or (said,))
    trust.learn([HOST])
    trust.learn([HOST])
    assert (len(asked), trust.knows(HOST)) == (1, True)
    path = trust.file("qa")
    assert path.read_text() == f"10.0.0.1 {said} i-1\n"
    assert path.stat().st_mode & 0o077 == 0
    assert Trust(tmp_path / "kept", tmp_path, lambda host: ()).knows(HOST)


def test_without_a_witness_nothing_is_trusted(tmp_path):
    trust = Trust(tmp_path / "kept", tmp_path, lambda host: ())
    trust.learn([HOST])
    assert not trust.knows(HOST)
    assert not trust.file("qa").exists()


@pytest.mark.parametrize("error", [NgpError("AWS refuses a call"), MissingError("AWS cannot serve a call now")])
def test_a_console_that_cannot_be_read_leaves_the_keys_of_other_hosts(tmp_path, public, error):
    key, other = public("one"), Host("b", "i-2", "qa", private_address="10.0.0.2")

    def witness(host):
        if host is other:
            raise error
        return (key,)

    trust = Trust(tmp_path / "kept", tmp_path, witness)
    trust.learn([other, HOST])
    assert (trust.knows(HOST), trust.knows(other)) == (True, False)
    assert (trust.why_unknown(HOST), trust.why_unknown(other)) == ("", str(error))
    with pytest.raises(type(error), match=str(error)):
        trust.require_renewed(other)


def test_a_guard_that_refuses_ends_the_search_for_keys(tmp_path):
    def refuse(_):
        raise RefusedError("the credentials are of another account")

    with pytest.raises(RefusedError, match="of another account"):
        Trust(tmp_path / "kept", tmp_path, refuse).learn([HOST])


def test_another_instance_at_the_same_address_has_other_keys(tmp_path, public):
    first, second = public("one"), public("two")
    keys = {"i-1": first, "i-2": second}
    trust = Trust(tmp_path / "kept", tmp_path, lambda host: (keys[host.id],))
    heir = Host("a", "i-2", "qa", private_address="10.0.0.1")
    trust.learn([HOST])
    trust.learn([heir])
    assert trust.file("qa").read_text() == f"10.0.0.1 {second} i-2\n"
    assert not Trust(tmp_path / "kept", tmp_path).knows(HOST)


def test_keys_that_another_ngp_renews_meanwhile_are_kept(tmp_path, public):
    """The old key must not be trusted again; asking 500 consoles takes its time."""
    old, new, other = public("old"), public("new"), public("other")
    second = Host("b", "i-2", "qa", private_address="10.0.0.2")
    Trust(tmp_path / "kept", tmp_path, lambda host: (old,)).learn([HOST])

    def witness(host):
        Trust(tmp_path / "kept", tmp_path, lambda host: (new,)).renew(HOST)
        return (other,)

    trust = Trust(tmp_path / "kept", tmp_path, witness)
    trust.learn([HOST, second])
    assert trust.file("qa").read_text() == f"10.0.0.1 {new} i-1\n10.0.0.2 {other} i-2\n"
    trusted, *_ = trust.keys(HOST)
    assert [key.export_public_key().decode().split()[1] for key in trusted] == [new.split()[1]]


def test_keys_that_are_learned_at_once_are_all_kept(tmp_path, public):
    key = public("one")
    hosts = [Host("a", f"i-{number}", "qa", private_address=f"10.0.1.{number}") for number in range(8)]
    threads = [
        threading.Thread(target=Trust(tmp_path / "kept", tmp_path, lambda host: (key,)).learn, args=[[host]])
        for host in hosts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(Trust(tmp_path / "kept", tmp_path).knows(host) for host in hosts)


def test_a_stop_ends_the_asking(tmp_path):
    stop, asked = threading.Event(), []

    def witness(host):
        asked.append(host)
        stop.set()
        time.sleep(60)

    began = time.monotonic()
    hosts = [Host("a", f"i-{number}", "qa", private_address=f"10.0.1.{number}") for number in range(50)]
    Trust(tmp_path / "kept", tmp_path, witness).learn(hosts, stop)
    assert (len(asked) <= 8, time.monotonic() - began < 30) == (True, True)


def test_renewed_keys_take_the_place_of_the_old_ones(tmp_path, public):
    said = [public("one")]
    trust = Trust(tmp_path / "kept", tmp_path, lambda host: tuple(said))
    trust.learn([HOST])
    said[:] = [public("two")]
    assert trust.renew(HOST) == tuple(said)
    assert trust.file("qa").read_text() == f"10.0.0.1 {said[0]} i-1\n"


def test_files_for_an_alias_have_no_old_key(tmp_path, public):
    """An exported ssh_config names them until the next export."""
    old, new = public("old"), public("new")
    said = {"i-1": old, "i-2": old}
    trust = Trust(tmp_path / "kept", tmp_path, lambda host: (said[host.id],))
    other = Host("b", "i-2", "qa", private_address="10.0.0.2")
    trust.learn([HOST, other])
    paths = [trust.write_alias(host, alias) for host, alias in ((HOST, "Web"), (HOST, "web-2"), (other, "Web"))]
    said["i-1"] = new
    Trust(tmp_path / "kept", tmp_path, trust.witness).renew(HOST)
    assert [path.read_text() for path in paths] == [f"web {new}\n", f"web-2 {new}\n", f"web {old}\n"]
    heir = Host("b", "i-3", "qa", private_address="10.0.0.2")
    Trust(tmp_path / "kept", tmp_path, lambda _: (new,)).learn([heir])
    assert [path.read_text() for path in paths] == [f"web {new}\n", f"web-2 {new}\n", ""]
    assert {path.stat().st_mode & 0o077 for path in paths} == {0}


def test_the_users_own_known_hosts_count(tmp_path, public):
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/known_hosts").write_text(f"10.0.0.1 {public('one')}\n")
    trust = Trust(tmp_path / "kept", tmp_path, lambda host: pytest.fail("a known host needs no witness"))
    trust.learn([HOST])
    assert trust.knows(HOST)


def test_files_that_ssh_config_names_count_in_place_of_the_usual_ones(tmp_path, public):
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/known_hosts").write_text(f"10.0.0.1 {public('one')}\n")
    (tmp_path / "other").write_text(f"10.0.0.2 {public('two')}\n")
    trust, other = Trust(tmp_path / "kept", tmp_path), Host("b", "i-2", "qa", private_address="10.0.0.2")
    named = (tmp_path / "other",)
    assert [trust.knows(host) for host in (HOST, other)] == [True, False]
    assert [trust.knows(host, Lookup(host.address, 22, named)) for host in (HOST, other)] == [False, True]
    assert not trust.knows(HOST, Lookup(HOST.address, 22, ()))  # UserKnownHostsFile none


@pytest.mark.parametrize(
    ("pattern", "lookup", "expected"),
    [
        ("web.example.com", None, True),
        ("web.example.com,10.0.0.1", None, True),
        ("*.example.com,!web.example.com", None, False),
        ("web.example.com", Lookup("WEB.example.com", 2222), True),  # a key without a port holds for every port
        ("[web.example.com]:2222", Lookup("web.example.com", 2222), True),
        ("[web.example.com]:2222", None, False),
        ("web", Lookup("web"), True),
        ("web.example.com", Lookup("web"), False),
    ],
)
def test_a_key_is_looked_up_by_the_name_of_a_host(tmp_path, public, pattern, lookup, expected):
    """EC2's public names are no addresses."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/known_hosts").write_text(f"{pattern} {public('one')}\n")
    host = Host("a", "i-1", "qa", public_dns="web.example.com", private_address="10.0.0.1")
    assert Trust(tmp_path / "kept", tmp_path).knows(host, lookup) is expected


def test_tokens_of_openssh_in_the_names_of_files(tmp_path):
    names = ["~/known", "%d/a%%b/%h-%p", "/etc/%r"]
    values = {"h": "10.0.0.1", "p": "22", "r": "anna"}
    assert named_files(names, values, tmp_path) == (
        tmp_path / "known",
        tmp_path / "a%b" / "10.0.0.1-22",
        Path("/etc/anna"),
    )
    for odd in ("%C", "${HOME}/x", "a%"):
        with pytest.raises(ValueError, match="UserKnownHostsFile"):
            named_files([odd], values, tmp_path)
