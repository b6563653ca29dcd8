"""ngp's locks are Terraform's: each keeps the other out, and each can be released by the other's command."""

import json
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ngp.aws import access
from ngp.aws.session import Session
from ngp.errors import LockHeldError, NgpError, StaleError
from ngp.state import bucket, locks, reading, storing
from ngp.state.locations import StateLocation
from tests.harness import new_account

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
PURPOSE = locks.Purpose("OperationTypeApply", "1.11.4", Path("/nowhere"))
OFF = storing.Encryption()


@pytest.fixture
def session(sandbox):
    return Session(access.sandbox({}, sandbox.url, "eu-central-1", new_account()))


@pytest.fixture
def place(session):
    found = StateLocation("s3", f"locks-{session.account_id()}", "environments/dev/a.tfstate", "eu-central-1")
    bucket.bootstrap(session, bucket.plan(session, found))
    return found


def terraform(folder, session, *argv):
    return subprocess.run(
        ["terraform", *argv, "-no-color"],
        cwd=folder,
        env={**os.environ, **session.env},
        capture_output=True,
        text=True,
    )


def copy_root(folder, backend):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.tf").write_text(f'terraform {{\n  backend {backend}\n}}\nresource "terraform_data" "x" {{}}\n')
    return folder


@pytest.fixture
def s3_root(tmp_path, session, place):
    backend = (
        f'"s3" {{\n bucket = "{place.bucket}"\n key = "{place.key}"\n region = "{place.region}"\n encrypt = true\n'
        " use_lockfile = true\n use_path_style = true\n skip_credentials_validation = true\n}"
    )
    folder = copy_root(tmp_path / "root", backend)
    done = terraform(folder, session, "init", "-input=false")
    assert done.returncode == 0, done.stderr
    return folder


def test_terraform_waits_for_a_lock_of_ngp_in_s3_and_can_release_it(session, place, s3_root):
    ids = locks.new_ids({"a": place})
    locks.take({"a": place}, ids, session, PURPOSE)
    refused = terraform(s3_root, session, "plan", "-input=false")
    assert refused.returncode == 1
    assert ids["a"] in refused.stderr
    assert "OperationTypeApply" in refused.stderr
    released = terraform(s3_root, session, "force-unlock", "-force", ids["a"])
    assert released.returncode == 0, released.stderr
    assert reading.holder(place, session) is None
    assert terraform(s3_root, session, "plan", "-input=false").returncode == 0


def test_ngp_is_kept_out_by_a_lock_of_terraform_in_s3(session, place, s3_root):
    (s3_root / "main.tf").write_text(
        (s3_root / "main.tf").read_text()
        + 'resource "terraform_data" "slow" {\n provisioner "local-exec" {\n  command = "sleep 30"\n }\n}\n'
    )
    running = subprocess.Popen(
        ["terraform", "apply", "-auto-approve", "-input=false"],
        cwd=s3_root,
        env={**os.environ, **session.env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while reading.holder(place, session) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        ids = locks.new_ids({"a": place})
        with pytest.raises(LockHeldError, match="OperationTypeApply"):
            locks.take({"a": place}, ids, session, PURPOSE)
        assert locks.drop(place, ids["a"], session) is False
        assert reading.holder(place, session) is not None
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(60)


def test_all_locks_are_given_back_where_one_is_taken(session, place):
    others = {name: replace(place, key=f"environments/dev/{name}.tfstate") for name in "abc"}
    theirs = locks.take({"b": others["b"]}, locks.new_ids({"b": place}), session, PURPOSE)
    with pytest.raises(LockHeldError):
        locks.take(others, locks.new_ids(others), session, PURPOSE)
    assert [name for name in "abc" if reading.holder(others[name], session)] == ["b"]
    assert locks.release(theirs, session) == []
    assert reading.holder(others["b"], session) is None


def test_a_lock_whose_answer_was_lost_is_recognised_as_our_own(session, place, mocker):
    once = session.once

    def lossy(service, operation, **parameters):
        answer = once(service, operation, **parameters)
        if operation == "put_object":
            raise NgpError("AWS refuses a call", why="InternalError: 500")
        return answer

    mocker.patch.object(session, "once", lossy)
    ids = locks.new_ids({"a": place})
    held = locks.take({"a": place}, ids, session, PURPOSE)
    assert reading.holder(place, session).id == ids["a"]
    locks.release(held, session)
    assert reading.holder(place, session) is None


class TestLocalStates:
    @pytest.fixture
    def local(self, tmp_path):
        return StateLocation("local", "", "", "eu-central-1", tmp_path / "state" / "a.tfstate")

    @pytest.fixture
    def root(self, tmp_path, local, session):
        folder = copy_root(tmp_path / "root", f'"local" {{\n  path = "{local.path}"\n}}')
        assert terraform(folder, session, "init", "-input=false").returncode == 0
        return folder

    def test_terraform_is_kept_out_while_ngp_holds_the_lock_and_writes_the_state(self, local, root, session):
        held = locks.take({"a": local}, locks.new_ids({"a": local}), session, PURPOSE)
        text = '{"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x", "resources": []}'
        storing.store(local, session, text, storing.ABSENT, OFF)
        refused = terraform(root, session, "plan", "-input=false")
        assert refused.returncode == 1
        assert "state lock" in refused.stderr
        assert str(reading.holder(local, session))
        locks.release(held, session)
        assert terraform(root, session, "plan", "-input=false").returncode == 0
        assert reading.holder(local, session) is None

    def test_a_second_ngp_is_kept_out_and_told_by_whom(self, local, session):
        ids = locks.new_ids({"a": local})
        held = locks.take({"a": local}, ids, session, PURPOSE)
        with pytest.raises(LockHeldError, match=ids["a"]):
            locks.take({"a": local}, locks.new_ids({"a": local}), session, PURPOSE)
        locks.release(held, session)
        assert not local.path.exists()
        assert list(local.path.parent.iterdir()) == []

    def test_the_keeper_outlives_a_killed_ngp_until_its_terraform_has_ended(self, local, session, tmp_path):
        script = tmp_path / "holder.py"
        script.write_text(
            "import os, fcntl, subprocess, time\nfrom pathlib import Path\nfrom ngp.state import keeping\n"
            "from ngp.state.waiting import Wait\n"
            f"calls = Path({str(tmp_path / 'calls')!r})\n(calls / 'one').mkdir(parents=True)\n"
            f"kept = keeping.start({{Path({str(local.path)!r}): '{{}}'}}, calls, Wait())\n"
            "handle = os.open(calls / 'one', os.O_RDONLY)\nfcntl.flock(handle, fcntl.LOCK_EX)\n"
            "subprocess.Popen(['sleep', '2'], start_new_session=True, pass_fds=[handle])\n"
            "print('ready', flush=True)\ntime.sleep(60)\n"
        )
        ngp = subprocess.Popen(["python", str(script)], stdout=subprocess.PIPE, text=True)
        assert ngp.stdout.readline() == "ready\n"
        ngp.kill()
        ngp.wait()
        with pytest.raises(LockHeldError):
            locks.take({"a": local}, locks.new_ids({"a": local}), session, PURPOSE)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                held = locks.take({"a": local}, locks.new_ids({"a": local}), session, PURPOSE)
            except LockHeldError:
                time.sleep(0.2)
            else:
                locks.release(held, session)
                return
        pytest.fail("the keeper did not end")


class TestWriting:
    """A state is written over the version that was read, or not at all."""

    def text(self, serial):
        return json.dumps({"version": 4, "serial": serial, "lineage": "x", "resources": []})

    def test_a_new_state_is_written_only_where_there_is_none(self, session, place):
        version = storing.store(place, session, self.text(1), storing.ABSENT, OFF)
        assert storing.fetch(place, session) == storing.Stored(self.text(1), version)
        with pytest.raises(StaleError):
            storing.store(place, session, self.text(9), storing.ABSENT, OFF)

    def test_a_state_that_moved_is_not_overwritten(self, session, place):
        first = storing.store(place, session, self.text(1), storing.ABSENT, OFF)
        second = storing.store(place, session, self.text(2), first, OFF)
        with pytest.raises(StaleError):
            storing.store(place, session, self.text(3), first, OFF)
        assert storing.fetch(place, session).version == second

    def test_a_write_whose_answer_was_lost_counts(self, session, place, mocker):
        once = session.once

        def lossy(service, operation, **parameters):
            answer = once(service, operation, **parameters)
            if operation == "put_object":
                raise NgpError("AWS refuses a call", why="InternalError: 500")
            return answer

        mocker.patch.object(session, "once", lossy)
        version = storing.store(place, session, self.text(1), storing.ABSENT, OFF)
        assert storing.fetch(place, session).version == version

    def test_a_write_that_failed_for_good_is_told_as_what_it_is(self, session, place, mocker):
        once = session.once

        def broken(service, operation, **parameters):
            if operation == "put_object":
                raise NgpError("AWS refuses a call", why="SlowDown: 503")
            return once(service, operation, **parameters)

        mocker.patch.object(session, "once", broken)
        with pytest.raises(NgpError, match="SlowDown") as caught:
            storing.store(place, session, self.text(1), storing.ABSENT, OFF)
        assert not isinstance(caught.value, StaleError)

    def test_objects_are_encrypted_as_the_backend_says(self, session, place):
        storing.store(place, session, self.text(1), storing.ABSENT, OFF)
        found = session.call("s3", "head_object", Bucket=place.bucket, Key=place.key)
        assert found["ServerSideEncryption"] == "AES256"
        assert found["ContentType"] == "application/json"
        assert storing.Encryption("alias/x").arguments == {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/x"}

    def test_a_local_state_is_written_in_place_and_the_version_before_is_kept(self, session, tmp_path):
        local = StateLocation("local", "", "", "", tmp_path / "a.tfstate")
        first = storing.store(local, session, self.text(1), storing.ABSENT, OFF)
        inode = local.path.stat().st_ino
        storing.store(local, session, self.text(2), first, OFF)
        assert local.path.stat().st_ino == inode
        assert (tmp_path / "a.tfstate.backup").read_text() == self.text(1)
        with pytest.raises(StaleError):
            storing.store(local, session, self.text(3), first, OFF)
        assert local.path.read_text() == self.text(2)
        assert local.path.stat().st_mode & 0o777 == 0o600
