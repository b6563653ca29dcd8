"""What the checks of a forge's contract share: one use of every call, and the description of what was sent."""

import re

from jsonschema import Draft202012Validator

from ngp.forges.forge import CommitState, CommitStatus

COMMIT, BASE = "a" * 40, "b" * 40


def use(forge, description="running"):
    """Make every call of a forge once: comments, statuses, who may write."""
    assert forge.comments(3) == []
    forge.write_comment(3, "text")
    forge.write_comment(3, "text", forge.comments(3)[0].id)
    forge.delete_comment(3, forge.write_comment(3, "another"))
    forge.set_status(COMMIT, CommitStatus("ngp/plan", CommitState.PENDING, description, "https://ci.example"))
    forge.set_status(COMMIT, CommitStatus("ngp/plan", CommitState.FAILURE))
    assert len(forge.merged(COMMIT)) == 1
    assert forge.statuses(COMMIT)
    assert forge.pull_request(3).is_fork
    assert forge.may_write("anna")


def operation(contract, method, path, prefix=""):
    """The part of a contract that describes a request."""
    for one in contract["operations"]:
        if one["method"] == method and re.fullmatch(prefix + re.sub(r"\{\w+\}", "[^/]+", one["path"]), path):
            return one
    raise AssertionError(f"the contract has no {method} {path}")


def errors(schema, value):
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]
