"""`ngp locks` and `ngp unlock` with locks of a real Terraform, in S3 and on the disk."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.terraform
LOCK = {"ID": "1-2", "Operation": "OperationTypeApply", "Created": "2026-11-01T10:00:00Z"}


def lock_file(platform, unit="base"):
    return platform / ".ngp/state/dev" / f".{unit}.tfstate.lock.info"


def lay_lock(platform, who, unit="base"):
    lock_file(platform, unit).parent.mkdir(parents=True, exist_ok=True)
    lock_file(platform, unit).write_text(json.dumps({**LOCK, "Who": who}))


@pytest.fixture
def ready(platform, ngp):
    """The small platform, rendered."""
    assert ngp.call("render").exit_code == 0
    return platform


def test_a_lock_of_a_dead_holder_is_shown_and_released(ready, ngp):
    lay_lock(ready, f"ann@{socket.gethostname()}")
    shown = ngp.call("locks", "dev")
    assert shown.exit_code == 0, shown.stderr
    assert "base: locked by ann@" in shown.stdout
    assert "holder: dead" in shown.stdout
    assert "release: ngp unlock dev base" in shown.stdout
    done = ngp.call("unlock", "dev", "base", "--auto-approve")
    assert done.exit_code == 0, done.stderr
    assert not lock_file(ready).exists()
    assert ngp.call("locks", "dev").stdout == "dev: no state is locked\n"
    assert ngp.call("unlock", "dev", "base", "--auto-approve", "--json").document["locks"] == []


def test_nobody_is_asked_without_a_terminal_and_nothing_is_released(ready, ngp):
    lay_lock(ready, f"ann@{socket.gethostname()}")
    done = ngp.call("unlock", "dev", "base")
    assert done.exit_code == 64
    assert "--auto-approve" in done.stderr
    assert lock_file(ready).exists()


def test_whether_a_holder_on_another_machine_lives_is_not_known(ready, ngp):
    lay_lock(ready, "ann@laptop")
    (found,) = ngp.call("locks", "dev", "--json").document["locks"]
    assert (found["holder"], found["who"], found["release"]) == ("unknown", "ann@laptop", "ngp unlock dev base")
    assert "laptop" in found["because"]


def test_a_lock_is_not_released_while_a_terraform_by_hand_works_on_it(ready, ngp):
    """It is in the unit's folder, as an operator would call it."""
    root = ready / "environments/dev/units/base"
    (root / "by_hand.tf").write_text(
        'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n    command = "sleep 60"\n  }\n}\n'
    )
    terraform = shutil.which("terraform")
    subprocess.run([terraform, "init", "-input=false"], cwd=root, check=True, capture_output=True)
    started = subprocess.Popen(
        [terraform, "apply", "-auto-approve", "-input=false"],
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(lock_file(ready).exists)
        (found,) = ngp.call("locks", "dev", "--json").document["locks"]
        assert (found["holder"], found["release"]) == ("alive", "")
        assert str(started.pid) in found["because"]
        done = ngp.call("unlock", "dev", "base", "--auto-approve")
        assert done.exit_code == 5, done.stderr
        assert lock_file(ready).exists()
    finally:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()
    assert ngp.call("unlock", "dev", "base", "--auto-approve").exit_code == 0
    assert not lock_file(ready).exists()


def test_a_lock_is_not_released_while_the_terraform_of_a_killed_ngp_works_on_it(ready, ngp):
    values = ready / "environments/dev/terraform.tfvars"
    at_work = ready.parent / "at-work"
    slow = f'app = {{\n  command = "touch {at_work}; sleep 60"\n}}\n'
    values.write_text(values.read_text() + slow)
    assert ngp.call("render").exit_code == 0
    started = ngp.start("apply", "dev", "--auto-approve", output=subprocess.DEVNULL)
    wait_for(at_work.exists)
    started.kill()
    started.wait()
    found = ngp.call("locks", "dev", "--json").document["locks"]
    assert ("app", "alive") in [(one["unit"], one["holder"]) for one in found]
    assert ngp.call("unlock", "dev", "app", "--auto-approve").exit_code == 5
    refused = ngp.call("plan", "dev")
    assert refused.exit_code == 5, refused.stderr
    assert "a killed ngp left Terraform running: joint apply in process" in refused.stderr
    pid = int(refused.stderr.partition("kill -INT ")[2].split()[0])
    assert Path(f"/proc/{pid}/exe").readlink().name.startswith("terraform")
    os.kill(pid, signal.SIGINT)
    wait_for(lambda: not lock_file(ready, "app").exists())
    wait_for(lambda: "was killed while it applied" in ngp.call("plan", "dev").stderr)
    values.write_text(values.read_text().replace(slow, ""))
    assert ngp.call("render").exit_code == 0
    after = ngp.call("apply", "dev", "--auto-approve")
    assert after.exit_code == 0, after.stderr
    assert "its joint apply continued and failed with exit code 1" in after.stderr


def wait_for(condition, within_s=120):
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
