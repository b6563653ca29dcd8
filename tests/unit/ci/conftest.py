"""A repository with two environments, and a forge: `ngp ci` runs in this process, and starts no Terraform."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from ngp.commands import bundle_applies
from ngp.errors import StaleError
from ngp.reports import making as reports
from ngp.reports.making import RunFacts
from tests.conftest import Ngp, lay_platform
from tests.doubles.forge import TOKEN, Forge, serve
from tests.unit.ci import made_bundles


@dataclass
class Repository:
    path: Path
    forge: Forge

    def git(self, *words):
        done = subprocess.run(["git", *words], cwd=self.path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    @property
    def head(self):
        return self.git("rev-parse", "HEAD")

    def commit(self, path="", old="", new=""):
        """Edit a file, render where that goes well, and commit; return the commit."""
        if path:
            text = (self.path / path).read_text()
            assert old in text
            (self.path / path).write_text(text.replace(old, new))
        Ngp(self.path).call("render")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "A change")
        return self.head

    def pull(self, base, *, is_fork=True):
        """The event of a push to pull request 12, whose head is what is checked out."""
        self.forge.pulls[12] = {"head": self.head, "base": base, "is_fork": is_fork}
        head = {"sha": self.head, "repo": {"id": 2 if is_fork else 1}}
        return {"pull_request": {"number": 12, "head": head, "base": {"sha": base, "repo": {"id": 1}}}}

    def run(self, *line, event, name="pull_request", env=None):
        """Run `ngp ci` as GitHub would."""
        file = self.path.parent / "event.json"
        file.write_text(json.dumps(event))
        variables = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(file),
            "GITHUB_REPOSITORY": "team/platform",
            "GITHUB_SHA": self.head,
            "GITHUB_API_URL": self.forge.url,
            "GITHUB_TOKEN": TOKEN,
        }
        return Ngp(self.path).call("ci", *line, env={**variables, **(env or {})})


@pytest.fixture(scope="session")
def rendered(tmp_path_factory):
    """The small platform, rendered and committed, to be copied."""
    path = lay_platform(tmp_path_factory.mktemp("rendered") / "platform")
    Repository(path, forge=None).commit()
    return path


@pytest.fixture
def repository(rendered, tmp_path):
    path = shutil.copytree(rendered, tmp_path / "platform", symlinks=True, ignore=shutil.ignore_patterns(".ngp"))
    with serve() as forge:
        yield Repository(path, forge)


@pytest.fixture
def nested(tmp_path):
    """The same with the platform in the folder infra/eu of its repository."""
    path = lay_platform(tmp_path / "repository" / "infra" / "eu")
    (path / ".git").rename(tmp_path / "repository" / ".git")
    with serve() as forge:
        made = Repository(path, forge)
        made.commit()
        yield made


@pytest.fixture
def bundle(repository):
    """`bundle(verb="destroy")` puts a bundle where `ngp ci plan` leaves that of dev; returns its digest."""

    def make(**more):
        return made_bundles.write(repository.path / ".ngp" / "ci" / "dev.bundle", **more)

    return make


@pytest.fixture
def applied(monkeypatch):
    """Stands for the apply of a bundle; `applied.error` is what it raises."""

    class Applied:
        error, paths = StaleError("it moved"), []

        def apply(self, _, path, asked):
            self.paths.append(path.name)
            asked.opened("the run")
            raise self.error

    made = Applied()
    made.paths = []
    monkeypatch.setattr(reports, "facts", {"the run": RunFacts(secrets=("hunter2-hunter2",))}.__getitem__)
    monkeypatch.setattr(bundle_applies, "apply", made.apply)
    return made
