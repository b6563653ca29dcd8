"""Parts that several modules have in common: a module is taken alone, so each has its own copy, and all are equal."""

import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

MODULES = Path(__file__).parents[3] / "modules"
MACHINES = {"dcos", "elk", "kubernetes", "monitoring", "network", "openvpn", "swarm"}
CLUSTERS = {"dcos", "swarm"}
BACKED_UP = {"monitoring", "openvpn"}
SNAPSHOTS = {"elk", "snapshot"}
BLOCKS = {
    'data "aws_iam_policy_document" "session"': MACHINES,  # what the agent of Session Manager may do
    'data "aws_iam_policy_document" "assume"': CLUSTERS,
    'data "aws_iam_policy_document" "assume_backup"': {"jenkins", "swarm"},
    'data "aws_iam_policy_document" "backup_trust"': BACKED_UP | {"rds-postgres"},
    'data "aws_iam_policy_document" "bucket"': {"docker-registry", "elk", "snapshot"},
    'data "aws_iam_policy_document" "files"': CLUSTERS,  # monitoring lets its nodes write
    'data "aws_iam_policy_document" "key"': {"kubernetes", "swarm"},
    'data "aws_iam_policy_document" "trust"': BACKED_UP,
    'resource "aws_backup_plan" "this"': BACKED_UP,
    'resource "aws_backup_vault" "this"': BACKED_UP,
    'resource "aws_s3_bucket" "files"': CLUSTERS,
    'resource "aws_s3_bucket_ownership_controls" "files"': CLUSTERS | {"monitoring"},
    'resource "aws_s3_bucket_public_access_block" "files"': CLUSTERS | {"monitoring"},
    'resource "aws_s3_bucket_ownership_controls" "snapshots"': SNAPSHOTS,
    'resource "aws_s3_bucket_public_access_block" "snapshots"': SNAPSHOTS,
    'resource "aws_s3_bucket_versioning" "files"': CLUSTERS,
    'data "aws_route53_zone" "platform"': {"alb", "api-gateway", "dcos", "docker-registry", "elk", "jenkins", "swarm"},
}
STATEMENTS = {
    "LogInToEcr": CLUSTERS,
    "PullImages": CLUSTERS,
    "Log": CLUSTERS | {"snapshot"},
    "AccountDecides": {"kubernetes", "swarm"},
    "LogsOfThisCluster": {"kubernetes", "swarm"},
}
STATEMENT = r'^  statement \{{\n    sid += "{}"\n.*?^  \}}$'
OWN = re.compile(r"\baws_\w+\.\w+")  # a resource has a name of its own in each module


LEAST = 7  # lines from which a block is a part that modules have in common


@cache
def code(name):
    return "\n".join(path.read_text() for path in sorted((MODULES / name).glob("*.tf")))


def found(pattern, name):
    """The texts that a pattern finds in a module."""
    return [OWN.sub("…", text) for text in re.findall(pattern, code(name), re.MULTILINE | re.DOTALL)]


def copies(pattern, names):
    """The texts that a pattern finds in modules, each once."""
    texts = {name: found(pattern, name) for name in names}
    assert all(texts.values()), [name for name, each in texts.items() if not each]
    return {text for each in texts.values() for text in each}


def shared(pattern):
    """Each text that a pattern finds in several modules, with these modules."""
    modules = defaultdict(set)
    for path in MODULES.iterdir():
        for text in found(pattern, path.name):
            modules[text].add(path.name)
    return [(text, names) for text, names in modules.items() if len(names) > 1]


@pytest.mark.parametrize("head", BLOCKS)
def test_blocks_are_equal(head):
    assert len(copies(rf"^{re.escape(head)} \{{\n.*?^\}}$", BLOCKS[head])) == 1


@pytest.mark.parametrize("sid", STATEMENTS)
def test_statements_are_equal(sid):
    assert len(copies(STATEMENT.format(sid), STATEMENTS[sid])) == 1


def test_files_are_equal():
    assert len({(MODULES / name / "files/logrotate.conf").read_text() for name in ("elk", "swarm")}) == 1


def test_every_module_with_machines_is_named():
    assert {path.name for path in MODULES.iterdir() if 'policy_document" "session"' in code(path.name)} == MACHINES


def test_every_module_with_a_copy_is_named():
    """Of the blocks of this test, and of every long one."""
    copied = [
        (text.split(" {")[0], names)
        for text, names in shared(r'^(?:data|resource) "\w+" "\w+" \{\n.*?^\}$')
        if len(text.splitlines()) >= LEAST or text.split(" {")[0] in BLOCKS
    ]
    assert [(head, names) for head, names in copied if names != BLOCKS.get(head)] == []
    assert {head for head, _ in copied} == BLOCKS.keys()


def test_every_module_with_a_copied_statement_is_named():
    copied = {sid: names for sid in STATEMENTS for _, names in shared(STATEMENT.format(sid))}
    assert copied == STATEMENTS
