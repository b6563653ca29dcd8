"""Parts that several modules have in common: a module is taken alone, so each has its own copy, and all are equal."""

import re
from pathlib import Path

import pytest

MODULES = Path(__file__).parents[3] / "modules"
MACHINES = {"dcos", "elk", "kubernetes", "monitoring", "network", "openvpn", "swarm"}
CLUSTERS = {"dcos", "swarm"}
BLOCKS = {
    'data "aws_iam_policy_document" "session"': MACHINES,  # what the agent of Session Manager may do
    'data "aws_iam_policy_document" "assume"': CLUSTERS,
    'data "aws_iam_policy_document" "files"': CLUSTERS,
    'data "aws_iam_policy_document" "key"': {"kubernetes", "swarm"},
    'resource "aws_s3_bucket" "files"': CLUSTERS,
    'resource "aws_s3_bucket_ownership_controls" "files"': CLUSTERS | {"monitoring"},
    'resource "aws_s3_bucket_public_access_block" "files"': CLUSTERS | {"monitoring"},
    'data "aws_route53_zone" "platform"': {"alb", "api-gateway", "dcos", "docker-registry", "elk", "jenkins", "swarm"},
}
STATEMENTS = {
    "LogInToEcr": CLUSTERS,
    "PullImages": CLUSTERS,
    "Log": CLUSTERS | {"snapshot"},
    "AccountDecides": {"kubernetes", "swarm"},
    "LogsOfThisCluster": {"kubernetes", "swarm"},
}
OWN = re.compile(r"\baws_\w+\.\w+")  # a resource has a name of its own in each module


def copies(pattern, names):
    """The texts that a pattern finds in modules, each once."""
    found = {}
    for name in names:
        code = "\n".join(path.read_text() for path in sorted((MODULES / name).glob("*.tf")))
        found[name] = [OWN.sub("…", text) for text in re.findall(pattern, code, re.MULTILINE | re.DOTALL)]
    assert all(found.values()), [name for name, texts in found.items() if not texts]
    return {text for texts in found.values() for text in texts}


@pytest.mark.parametrize("head", BLOCKS)
def test_blocks_are_equal(head):
    assert len(copies(rf"^{re.escape(head)} \{{\n.*?^\}}$", BLOCKS[head])) == 1


@pytest.mark.parametrize("sid", STATEMENTS)
def test_statements_are_equal(sid):
    assert len(copies(rf'^  statement \{{\n    sid += "{sid}"\n.*?^  \}}$', STATEMENTS[sid])) == 1


def test_files_are_equal():
    assert len({(MODULES / name / "files/logrotate.conf").read_text() for name in ("elk", "swarm")}) == 1


def test_every_module_with_machines_is_named():
    found = {
        path.parent.name for path in MODULES.glob("*/*.tf") if '"aws_iam_policy_document" "session"' in path.read_text()
    }
    assert found == MACHINES
