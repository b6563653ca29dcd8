"""Right account, right region, and no way from one to the other.

The pure halves are in tests/unit/aws/test_access.py; wrong credentials, STS and zones in test_bad_input.py; plain
Terraform on a hand-written root in aws/test_plain_terraform.py.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ngp.aws import access
from ngp.aws.session import Session
from ngp.sandbox import seed

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = sorted(path.name for path in (ROOT / "environments").iterdir())
YAML = "environments/dev/environment.yaml"
ACTING = (["plan", "dev"], ["apply", "dev", "--auto-approve"], ["destroy", "dev", "--auto-approve"])


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_allowed_account_ids_stand_in_every_root_for_provider_and_backend(environment):
    folder = ROOT / "environments" / environment
    account = re.search(r'account: "(\d{12})"', (folder / "environment.yaml").read_text())[1]
    roots = sorted(folder.glob("units/*/versions.tf"))
    assert len(roots) == 5
    for path in roots:
        text = path.read_text()
        backend, provider = text.split('provider "aws"')
        for block in (backend, provider):
            assert re.findall(r"allowed_account_ids *= *(.*)", block) == [f'["{account}"]'], path


@pytest.fixture
def dev(lay_repository, tmp_path):
    return lay_repository(tmp_path / "platform")


def terraform(root, env, *argv):
    whole = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "CHECKPOINT_DISABLE": "1", **env}
    done = subprocess.run(["terraform", *argv], cwd=root, env=whole, capture_output=True, text=True, timeout=300)
    return done.returncode, " ".join((done.stdout + done.stderr).replace("│", " ").split())


@pytest.mark.terraform
@pytest.mark.sandbox
@pytest.mark.slow
def test_plain_terraform_in_a_rendered_root_is_refused_with_keys_of_another_account(dev, sandbox, mirror_of_providers):
    ours, theirs = "123456789012", "999999999999"
    envs = {account: access.sandbox({}, sandbox.url, "eu-central-1", account) for account in (ours, theirs)}
    bucket = f"ngp-tfstate-{ours}-eu-central-1"
    seed.seed(Session(envs[ours]), region="eu-central-1", domain="dev.example.test", bucket=bucket)
    root = dev / "environments" / "dev" / "units" / "network"
    init = ("init", "-input=false", "-no-color", f"-plugin-dir={mirror_of_providers}", "-lockfile=readonly")
    refused = f"AWS account ID not allowed: {theirs}"

    code, said = terraform(root, envs[theirs], *init)
    assert (code, refused in said) == (1, True), said  # the backend
    assert terraform(root, envs[ours], *init)[0] == 0
    for argv in (("plan",), ("apply", "-auto-approve")):
        code, said = terraform(root, envs[theirs], *argv, "-no-color", "-input=false")
        assert (code, refused in said) == (1, True), said
    (root / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')  # and without a backend
    shutil.rmtree(root / ".terraform")
    assert terraform(root, envs[theirs], *init)[0] == 0
    code, said = terraform(root, envs[theirs], "plan", "-no-color", "-input=false")
    assert (code, refused in said) == (1, True), said  # the provider
    assert Session(envs[ours]).keys(bucket, "") == []


# What a shell may hold of somebody's real AWS. No value of it may reach a process of a sandbox run.
HOSTILE = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "IQoJb3JpZ2luX2VjEXAMPLE",
    "AWS_SECURITY_TOKEN": "IQoJb3JpZ2luX2VjEXAMPLE2",
    "AWS_PROFILE": "production",
    "AWS_DEFAULT_PROFILE": "production-too",
    "AWS_REGION": "us-gov-west-1",
    "AWS_DEFAULT_REGION": "us-gov-east-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:10",
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:11",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
    "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/admin",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/run/hostile/token",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:12/credentials",
    "AWS_S3_ENDPOINT": "http://127.0.0.1:13",
    "AWS_STS_ENDPOINT": "http://127.0.0.1:14",
    "AWS_METADATA_URL": "http://127.0.0.1:15",
    "HTTP_PROXY": "http://127.0.0.1:16",
    "http_proxy": "http://127.0.0.1:16",
}
SANDBOXED = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
}
CONFIGURATION = """
[profile production]
region = us-east-1
endpoint_url = http://127.0.0.1:17
[default]
endpoint_url = http://127.0.0.1:17
"""
CREDENTIALS = "[production]\naws_access_key_id = AKIAFROMTHEFILE00000\naws_secret_access_key = fromthefile\n"


@pytest.fixture
def hostile(tmp_path):
    """Somebody's shell: real-looking keys, a profile, endpoints in variables and in the files below HOME."""
    folder = tmp_path / "somebody" / ".aws"
    folder.mkdir(parents=True)
    (folder / "config").write_text(CONFIGURATION)
    (folder / "credentials").write_text(CREDENTIALS + CREDENTIALS.replace("production", "default"))
    files = {"AWS_CONFIG_FILE": str(folder / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials")}
    return {"HOME": str(folder.parent), **files, **HOSTILE}


@pytest.mark.terraform
@pytest.mark.sandbox
def test_a_sandbox_run_has_dummy_keys_no_profile_and_only_the_sandboxs_endpoint(lent, sandbox, witness, hostile):
    path, records = witness
    lent.render()
    for argv in (["apply", "dev", "base", "--auto-approve"], ["destroy", "dev", "base", "--auto-approve"]):
        done = lent.ngp.run(*argv, env={**hostile, "PATH": path})
        assert done.exit_code == 0, done.stderr
    assert {len(records(verb)) > 0 for verb in ("init", "plan", "show", "apply")} == {True}
    for environ in records():
        told = {name: value for name, value in environ.items() if name.startswith("AWS_")}
        assert not set(told.values()) & {value for name, value in hostile.items() if name.startswith("AWS_")}
        assert not [name for name in told if "PROFILE" in name or "TOKEN" in name or "ROLE" in name]
    for environ in (each for verb in ("init", "plan", "show", "apply") for each in records(verb)):
        told = {name: value for name, value in environ.items() if name.startswith("AWS_")}
        assert told.keys() - {"AWS_CA_BUNDLE"} == SANDBOXED  # whom this machine trusts is not whom it talks to
        assert (told["AWS_ACCESS_KEY_ID"], told["AWS_SECRET_ACCESS_KEY"]) == (lent.account, "sandbox")
        assert told["AWS_ENDPOINT_URL"] == sandbox.url
        assert told["AWS_REGION"] == told["AWS_DEFAULT_REGION"] == "eu-central-1"
        assert told["AWS_CONFIG_FILE"] == told["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
        assert "127.0.0.1" in environ["NO_PROXY"].split(",")
    assert lent.session.keys(lent.bucket, "environments/dev/base.tfstate")  # it went to the sandbox, and nowhere else


@pytest.mark.terraform
def test_a_real_run_has_the_shells_credentials_the_environments_region_and_no_endpoint(trial, witness, hostile):
    """Terraform's own environment; with a state on the disk a plan of this platform asks AWS for nothing."""
    path, records = witness
    trial.edit(YAML, "target: sandbox", "target: aws")
    trial.render()
    shell = {name: value for name, value in hostile.items() if not name.startswith("AWS_ENDPOINT_URL")}
    done = trial.ngp.run("plan", "dev", env={**shell, "PATH": path})
    assert done.exit_code == 0, done.stderr
    for environ in (each for verb in ("init", "plan", "show") for each in records(verb)):
        assert environ["AWS_ACCESS_KEY_ID"] == HOSTILE["AWS_ACCESS_KEY_ID"]
        assert environ["AWS_PROFILE"] == "production"
        assert environ["AWS_REGION"] == environ["AWS_DEFAULT_REGION"] == "eu-central-1"
        assert environ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] == "true"
        assert [name for name in environ if "ENDPOINT" in name] == ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]


@pytest.mark.terraform
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SECRETS_MANAGER"])
@pytest.mark.parametrize(
    "argv", [*ACTING, ["output", "dev"], ["status", "dev"], ["state", "list", "dev"]], ids=" ".join
)
def test_a_real_target_refuses_endpoints_of_the_shell(trial, argv, name):
    trial.edit("ngp.yaml", "state: local\n", "")
    trial.edit(YAML, "target: sandbox", "target: aws")
    trial.render()
    says = [f"{name} is set", f"{name}=http://127.0.0.1:9", "target is a real account", f"unset {name}"]
    trial.refused(*argv, code=3, says=says, env={name: "http://127.0.0.1:9"})


BEHIND = [
    "TF_VAR_cidr",
    "TF_CLI_ARGS",
    "TF_CLI_ARGS_plan",
    "TF_CLI_ARGS_apply",
    "TF_WORKSPACE",
    "TF_REATTACH_PROVIDERS",
]


@pytest.mark.terraform
@pytest.mark.parametrize("argv", ACTING, ids=" ".join)
def test_what_would_change_terraform_behind_our_back_is_refused_all_at_once(trial, argv):
    trial.render()
    done = trial.refused(*argv, code=64, says=["TF_WORKSPACE", "environment"], env=dict.fromkeys(BEHIND, "x"))
    found = {finding["hint"]: finding for finding in done.document["error"]["findings"]}
    assert found.keys() == {f"unset {name}" for name in BEHIND}
    assert not (trial.path / ".ngp" / "runs").exists()


@pytest.mark.terraform
@pytest.mark.sandbox
@pytest.mark.parametrize("verb", ["apply", "destroy"])
def test_a_protected_environment_is_planned_and_nothing_else(lent, verb):
    lent.render()
    make = "ngp plan prod --out" if verb == "apply" else "ngp destroy prod --out"
    says = ["`prod` is protected", "ngp.yaml", "an approved bundle", make, "ngp bundle approve"]
    lent.refused(verb, "prod", "--auto-approve", code=3, says=says)
    assert lent.ngp.call("graph", "prod").exit_code == 0


# Offline: no credentials, no home, and every way out ends at a closed port.
DOUBTS = {"stage": [("environments/stage/terraform.tfvars", "swarm")]}  # three managers in two zones: it costs less
OFFLINE = {
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
}


def tree(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not {".git", ".ngp"} & set(path.relative_to(folder).parts)
    }


@pytest.mark.terraform
@pytest.mark.slow
@pytest.mark.usefixtures("mirror_of_providers")
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_environments_of_this_repository_are_rendered_and_valid_without_network_and_credentials(
    dev, ngp_in, tmp_path, environment
):
    """Of these `stage` and `prod` are for real accounts: nothing is asked of AWS to know that they are valid."""
    (tmp_path / "empty").mkdir()
    ngp, offline, before = ngp_in(dev), {**OFFLINE, "HOME": str(tmp_path / "empty")}, tree(dev)
    checked = ngp.run("render", "--check", "--json", env=offline)
    assert (checked.exit_code, checked.document["is_stale"]) == (0, False), checked.stderr
    valid = ngp.run("validate", environment, "--json", env=offline)
    assert valid.exit_code == 0, valid.stdout + valid.stderr
    document = valid.document
    doubts = document.pop("warnings")
    assert [(each["file"], each["what"].partition(":")[0]) for each in doubts] == DOUBTS.get(environment, [])
    assert document == {
        "schema": "ngp.validate/1",
        "environments": [environment],
        "terraform": True,
        "findings": [],
    }
    assert valid.stderr.count(": valid") == 5
    assert tree(dev) == before


def test_stage_and_prod_are_for_real_accounts_of_their_own():
    texts = {name: (ROOT / "environments" / name / "environment.yaml").read_text() for name in ENVIRONMENTS}
    targets = {name: re.search(r"target: (\w+)", text)[1] for name, text in texts.items()}
    assert targets == {"dev": "sandbox", "prod": "aws", "stage": "aws"}
    assert len({re.search(r'account: "(\d{12})"', text)[1] for text in texts.values()}) == 3
