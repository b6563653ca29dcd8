"""A disk that becomes full during an apply: Terraform's last words, and the state that it could write nowhere."""

import json
import shutil
import subprocess

import pytest

from tests.conftest import lay_platform

pytestmark = pytest.mark.terraform
FILLING = 'cat /dev/zero > "$DISK/fill" 2>/dev/null || true'


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 16 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def platform(small_disk):
    """The small platform, whose `app` fills the disk and then makes something large."""
    path = lay_platform(small_disk / "platform")
    (path / "modules/app/app.tf").write_text(
        'resource "terraform_data" "home" {\n  input = var.vpc_id\n\n'
        '  provisioner "local-exec" {\n    command = var.command\n  }\n}\n\n'
        'resource "terraform_data" "large" {\n  depends_on = [terraform_data.home]\n'
        '  input      = [for number in range(1000) : "a line that needs room: ${number}"]\n}\n'
    )
    values = path / "environments/dev/terraform.tfvars"
    filling = FILLING.replace("$DISK", str(small_disk)).replace('"', '\\"')
    values.write_text(values.read_text() + f'app = {{\n  command = "{filling}"\n}}\n')
    return path


def test_a_disk_that_is_full_costs_no_state(ngp, platform, small_disk):
    assert ngp.run("render").exit_code == 0
    done = ngp.run("apply", "dev", "--auto-approve")
    assert done.exit_code == 1, done.stderr
    assert "no space left on device" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    left = platform / "environments/dev/units/app/errored.tfstate"
    assert f"{left}" in "".join(done.stdout.split()), "the table breaks it"
    kept = json.loads(left.read_text())
    assert "home" in {one["name"] for one in kept["resources"]}
    assert left.stat().st_mode & 0o777 == 0o600

    again = ngp.run("apply", "dev", "--auto-approve")
    assert again.exit_code != 0
    (small_disk / "fill").unlink()
    again = ngp.run("apply", "dev", "--auto-approve")
    assert str(left) in again.stderr + again.stdout, "it is found until it is written back"


def test_nothing_is_begun_on_a_disk_that_is_full_already(ngp, platform, small_disk):
    assert ngp.run("render").exit_code == 0
    assert ngp.run("plan", "dev").exit_code == 0
    with (small_disk / "fill").open("wb") as fill:
        room = shutil.disk_usage(small_disk).free - (3 << 20)
        fill.write(b"\0" * room)
    done = ngp.run("apply", "dev", "--auto-approve")
    assert done.exit_code == 1, done.stderr
    assert "there is no room on the disk" in done.stderr + done.stdout
    assert not list((platform / ".ngp/state").rglob("*.tfstate"))
