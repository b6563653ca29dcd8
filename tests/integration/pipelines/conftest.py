"""A platform with a bare remote, and the programs that the pipelines of `ngp ci init` call."""

import os
import sys

import pytest

from tests.doubles.runners import GitLab, Jenkins
from tests.git import git
from tests.harness import Ngp
from tests.integration.pipelines.changes import change

NOTE = '#!/bin/sh\nexport -p | sed -n "s/.* \\(GIT_PUSH_OPTION_[0-9]*=.*\\)/\\1/p" >> "$GIT_DIR/options"\n'


@pytest.fixture
def programs(tmp_path):
    """A folder for PATH: this ngp, and programs that do nothing in place of those that install or call a forge."""
    folder = tmp_path / "bin"
    folder.mkdir()
    # act runs a workflow in a copy of the checkout; a runner of one's own keeps its folder, and NGP_HERE is that
    lines = {"ngp": f'cd "${{NGP_HERE:-.}}" && unset NGP_HERE && exec "{sys.executable}" -m ngp "$@"'}
    lines["gh"] = f'echo "gh $*" >> "{tmp_path}/gh.log"'
    for name, line in {**lines, **dict.fromkeys(("pip", "apt-get", "python3"), "exit 0")}.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def environ(programs):
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}


@pytest.fixture
def remote(platform, tmp_path):
    """The platform with the environments dev and stage, rendered and pushed to a bare remote that notes its options."""
    (platform / "environments/prod").rename(platform / "environments/stage")
    (platform / "ngp.yaml").write_text("name: small\nstate: local\n")
    (platform / "README.md").write_text("Read me.\n")
    for system in ("github", "gitlab", "jenkins"):
        assert Ngp(platform).call("ci", "init", system).exit_code == 0
    path = tmp_path / "remote.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(path))
    git(path, "config", "receive.advertisePushOptions", "true")
    (path / "hooks/post-receive").write_text(NOTE)
    (path / "hooks/post-receive").chmod(0o755)
    git(platform, "branch", "--move", "main")
    git(platform, "remote", "add", "origin", str(path))
    change(platform, "environments/dev/terraform.tfvars", "10.0.0.0", "10.0.0.0")
    git(platform, "push", "--quiet", "origin", "main")
    return path


@pytest.fixture
def gitlab(remote, platform, environ):
    return GitLab(platform, environ)


@pytest.fixture
def jenkins(remote, platform, environ):
    return Jenkins(platform, environ)
