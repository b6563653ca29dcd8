"""A disk that becomes full during an apply: Terraform's last words, and the state that it could write nowhere."""

import json
import re
import shutil
import subprocess

import pytest

from tests.harness import lay_platform

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
    assert (small_disk / "fill").stat().st_size > 1 << 20
    (log,) = platform.glob(".ngp/runs/*-apply-dev-*/_all.log")
    assert "o space left on device" in log.read_text()
    made = set(re.findall(r"(module\S+): Creation complete after \S+ \[id=(\S+)\]", log.read_text()))
    assert {"module.base.terraform_data.vpc", "module.app.terraform_data.home"} <= {address for address, _ in made}
    assert "Traceback" not in done.stderr
    assert done.exit_code == 1 or made <= _known(platform), "the room that was reserved was enough for the states"

    (small_disk / "fill").unlink()
    assert ngp.run("plan", "dev").exit_code == (5 if done.exit_code else 0)
    again = ngp.run("apply", "dev", "--auto-approve")
    assert again.exit_code == 0, again.stderr
    assert made <= _known(platform), "nothing was lost or made twice"
    assert not list(platform.glob(".ngp/runs/*/tree"))


def _known(platform):
    """The address and id of everything in the states."""
    return {
        (f"{one['module']}.{one['type']}.{one['name']}", each["attributes"]["id"])
        for path in (platform / ".ngp/state").rglob("*.tfstate")
        for one in json.loads(path.read_text())["resources"]
        for each in one["instances"]
    }


def test_nothing_is_begun_on_a_disk_that_is_full_already(ngp, platform, small_disk):
    assert ngp.run("render").exit_code == 0
    assert ngp.run("plan", "dev").exit_code == 0
    with (small_disk / "fill").open("wb") as fill:
        room = shutil.disk_usage(small_disk).free - (3 << 20)
        fill.write(b"\0" * room)
    done = ngp.run("apply", "dev", "--auto-approve")
    assert done.exit_code == 1, done.stderr
    assert "the disk is full" in done.stderr + done.stdout
    assert not list((platform / ".ngp/state").rglob("*.tfstate"))
