"""Modules of the catalogue on the sandbox: what is applied together and what is applied apart leave equal states."""

import json
import shutil

import pytest

from ngp.aws import access
from ngp.aws.session import Session
from ngp.runs.results import Outcome
from ngp.sandbox import server
from tests.integration.conftest import ROOT
from tests.integration.runs.conftest import Region
from tests.integration.runs.test_truthful_runs import apply

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox, pytest.mark.slow]

TOGETHER, APART = "123456789012", "210987654321"


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalogue")
    region = Region(folder / "platform", folder / "home")
    for name in ("modules", "environments/dev"):
        shutil.copytree(ROOT / name, region.path / name)
    shutil.copy(ROOT / ".terraform.lock.hcl", region.path)
    region.write("ngp.yaml", "name: lab\n")
    yield region
    server.stop(region.path / ".ngp")


def use(region, account):
    """Let the environment be that of another, empty account of the same sandbox."""
    path = region.path / "environments/dev/environment.yaml"
    text = path.read_text()
    for one in (TOGETHER, APART):
        text = text.replace(one, account)
    path.write_text(text)
    region.render()


def states(region, account):
    """The state of each unit in the account's bucket."""
    running = json.loads((region.path / ".ngp/sandbox/running.json").read_text())
    session = Session(access.sandbox({}, running["url"], "eu-central-1", account))
    bucket = f"lab-tfstate-{account}-eu-central-1"
    keys = [key for key in session.keys(bucket, "") if key.endswith(".tfstate")]
    return {key: json.loads(session.object(bucket, key)) for key in keys}


def skeleton(document):
    """All of a state but the values that differ between two accounts."""
    return {
        "resources": sorted(map(_resource, document["resources"]), key=lambda one: json.dumps(one, sort_keys=True)),
        "outputs": {name: (one["type"], one.get("sensitive")) for name, one in document["outputs"].items()},
        "checks": sorted(
            (one["config_addr"], one["status"], sorted(each["object_addr"] for each in one.get("objects") or ()))
            for one in document["check_results"] or ()
        ),
    }


def _resource(resource):
    instances = sorted(map(_instance, resource["instances"]), key=lambda one: str(one.get("index_key")))
    return {**resource, "instances": instances}


def _instance(instance):
    """Terraform names ephemeral resources without their module, so a split cannot tell whose they are."""
    own = [one for one in instance.get("dependencies") or () if not one.startswith("ephemeral.")]
    return {
        **{key: value for key, value in instance.items() if key != "private"},
        "attributes": sorted(instance["attributes"]),
        "dependencies": sorted(own),
        "sensitive_attributes": sorted(instance.get("sensitive_attributes") or (), key=str),
    }


def test_states_of_the_catalogue_are_equal_in_both_directions(catalogue):
    use(catalogue, TOGETHER)
    assert {one.outcome for one in apply(catalogue).values()} == {Outcome.APPLIED}
    use(catalogue, APART)
    assert {one.outcome for one in apply(catalogue, is_apart=True).values()} == {Outcome.APPLIED}
    apart = states(catalogue, APART)
    together = states(catalogue, TOGETHER)
    assert together.keys() == apart.keys()
    for key in together:
        assert skeleton(together[key]) == skeleton(apart[key]), key
    assert {one.outcome for one in apply(catalogue).values()} == {Outcome.NO_CHANGES}
    assert states(catalogue, APART) == apart
    use(catalogue, TOGETHER)
    assert {one.outcome for one in apply(catalogue, is_apart=True).values()} == {Outcome.NO_CHANGES}
    assert states(catalogue, TOGETHER) == together
