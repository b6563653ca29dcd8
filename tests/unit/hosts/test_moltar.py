"""Moltar's command lines in ngp's words."""

import shlex

import pytest

from ngp.errors import UsageError
from ngp.hosts import moltar
from ngp.hosts.moltar import MoltarLine


def ngp(text, **options):
    environment, command, *arguments = shlex.split(text)
    return shlex.join(moltar.translate(command, MoltarLine(environment, tuple(arguments), **options)))


@pytest.mark.parametrize(
    ("line", "own"),
    [
        ("qa ls", "host list qa"),
        ("/ ls", "host list /"),
        ("qa/web ssh", "host ssh qa/web"),
        ("qa ssh ''", "host ssh qa"),
        ("qa ssh web/1", "host ssh qa web/1"),
        ("qa ssh -1", "host ssh qa -1"),
        ("qa ssh web -L 80:localhost:80", "host ssh qa web -- -L 80:localhost:80"),
        ("qa hostname web", "host name qa web"),
        ("qa exec grep -q 'a b' file", "host exec qa -- grep -q 'a b' file"),
        ("qa scp app.conf", "host copy qa app.conf :"),
        ("qa scp -r conf :/etc/app", "host copy qa conf :/etc/app"),
        ("qa scp :/var/log/app.log logs", "host copy qa :/var/log/app.log logs"),
        ("qa deploy", "package deploy qa"),
        ("qa deploy shop api", "package deploy qa shop api"),
        ("qa install htop", "package install qa htop"),
    ],
)
def test_each_command_has_its_line(line, own):
    assert ngp(line) == own


def test_flags_of_moltar_have_theirs():
    assert ngp("qa exec uptime", is_serial=True) == "host exec qa --serial -- uptime"
    assert ngp("qa ls", is_filtered=True, packages=("a", "b")) == "host list qa --package a --package b"
    assert ngp("qa ls", packages=("a",)) == "host list qa"
    assert ngp("qa exec uptime", project="shop") == "host exec qa --project shop -- uptime"
    assert ngp("qa deploy", packages=("a", "b"), version="1.2") == "package deploy qa a b --version 1.2"
    assert ngp("qa deploy c", packages=("a",), is_serial=True) == "package deploy qa c --serial"


@pytest.mark.parametrize("line", ["qa exec", "qa hostname", "qa install", "qa scp", "qa scp -r", "qa depoly"])
def test_line_that_lacks_something_is_an_error(line):
    with pytest.raises(UsageError):
        ngp(line)


def test_filter_without_packages_is_an_error():
    with pytest.raises(UsageError, match="`-p` needs packages"):
        ngp("qa ls", is_filtered=True)
