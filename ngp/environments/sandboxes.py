"""The environment of a sandbox: its region and account."""

from __future__ import annotations

from ngp.environments import documents
from ngp.environments.environment import Environment, Platform, Target
from ngp.errors import UsageError


def choose(platform: Platform, name: str) -> Environment:
    """Return the named environment, or one of the sandbox's if all have the same region and account.

    Raises UsageError (64) if there is none, or if they differ.
    """
    if name:
        return documents.load(platform, name)
    found = [documents.load(platform, each) for each in documents.names(platform)]
    local = [each for each in found if each.target is Target.SANDBOX]
    if not local:
        raise UsageError("no environment has `target: sandbox`", todo="choose an environment: ngp sandbox env ENV")
    if len({(each.region, each.account) for each in local}) > 1:
        names = ", ".join(each.name for each in local)
        raise UsageError(f"{names} differ in account or region", todo="ngp sandbox env ENV")
    return local[0]
