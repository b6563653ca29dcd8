"""Emergencies: a person named by the rules changes a protected environment without a bundle, and signs for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from ngp.environments import revisions
from ngp.environments.approvals import same
from ngp.environments.resolving import Resolved
from ngp.errors import RefusedError, UsageError
from ngp.runs.authority import Authority, AuthorityKind
from ngp.runs.bundle import rules, signatures
from ngp.runs.bundle.rules import Rules
from ngp.runs.results import Verb
from ngp.settings import Settings

TYPE = "urn:ngp:emergency:1"


def declare(
    resolved: Resolved, verb: Verb, reason: str, settings: Settings, key: str = "", units: Sequence[str] = ()
) -> Authority:
    """Sign for a change without a bundle, and return the authority.

    `key` is that of --key, `units` are those that are changed, () for all.

    Raises UsageError (64) without a reason or for an unprotected environment, RefusedError (3) if the rules do not name
    the person, MissingError (69) if there is no key or the rules cannot be read.
    """
    platform, name = resolved.platform, resolved.environment.name
    if not reason.strip():
        raise UsageError("an emergency needs a reason", todo="--emergency 'what happened'")
    read = rules.read(platform)
    if name not in (*read.platform.protected, *platform.protected):
        raise UsageError(f"`{name}` is not protected", where=read.where, todo="omit --emergency")
    if not read.platform.emergency.get(name):
        why = f"it has no `emergency.{name}`"
        raise RefusedError(f"nobody may change `{name}` in an emergency", where=read.where, why=why, todo=_way(name))
    text = _text(resolved, verb, units, reason.strip(), read)
    chosen = signatures.find(settings, settings.cwd, key)
    signature = signatures.sign(text.encode(), chosen, settings)
    who = read.holder(signatures.signer(signature).fingerprint)
    if not _is_named(who, name, read) or not signatures.verify(text.encode(), signature, who, read.keys(who), settings):
        raise RefusedError(
            f"{who or f'the key {chosen}'} may not change `{name}` in an emergency",
            where=read.where,
            why=f"`emergency.{name}` names {', '.join(read.platform.emergency[name])}",
            todo=_way(name),
        )
    return Authority(AuthorityKind.EMERGENCY, (who,), read.commit, reason.strip(), text, signature.decode())


def _text(resolved: Resolved, verb: Verb, units: Sequence[str], reason: str, read: Rules) -> str:
    """Return what the person signs."""
    environment = resolved.environment
    subject = {
        "type": TYPE,
        "platform": resolved.platform.name,
        "environment": environment.name,
        "account": environment.account,
        "region": environment.region,
        "verb": verb.value,
        "units": sorted(units or environment.units),
        "commit": revisions.head(resolved.platform.path),
        "rules": read.commit,
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "reason": reason,
    }
    return f"{json.dumps(subject, indent=1, sort_keys=True)}\n"


def _is_named(who: str, environment: str, read: Rules) -> bool:
    return bool(who) and same(who) in map(same, read.platform.emergency[environment])


def _way(environment: str) -> str:
    return f"have a bundle approved: ngp plan {environment} --out FILE, ngp bundle approve FILE, ngp apply FILE"
