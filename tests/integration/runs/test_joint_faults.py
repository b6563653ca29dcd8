"""What goes wrong around one joint apply: S3 refuses, a state is locked or changed, somebody interrupts or kills.

`app` makes two things: `early` at once, and `home`, which waits until the test opens its gate.
"""

import copy
import json
import os
import pty
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.harness import Ngp
from tests.integration.runs.gated import Gated

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
ROOT = Path(__file__).parents[3]
AWS = 'terraform {\n  required_providers {\n    aws = {\n      source = "hashicorp/aws"\n    }\n  }\n}\n'
LATE = '  type = "String"\n  value = "x"\n  depends_on = [terraform_data.home]\n'
APP, BASE = "environments/dev/app.tfstate", "environments/dev/base.tfstate"


@pytest.fixture
def gated(lent, tmp_path):
    made = Gated(lent, tmp_path)
    yield made
    made.gate.touch()
    if made.process is not None and made.process.poll() is None:
        made.process.kill()


def recovered(gated, *argv):
    """The next plan only reports (5); the next apply puts everything right. Gives what it said."""
    before = (gated.state(APP), gated.state(BASE), gated.locks())
    planned = gated.lent.ngp.run("plan", "dev")
    assert planned.exit_code == 5, planned.stderr
    assert (gated.state(APP), gated.state(BASE), gated.locks()) == before
    done = gated.lent.ngp.run("apply", "dev", "--auto-approve", *argv)
    assert done.exit_code == 0, done.stdout + done.stderr
    assert gated.resources(BASE)
    assert gated.resources(APP) == {"early", "home"}
    assert gated.left() == []
    assert gated.lent.ngp.run("plan", "dev", "-detailed-exitcode").exit_code == 0
    return done.stderr


@pytest.mark.parametrize(
    ("answer", "says"), [("403 AccessDenied", "do not allow"), ("400 ExpiredToken", "does not accept the credentials")]
)
def test_a_state_that_s3_refuses_at_the_end_is_kept_and_written_by_the_next_apply(gated, between, answer, says):
    gated.start()
    gated.await_home()
    expired = "Expired" in answer
    between.fault = lambda method, path: answer if expired or (method == "PUT" and path.endswith(".tfstate")) else ""
    assert gated.end() == 1, gated.said.read_text()
    said = " ".join(gated.said.read_text().split())
    kept = gated.runs()[0] / "unsaved/app.tfstate"
    assert says in said
    assert "terraform state push -lock=false" in said
    assert json.loads(kept.read_text())["outputs"]
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    between.fault = lambda method, path: ""
    assert APP + ".tflock" in gated.locks(), "nobody applies over what is not written"
    said = recovered(gated)
    assert "saved what run" in said
    assert gated.state(APP)["outputs"]


def test_a_state_that_was_pushed_by_hand_as_ngp_said_is_taken_for_settled(gated, between):
    gated.start()
    gated.await_home()
    between.fault = lambda method, path: "403 AccessDenied" if method == "PUT" and path.endswith(".tfstate") else ""
    assert gated.end() == 1
    between.fault = lambda method, path: ""
    for key in (APP, BASE):
        kept = gated.runs()[0] / "unsaved" / Path(key).name
        if kept.exists():
            text = json.dumps({**json.loads(kept.read_text()), "serial": 9}, indent=4)  # as Terraform may write it
            gated.lent.session.put_object(gated.lent.bucket, key, text.encode())
    recovered(gated)
    assert gated.state(APP)["serial"] >= 9


def test_a_bucket_that_is_deleted_midway_is_made_again_with_all_states(gated):
    gated.start()
    gated.await_home()
    session, bucket = gated.lent.session, gated.lent.bucket
    for kind in ("Versions", "DeleteMarkers"):
        for one in session.call("s3", "list_object_versions", Bucket=bucket).get(kind, ()):
            session.call("s3", "delete_object", Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
    session.call("s3", "delete_bucket", Bucket=bucket)
    assert gated.end() == 1, gated.said.read_text()
    said = " ".join(gated.said.read_text().split())
    assert f"the state bucket {bucket} does not exist" in said
    assert "`ngp state bootstrap` creates it again" in said
    made = gated.lent.ngp.run("state", "bootstrap", "dev", "--auto-approve")
    assert made.exit_code == 0, made.stderr
    recovered(gated)


@pytest.mark.parametrize("is_ngp_killed", [False, True])
def test_what_was_imported_after_a_kill_is_not_written_over(gated, is_ngp_killed):
    gated.start()
    gated.await_home()
    if is_ngp_killed:
        gated.process.kill()
    for pid in gated.terraforms():
        os.kill(pid, signal.SIGKILL)
    assert gated.end() == (-signal.SIGKILL if is_ngp_killed else 1)
    said = " ".join(gated.said.read_text().split())
    assert is_ngp_killed or "module.app.terraform_data.home was being created when Terraform was killed" in said
    refused = gated.lent.ngp.run("apply", "dev", "--auto-approve")
    assert refused.exit_code == 3, refused.stderr
    assert "module.app.terraform_data.home may exist, but no state contains it" in refused.stderr
    assert gated.locks() == [], "an import needs them"

    state = gated.state(APP)
    assert {one["name"] for one in state["resources"]} == {"early"}
    home = copy.deepcopy(state["resources"][0]) | {"name": "home"}
    home["instances"][0]["attributes"]["id"] = "imported"
    whole = {**state, "serial": state["serial"] + 1, "resources": [*state["resources"], home]}
    gated.lent.session.put_object(gated.lent.bucket, APP, json.dumps(whole).encode())
    recovered(gated)
    (home,) = [one for one in gated.state(APP)["resources"] if one["name"] == "home"]
    assert home["instances"][0]["attributes"]["id"] == "imported"


def test_what_is_accepted_as_lost_is_made_anew(gated):
    gated.start()
    gated.await_home()
    for pid in gated.terraforms():
        os.kill(pid, signal.SIGKILL)
    assert gated.end() == 1
    recovered(gated, "--accept-lost", "module.app.terraform_data.home")


def test_what_a_provider_was_making_when_it_died_may_exist_too(gated, between):
    """Terraform goes on, and says that the request was cancelled; the cloud has done it all the same."""
    app = gated.lent.path / "modules/app/app.tf"
    name = f"/{gated.lent.bucket}/late"
    app.write_text(f'{app.read_text()}\n{AWS}\nresource "aws_ssm_parameter" "late" {{\n  name = "{name}"\n{LATE}}}\n')
    shutil.copy2(ROOT / ".terraform.lock.hcl", gated.lent.path)
    gated.lent.render()
    gated.start()
    gated.await_home()
    between.fault = lambda method, path: "hold" if path == "AmazonSSM.PutParameter" else ""
    gated.gate.touch()
    assert between.held.wait(60), gated.said.read_text()
    for pid in gated.providers(f"127.0.0.1:{between.server_address[1]}"):
        os.kill(pid, signal.SIGKILL)
    between.fault = lambda method, path: ""
    between.released.set()
    assert gated.process.wait(timeout=60) == 1, gated.said.read_text()
    assert gated.lent.session.call("ssm", "get_parameter", Name=name)
    refused = gated.lent.ngp.run("apply", "dev", "--auto-approve")
    assert refused.exit_code == 3, refused.stdout + refused.stderr
    assert "module.app.aws_ssm_parameter.late may exist, but no state contains it" in refused.stderr


def killed(gated):
    """An apply whose ngp is killed, and whose Terraform ended well."""
    gated.start()
    gated.await_home()
    gated.await_(lambda: gated.resources(BASE))
    gated.process.kill()
    gated.gate.touch()
    gated.process.wait()
    deadline = time.monotonic() + 60
    while gated.terraforms() and time.monotonic() < deadline:
        time.sleep(0.1)
    return gated


def test_a_state_that_others_changed_after_a_kill_is_not_written_over(gated):
    killed(gated)
    state = gated.state(BASE)
    state["serial"] += 1
    state["outputs"]["by_hand"] = {"value": "x", "type": "string"}
    gated.lent.session.put_object(gated.lent.bucket, BASE, json.dumps(state).encode())
    done = gated.lent.ngp.run("apply", "dev", "--auto-approve")
    assert done.exit_code == 4, done.stderr
    assert "the state of `base` was changed after run" in done.stderr
    assert gated.state(BASE) == state


def test_what_a_killed_run_left_waits_while_somebody_else_holds_one_of_its_locks(gated):
    lent = killed(gated).lent
    theirs = {"ID": "1-2", "Who": "ana@laptop", "Operation": "OperationTypeApply", "Created": "2099-01-01 00:00:00 UTC"}
    mine = [json.loads(lent.session.object(lent.bucket, key))["ID"] for key in sorted(gated.locks())]
    lent.session.put_object(lent.bucket, f"{BASE}.tflock", json.dumps(theirs).encode())  # after a force-unlock
    before = (gated.state(APP), gated.state(BASE))
    refused = lent.ngp.run("apply", "dev", "--auto-approve")
    assert refused.exit_code == 5, refused.stderr
    assert "the state of `base` is locked by ana@laptop" in refused.stderr
    assert (gated.state(APP), gated.state(BASE)) == before
    now = [json.loads(lent.session.object(lent.bucket, key))["ID"] for key in sorted(gated.locks())]
    assert now == [mine[0], "1-2"], "those that are still the killed run's stay"
    lent.session.delete_object(lent.bucket, f"{BASE}.tflock")
    assert "took them again: base" in recovered(gated)


def test_states_of_a_killed_run_are_saved_under_locks_that_somebody_released(gated, between):
    lent = killed(gated).lent
    for key in gated.locks():
        lent.session.delete_object(lent.bucket, key)
    seen = []

    def look(method, path):
        if method == "PUT" and path.endswith(".tfstate"):
            seen.append(sorted(gated.locks()))
        return ""

    between.fault = look
    recovered(gated)
    assert seen
    assert all(each == [f"{APP}.tflock", f"{BASE}.tflock"] for each in seen)


def test_the_states_of_a_unit_that_was_removed_meanwhile_are_saved_too(gated):
    """Its module is the one that the killed run copied."""
    module = gated.lent.path / "modules/app/app.tf"
    first = 'resource "terraform_data" "early" {\n  lifecycle {\n    create_before_destroy = true\n  }\n'
    module.write_text(module.read_text().replace('resource "terraform_data" "early" {\n', first))
    killed(gated)
    for name, old in (("environment.yaml", "  app: {}\n"), ("terraform.tfvars", "")):
        path = gated.lent.path / "environments/dev" / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, "") if old else text.partition("app = {")[0])
    document = gated.lent.path / "environments/dev/environment.yaml"
    document.write_text(document.read_text().partition("wiring:")[0])
    shutil.rmtree(gated.lent.path / "environments/dev/units/app")
    module.unlink()
    module.touch()
    gated.lent.render()
    done = gated.lent.ngp.run("apply", "dev", "--auto-approve")
    assert done.exit_code == 0, done.stdout + done.stderr
    assert "saved what run" in done.stderr
    assert gated.resources(APP) == {"early", "home"}
    flags = {one["name"]: one["instances"][0].get("create_before_destroy") for one in gated.state(APP)["resources"]}
    assert flags == {"early": True, "home": None}
    assert gated.left() == []


def test_states_are_saved_while_terraform_works(gated):
    """A complete unit at once, another one at most 10 s after its change."""
    gated.start()
    gated.await_home()
    gated.await_(lambda: gated.resources(BASE), within_s=10)
    assert "vpc_id" not in gated.state(BASE)["outputs"], "what is known late comes at the end"
    gated.await_(lambda: gated.resources(APP) == {"early"}, within_s=15)
    assert gated.process.poll() is None
    assert len(gated.locks()) == 2
    assert gated.end() == 0
    assert gated.state(BASE)["outputs"]
    assert gated.left() == []


def test_two_runs_at_once_also_from_two_checkouts(gated, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(gated.lent.path, other)
    gated.start()
    gated.await_home()
    for folder in (gated.lent.path, other):
        second = Ngp(folder).run("apply", "dev", "--auto-approve")
        assert second.exit_code == 5, second.stderr
    assert " is locked by " in second.stderr
    assert len(gated.locks()) == 2, "those of the first stay"
    assert gated.end() == 0, gated.said.read_text()
    assert gated.left() == []
    shutil.rmtree(other / ".ngp/sandbox")


def test_a_state_that_terraform_has_locked_costs_the_other_locks_nothing(gated):
    held = {"ID": "1-2", "Who": "ana@laptop", "Operation": "OperationTypeApply", "Created": "2099-01-01 00:00:00 UTC"}
    gated.lent.ngp.call("state", "list", "dev")
    gated.lent.session.put_object(gated.lent.bucket, f"{BASE}.tflock", json.dumps(held).encode())
    done = gated.lent.ngp.run("apply", "dev", "--auto-approve")
    assert done.exit_code == 5, done.stderr
    assert "ana@laptop" in done.stderr
    assert gated.locks() == [f"{BASE}.tflock"]


@pytest.mark.parametrize("reads", [True, False], ids=["answer-lost", "reading-back-fails"])
def test_a_lock_whose_answer_was_lost_is_recognised_or_given_back(gated, between, reads):
    """Its id is written down before the lock is."""
    gated.gate.touch()
    lost = []

    def fault(method, path):
        if path.endswith(f"{APP}.tflock") and method == "PUT" and not lost:
            lost.append(path)
            return "lose"
        if path.endswith(f"{APP}.tflock") and method == "GET" and not reads and len(lost) == 1:
            lost.append(path)
            return "503"
        return ""

    between.fault = fault
    done = gated.lent.ngp.run("apply", "dev", "--auto-approve")
    assert done.exit_code == (0 if reads else 69), done.stdout + done.stderr
    assert gated.left() == []


def test_a_lock_that_cannot_be_given_back_is_given_back_by_the_next_apply(gated, between):
    gated.gate.touch()
    between.fault = lambda method, path: "503" if method == "DELETE" and path.endswith(f"{APP}.tflock") else ""
    done = gated.lent.ngp.run("apply", "dev", "--auto-approve")
    assert done.exit_code == 0, done.stdout + done.stderr
    assert "cannot release a lock" in done.stderr
    assert gated.locks() == [f"{APP}.tflock"]
    between.fault = lambda method, path: ""
    assert "released the locks" in recovered(gated)


def test_ctrl_c_ends_an_apply_with_its_states_saved_and_its_locks_given_back(gated):
    process = gated.start()
    gated.await_home()
    process.send_signal(signal.SIGINT)
    gated.gate.touch()
    assert process.wait(timeout=90) == 130, gated.said.read_text()
    assert gated.left() == []
    assert gated.resources(BASE)
    assert "early" in gated.resources(APP)
    assert gated.lent.ngp.run("apply", "dev", "--auto-approve").exit_code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupt_while_the_question_is_open_leaves_no_lock(gated, number):
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(gated.lent.path)
        os.execv(sys.executable, [sys.executable, "-m", "ngp", "apply", "dev"])
    shown = b""
    deadline = time.monotonic() + 120
    while b"yes" not in shown and time.monotonic() < deadline:
        with suppress(OSError):
            shown += os.read(terminal, 65536)
    assert len(gated.locks()) == 2
    os.kill(pid, number)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    if number == signal.SIGINT:
        assert os.waitstatus_to_exitcode(status) == 130, shown.decode()
        assert gated.left() == []
    else:
        assert len(gated.locks()) == 2
        gated.gate.touch()
        assert "released the locks" in recovered(gated)
