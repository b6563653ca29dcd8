"""Ordinary trouble with the backend keeps its name: a failing S3, a lost answer, a body cut off, a broken state."""

import json

import pytest

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]

LOCK = ".tflock"
STATE = ".tfstate"


def base(done):
    (unit,) = done.document["units"]
    return unit


def put(lent, text, name="base.tfstate"):
    lent.ngp.call("state", "list", "dev")  # the sandbox's bucket is made when it is first looked at
    lent.session.put_object(lent.bucket, f"environments/dev/{name}", text)


def apply(lent):
    return lent.ngp.run("apply", "dev", "base", "--auto-approve", "--json")


def test_a_failing_s3_is_no_held_lock(lent, between):
    between.fault = lambda method, path: "501" if method == "PUT" and path.endswith(LOCK) else ""
    done = apply(lent)
    assert done.exit_code == 69, done.stderr
    (finding,) = done.document["error"]["findings"]
    assert "somebody" not in finding["what"]
    assert "501" in finding["why"]


def test_a_lock_whose_answer_was_lost_is_this_runs_own(lent, between):
    lost = []

    def fault(method, path):
        if method == "PUT" and path.endswith(LOCK) and not lost:
            lost.append(path)
            return "lose"
        return ""

    between.fault = fault
    done = apply(lent)
    assert (base(done)["outcome"], done.exit_code) == ("applied", 0), done.stderr
    assert lost
    assert lent.session.object(lent.bucket, "environments/dev/base.tfstate.tflock") is None


def test_a_lock_of_somebody_else_is_not_called_our_own(lent, between):
    held = {"ID": "1-2", "Who": "ana@laptop", "Operation": "OperationTypeApply", "Created": "2099-01-01 00:00:00 UTC"}
    put(lent, json.dumps(held).encode(), "base.tfstate.tflock")
    done = apply(lent)
    assert done.exit_code == 5, done.stderr
    (finding,) = done.document["error"]["findings"]
    assert "ana@laptop" in finding["what"]
    assert "ngp unlock" in finding["hint"]


@pytest.mark.parametrize("argv", [["plan", "dev"], ["status", "dev"]])
@pytest.mark.parametrize("fault", ["cut", "503"])
def test_a_state_that_s3_does_not_hand_out_whole_is_a_missing_prerequisite(lent, between, argv, fault):
    put(lent, json.dumps({"version": 4, "serial": 1}).encode())
    between.fault = lambda method, path: fault if method == "GET" and path.endswith(STATE) else ""
    done = lent.ngp.call(*argv, "--json")
    assert done.exit_code == 69, done.stdout + done.stderr
    (finding,) = done.document["error"]["findings"]
    assert "cut off" in finding["what"] if fault == "cut" else "cannot serve" in finding["what"]
    assert "503" in finding["why"] or fault == "cut"
    assert finding["hint"]


BROKEN = {
    "binary": b"\x89PNG\r\n\x1a\n\x00\xff",
    "cut off": b'{"version": 4, "serial": 3, "outp',
    "deep": b"[" * 200_000,
    "list": b"[1]",
    "formless": b'{"version": 4, "resources": {"a": 1}}',
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_state_is_told_with_its_place_and_the_way_out(lent, text):
    lent.render()
    place = f"s3://{lent.bucket}/environments/dev/base.tfstate"
    put(lent, text)
    planned = lent.ngp.call("plan", "dev", "--json")
    assert planned.exit_code == 1, planned.stdout + planned.stderr
    (finding,) = planned.document["units"][0]["findings"]
    assert finding["address"] == place
    assert "restore" in finding["hint"]
    assert f"fix:   {finding['hint']}" in lent.ngp.call("plan", "dev").stdout
    for argv in (["status", "dev"], ["state", "list", "dev"]):
        told = lent.ngp.call(*argv)
        assert told.exit_code == 0, told.stderr
        assert "this is not a Terraform state" in told.stdout


def test_a_lock_that_is_none_breaks_no_list(lent):
    lent.render()
    put(lent, b"\x00garbage", "base.tfstate.tflock")
    told = lent.ngp.call("state", "list", "dev")
    assert told.exit_code == 0, told.stderr
    assert "not in the form of Terraform's locks" in told.stdout
    (fact, _) = lent.ngp.call("state", "list", "dev", "--json").document["states"]
    assert fact["locked_by"]["place"] == f"s3://{lent.bucket}/environments/dev/base.tfstate.tflock"


def test_a_number_of_100000_digits_is_read_and_shown_whole(lent):
    lent.render()
    assert apply(lent).exit_code == 0
    key = "environments/dev/base.tfstate"
    state = json.loads(lent.session.object(lent.bucket, key))
    state["outputs"]["big"] = {"value": "BIG", "type": "number"}
    digits = "1" + "0" * 99_999
    lent.session.put_object(lent.bucket, key, json.dumps(state).replace('"BIG"', digits).encode())
    shown = lent.ngp.call("output", "dev", "base", "--name", "big", "--raw")
    assert (shown.exit_code, shown.stdout.strip()) == (0, digits), shown.stderr
    planned = lent.ngp.call("plan", "dev", "--json")
    assert planned.exit_code == 0, planned.stdout[-500:] + planned.stderr[-500:]
