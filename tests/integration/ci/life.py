"""A repository whose pull requests a pipeline plans and applies, and what people read of it."""

import json
import re
from dataclasses import dataclass, field

from tests.ci_repository import CiRepository

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
class Life(CiRepository):
    """A repository whose pull requests a pipeline plans and applies; `told` is what people read, step by step."""

    told: list = field(default_factory=list)
    talk: list = field(default_factory=list)

    def commit(self, message, **texts):
        """Edit files (a name or ``path=(old, new)``), render, commit; return the commit."""
        edits = [(NAMES.get(name, name), old, new) for name, (old, new) in texts.items()]
        return self.commit_edits(message, edits)

    def run(self, step, *line, event=None, name="pull_request", env=None):
        """Run `ngp ci` as GitHub would, and note what it tells."""
        folder = self.path.parent / "runner"
        folder.mkdir(exist_ok=True)
        variables = {
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "NGP_ENV_CANARY": CANARY,
            **(env or {}),
        }
        before = len(self.forge.statuses)
        done = self.call_ci(line, event or {}, name, variables)
        self.talk += [done.stdout, done.stderr]
        lines = [f"# {step}", "", f"`ngp ci {' '.join(line)}` ends with {done.exit_code}", ""]
        lines += [f"- `{context}` {state}: {text}" for _, context, state, text in self.forge.statuses[before:]]
        lines += ["", *(one["body"] for one in self.forge.comments)]
        self.told.append("\n".join(lines))
        return done

    def pull(self, is_fork=False, number=12):
        """The event of a push to a pull request, whose head is what is checked out."""
        return self.push_event(number, self.git("rev-parse", "origin/main"), is_fork=is_fork)

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


def normal(told):
    """What people read, without what differs between two runs."""
    text = "\n\n".join(told) + "\n"
    for pattern, word in CHANGES:
        text = pattern.sub(word, text)
    return text
