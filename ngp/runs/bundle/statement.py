"""The statement of a bundle: an in-toto Statement (v1) with a predicate of ngp.

Source: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ngp.errors import StaleError
from ngp.runs.bundle.archive import Member

TYPE = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:ngp:bundle:1"
VERBS = ("apply", "destroy")
LONGEST = timedelta(days=30)  # that a bundle can be valid
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class StateFact:
    """The state before the plan. `serial` is -1 and the texts are empty if there was none.

    `version` is the ETag in S3, or the SHA-256 of a local file.
    """

    place: str
    lineage: str = ""
    serial: int = -1
    version: str = ""


@dataclass(frozen=True)
class SecretFact:
    """The source of a secret input and its version; never the value."""

    reference: str
    version: str = ""  # "" where the source has no versions


@dataclass(frozen=True)
class UnitFact:
    """A unit of the plan.

    `apart` says why the unit is not part of the joint plan, "" if it is. `root`, `modules`, `values` and `wiring` are
    digests. `changes` are the addresses by action.
    """

    module: str
    apart: str
    root: str
    modules: str
    values: str
    wiring: str
    state: StateFact
    secrets: Mapping[str, SecretFact] = field(default_factory=dict)
    changes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class BinaryFact:
    """The program that planned. `digest` is the SHA-256 of its file."""

    flavour: str
    version: str
    digest: str


@dataclass(frozen=True)
class CommitFact:
    """The commit of the platform, for information only. `authors` are e-mail addresses.

    `unknown` says why there may be other authors, "" if there are none.
    """

    id: str = ""
    is_dirty: bool = False
    authors: tuple[str, ...] = ()
    unknown: str = ""


@dataclass(frozen=True)
class Statement:
    """Everything that the signatures of a bundle cover. Paths are relative to the platform, times are UTC."""

    verb: str
    run_id: str
    platform: str
    environment: str
    target: str
    account: str
    region: str
    maker: str  # e-mail address
    created: datetime
    expires: datetime
    ngp: str
    terraform: BinaryFact
    lock: str  # digest of .terraform.lock.hcl
    lineage: str  # of the joined state
    commit: CommitFact = CommitFact()
    chosen: tuple[str, ...] = ()  # the requested units, () for all
    options: tuple[str, ...] = ()  # options that shape the plan, as words of a command line
    may_lose_data: tuple[str, ...] = ()  # units and addresses that may lose data
    units: Mapping[str, UnitFact] = field(default_factory=dict)
    outside: Mapping[str, StateFact] = field(default_factory=dict)  # states of other units whose outputs are used
    files: Mapping[str, str] = field(default_factory=dict)  # digests of the files of roots and modules
    members: Mapping[str, Member] = field(default_factory=dict)  # the bundle's content
    maker_key: str = ""  # fingerprint of the SSH key that the maker signs with


def dump(statement: Statement) -> bytes:
    """Return the text of a statement, which is signed."""
    predicate = asdict(statement)
    predicate |= {name: getattr(statement, name).strftime(_TIME) for name in ("created", "expires")}
    members = predicate.pop("members")
    subject = [
        {
            "name": name,
            "digest": {"sha256": one["digest"]},
            "annotations": {"mode": f"{one['mode']:o}", "link": bool(one["link"])},
        }
        for name, one in members.items()
    ]
    document = {"_type": TYPE, "subject": subject, "predicateType": PREDICATE, "predicate": predicate}
    return f"{json.dumps(document, indent=1, sort_keys=True)}\n".encode()


def load(text: bytes, where: str) -> Statement:
    """Parse a statement. Raises StaleError (4) for one that this version of ngp cannot read."""
    try:
        document = json.loads(text)
        kind = document["predicateType"]
        if document["_type"] != TYPE or kind != PREDICATE:
            raise StaleError(
                f"this ngp reads bundles of the type {PREDICATE}, but this one has {kind}",
                where=where,
                why="another version of ngp made the bundle",
                todo="use that version, or make a new bundle with this one",
            )
        return _read(document["predicate"], document["subject"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StaleError(
            "cannot read the statement of the bundle",
            where=where,
            why=str(error),
            todo="make a new bundle with `ngp plan`",
        ) from error


def _read(predicate: dict[str, Any], subject: list[dict[str, Any]]) -> Statement:
    """Check all types, because a signed statement need not be written by ngp."""
    from pydantic import TypeAdapter

    members = {
        one["name"]: {
            "name": one["name"],
            "digest": one["digest"]["sha256"],
            "mode": int(one["annotations"]["mode"], 8),
            "link": "yes" if one["annotations"]["link"] else "",
        }
        for one in subject
    }
    read = TypeAdapter(Statement).validate_python({**predicate, "members": members})
    if read.verb not in VERBS:
        raise ValueError(f"the verb {read.verb} is not one of {', '.join(VERBS)}")
    if not timedelta(0) < read.expires - read.created <= LONGEST:
        raise ValueError(f"a bundle is valid for {LONGEST.days} days at most")
    return read
