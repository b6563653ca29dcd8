"""A repository with two environments, and a forge: `ngp ci` runs in this process, and starts no Terraform."""

import shutil

import pytest

from ngp.commands import bundle_applies
from ngp.errors import StaleError
from ngp.reports import making as reports
from ngp.reports.making import RunFacts
from tests.ci_repository import CiRepository
from tests.doubles.forge import serve
from tests.harness import lay_platform
from tests.unit.ci import made_bundles


class Repository(CiRepository):
    def commit(self, path="", old="", new=""):
        """Edit a file, render where that goes well, and commit; return the commit."""
        return self.commit_edits("A change", [(path, old, new)] if path else [])

    def pull(self, base, *, is_fork=True):
        """The event of a push to pull request 12, whose head is what is checked out."""
        return self.push_event(12, base, is_fork=is_fork)

    def run(self, *line, event, name="pull_request", env=None):
        """Run `ngp ci` as GitHub would."""
        return self.call_ci(line, event, name, env)


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
