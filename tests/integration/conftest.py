"""What tables of wrong situations stand on: a platform that must stay as it is, and accounts that the sandbox plays."""

import hashlib
import itertools
import json
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from ngp.aws import access
from ngp.aws.session import Session

REGION, DOMAIN = "eu-central-1", "example.test"
ACCOUNTS = (f"8{number:011}" for number in itertools.count())  # one a test: nobody empties the shared sandbox
FAKE = """#!/bin/sh
if [ "$1" = version ]; then
  {version}
  exit 0
fi
{rest}
exit 1
"""


@dataclass(frozen=True)
class Trial:
    """A platform with something wrong in it: what is said, and that nothing but that becomes of it."""

    path: Path
    ngp: object
    account: str = ""
    session: Session | None = None

    def write(self, name, text):
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text)

    def edit(self, name, old, new):
        text = (self.path / name).read_text()
        assert old in text
        (self.path / name).write_text(text.replace(old, new, 1))

    def render(self):
        done = self.ngp.call("render")
        assert done.exit_code == 0, done.stderr

    def tree(self):
        """The hash of every file that is committed or a state, and of every object of the account's bucket."""
        kept = (
            path
            for path in self.path.rglob("*")
            if path.is_file() and not {".git", ".ngp"} & set(path.relative_to(self.path).parts)
        )
        states = (self.path / ".ngp" / "state").rglob("*.tfstate")
        found = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in (*kept, *states)}
        if self.session is not None:
            for key in self.session.keys(self.bucket, ""):
                found[key] = hashlib.sha256(self.session.object(self.bucket, key)).hexdigest()
        return found

    @property
    def bucket(self):
        return f"small-tfstate-{self.account}-{REGION}"

    def refused(self, *argv, code, says, env=None, child=False):
        """Run, hold what a failure must keep, and give the outcome: each of `says` is a part of one finding."""
        before = self.tree()
        done = (self.ngp.run if child else self.ngp.call)(*argv, "--json", env=env)
        assert done.exit_code == code, done.stdout + done.stderr
        assert self.tree() == before
        document = done.document
        assert re.fullmatch(r"ngp\.error/\d+", document["schema"])
        assert document["error"]["exit_code"] == code
        assert "Traceback" not in done.stderr
        for finding in document["error"]["findings"]:
            assert finding["what"] in done.stderr
            assert finding["why"] or finding["todo"], "nobody is told what to do"
        whole = [" | ".join(finding.values()) for finding in document["error"]["findings"]]
        assert any(all(part in finding for part in says) for finding in whole), whole
        return done


@pytest.fixture
def trial(platform, ngp):
    """The small platform, its states on the disk."""
    return Trial(platform, ngp)


@pytest.fixture
def lent(trial, sandbox):
    """The small platform with its states in S3, in an account of its own of the session's running sandbox."""
    account = next(ACCOUNTS)
    trial.edit("ngp.yaml", "state: local\n", "")
    for name in ("dev", "prod"):
        trial.edit(f"environments/{name}/environment.yaml", "123456789012", account)
    record = trial.path / ".ngp" / "sandbox" / "running.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps(asdict(sandbox)))
    yield Trial(trial.path, trial.ngp, account, Session(access.sandbox({}, sandbox.url, REGION, account)))
    shutil.rmtree(record.parent)  # it is lent: it must not be stopped with this platform


@pytest.fixture
def real(trial, sandbox, mocker):
    """`dev` in a real account with its state in S3: real boto3, real Terraform; the sandbox plays AWS.

    The access key id of the shell is the account that AWS takes the caller for.
    """
    account = next(ACCOUNTS)
    guarded = access.real

    def played(environ, region):
        theirs = guarded(environ, region)
        return theirs | access.sandbox({}, sandbox.url, region, theirs.get("AWS_ACCESS_KEY_ID", account))

    mocker.patch.object(access, "real", played)
    trial.edit("ngp.yaml", "state: local\n", "")
    trial.edit("environments/dev/environment.yaml", "target: sandbox", "target: aws")
    trial.edit("environments/dev/environment.yaml", "123456789012", account)
    trial.render()
    return Trial(trial.path, trial.ngp, account, Session(access.sandbox({}, sandbox.url, REGION, account)))


@pytest.fixture
def fake_terraform(tmp_path):
    """`fake_terraform(version="echo …", rest="…")` makes a scripted `terraform`; gives the PATH that holds it alone."""

    def make(*, version, rest=""):
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "terraform").write_text(FAKE.format(version=version, rest=rest))
        (folder / "terraform").chmod(0o755)
        return f"{folder}:/usr/bin:/bin"

    return make
