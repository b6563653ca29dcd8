"""Trust tiers: what a pipeline may do with a change, and what a reviewer must check before it runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

from ngp.catalogue import hcl
from ngp.catalogue.hcl import Attribute, Block, Body
from ngp.ci.events import Event, EventKind
from ngp.environments import revisions
from ngp.errors import Finding, UsageError
from ngp.forges.forge import Forge

_TEMPLATE = re.compile(r"(?:.*/)?templates/.+")
_CODE = (".tf", ".tf.json", ".tofu", ".tofu.json")


class Tier(StrEnum):
    """`STRANGER`: checks without credentials, network or Terraform. `MEMBER`: a plan with read-only credentials."""

    STRANGER = "stranger"
    MEMBER = "member"


def choose(event: Event, forge: Forge, checked_out: str) -> tuple[Tier, str]:
    """Return the tier of a pipeline, and why. `checked_out` is the commit of the work tree.

    A comment ``/ngp plan COMMIT`` of somebody who may push authorises that commit for a plan, as long as it is the
    head of the pull request: a push voids it. Nothing authorises an apply. Raises ForgeError.
    """
    if event.kind is not EventKind.COMMENT:
        if event.is_fork:
            return Tier.STRANGER, "the change comes from a fork"
        return Tier.MEMBER, ""
    if not event.ordered:
        return Tier.STRANGER, "the comment is not `/ngp plan COMMIT` with a full commit id and nothing else"
    if not forge.may_write(event.actor):
        return Tier.STRANGER, f"{event.actor} cannot push to this repository"
    head = forge.pull_request(event.number).head
    if head != event.ordered:
        return Tier.STRANGER, f"the comment asks to plan {event.ordered[:12]}, but the newest commit is {head[:12]}"
    if checked_out != event.ordered:
        return Tier.STRANGER, f"{checked_out[:12]} is checked out, but the comment asks to plan {event.ordered[:12]}"
    return Tier.MEMBER, f"{event.actor} ordered one plan of {event.ordered[:12]}"


def flags(root: Path, changed: Iterable[str]) -> tuple[Finding, ...]:
    """Return what in the changed files could run code or reach the network in a plan, with file and line.

    A file that cannot be read is flagged, too.
    """
    return tuple(one for path in sorted(changed) for one in _of_file(root, path))


def _of_file(root: Path, path: str) -> Iterator[Finding]:
    if _TEMPLATE.fullmatch(path):
        yield Finding("a template changed", path, "templates define the code of every root")
    if path.endswith(".rego"):
        yield Finding("a policy changed", path, "ngp checks this change against the policies of its base")
    if path.endswith((".terraform.lock.hcl", ".terraformrc")):
        yield Finding("the locked providers changed", path, "a provider is a program that runs in a plan")
    if not path.endswith(_CODE):
        return
    if revisions.UNREADABLE in path:  # it is there under another name, which Terraform reads
        yield Finding("ngp cannot check this file", path, "its name is not UTF-8")
    if not (root / path).is_file():
        return
    try:
        if (root / path).is_symlink():
            raise UsageError("it is a link")
        yield from _of_body(hcl.parse(hcl.read(root / path), root / path), path)
    except UsageError as error:
        yield Finding("ngp cannot check this file", path, error.findings[0].what)


def _of_body(body: Body, path: str) -> Iterator[Finding]:
    for block in body.blocks:
        where = f"{path}:{block.line}"
        if block.type == "data" and block.labels[:1] == ("external",):
            yield Finding("an `external` data source runs a program in every plan", where)
        elif block.type == "data" and block.labels[:1] in (("http",), ("terraform_remote_state",)):
            yield Finding(f"a `{block.labels[0]}` data source reads data from outside in every plan", where)
        elif block.type == "provider":
            yield Finding(f"this file configures a provider: {' '.join(block.labels)}", where)
        elif block.type == "terraform":
            yield from _providers(block, path)
        yield from _provisioners(block.body, path)


def _providers(block: Block, path: str) -> Iterator[Finding]:
    for required in block.body.of("required_providers"):
        for name, attribute in required.body.attributes.items():
            if not _is_aws(attribute):
                yield Finding(
                    f"this file requires the provider {name}",
                    f"{path}:{attribute.line}",
                    "a provider is a program that runs in a plan",
                )


def _is_aws(attribute: Attribute) -> bool:
    try:
        return dict(hcl.literal(attribute)).get("source") == "hashicorp/aws"
    except (UsageError, TypeError, ValueError):
        return False


def _provisioners(body: Body, path: str) -> Iterator[Finding]:
    for block in body.blocks:
        if block.type == "provisioner":
            yield Finding(f"a provisioner runs a program: {' '.join(block.labels)}", f"{path}:{block.line}")
        yield from _provisioners(block.body, path)
