"""-lock-timeout: a held lock is waited for, and Ctrl-C ends the wait with nothing left behind."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
BASE = "environments/dev/base.tfstate"
HELD = {"ID": "1-2", "Who": "ana@laptop", "Operation": "OperationTypeApply", "Created": "2099-01-01 00:00:00 UTC"}
HOLDER = """
import fcntl, os, sys
handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
fcntl.lockf(handle, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


class Waiting:
    """`ngp apply` that waits for a lock; what it says."""

    def __init__(self, ngp, said, *more):
        self.said = said
        with said.open("wb") as output:
            self.process = ngp.start("apply", "dev", "--auto-approve", "-lock-timeout=300s", *more, output=output)
        deadline = time.monotonic() + 120
        while "waiting for at most 300 s" not in self.text():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.1)

    def text(self):
        return " ".join(self.said.read_text().split())

    def end(self, number=0, within_s=120):
        if number:
            self.process.send_signal(number)
        code = self.process.wait(within_s)
        assert "Traceback" not in self.text()
        return code


class TestLocalStates:
    @pytest.fixture
    def holder(self, region):
        """Another process that holds the lock of `base`, as Terraform does; it ends when its stdin does."""
        path = region.state("base")
        path.parent.mkdir(parents=True)
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert holder.stdout.readline() == "held\n"
        yield holder
        holder.communicate()

    def test_the_apply_goes_on_when_the_lock_is_free(self, region, ngp_in, holder, tmp_path):
        waiting = Waiting(ngp_in(region.path), tmp_path / "said")
        assert "the state of `base` is locked by" in waiting.text()
        holder.communicate()
        assert waiting.end() == 0, waiting.text()
        assert json.loads(region.state("base").read_text())["resources"]

    def test_ctrl_c_ends_the_wait_and_the_process_that_waits(self, region, ngp_in, holder, tmp_path):
        waiting = Waiting(ngp_in(region.path), tmp_path / "said")
        assert waiting.end(signal.SIGINT, within_s=20) == 130, waiting.text()
        holder.communicate()
        handle = os.open(region.state("base"), os.O_RDWR)
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)
        assert [path.name for path in region.state("base").parent.iterdir()] == ["base.tfstate"]

    def test_without_a_timeout_it_is_refused_at_once(self, region, ngp_in, holder):
        refused = ngp_in(region.path).run("apply", "dev", "--auto-approve")
        assert refused.exit_code == 5, refused.stderr
        assert "-lock-timeout=10m waits" in refused.stderr
        assert not region.state("app").exists()


class TestStatesInS3:
    @pytest.fixture
    def locked(self, lent):
        lent.render()
        lent.ngp.call("state", "bootstrap", "dev", "--auto-approve")
        lent.session.put_object(lent.bucket, f"{BASE}.tflock", json.dumps(HELD).encode())
        return lent

    def locks(self, lent):
        return [key for key in lent.session.keys(lent.bucket, "") if key.endswith(".tflock")]

    def test_the_apply_goes_on_when_the_lock_is_free(self, locked, tmp_path):
        waiting = Waiting(locked.ngp, tmp_path / "said")
        assert "the state of `base` is locked by ana@laptop" in waiting.text()
        locked.session.delete_object(locked.bucket, f"{BASE}.tflock")
        assert waiting.end() == 0, waiting.text()
        assert self.locks(locked) == []

    def test_ctrl_c_ends_the_wait_and_gives_back_the_other_locks(self, locked, tmp_path):
        waiting = Waiting(locked.ngp, tmp_path / "said")
        assert len(self.locks(locked)) == 2
        assert waiting.end(signal.SIGINT, within_s=20) == 130, waiting.text()
        assert self.locks(locked) == [f"{BASE}.tflock"]
        assert locked.session.object(locked.bucket, BASE) is None
