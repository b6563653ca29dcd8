"""`ngp destroy --dry-run` shows what would go and asks nothing; the question names account and region."""

import os
import pty
import select
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]


@pytest.fixture
def applied(region, ngp_in):
    ngp = ngp_in(region.path)
    assert ngp.call("apply", "dev", "--auto-approve").exit_code == 0
    return ngp


def _type(folder, argv, lines):
    """Run ngp on a terminal and type a line at each question mark or colon that ends its output; what it wrote."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "COLUMNS": "200"}
    process = subprocess.Popen(
        [sys.executable, "-m", "ngp", *argv], cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said, waiting = b"", [*lines]
    while process.poll() is None or select.select([ours], [], [], 0)[0]:
        if not select.select([ours], [], [], 0.2)[0]:
            continue
        try:
            said += os.read(ours, 65536)
        except OSError:
            break
        if waiting and said.rstrip(b" ").endswith(b"press Enter to stop:"):
            os.write(ours, f"{waiting.pop(0)}\n".encode())
    os.close(ours)
    return process.wait(), said.decode()


def test_a_dry_run_shows_what_would_go_and_changes_nothing(applied, region):
    before = {unit: region.state(unit).read_bytes() for unit in ("base", "app")}
    done = applied.call("destroy", "dev", "app", "--dry-run")
    assert done.exit_code == 0
    assert "module.app.terraform_data.home" in done.stdout
    assert done.stdout.splitlines()[-1] == "next: ngp destroy dev app"
    document = applied.call("destroy", "dev", "--dry-run", "--json").document
    assert {unit["unit"]: unit["outcome"] for unit in document["units"]} == {"base": "changes", "app": "changes"}
    assert {unit: region.state(unit).read_bytes() for unit in before} == before
    assert list(region.path.rglob("*.plan")) == []


def test_a_dry_run_is_allowed_in_a_protected_environment(applied, region):
    region.write("ngp.yaml", "name: little\nstate: local\nprotected: [dev]\n")
    assert applied.call("destroy", "dev", "--auto-approve").exit_code == 3
    assert applied.call("destroy", "dev", "--dry-run").exit_code == 0


def test_the_question_names_account_and_region_and_is_asked_again(applied, region):
    code, said = _type(region.path, ["destroy", "dev", "app"], ["y", "dev"])
    assert "`dev` (the sandbox, account 123456789012, eu-central-1)" in said
    assert "`y` is not `dev`" in said
    assert code == 0
    assert "module.app" not in region.state("app").read_text()


def test_enter_stops(applied, region):
    code, said = _type(region.path, ["destroy", "dev", "app"], [""])
    assert code == 1
    assert "nothing was destroyed" in said
