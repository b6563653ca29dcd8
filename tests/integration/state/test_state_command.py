"""`ngp state` as it is typed."""

import json
import shutil
from pathlib import Path

import pytest

from ngp.aws import access
from ngp.aws.session import Session
from ngp.state import bucket
from ngp.state.locations import StateLocation
from tests.harness import new_account

pytestmark = pytest.mark.sandbox
ROOT = Path(__file__).parents[3]
STATE = {
    "version": 4,
    "serial": 7,
    "lineage": "a-b",
    "terraform_version": "1.11.4",
    "outputs": {},
    "resources": [
        {
            "module": "module.base",
            "mode": "managed",
            "type": "terraform_data",
            "name": "mark",
            "instances": [{"attributes": {"input": "s3cr3t"}}],
        }
    ],
}
LOCK = {"ID": "1-2", "Who": "ann@laptop", "Operation": "OperationTypeApply", "Created": "2026-11-01T10:00:00Z"}
FILES = {
    "ngp.yaml": "name: small\n",
    "modules/base/module.yaml": "title: Base\nsummary: A mark\ncategory: network\n",
    "modules/base/base.tf": 'resource "terraform_data" "mark" {\n  input = var.mark\n}\n',
    "modules/base/base-variables.tf": 'variable "mark" {\n  type        = string\n  description = "A mark"\n}\n',
    "modules/base/base-output.tf": "",
    "modules/base/base.dummy": 'mark = "x"\n',
    "environments/dev/terraform.tfvars": 'base = {\n  mark = "x"\n}\n',
    "environments/dev/environment.yaml": 'target: sandbox\naccount: "ACCOUNT"\nregion: eu-central-1\n'
    "domain: demo.example\nunits: {base: {}}\n",
}


@pytest.fixture
def region(platform, sandbox):
    """A platform that finds the test session's sandbox running, with an account of its own."""
    for folder in ("environments", "modules", "templates"):
        shutil.rmtree(platform / folder)
    account = new_account()
    for name, text in FILES.items():
        (platform / name).parent.mkdir(parents=True, exist_ok=True)
        (platform / name).write_text(text.replace("ACCOUNT", account))
    return Session(access.sandbox({}, sandbox.url, "eu-central-1", account))


def bucket_of(session):
    return f"small-tfstate-{session.account_id()}-eu-central-1"


def test_states_are_listed_and_shown_without_a_value(region, platform, ngp):
    place = StateLocation("s3", bucket_of(region), "environments/dev/base.tfstate", "eu-central-1")
    bucket.bootstrap(region, bucket.plan(region, place))
    assert "base: no state yet" in ngp.call("state", "list", "dev").stdout

    region.put_object(place.bucket, place.key, json.dumps(STATE).encode())
    region.put_object(place.bucket, f"{place.key}.tflock", json.dumps(LOCK).encode())
    listed = ngp.call("state", "list", "dev")
    assert listed.exit_code == 0
    assert "base: serial 7, 1 resource, locked by ann@laptop since 2026-11-01T10:00:00Z" in listed.stdout
    assert f"s3://{place.bucket}/{place.key}" in listed.stdout

    document = json.loads(ngp.call("state", "list", "dev", "--json").stdout)
    assert document["schema"] == "ngp.state.list/1"
    lock = {
        "id": "1-2",
        "who": "ann@laptop",
        "since": LOCK["Created"],
        "place": f"s3://{place.bucket}/{place.key}.tflock",
    }
    assert document["states"][0]["locked_by"] == lock

    shown = ngp.call("state", "show", "dev", "base")
    assert shown.stdout == "module.base.terraform_data.mark\n"
    assert json.loads(ngp.call("state", "show", "dev", "base", "--json").stdout)["serial"] == 7
    assert "s3cr3t" not in shown.stdout + shown.stderr
    assert ngp.call("state", "show", "dev", "bse").exit_code == 64


def test_bootstrap_shows_its_plan_and_acts_only_on_a_yes(region, platform, ngp, mocker):
    mocker.patch("ngp.sandbox.seed.seed")  # as in a real account: nobody has made the bucket yet
    place = StateLocation("s3", bucket_of(region), "", "eu-central-1")
    asked = ngp.call("state", "bootstrap", "dev")
    assert asked.exit_code == 64
    assert "create the state bucket" in asked.stderr
    assert "keep every version" in asked.stderr
    assert "--auto-approve" in asked.stderr
    assert not bucket.exists(region, place)

    made = ngp.call("state", "bootstrap", "dev", "--auto-approve", "--json")
    assert made.exit_code == 0
    assert made.document["created"] is True
    assert bucket.plan(region, place).is_empty

    again = ngp.call("state", "bootstrap", "dev")
    assert (again.exit_code, again.stdout) == (0, f"s3://{place.bucket}\n")
    assert "lacks nothing" in again.stderr


def test_bootstrap_of_a_platform_with_local_state_is_refused(region, platform, ngp):
    (platform / "ngp.yaml").write_text("name: small\nstate: local\n")
    done = ngp.call("state", "bootstrap", "dev", "--auto-approve")
    assert done.exit_code == 64
    assert "state in files" in done.stderr
    assert "base: no state yet" in ngp.call("state", "list", "dev").stdout


def test_state_of_a_sandbox_that_does_not_run_is_not_shown_as_empty(region, platform, ngp):
    (platform / ".ngp" / "sandbox" / "running.json").unlink()
    done = ngp.call("state", "list", "dev")
    assert done.exit_code == 69
    assert "not running" in done.stderr
