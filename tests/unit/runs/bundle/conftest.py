"""People with real SSH keys, a bundle that they approve, and a platform whose rules are on a remote."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from ngp import settings
from ngp.environments import platforms
from ngp.runs.bundle import archive, reviews, statement
from ngp.runs.bundle.archive import Content
from ngp.runs.bundle.statement import CommitFact
from tests import statements
from tests.git import git


@dataclass(frozen=True)
class Person:
    """Somebody with an SSH key."""

    email: str
    key: Path

    @property
    def public(self):
        return self.key.with_suffix(".pub").read_text().strip()


@pytest.fixture
def person(tmp_path):
    """`person("anna")` has a new key; `kind` and `passphrase` are ssh-keygen's."""

    def make(name, kind="ed25519", passphrase=""):
        path = tmp_path / "keys" / name
        path.parent.mkdir(exist_ok=True)
        bits = ["-b", "2048"] if kind == "rsa" else []  # a longer one takes up to a second to make
        argv = ["ssh-keygen", "-q", "-t", kind, *bits, "-N", passphrase, "-C", name, "-f", str(path)]
        subprocess.run(argv, check=True, capture_output=True)
        return Person(f"{name}@example.com", path)

    return make


@pytest.fixture
def surroundings(tmp_path, monkeypatch):
    """What ngp reads of a machine with an empty home; nobody is at a terminal."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return settings.read()


@pytest.fixture
def stated():
    return statements.make(
        commit=CommitFact("1234567890" * 4, authors=("author@example.com",)),
        members={name: one.member(name) for name, one in CONTENT.items()},
    )


CONTENT = {"plan.bin": Content(b"a plan"), "review.json": Content(reviews.dump({}))}


@pytest.fixture
def content():
    return CONTENT


@pytest.fixture
def bundle(tmp_path, stated, content):
    path = tmp_path / "prod.bundle"
    archive.write(path, statement.dump(stated), content)
    return path


def commit(folder, text, place="ngp.yaml"):
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / place).write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Rules")
    return git(folder, "rev-parse", "HEAD")


PLAIN = "name: demo\nprotected: [prod]\n"


class Two:
    """A bare remote, the clone of a maintainer who merges into its `main`, and the clone of who makes a change."""

    PLAIN = PLAIN
    git, commit = staticmethod(git), staticmethod(commit)

    def __init__(self, folder, place=""):
        self.remote, self.upstream, self.clone = folder / "remote.git", folder / "upstream", folder / "clone"
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", self.remote)
        git(folder, "clone", "--quiet", self.remote, self.upstream)
        self.place = place
        self.merge(PLAIN)
        git(folder, "clone", "--quiet", self.remote, self.clone)

    def merge(self, text):
        made = commit(self.upstream, text, f"{self.place}ngp.yaml")
        git(self.upstream, "push", "--quiet", "origin", "HEAD:main")
        return made

    @property
    def platform(self):
        return platforms.load(self.clone / self.place)


@pytest.fixture
def two(tmp_path, surroundings):
    return Two(tmp_path)


@pytest.fixture
def two_in(tmp_path, surroundings):
    """`two_in("platforms/eu/")`: the same with the platform in a folder of the repository."""
    return lambda place: Two(tmp_path, place)


@pytest.fixture
def approved(person):
    """The ngp.yaml of a platform whose `prod` anna and ben approve, both."""
    anna, ben = person("anna"), person("ben")
    return PLAIN + (
        f'signers:\n  {anna.email}: ["{anna.public}"]\n  {ben.email}: ["{ben.public}"]\n'
        f"approvals:\n  prod: {{by: [{anna.email}, {ben.email}], count: 2}}\n"
        f"emergency:\n  prod: [{anna.email}]\n"
    )
