"""The table of exit codes: each code reached by a real situation, on a small platform with real Terraform."""

import os
import signal

import pytest

from ngp import files
from ngp.cli import reference

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
SHOWN_ELSEWHERE = {
    4: "comes with bundles",
    70: "a bug cannot be had on demand: tests/unit/cli",
}
REACHED = {0, 1, 2, 3, 5, 64, 69, 130, 141, 143}


def test_this_file_reaches_every_code_of_the_page():
    assert REACHED | SHOWN_ELSEWHERE.keys() == reference.EXIT_CODES.keys()


def test_0_success_with_and_without_changes(shared_platform, ngp):
    assert ngp.run("graph", "dev").exit_code == 0
    assert ngp.run("plan", "dev").exit_code == 0


def test_2_changes_only_where_asked_for(shared_platform, ngp):
    done = ngp.run("plan", "dev", "-detailed-exitcode", "--json")
    assert done.exit_code == done.document["exit_code"] == 2
    assert [unit["counts"]["create"] for unit in done.document["units"]] == [1, 1]


def test_1_a_check_found_something(platform, ngp):
    assert ngp.run("render", "--check").exit_code == 1


def test_1_a_unit_failed(platform, ngp):
    values = platform / "environments" / "dev" / "terraform.tfvars"
    values.write_text(values.read_text() + 'app = {\n  command = "exit 7"\n}\n')
    ngp.run("render")
    done = ngp.run("apply", "dev", "--auto-approve", "--json")
    assert done.exit_code == 1
    assert [unit["outcome"] for unit in done.document["units"]] == ["applied", "failed"]


def test_3_a_protected_environment(shared_platform, ngp):
    done = ngp.run("apply", "prod", "--auto-approve", "--json")
    assert done.exit_code == 3
    assert done.document["error"]["code"] == "refused"


def test_5_another_ngp_is_at_work(shared_platform, ngp):
    with files.lock(shared_platform / ".ngp" / "locks" / "dev.lock", purpose="ngp apply dev"):
        done = ngp.run("plan", "dev")
    assert done.exit_code == 5
    assert f"`ngp apply dev` in process {os.getpid()}" in done.stderr


WRONG = [
    (["plan", "dve"], {}, "did you mean `dev`?"),
    (["plan", "dev", "bsae"], {}, "did you mean `base`?"),
    (["plan", "dev", "--detailed-exit"], {}, "did you mean `--detailed-exitcode`?"),
    (["plann", "dev"], {}, "did you mean `plan`?"),
    (["plan", "dev"], {"NGP_PARALLELISM": "many"}, "NGP_PARALLELISM"),
    (["plan", "dev"], {"NGP_DETAILED_EXITCODE": "perhaps"}, "NGP_DETAILED_EXITCODE"),
    (["plan", "dev"], {"TF_VAR_cidr": "10.0.0.0/8"}, "TF_VAR_cidr"),
    (["apply", "dev"], {}, "--auto-approve"),
    (["apply", "dev"], {"NGP_AUTO_APPROVE": "1"}, "--auto-approve"),
    (["destroy", "dev"], {}, "--auto-approve"),
    (["plan", "dev", "-target=module.base.terraform_data.x"], {}, "name the unit"),
    (["apply", "dev", "--auto-approve", "--", "-destroy"], {}, "`ngp destroy`"),
]


@pytest.mark.parametrize(("argv", "env", "said"), WRONG)
def test_64_what_the_operator_wrote_is_wrong(shared_platform, ngp, argv, env, said):
    runs = shared_platform / ".ngp" / "runs"
    before = sorted(runs.glob("*"))
    done = ngp.run(*argv, env=env)
    assert done.exit_code == 64
    assert said in done.stderr
    assert sorted(runs.glob("*")) == before, "64 comes before any unit starts"


def test_an_address_needs_no_unit_where_there_is_one_root(platform, ngp):
    path = platform / "environments" / "dev" / "environment.yaml"
    path.write_text("state: single\n" + path.read_text())
    assert ngp.run("render").exit_code == 0
    done = ngp.run("plan", "dev", "-target=module.base", "--json")
    assert done.exit_code == 0
    assert done.document["units"][0]["counts"]["create"] == 1


def test_69_terraform_is_missing(platform, ngp):
    ngp.run("render")
    (platform / "ngp.yaml").write_text("name: small\nstate: local\nterraform: tofu\n")
    done = ngp.run("plan", "dev", env={"PATH": str(platform)})
    assert done.exit_code == 69
    assert "tofu" in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_130_and_143_an_interrupted_run_ends_what_is_under_way(platform, ngp, number, code):
    values = platform / "environments" / "dev" / "terraform.tfvars"
    values.write_text(values.read_text() + 'app = {\n  command = "sleep 20"\n}\n')
    ngp.run("render")
    process = ngp.start("apply", "dev", "--auto-approve")
    for line in process.stderr:
        if line.startswith("app: apply"):
            break
    process.send_signal(number)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == code
    assert "next: ngp apply dev, to go on" in stdout


def test_141_whoever_read_stdout_went_away(shared_platform, ngp):
    process = ngp.start("graph", "dev", "--json")
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=30) == 141
