"""A repository whose pull requests `ngp ci` serves, with the fake of a forge that it asks."""

import json
from dataclasses import dataclass
from pathlib import Path

from tests.doubles.forge import TOKEN, Forge
from tests.git import git
from tests.harness import Ngp


@dataclass
class CiRepository:
    path: Path
    forge: Forge

    def git(self, *words):
        return git(self.path, *words)

    @property
    def head(self):
        return self.git("rev-parse", "HEAD")

    def commit_edits(self, message, edits):
        """Edit files (path, old text, new text), render where that goes well, and commit; return the commit."""
        for name, old, new in edits:
            text = (self.path / name).read_text()
            assert old in text
            (self.path / name).write_text(text.replace(old, new))
        Ngp(self.path).call("render")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.head

    def push_event(self, number, base, *, is_fork):
        """The event of a push to a pull request, whose head is what is checked out."""
        self.forge.pulls[number] = {"head": self.head, "base": base, "is_fork": is_fork}
        head = {"sha": self.head, "repo": {"id": 2 if is_fork else 1}}
        return {
            "pull_request": {"number": number, "head": head, "base": {"sha": base, "ref": "main", "repo": {"id": 1}}}
        }

    def call_ci(self, line, event, name, env):
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
