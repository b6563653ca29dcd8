"""What tables of wrong situations stand on: a platform that must stay as it is, and accounts that the sandbox plays."""

import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from ngp.aws import access
from ngp.aws.session import Session
from tests.harness import lay_platform, lend_sandbox, new_account, stop_sandbox
from tests.integration.between import Between

ROOT = Path(__file__).parents[2]
CARRIED = (
    "modules/",
    "templates/",
    "environments/",
    "ngp.yaml",
    ".terraform.lock.hcl",
    ".gitignore",
    "terraform.tfvars.",
)
REGION, DOMAIN = "eu-central-1", "example.test"
FAKE = """#!/bin/sh
if [ "$1" = version ]; then
  {version}
  exit 0
fi
{rest}
exit 1
"""


def _told(finding):
    """A finding on one line, its place as people read it."""
    place = ":".join(str(finding[key]) for key in ("file", "line", "column") if finding[key] is not None)
    return " | ".join([finding["what"], place or finding["address"] or "", finding["why"], finding["hint"]])


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
            assert finding["why"] or finding["hint"], "nobody is told what to do"
        whole = [_told(finding) for finding in document["error"]["findings"]]
        assert any(all(part in finding for part in says) for finding in whole), whole
        return done


@pytest.fixture
def own_sandbox():
    """For tests that start, empty or stop the sandbox: their platform is lent none."""


@pytest.fixture
def platform(tmp_path, request):
    """A small platform for each test, which finds the session's sandbox running."""
    made = lay_platform(tmp_path / "platform")
    if "own_sandbox" not in request.fixturenames:
        lend_sandbox(request.getfixturevalue("sandbox"), made)
    yield made
    stop_sandbox(made)


@pytest.fixture(scope="module")
def shared_platform(shared_platform, sandbox):
    """The rendered small platform of a file, which finds the session's sandbox running."""
    return lend_sandbox(sandbox, shared_platform)


@pytest.fixture
def trial(platform, ngp):
    """The small platform, its states on the disk."""
    return Trial(platform, ngp)


@pytest.fixture
def lent(trial, sandbox):
    """The small platform with its states in S3, in an account of its own of the session's running sandbox."""
    account = new_account()
    trial.edit("ngp.yaml", "state: local\n", "")
    for name in ("dev", "prod"):
        trial.edit(f"environments/{name}/environment.yaml", "123456789012", account)
    return Trial(trial.path, trial.ngp, account, Session(access.sandbox({}, sandbox.url, REGION, account)))


@pytest.fixture
def between(lent, sandbox):
    """The proxy, in the way of all that goes to the sandbox of `lent`."""
    proxy = Between(sandbox.port)
    path = lent.path / ".ngp" / "sandbox" / "running.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "url": f"http://127.0.0.1:{proxy.server_port}"}))
    lent.render()
    yield proxy
    proxy.shutdown()


@pytest.fixture
def real(trial, sandbox, mocker):
    """`dev` in a real account with its state in S3: real boto3, real Terraform; the sandbox plays AWS.

    The access key id of the shell is the account that AWS takes the caller for.
    """
    account = new_account()
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


@pytest.fixture
def witness(tmp_path):
    """A `terraform` that writes down its whole environment and then is the real one; gives its PATH and the records."""
    real, folder, seen = shutil.which("terraform"), tmp_path / "witness", tmp_path / "seen"
    folder.mkdir()
    seen.mkdir()
    script = folder / "terraform"
    script.write_text(f'#!/bin/sh\nenv -0 > "{seen}/$1.$$"\nexec "{real}" "$@"\n')
    script.chmod(0o755)

    def records(verb=""):
        """The environment of each call of a verb (of all of them)."""
        texts = [path.read_text() for path in sorted(seen.glob(f"{verb}*"))]
        return [dict(line.split("=", 1) for line in text.split("\0") if line) for text in texts]

    return f"{folder}:/usr/bin:/bin", records


@pytest.fixture(scope="session")
def lay_repository():
    """`lay_repository(folder)` copies this repository's own platform into a Git repository of its own."""

    def lay(folder):
        for name in subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True).stdout.split(
            "\0"
        ):
            if name.startswith(CARRIED) and (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        for argv in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "The platform"]):
            subprocess.run(["git", *argv], cwd=folder, check=True, capture_output=True)
        return folder

    return lay
