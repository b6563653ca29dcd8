"""`--dry-run` of commands for hosts: which hosts, by which way, what; and no connection."""

import json
import socket

import pytest


@pytest.fixture
def port(platform, monkeypatch):
    """A hosts.yaml whose machines all listen on this port, where nobody may connect; no witness of keys is asked."""
    monkeypatch.setattr("ngp.hosts.trust.Trust.learn", lambda *_: pytest.fail("keys were asked for"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        number = server.getsockname()[1]
        users, more = (
            {1: "admin", 2: "", 3: ""},
            f"environment: lab, address: 127.0.0.1, port: {number}, packages: [shop]",
        )
        rows = [f'  web-{n}: {{{more}, user: "{user}"}}\n' for n, user in users.items()]
        (platform / "hosts.yaml").write_text("".join(["hosts:\n", *rows]))
        yield number
        with pytest.raises(BlockingIOError):
            server.accept()


def table(text):
    return [line.split() for line in text.splitlines()]


def test_exec_shows_hosts_ways_and_batches(port, ngp):
    done = ngp.call("host", "exec", "lab", "--batch", "2", "--dry-run", "--", "rm", "-rf", "/srv\x1b[2J")
    assert done.exit_code == 0, done.stderr
    assert table(done.stdout) == [
        ["name", "address", "port", "user", "via", "batch"],
        ["web-1", "127.0.0.1", str(port), "admin", "ssh", "1"],
        ["web-2", "127.0.0.1", str(port), "-", "ssh", "1"],
        ["web-3", "127.0.0.1", str(port), "-", "ssh", "2"],
    ]
    assert done.stderr == "dry run: ngp would run `rm -rf /srv\\x1b[2J` on 3 hosts\n"


def test_programs_get_the_same(port, ngp):
    document = ngp.call("host", "exec", "lab", "-l", "root", "--dry-run", "--json", "--", "uptime").document
    assert (document["schema"], document["action"], document["command"]) == ("ngp.host.dry-run/1", "exec", "uptime")
    assert [(one["name"], one["user"], one["via"], one["batch"]) for one in document["hosts"]] == [
        (f"web-{number}", "root", "ssh", 1) for number in (1, 2, 3)
    ]
    lines = ngp.call("host", "exec", "lab", "-l", "root", "--dry-run", "--jsonl", "--", "uptime").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [document]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["ngp.yaml", ":/etc/app/"], "would copy ngp.yaml to :/etc/app/ on 3 hosts"),
        (
            [":/etc/motd", ":/etc/issue", "got"],
            "would copy :/etc/motd :/etc/issue from 3 hosts to got, into a folder for",
        ),
    ],
)
def test_copy_shows_paths_and_hosts(port, platform, ngp, words, told):
    done = ngp.call("host", "copy", "lab", *words, "--dry-run")
    assert (done.exit_code, told in done.stderr) == (0, True), done.stderr
    assert [line[0] for line in table(done.stdout)] == ["name", "web-1", "web-2", "web-3"]
    document = ngp.call("host", "copy", "lab", *words, "--dry-run", "--json").document
    assert [*document["sources"], document["target"]] == words
    assert not (platform / "got").exists()


def test_a_line_that_would_be_refused_is_refused(port, ngp):
    for words in (
        ["exec", "lab", "--batch", "0", "--dry-run", "--", "true"],
        ["exec", "lab", "--via", "ftp", "--dry-run", "--", "true"],
        ["exec", "lab", "--via", "ssm", "--dry-run", "--", "true"],
        ["exec", "lab", "-F", "nowhere", "--dry-run", "--", "true"],
        ["copy", "lab", "nowhere", ":/etc/", "--dry-run"],
    ):
        assert ngp.call("host", *words).exit_code == 64


def test_packages_show_hosts_ways_and_batches(port, ngp):
    done = ngp.call("package", "deploy", "lab", "shop", "--batch", "2", "--dry-run")
    assert [line[0::5] for line in table(done.stdout)] == [
        ["name", "batch"],
        ["web-1", "1"],
        ["web-2", "1"],
        ["web-3", "2"],
    ]
    assert done.stderr == "dry run: deploy shop to web-1, web-2, web-3\n"
    document = ngp.call("package", "install", "lab", "shop", "--dry-run", "--json").document
    assert [one["via"] for one in document["plan"]] == ["ssh"] * 3
    assert {one["result"] for one in document["hosts"]} == {"unfinished"}
