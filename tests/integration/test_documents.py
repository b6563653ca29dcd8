"""The document of every command is as its published schema says; `Outcome.document` holds it against that."""

import pytest

from ngp.views import schemas

HERE = [
    "init ../made",
    "version",
    "module list",
    "module show base",
    "module new thing --title Thing --category app --summary A",
    "module docs thing",
    "module check base --no-terraform",
    "env new test --sandbox --account 123456789012 --region eu-central-1 --domain test.example.com",
    "env list",
    "env affected --since HEAD",
    "module contracts --since HEAD",
    "secret scan",
    "ci init github",
    "ci matrix --everything",
    "configure dev --dry-run",
    "render --diff",
    "validate dev --no-terraform --affected --since HEAD",
    "graph dev --affected --since HEAD",
    "doctor dev",
    "lock --check",
    "pool start",
    "pool status",
    "pool stop",
    "sandbox start",
    "sandbox status",
    "sandbox env dev",
    "plan dev --out change.bundle",
    "bundle show change.bundle",
    "bundle verify change.bundle",
    "bundle diff change.bundle change.bundle",
    "explain change.bundle base",
    "policy check change.bundle",
    "ci apply dev",
    "ci plan dev --everything",
    "apply dev --auto-approve",
    "plan dev --affected --since HEAD",
    "output dev",
    "status dev",
    "state list dev",
    "state show dev base",
    "orphans dev",
    "locks dev",
    "destroy dev --auto-approve",
    "sandbox reset",
    "sandbox stop",
]
# Their own tests read their documents: they need a module to add, a bucket, a held lock, or a real account.
ELSEWHERE = {"module.add", "state.bootstrap", "ready", "unlock"}
ELSEWHERE |= {"bundle.approve", "bundle.push", "bundle.fetch", "bundle.list"}  # a key, a state bucket
ELSEWHERE |= {"env.diff", "env.promote"}  # a second environment
ELSEWHERE |= {"host.list", "host.name", "host.exec", "host.copy", "host.trust"}  # machines with a real sshd
ELSEWHERE |= {"package.deploy", "package.install", "package.versions"}  # the same


@pytest.mark.terraform
@pytest.mark.usefixtures("own_sandbox")
def test_the_document_of_every_command_is_as_published(platform, ngp):
    seen = set(ELSEWHERE)
    for line in HERE:
        done = ngp.call(*line.split(), "--json", env={"NGP_NO_INPUT": "1"})
        document = done.document
        assert done.exit_code in (0, 1, 69), f"{line}: {done.stderr}"
        seen.add(document["schema"].removeprefix("ngp.").removesuffix("/1"))
    assert set(schemas.COMMANDS) - seen == set()
