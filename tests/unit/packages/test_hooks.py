"""Hooks run after a success or a failure only, with what they need to know."""

import os

import pytest

from ngp.errors import NgpError
from ngp.packages import hooks
from ngp.packages.deploying import Deployed, Failed

SAY = '#!/bin/sh\necho "$0 ENV=$ENV FAILED=${FAILED_HOSTS-none}" >>said\n'


@pytest.fixture
def hook(tmp_path):
    def hook(name, text=SAY, mode=0o755):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)

    return hook


def run(folder, failed=None):
    told = []
    hooks.run(folder, dict(os.environ), "qa", failed, told.append)
    said = folder / "said"
    return [line.rpartition("/")[2] for line in said.read_text().splitlines()] if said.exists() else [], told


def test_hook_of_success_runs_after_success_only(tmp_path, hook):
    hook(".moltar-after-deploy")
    assert run(tmp_path, ["web-1"]) == ([], [])
    assert run(tmp_path) == ([".moltar-after-deploy ENV=qa FAILED=none"], ["running .moltar-after-deploy"])


def test_hook_of_failure_gets_the_hosts_that_failed(tmp_path, hook):
    hook(".moltar-failed-deploy")
    assert run(tmp_path) == ([], [])
    assert run(tmp_path, ["web-1", "web-2"])[0] == [".moltar-failed-deploy ENV=qa FAILED=web-1 web-2"]


def test_own_name_counts_before_moltars(tmp_path, hook):
    hook(".ngp-after-deploy")
    hook(".moltar-after-deploy")
    assert run(tmp_path)[0] == [".ngp-after-deploy ENV=qa FAILED=none"]


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("#!/bin/sh\nexit 3\n", 0o755, "exit code 3"),
        (SAY, 0o644, "not executable"),
        ("\x7fno", 0o755, "cannot run the hook"),
    ],
)
def test_hook_that_fails_is_an_error(tmp_path, hook, text, mode, said):
    hook(".ngp-after-deploy", text, mode)
    with pytest.raises(NgpError, match=said) as raised:
        run(tmp_path)
    assert raised.value.exit_code == 1


def test_what_a_hook_prints_is_no_data(tmp_path, hook, capfd):
    hook(".ngp-after-deploy", "#!/bin/sh\necho hello\n")
    run(tmp_path)
    assert capfd.readouterr() == ("", "hello\n")


@pytest.mark.parametrize(
    ("action", "result", "stopped_by", "due"),
    [
        ("deploy", Deployed(("a",), (), ()), 0, True),
        ("deploy", Deployed((), (Failed("a", "step", "why"),), ("b",)), 0, True),
        ("deploy", Deployed((), (), ("a",)), 0, False),  # nothing was tried
        ("deploy", Deployed(("a",), (), ()), 2, False),
        ("install", Deployed(("a",), (), ()), 0, False),
    ],
)
def test_a_hook_follows_a_deploy_that_was_not_interrupted(action, result, stopped_by, due):
    assert hooks.is_due(action, result, stopped_by) is due
