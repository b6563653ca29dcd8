"""A repository whose pull requests a pipeline plans and applies: a bare remote, real Terraform, a fake of GitHub."""

import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import Ngp, lay_platform, lend_sandbox, stop_sandbox
from tests.doubles.forge import TOKEN, Forge, serve

BASE, APP = "modules/base/base-output.tf", "modules/app/app-variables.tf"
TFVARS = "environments/dev/terraform.tfvars"
NAMES = {"tfvars": TFVARS, "base": BASE, "app": APP}
CANARY = "canary-secret-b81f"
CHANGES = (  # what differs between two runs
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST64"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "COMMIT40"),
    (re.compile(r"`[0-9a-f]{12}`"), "`DIGEST12`"),
    (re.compile(r"commit `[0-9a-f]{7,12}( with uncommitted changes)?`"), "commit `COMMIT`"),
    (re.compile(r"\b20\d\d\d\d\d\d-\d+-[a-z]+-[a-z]+-[0-9a-f]+\b"), "RUN"),
    (re.compile(r"\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d(:\d\dZ)?\b"), "TIME"),
    (re.compile(r"`\d+ rules, "), "`RULES rules, "),
    (re.compile(r" · (Terraform|ngp|duration) `[^`]+`"), ""),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b(?!123456789012)[0-9a-f]{12}\b"), "COMMIT12"),
)


@dataclass
class Life:
    """A repository whose pull requests a pipeline plans and applies; `told` is what people read, step by step."""

    path: Path
    forge: Forge
    told: list = field(default_factory=list)
    talk: list = field(default_factory=list)

    def git(self, *words):
        done = subprocess.run(["git", *words], cwd=self.path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    @property
    def head(self):
        return self.git("rev-parse", "HEAD")

    def commit(self, message, **texts):
        """Edit files (a name or ``path=(old, new)``), render, commit; return the commit."""
        for name, (old, new) in texts.items():
            path = self.path / NAMES.get(name, name)
            text = path.read_text()
            assert old in text
            path.write_text(text.replace(old, new))
        Ngp(self.path).call("render")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.head

    def run(self, step, *line, event=None, name="pull_request", env=None):
        """Run `ngp ci` as GitHub would, and note what it tells."""
        folder = self.path.parent / "runner"
        folder.mkdir(exist_ok=True)
        (folder / "event.json").write_text(json.dumps(event or {}))
        variables = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_REPOSITORY": "team/platform",
            "GITHUB_SHA": self.head,
            "GITHUB_API_URL": self.forge.url,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "NGP_ENV_CANARY": CANARY,
            **(env or {}),
        }
        before = len(self.forge.statuses)
        done = Ngp(self.path).call("ci", *line, env=variables)
        self.talk += [done.stdout, done.stderr]
        lines = [f"# {step}", "", f"`ngp ci {' '.join(line)}` ends with {done.exit_code}", ""]
        lines += [f"- `{context}` {state}: {text}" for _, context, state, text in self.forge.statuses[before:]]
        lines += ["", *(one["body"] for one in self.forge.comments)]
        self.told.append("\n".join(lines))
        return done

    def pull(self, is_fork=False, number=12):
        """The event of a push to a pull request, whose head is what is checked out."""
        base = self.git("rev-parse", "origin/main")
        self.forge.pulls[number] = {"head": self.head, "base": base, "is_fork": is_fork}
        head = {"sha": self.head, "repo": {"id": 2 if is_fork else 1}}
        return {"pull_request": {"number": number, "head": head, "base": {"sha": base, "repo": {"id": 1}}}}

    def order(self, commit, by):
        about = {"action": "created", "issue": {"number": 12, "pull_request": {}}}
        return {**about, "comment": {"body": f"/ngp plan {commit}", "user": {"login": by}}}

    def merge(self, number=12, how="--squash"):
        """Merge the branch into the default branch, and check that out; return the event of the push."""
        branch, before = self.git("branch", "--show-current"), self.git("rev-parse", "origin/main")
        self.git("checkout", "--quiet", "-B", "main", "origin/main")
        self.git("merge", "--quiet", how, branch)
        if how == "--squash":
            self.git("commit", "--quiet", "--message", "Merged")
        self.git("push", "--quiet", "origin", "main")
        self.forge.pulls[number]["merged"] = self.head
        return {"before": before, "after": self.head}

    def branch(self, name):
        self.git("checkout", "--quiet", "-B", name, "origin/main")
        self.forge.comments.clear()

    @property
    def runs(self):
        """How many runs were started."""
        folder = self.path / ".ngp" / "runs"
        return len(list(folder.iterdir())) if folder.exists() else 0

    def written(self):
        """Everything that people or other programs get to read."""
        folders = (self.path / ".ngp" / "ci", self.path.parent / "runner")
        texts = [path.read_bytes() for folder in folders for path in folder.iterdir() if path.name != "dev.bundle"]
        bodies = [json.dumps(body) for _, _, body in self.forge.requests if body]
        return b"\n".join(texts) + "\n".join([*self.talk, *bodies]).encode()


@pytest.fixture
def life(tmp_path, sandbox):
    path = lend_sandbox(sandbox, lay_platform(tmp_path / "platform"))
    (path / "environments" / "prod" / "environment.yaml").unlink()
    (path / "environments" / "prod" / "terraform.tfvars").unlink()
    (path / "ngp.yaml").write_text("name: small\nstate: local\n")
    module = path / "modules" / "base" / "base-output.tf"
    module.write_text(module.read_text().replace('"hunter2"', f'"{CANARY}"'))
    with serve() as forge:
        made = Life(path, forge)
        forge.writers = {"anna"}
        made.commit("A platform")
        subprocess.run(
            ["git", "init", "--quiet", "--bare", "--initial-branch=main", tmp_path / "remote.git"], check=True
        )
        made.git("remote", "add", "origin", str(tmp_path / "remote.git"))
        made.git("branch", "--move", "main")
        made.git("push", "--quiet", "origin", "main")
        made.git("remote", "set-head", "origin", "main")
        yield made
    stop_sandbox(path)


def normal(told):
    """What people read, without what differs between two runs."""
    text = "\n\n".join(told) + "\n"
    for pattern, word in CHANGES:
        text = pattern.sub(word, text)
    return text
