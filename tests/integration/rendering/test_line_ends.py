"""A clone with CRLF (core.autocrlf) is as fresh as any other: line ends are no change."""

import shutil
import subprocess

import pytest

from tests.harness import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """This platform, committed without .gitattributes and checked out with CRLF."""
    first, folder = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("clone") / "platform"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    wanted = (
        "modules/",
        "templates/",
        "environments/",
        "ngp.yaml",
        ".terraform.lock.hcl",
        ".gitignore",
        "terraform.tf",
    )
    for name in filter(lambda name: name.startswith(wanted), listed.split("\0")):
        (first / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, first / name)
    for argv in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run(["git", *argv], cwd=first, check=True)
    # kept in the clone, as on a machine where it is set for everything
    subprocess.run(["git", "clone", "-q", "-c", "core.autocrlf=true", str(first), str(folder)], check=True)
    assert b"\r\n" in (folder / "environments/dev/units/network/main.tf").read_bytes()
    return folder


def test_clone_is_not_stale_and_rendering_writes_nothing(clone, ngp_in):
    assert ngp_in(clone).run("render", "--check").exit_code == 0
    done = ngp_in(clone).run("render", "--json")
    assert (done.exit_code, done.document["is_stale"]) == (0, False)
    assert b"\r\n" in (clone / "environments/dev/units/network/main.tf").read_bytes()


def test_pages_and_archives_of_modules_are_fresh(clone, ngp_in):
    done = ngp_in(clone).run("module", "check", "network", "snapshot", "--no-terraform")
    assert done.exit_code == 0, done.stdout + done.stderr


def test_no_unit_is_affected(clone, ngp_in):
    done = ngp_in(clone).run("env", "affected", "--since", "HEAD", "--json")
    assert (done.exit_code, done.document["affected"]) == (0, []), done.stdout


def test_pinned_modules_come_as_they_were_committed(clone, ngp_in):
    ngp_in(clone).run("configure", "dev", "--catalogue", "HEAD", "--no-input")
    assert ngp_in(clone).run("render", "dev").exit_code == 0
    copy = clone / "environments/dev/modules/network/network.tf"
    assert copy.read_bytes() == (ROOT / "modules/network/network.tf").read_bytes()


def test_an_edit_is_still_stale(clone, ngp_in):
    page = clone / "environments/prod/units/network/main.tf"
    page.write_bytes(page.read_bytes() + b"# mine\r\n")
    assert ngp_in(clone).run("render", "--check", "prod").exit_code == 1
