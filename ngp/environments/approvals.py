"""Checks the approval rules of ngp.yaml: `signers`, `approvals` and `emergency`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ngp.environments import ssh_keys
from ngp.errors import Finding, nearest

if TYPE_CHECKING:
    from ngp.environments.schemas import PlatformModel
    from ngp.yaml import Document


def check(model: PlatformModel, document: Document) -> Iterator[Finding]:
    """Return the problems that make the approval rules weaker than they seem, or different."""
    yield from _check_signers(model, document)
    yield from _check_people(model, document)
    for key, names in (("approvals", model.approvals), ("emergency", model.emergency)):
        for name in names:
            if name not in model.protected:
                yield Finding(
                    f"`{key}.{name}` has no effect",
                    document.where(f"{key}.{name}"),
                    f"`{name}` is not in `protected`",
                    nearest(name, model.protected) if model.protected else f"write `protected: [{name}]`",
                )
    for name, rule in model.approvals.items():
        people = {same(one) for one in rule.by}
        if rule.count > len(people):
            yield Finding(
                f"`{name}` needs {rule.count} approvals, and only {len(people)} may approve",
                document.where(f"approvals.{name}.count"),
                todo=f"name more people in `approvals.{name}.by`, or require fewer",
            )


def same(identity: str) -> str:
    """Return the form in which e-mail addresses are compared: their case does not count."""
    return identity.casefold()


def _check_signers(model: PlatformModel, document: Document) -> Iterator[Finding]:
    """Yield keys that cannot be read, and those by which one person would count as two."""
    holders: dict[str, set[str]] = defaultdict(set)
    for identity, keys in model.signers.items():
        for at, text in enumerate(keys):
            try:
                fingerprint = ssh_keys.parse(text).fingerprint
            except ValueError as error:
                what = f"a key of `{identity}` is invalid"
                yield Finding(
                    what, _line(document, identity, at), str(error), "copy it from a file such as id_ed25519.pub"
                )
                continue
            others = holders[fingerprint] - {same(identity)}
            holders[fingerprint].add(same(identity))
            if others:
                what = f"`{identity}` has the same key as `{min(others)}`"
                yield Finding(what, _line(document, identity, at), "one key must not count as two people")


def _line(document: Document, identity: str, at: int) -> str:
    return document.where(f"signers.{identity}.{at}")


def _check_people(model: PlatformModel, document: Document) -> Iterator[Finding]:
    """Yield the people in rules whose signatures nobody could check."""
    known = {same(identity) for identity, keys in model.signers.items() if keys}
    named = [(f"approvals.{name}.by", rule.by) for name, rule in model.approvals.items()]
    named += [(f"emergency.{name}", people) for name, people in model.emergency.items()]
    for key, people in named:
        for at, identity in enumerate(people):
            if same(identity) not in known:
                yield Finding(
                    f"`{identity}` has no key",
                    document.where(f"{key}.{at}"),
                    f"`{key}` names this person, but `signers` has no key for them",
                    f'write `{identity}: ["ssh-ed25519 AAAA…"]` under `signers`',
                )
