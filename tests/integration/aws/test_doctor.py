"""`ngp doctor` on a real target, played by the emulator: each prerequisite there, missing, or somebody else's."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ngp import settings
from ngp.aws import access
from ngp.aws.session import Session
from ngp.environments import documents, platforms
from ngp.runs import prerequisites
from ngp.state import bucket
from ngp.state.locations import StateLocation
from tests.harness import new_account

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
ROOT = Path(__file__).parents[3]
ACCOUNT = new_account()
BUCKET = f"small-tfstate-{ACCOUNT}-eu-central-1"


@pytest.fixture
def environment(platform):
    for folder in ("environments", "templates"):
        shutil.rmtree(platform / folder)
    (platform / "ngp.yaml").write_text("name: small\n")
    shutil.copy(ROOT / ".terraform.lock.hcl", platform)
    folder = platform / "environments" / "stage"
    folder.mkdir(parents=True)
    (folder / "environment.yaml").write_text(
        f'target: aws\naccount: "{ACCOUNT}"\nregion: eu-central-1\ndomain: doctor.example\nunits: {{base: {{}}}}\n'
    )
    (folder / "terraform.tfvars").write_text('base = {\n  cidr = "10.0.0.0/16"\n}\n')
    with (platform / "modules" / "base" / "module.yaml").open("a") as manifest:
        manifest.write("preflight: [quota:vpc/L-F678F1CE, quota:rds/L-7B6409FD]\n")
    return platform


@pytest.fixture
def emulated(sandbox, mocker):
    """Real AWS, as far as ngp can tell: only the guard against endpoints is stood aside."""

    def real(environ, region):
        return access.sandbox({}, sandbox.url, region, environ.get("AWS_ACCESS_KEY_ID", ACCOUNT))

    mocker.patch.object(access, "real", real)
    return Session(real({}, "eu-central-1"))


def account_checks(platform_path, **environ):
    platform = platforms.load(platform_path)
    surroundings = settings.read()
    surroundings = replace(surroundings, environ={**surroundings.environ, **environ})
    found = prerequisites.check(platform, documents.load(platform, "stage"), surroundings)
    names = ("credentials", "hosted zone", "state bucket", "quota", "modules")
    return {check.name: check for check in found if check.name in names}


def test_doctor_without_credentials_says_how_to_get_them(environment, ngp):
    done = ngp.run("doctor", "stage", env={"AWS_EC2_METADATA_DISABLED": "true"})
    assert done.exit_code == 69
    assert "missing  credentials:  no AWS credentials found" in done.stdout
    assert "AWS_ACCESS_KEY_ID" in done.stdout
    assert "hosted zone" not in done.stdout


def test_doctor_refuses_the_way_from_a_real_target_to_a_sandbox(environment, ngp):
    done = ngp.run("doctor", "stage", "--json", env={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    document = json.loads(done.stdout)
    assert (done.exit_code, document["exit_code"]) == (69, 69)
    failed = [check for check in document["checks"] if not check["ok"]]
    assert [check["name"] for check in failed] == ["credentials"]
    assert "AWS_ENDPOINT_URL is set" in failed[0]["says"]


def test_doctor_finds_a_zone_and_a_bucket_missing_and_then_there(environment, emulated):
    checks = account_checks(environment)
    assert checks["credentials"].is_ok
    assert "no public hosted zone for doctor.example" in checks["hosted zone"].says
    assert "create-hosted-zone --name doctor.example" in checks["hosted zone"].findings[0].todo
    assert f"{BUCKET} does not exist" in checks["state bucket"].says
    assert checks["state bucket"].findings[0].todo.startswith("ngp state bootstrap stage")

    emulated.call("route53", "create_hosted_zone", Name="doctor.example", CallerReference="1")
    place = StateLocation("s3", BUCKET, "", "eu-central-1")
    bucket.bootstrap(emulated, bucket.plan(emulated, place))
    checks = account_checks(environment)
    assert all(check.is_ok for check in checks.values())
    assert checks["state bucket"].says == f"s3://{BUCKET}"

    emulated.call("s3", "put_bucket_versioning", Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    assert "lacks versioning" in account_checks(environment)["state bucket"].says


@pytest.mark.usefixtures("emulated")
def test_doctor_looks_at_the_quotas_that_modules_name(environment):
    platform = platforms.load(environment)
    found = prerequisites.check(platform, documents.load(platform, "stage"), settings.read())
    unknown, known = [check for check in found if check.name == "quota"]
    assert unknown.says.startswith("rds/L-7B6409FD: AWS does not report it (NoSuchResourceException: ")
    assert known.says == "VPCs per Region (vpc/L-F678F1CE): 5, AWS counts no use, for base"
    assert unknown.is_ok
    assert known.is_ok


@pytest.mark.usefixtures("emulated")
def test_doctor_does_not_look_at_the_modules_of_an_environment_that_is_not_complete(environment):
    (environment / "environments" / "stage" / "terraform.tfvars").unlink()
    assert "ngp validate stage" in account_checks(environment)["modules"].says


def test_ready_asks_what_the_state_puts_out(environment, emulated, sandbox, ngp):
    with (environment / "modules" / "base" / "module.yaml").open("a") as manifest:
        manifest.write('ready: [{kind: http, target: "{vpc_id}/moto-api/", expect: "200"}]\n')
    waiting = ngp.call("ready", "stage", "--no-wait")
    assert waiting.exit_code == 1
    assert "not ready  base: {vpc_id}/moto-api/ the output vpc_id does not exist yet" in waiting.stdout
    bucket.bootstrap(emulated, bucket.plan(emulated, StateLocation("s3", BUCKET, "", "eu-central-1")))
    state = {"version": 4, "serial": 1, "lineage": "x", "terraform_version": "1.11.4", "resources": []}
    outputs = {"vpc_id": {"value": sandbox.url, "type": "string"}}
    emulated.put_object(BUCKET, "environments/stage/base.tfstate", json.dumps({**state, "outputs": outputs}).encode())
    document = ngp.call("ready", "stage", "--json").document
    assert document["exit_code"] == 0
    (check,) = document["checks"]
    assert (check["unit"], check["is_ready"], check["says"]) == ("base", True, "answers 200")


@pytest.mark.usefixtures("emulated")
def test_doctor_of_another_account_stops_there(environment):
    checks = account_checks(environment, AWS_ACCESS_KEY_ID="666666666666")
    assert list(checks) == ["credentials"]
    assert "666666666666" in checks["credentials"].says
    assert ACCOUNT in checks["credentials"].says


def test_doctor_of_the_platform_alone_asks_for_no_account(environment, ngp):
    done = ngp.run("doctor", "--json")
    document = json.loads(done.stdout)
    assert [check["name"] for check in document["checks"]] == [
        "shell",
        "terraform",
        "providers",
        "templates",
        "sandbox",
    ]
    assert "next: ngp doctor ENV" in ngp.run("doctor").stderr


def test_doctor_in_the_folder_of_an_environment_looks_at_its_account(environment, ngp):
    done = ngp.run("-C", str(environment / "environments" / "stage"), "doctor", "--json")
    assert json.loads(done.stdout)["environment"] == "stage"
    assert json.loads(ngp.run("doctor", "--json", env={"NGP_ENV": "stage"}).stdout)["environment"] == "stage"


def test_doctor_tells_the_end_of_the_tools_beside_their_versions_and_passes(environment, ngp, monkeypatch):
    from ngp.catalogue import support

    def told():
        checks = json.loads(ngp.call("doctor", "--json").stdout)["checks"]
        return [(each["ok"], each["says"]) for each in checks if each["name"] in ("terraform", "providers")]

    assert [said.endswith("version 6 appeared in June 2025") for _, said in told()] == [False, True]
    monkeypatch.setattr(support, "describe", lambda product, version, today: f"the end of {product} {version} is near")
    (passes, terraform), (also_passes, providers) = told()
    assert (passes, also_passes) == (True, True)
    works = r"(?:it works, but )?"
    assert re.search(
        rf"(terraform|tofu) (1\.\S+)( .*)?, .*; {works}the end of (terraform|opentofu) \2 is near$", terraform
    )
    assert re.search(r"aws (\S+) .*; the end of aws-provider \1 is near$", providers)


def test_doctor_names_an_overridden_template_and_a_variable_in_the_way(environment, ngp):
    (environment / "templates" / "root").mkdir(parents=True)
    (environment / "templates" / "root" / "main.tf.j2").write_text("")
    done = ngp.run("doctor", env={"TF_VAR_x": "1"})
    assert "the platform replaces templates/root/main.tf.j2" in done.stdout
    assert "missing  shell:" in done.stdout
    assert "unset TF_VAR_x" in done.stdout
    assert done.exit_code == 69


def test_versions_whose_support_ends_are_told_with_their_units(platform, ngp, monkeypatch, as_published):
    from datetime import date

    from ngp.catalogue import support

    shutil.copytree(ROOT / "modules" / "kubernetes", ngp.cwd / "modules" / "kubernetes")
    (ngp.cwd / "environments/dev/environment.yaml").write_text(
        'target: sandbox\naccount: "123456789012"\nregion: eu-central-1\ndomain: dev.example\nunits: {kubernetes: {}}\n'
    )
    (ngp.cwd / "environments/dev/terraform.tfvars").write_text(
        'pre_tag = "abc"\npost_tag = "dev"\nkubernetes = {\n  kubernetes_version = "1.35"\n  vpc_id = "vpc-1"\n'
        '  vpc_cidr = "10.0.0.0/16"\n  private_subnet_ids = ["a", "b"]\n  alarm_topic_arn = ""\n'
        '  admin_principal_arns = ["arn:aws:iam::123456789012:role/r"]\n}\n'
    )

    def told(day):
        monkeypatch.setattr(support, "today", lambda: date.fromisoformat(day))
        outcome = ngp.call("doctor", "dev", "--json")
        document = as_published(json.loads(outcome.stdout))
        return outcome.exit_code, [each for each in document["checks"] if each["name"] == "support"]

    says = "no software that the modules install loses standard support within 180 days"
    assert told("2026-06-01") == (0, [{"name": "support", "ok": True, "says": says, "findings": []}])
    code, [near] = told("2026-11-30")
    assert (code, near["ok"]) == (0, True)
    assert near["says"].endswith("1.35 ends on 2027-03-27, in 117 days, for kubernetes")
    code, [late] = told("2027-01-15")
    assert (code, late["ok"]) == (69, False)
    assert late["findings"][0]["hint"].startswith("upgrade kubernetes")
