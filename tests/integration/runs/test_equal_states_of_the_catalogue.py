"""Modules of the catalogue on the sandbox: what is applied together and what is applied apart leave equal states."""

import json
import shutil

import pytest

from ngp import files
from ngp.aws import access
from ngp.aws.session import Session
from ngp.catalogue.module import ModuleStatus
from ngp.environments import drafting, drafts, platforms
from ngp.runs.results import Outcome
from ngp.sandbox import server
from tests import compositions
from tests.harness import ROOT
from tests.integration.runs.acting import apply
from tests.integration.runs.region import Region

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox, pytest.mark.slow]

ENVIRONMENT = """
target: sandbox
account: "123456789012"
region: eu-central-1
domain: dev.example.test
"""
LENGTHY = {"elk"}  # the provider waits for an OpenSearch domain for many minutes, in the sandbox too
QUICK = {"network", "openvpn", "ecr"}  # no load balancer and no lifecycle of a bucket: a minute of waiting each
TOGETHER, APART = "123456789012", "210987654321"


@pytest.fixture(scope="module")
def some(tmp_path_factory):
    """An environment of a few modules that take each other's outputs."""
    region = lay(tmp_path_factory.mktemp("some"), QUICK)
    yield region
    server.stop(region.path / ".ngp")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An environment of every module but legacy and lengthy ones."""
    modules = compositions.catalogue().modules
    stable = {name for name, module in modules.items() if module.manifest.status is ModuleStatus.STABLE}
    region = lay(tmp_path_factory.mktemp("whole"), stable - LENGTHY)
    yield region
    server.stop(region.path / ".ngp")


def lay(folder, names):
    """A platform with one environment of these modules, their values those of NAME.dummy."""
    region = Region(folder / "platform", folder / "home")
    shutil.copytree(ROOT / "modules", region.path / "modules", ignore=shutil.ignore_patterns(".terraform*"))
    shutil.copy(ROOT / ".terraform.lock.hcl", region.path)
    region.write("ngp.yaml", "name: lab\n")
    region.write("environments/dev/environment.yaml", ENVIRONMENT)
    settings = {("elasticache", "authentication"): "network"} if "elasticache" in names else {}
    choice = drafts.Choice(units={name: name for name in names}, settings=settings, dummies=True)
    draft = drafting.prepare(drafts.read(platforms.load(region.path), "dev"), choice)
    assert (draft.findings, draft.questions) == ((), ())
    files.write_all(dict(draft.files))
    return region


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


def test_states_of_some_modules_are_equal_in_both_directions(some):
    require_equal(some)


@pytest.mark.whole
@pytest.mark.timeout(7200)
def test_states_of_every_module_are_equal_in_both_directions(whole):
    require_equal(whole)


def require_equal(region):
    """Apply together and apart, in two accounts. States are equal, and neither finds the other's work undone."""
    use(region, TOGETHER)
    assert others(region, Outcome.APPLIED) == {}
    use(region, APART)
    assert others(region, Outcome.APPLIED, is_apart=True) == {}
    apart = states(region, APART)
    together = states(region, TOGETHER)
    assert together.keys() == apart.keys()
    for key in together:
        assert skeleton(together[key]) == skeleton(apart[key]), key
    assert others(region, Outcome.NO_CHANGES) == {}
    assert states(region, APART) == apart
    use(region, TOGETHER)
    assert others(region, Outcome.NO_CHANGES, is_apart=True) == {}
    assert states(region, TOGETHER) == together


def others(region, expected, **way):
    """The units that an apply leaves otherwise than expected, each with the reason."""
    results = apply(region, **way)
    return {
        name: (one.outcome.value, one.reason, [change.address for change in one.changes][:5])
        for name, one in results.items()
        if one.outcome is not expected
    }
