"""The table of exit codes: each code reached by a real situation, on a small platform with real Terraform."""

import json
import os
import signal
import time

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


def test_0_where_nothing_is_left_to_do_though_changes_were_asked_for(platform, ngp):
    ngp.run("render")
    assert ngp.run("apply", "dev", "--auto-approve").exit_code == 0
    done = ngp.run("plan", "dev", "-detailed-exitcode", "--json")
    assert done.exit_code == done.document["exit_code"] == 0
    assert [unit["outcome"] for unit in done.document["units"]] == ["no_changes", "no_changes"]


def test_2_changes_only_where_asked_for(shared_platform, ngp):
    done = ngp.run("plan", "dev", "-detailed-exitcode", "--json")
    assert done.exit_code == done.document["exit_code"] == 2
    assert [unit["counts"]["create"] for unit in done.document["units"]] == [1, 1]


def test_1_a_check_found_something(platform, ngp):
    assert ngp.run("render", "--check").exit_code == 1


def test_1_a_module_breaks_a_rule_of_the_catalogue(platform, ngp):
    done = ngp.run("module", "check", "app", "--json")
    assert done.exit_code == 1
    assert done.document["schema"] == "ngp.module.check/1"


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


def test_3_a_legacy_module_without_consent(platform, ngp):
    manifest = platform / "modules" / "base" / "module.yaml"
    manifest.write_text(manifest.read_text() + "status: legacy\n")
    ngp.run("render")
    done = ngp.run("apply", "dev", "--auto-approve", "--json", env={"NGP_ACCEPT_LEGACY": "1"})
    assert done.exit_code == 3
    assert "--accept-legacy" in done.document["error"]["findings"][0]["hint"]
    assert ngp.run("apply", "dev", "--auto-approve", "--accept-legacy").exit_code == 0


MORE = """
resource "terraform_data" "more" {
  count = fileexists("%(flag)s") ? 1 : 0
}
"""


def test_3_a_real_plan_that_does_more_than_was_previewed(platform, ngp):
    """While `base` is applied something appears that no digest covers, and `app` would make a resource of it."""
    flag = platform.parent / "flag"
    with (platform / "modules" / "app" / "app.tf").open("a") as app:
        app.write(MORE % {"flag": flag})
    base = platform / "modules" / "base" / "base.tf"
    sneak = f'  provisioner "local-exec" {{\n    command = "touch {flag}"\n  }}\n}}'
    base.write_text(base.read_text().rstrip().removesuffix("}") + sneak)
    ngp.run("render")
    done = ngp.run("apply", "dev", "--auto-approve", "--apart", "--json")
    assert done.exit_code == done.document["exit_code"] == 3, done.stderr
    first, second = done.document["units"]
    assert (first["outcome"], second["outcome"]) == ("applied", "refused")
    assert "module.app.terraform_data.more[0]: create was not previewed" in second["reason"]
    assert not (platform / ".ngp" / "state" / "dev" / "app.tfstate").exists()


HOLDER = {
    "ID": "9db590f1-b6fe-c5d4-2d39-2e3d1b1e4b8a",
    "Operation": "OperationTypeApply",
    "Info": "",
    "Who": "ana@laptop",
    "Version": "1.11.4",
    "Created": "2026-11-21T11:09:40Z",
    "Path": "",
}


def hold(trial, unit):
    """Somebody else's Terraform is at work on the unit's state in S3."""
    trial.ngp.run("state", "list", "dev")  # the sandbox's bucket is made when it is first looked at
    trial.session.put_object(trial.bucket, f"environments/dev/{unit}.tfstate.tflock", json.dumps(HOLDER).encode())


@pytest.mark.parametrize("verb", ["apply", "destroy"])
def test_5_the_state_is_locked(lent, verb):
    lent.render()
    if verb == "destroy":
        assert lent.ngp.run("apply", "dev", "--auto-approve").exit_code == 0
    hold(lent, "app")
    done = lent.ngp.run(verb, "dev", "--auto-approve", "--json")
    assert done.exit_code == done.document["error"]["exit_code"] == 5, done.stderr
    (finding,) = done.document["error"]["findings"]
    assert "the state of `app` is locked by ana@laptop since 2026-11-21" in finding["what"]
    assert "ngp unlock" in finding["hint"]
    held = lent.session.object(lent.bucket, "environments/dev/app.tfstate.tflock")
    assert json.loads(held) == HOLDER


def test_1_comes_before_5_where_units_end_differently(lent):
    """Two units of the first wave: the state of one is locked, the other fails."""
    facts, values = "environments/dev/environment.yaml", "environments/dev/terraform.tfvars"
    lent.edit(facts, "units:\n", "units:\n  broken: {module: app}\n")
    lent.edit(facts, "wiring:\n", "wiring:\n  broken: {vpc_id: other.vpc_id}\n")
    lent.edit(facts, "units:\n", "units:\n  other: {module: base}\n")
    lent.write(values, (lent.path / values).read_text() + 'other = {\n  cidr = "10.1.0.0/16"\n}\n')
    lent.render()
    assert lent.ngp.run("apply", "dev", "base", "other", "--auto-approve").exit_code == 0
    lent.write(values, (lent.path / values).read_text() + 'broken = {\n  command = "exit 7"\n}\n')
    lent.render()
    hold(lent, "app")
    done = lent.ngp.run("apply", "dev", "--auto-approve", "--apart", "--json")
    seen = {unit["unit"]: unit["outcome"] for unit in done.document["units"]}
    assert {seen["app"], seen["broken"]} == {"locked", "failed"}
    assert done.exit_code == done.document["exit_code"] == 1


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
    (["plan", "dev", "-target=terraform_data.x"], {}, "write UNIT:ADDRESS"),
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
    assert "next: ngp apply dev, to continue" in stdout


def test_143_comes_before_1_where_a_unit_had_failed(platform, ngp):
    """One unit has failed already when the signal comes; the other one is still at work."""
    facts, values = (platform / "environments" / "dev" / name for name in ("environment.yaml", "terraform.tfvars"))
    facts.write_text(
        facts.read_text()
        .replace("  app: {}", "  app: {}\n  broken: {module: app}")
        .replace("wiring:\n", "wiring:\n  broken: {vpc_id: base.vpc_id}\n")
    )
    values.write_text(values.read_text() + 'app = {\n  command = "sleep 60"\n}\nbroken = {\n  command = "exit 7"\n}\n')
    ngp.run("render")
    process = ngp.start("apply", "dev", "--auto-approve", "--json")
    seen = set()
    for line in process.stderr:
        seen |= {part for part in ("app: apply", "broken: apply") if line.startswith(part)}
        if len(seen) == 2:
            break
    time.sleep(5)
    process.send_signal(signal.SIGTERM)
    stdout, _ = process.communicate(timeout=60)
    document = json.loads(stdout)
    outcomes = {unit["unit"]: unit["outcome"] for unit in document["units"]}
    assert outcomes == {"base": "applied", "app": "stopped", "broken": "failed"}
    assert process.returncode == document["exit_code"] == 143


def test_141_whoever_read_stdout_went_away(shared_platform, ngp):
    process = ngp.start("graph", "dev", "--json")
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=30) == 141
