"""Every module of the catalogue, plainly and through the proxy, side by side in two sandboxes: they wait a lot."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from ngp.aws import access
from ngp.aws.session import Session
from ngp.catalogue import loading
from ngp.environments import documents, platforms
from ngp.sandbox import seed
from tests.comparing import require_equal
from tests.integration.proxy.lab import ACCOUNT, PROVIDER, REGION, ROOT, Lab, find_aws

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox, pytest.mark.slow]
FAILING = """
run "fails" {
  command = plan
  assert {
    condition     = var.pre_tag == "another"
    error_message = "It is ${var.pre_tag}."
  }
}
"""
MADE = ("network", "ecr", "openvpn", "swarm")  # what the others need; the rest of the catalogue is planned
VALUES = (  # of modules that dev has not
    "alb.hostname=shop",
    "alb.service_port=8080",
    "api-gateway.elasticache_endpoint=cache.example.com",
    "api-gateway.elasticache_port=6379",
    "api-gateway.elasticache_users={}",
    "dcos.ami_id=ami-0deb1200000000001",
    "dcos.installer_url=https://files.example.com/dcos_generate_config.sh",
    f"dcos.installer_sha256={'0' * 64}",
    'jenkins.client_cidrs=["192.0.2.0/24"]',
    f"elk.collector_archive_sha512={'0' * 128}",
    'kubernetes.admin_principal_arns=["arn:aws:iam::123456789012:role/operators"]',
)


@pytest.fixture
def catalogue(tmp_path, ngp_in):
    """A platform in which `dev` has a unit of every module, rendered."""
    path = tmp_path / "platform"
    shutil.copytree(ROOT / "modules", path / "modules")
    manifest = path / "modules" / "swarm" / "module.yaml"
    alone = re.sub(r"conflicts:\n(  .*\n)+", "conflicts: {}\n", manifest.read_text())
    assert alone != manifest.read_text()
    manifest.write_text(alone)  # Swarm beside DC/OS: here each root is planned by itself
    shutil.copy(ROOT / ".terraform.lock.hcl", path)
    (path / "ngp.yaml").write_text("name: lab\n")
    (path / "environments" / "dev").mkdir(parents=True)
    for name in ("environment.yaml", "terraform.tfvars"):
        shutil.copy(ROOT / "environments" / "dev" / name, path / "environments" / "dev")
    modules = [word for folder in loading.folders(path / "modules") for word in ("--module", folder.name)]
    values = [word for value in VALUES for word in ("--set", value)]
    for argv in (("configure", "dev", "--no-input", *modules, *values), ("render", "dev")):
        done = ngp_in(path).call(*argv)
        assert done.exit_code == 0, done.stderr
    return platforms.load(path)


def walk_catalogue(walk, environment):
    session = Session(access.sandbox({}, walk.lab.url, REGION, ACCOUNT))
    seed.seed(session, region=REGION, domain=environment.domain, bucket="")
    outputs, made = {}, []
    for unit in (*MADE, *sorted(environment.units.keys() - MADE)):
        wires = environment.wiring.get(unit, {})
        # A unit that is not made feeds nobody: VALUES stand in for it.
        fed = {name: source for name, source in wires.items() if source.unit in outputs}
        here = walk.at(unit, {name: outputs[source.unit].get(source.output) for name, source in fed.items()})
        here.init()
        if unit not in MADE:
            here.plan(f"{unit}: plan")
            continue
        assert here.make(unit).is_ok
        outputs[unit] = {name: one["value"] for name, one in here.state()["outputs"].items()}
        made.append((unit, here))
    for unit, here in reversed(made):
        here.make(f"{unit} gone", destroy=True)


@pytest.mark.whole
@pytest.mark.proves("applied", "network", "ecr", "openvpn", "swarm")
def test_modules_of_the_catalogue(tmp_path, catalogue, start_emulator):
    environment = documents.load(catalogue, "dev")
    supply = find_aws(tmp_path)
    labs = [Lab(tmp_path / name, supply, start_emulator()) for name in ("one", "two")]
    for lab in labs:
        lab.units = environment.path / "units"
    with ThreadPoolExecutor(2) as pool:

        def visit(lab, served):
            return lab.visit(lambda walk: walk_catalogue(walk, environment), served=served)

        seen = list(pool.map(visit, labs, (False, True)))
    require_equal(seen)
    assert {step.exit_code for step in seen[1]} == {0}


def test_tests_of_a_module(tmp_path):
    """Mocked, so nothing is random: each run ends alike, a failing one too."""

    def visit(walk):
        shutil.copytree(ROOT / "modules" / "ecr", walk.path, dirs_exist_ok=True)
        (walk.path / "required.tf.json").unlink()
        with (walk.path / "tests" / "ecr.tftest.hcl").open("a") as file:
            file.write(FAILING)
        walk.init()
        walk.test("tests")

    seen = Lab(tmp_path / "root", find_aws(tmp_path)).both(visit)
    require_equal(seen)
    summary = seen[1][-1].documents["told"]["test_summary"]
    assert (summary[0]["failed"], summary[0]["errored"]) == (1, 0)
    assert summary[0]["passed"] > 5
    assert "It is" in str(seen[1][-1].said)


def test_tests_that_call_a_module_elsewhere_with_a_type_that_nothing_here_names(tmp_path):
    lab = Lab(tmp_path / "root", find_aws(tmp_path))
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "far.tf").write_text('resource "aws_sqs_queue" "far" {}\n')

    def visit(walk):
        (walk.path / "tests").mkdir(exist_ok=True)
        (walk.path / "tests" / "far.tftest.hcl").write_text(
            'mock_provider "aws" {}\nrun "far" {\n  module {\n    source = "../far"\n  }\n}\n'
        )
        walk.init()
        walk.saw("test", walk.terraform.test(walk.root))

    assert [step.said for step in lab.visit(visit, PROVIDER, served=True)] == [[], []]
