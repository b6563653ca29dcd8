"""The private folder of a platform, `.ngp`, and every path below it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ngp.files import WORKSPACE


@dataclass(frozen=True)
class Workspace:
    """The folder `path`. Nothing else in ngp joins a name to it, so two uses of one path cannot differ.

    The exception is `ngp.__main__`, which finds the pool's record before it loads this; a test compares the two.

    The locks of what is no environment begin with an underscore, as no environment can.
    """

    path: Path

    @classmethod
    def of(cls, platform: Path) -> Workspace:
        """Return the workspace of the platform in folder `platform`."""
        return cls(platform / WORKSPACE)

    @property
    def checked(self) -> Path:
        """The Git index that was checked for files in the workspace."""
        return self.path / "checked.json"

    @property
    def facts(self) -> Path:
        """Parsed files, by content (`ngp.cache`)."""
        return self.path / "cache" / "facts"

    def commit(self, commit: str) -> Path:
        """The modules of a commit."""
        return self.path / "cache" / "commits" / commit / "modules"

    def estimates(self, environment: str) -> Path:
        """The durations of steps of earlier applies."""
        return self.path / "cache" / environment / "estimates.json"

    def lock(self, environment: str) -> Path:
        """The lock of an environment's files and runs."""
        return self.path / "locks" / f"{environment}.lock"

    @property
    def platform_lock(self) -> Path:
        """The lock of modules, their pages, and the lock file of the providers."""
        return self.path / "locks" / "_platform.lock"

    @property
    def validation_lock(self) -> Path:
        """The lock of `validated`."""
        return self.path / "locks" / "_validate.lock"

    @property
    def states(self) -> Path:
        """The local states of a platform."""
        return self.path / "state"

    @property
    def runs(self) -> Path:
        """Journals and logs of runs, one folder each (`ngp.runs.journal`)."""
        return self.path / "runs"

    def data(self, environment: str, unit: str, kind: str) -> Path:
        """A unit's TF_DATA_DIR; one for each `kind` of root, because their backends differ."""
        return self.path / "data" / environment / unit / kind

    @property
    def previews(self) -> Path:
        """Copies of roots for plans, one folder for each environment."""
        return self.path / "previews"

    def opentofu(self, environment: str) -> Path:
        """The copies of roots that OpenTofu works in."""
        return self.path / "opentofu" / environment

    def validated(self, environment: str) -> Path:
        """The copies of roots that OpenTofu validates."""
        return self.path / "validated" / environment

    @property
    def calls(self) -> Path:
        """The output of Terraform calls outside of runs."""
        return self.path / "calls"

    @property
    def hosts(self) -> Path:
        """Host keys, and cached hosts."""
        return self.path / "hosts"

    @property
    def pipeline(self) -> Path:
        """The files of `ngp ci`, unless the command line names a folder."""
        return self.path / "ci"

    @property
    def pool(self) -> Path:
        """The record and the logs of the pool."""
        return self.path / "pool"

    @property
    def pool_lock(self) -> Path:
        """The lock of starting and stopping the pool."""
        return self.path / "pool.lock"

    @property
    def sandbox(self) -> Path:
        """All files of the sandbox."""
        return self.path / "sandbox"

    @property
    def sandbox_lock(self) -> Path:
        """The lock of starting, stopping and emptying the sandbox."""
        return self.path / "sandbox.lock"

    @property
    def failures(self) -> Path:
        """Reports of bugs in ngp."""
        return self.path / "reports"
