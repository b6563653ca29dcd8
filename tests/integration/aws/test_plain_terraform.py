"""Real Terraform and the real provider: guarded by account, reaching the sandbox by its environment alone."""

import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from ngp.aws import access
from ngp.aws.session import Session
from ngp.sandbox import seed
from ngp.state import reading
from ngp.state.locations import StateLocation

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox, pytest.mark.slow]
ROOT = Path(__file__).parents[3]
ACCOUNT, REGION, BUCKET = "210987654321", "eu-central-1", "plain-tfstate-210987654321-eu-central-1"
CONFIGURATION = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
  backend "s3" {
    bucket              = "%(bucket)s"
    key                 = "environments/dev/plain.tfstate"
    region              = "eu-central-1"
    encrypt             = true
    use_lockfile        = true
    allowed_account_ids = ["%(account)s"]
  }
}
provider "aws" {
  region              = "eu-central-1"
  allowed_account_ids = ["%(account)s"]
}
data "aws_caller_identity" "here" {}
data "aws_route53_zone" "zone" {
  name = "demo.example"
}
data "aws_ssm_parameter" "debian" {
  name = "/aws/service/debian/release/12/latest/amd64"
}
resource "aws_ssm_parameter" "mark" {
  name  = "/plain/mark"
  type  = "String"
  value = nonsensitive(data.aws_ssm_parameter.debian.value)
}
output "account" {
  value = data.aws_caller_identity.here.account_id
}
"""


@pytest.fixture(scope="module")
def plugins():
    """The machine's provider mirror, found as ngp finds it."""
    from ngp.terraform import lockfile, mirror

    lock = lockfile.load(ROOT / lockfile.NAME)
    places = mirror.Places(dict(os.environ), Path.home(), Path.home() / ".cache")
    found = mirror.find(lock, "linux_amd64", places)
    if found is None or found.folder is None:
        pytest.skip("only where this machine has a provider mirror")
    return found.folder


@pytest.fixture
def root(tmp_path, sandbox):
    session = Session(access.sandbox({}, sandbox.url, REGION, ACCOUNT))
    seed.seed(session, region=REGION, domain="demo.example", bucket=BUCKET)
    (tmp_path / "main.tf").write_text(CONFIGURATION % {"bucket": BUCKET, "account": ACCOUNT})
    shutil.copy(ROOT / ".terraform.lock.hcl", tmp_path)
    return tmp_path


def terraform(root, env, *argv):
    whole = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "CHECKPOINT_DISABLE": "1", **env}
    return subprocess.run(["terraform", *argv], cwd=root, env=whole, capture_output=True, text=True, timeout=300)


def test_root_reaches_the_sandbox_and_is_guarded_by_account(root, sandbox, plugins):
    env = access.sandbox({}, sandbox.url, REGION, ACCOUNT)
    session = Session(env)
    place = StateLocation("s3", BUCKET, "environments/dev/plain.tfstate", REGION)
    init = ("init", "-input=false", "-no-color", f"-plugin-dir={plugins}", "-lockfile=readonly")
    done = terraform(root, env, *init)
    assert done.returncode == 0, done.stderr
    done = terraform(root, env, "apply", "-auto-approve", "-no-color", "-input=false")
    assert done.returncode == 0, done.stderr
    assert ACCOUNT in done.stdout
    assert '"/plain/mark"' in reading.read(place, session)
    assert reading.holder(place, session) is None

    stranger = access.sandbox({}, sandbox.url, REGION, "123456789012")
    for argv in (("plan", "-no-color", "-input=false"), (*init, "-reconfigure")):
        refused = terraform(root, stranger, *argv)
        assert refused.returncode == 1
        assert "AWS account ID not allowed: 123456789012" in " ".join(refused.stderr.replace("│", " ").split())


def test_lock_that_terraform_holds_says_who(root, sandbox, plugins):
    env = access.sandbox({}, sandbox.url, REGION, ACCOUNT)
    session = Session(env)
    place = StateLocation("s3", BUCKET, "environments/dev/plain.tfstate", REGION)
    (root / "main.tf").open("a").write(
        'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n    command = "sleep 4"\n  }\n}\n'
    )
    assert terraform(root, env, "init", "-input=false", f"-plugin-dir={plugins}").returncode == 0
    apply = threading.Thread(target=terraform, args=(root, env, "apply", "-auto-approve", "-input=false"))
    apply.start()
    seen = []
    while apply.is_alive() and not seen:
        holder = reading.holder(place, session)
        if holder is not None:
            seen.append(holder)
        apply.join(0.1)
    apply.join()
    assert seen[0].operation == "OperationTypeApply"
    assert "@" in seen[0].who
    assert len(seen[0].id) == 36
    assert reading.holder(place, session) is None
