"""Changes of a platform, committed."""

from tests.git import git
from tests.harness import Ngp


def change(platform, path, old, new):
    """Edit a file, render and commit; return the commit before."""
    before = git(platform, "rev-parse", "HEAD")
    text = (platform / path).read_text()
    assert old in text
    (platform / path).write_text(text.replace(old, new))
    assert Ngp(platform).call("render").exit_code == 0
    git(platform, "add", "--all")
    git(platform, "commit", "--quiet", "--allow-empty", "--message", "A change")
    return before
