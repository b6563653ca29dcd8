"""The S3 bucket of states: plans what is missing, and creates it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ngp.aws.failures import DeniedError
from ngp.aws.session import Session
from ngp.errors import MissingError, NgpError
from ngp.state.locations import StateLocation
from ngp.state.reading import denied

_TAGS = {"ManagedBy": "ngp", "Purpose": "terraform-state"}
_TLS_ONLY = "DenyInsecureTransport"


@dataclass(frozen=True)
class BucketPlan:
    """The changes to a bucket. `lacks` names the missing settings in order; nothing to do if it is empty."""

    bucket: str
    region: str
    exists: bool
    lacks: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return self.exists and not self.lacks

    def __str__(self) -> str:
        if self.is_empty:
            return f"the state bucket {self.bucket} is there and lacks nothing"
        head = f"{'change' if self.exists else 'create'} the state bucket {self.bucket} in {self.region}"
        return "\n".join([head, *(f"  + {_SETTINGS[name].says}" for name in self.lacks)])


@dataclass(frozen=True)
class _Setting:
    """One property of the bucket. `arguments` returns the arguments of `put` for a bucket and its present settings."""

    says: str
    get: str
    absent: tuple[str, ...]
    holds: Callable[[str, Mapping[str, Any]], bool]
    put: str
    arguments: Callable[[str, Mapping[str, Any]], dict[str, Any]]


def exists(session: Session, place: StateLocation) -> bool:
    """Whether the bucket exists. Raises MissingError if it exists but cannot be read."""
    account = session.account_id()
    # Names are guessable: a bucket with our account's number must belong to our account
    owner = {"ExpectedBucketOwner": account} if account in place.bucket else {}
    try:
        found = session.call("s3", "head_bucket", absent=("404", "NoSuchBucket"), Bucket=place.bucket, **owner)
    except DeniedError as error:
        raise denied(place.bucket, error) from error
    except NgpError as error:
        if "301" in error.findings[0].why:
            raise MissingError(f"the state bucket {place.bucket} is in another region than {place.region}") from error
        raise
    return found is not None


def plan(session: Session, place: StateLocation) -> BucketPlan:
    """Determine what the bucket of `place` lacks, without changes. Raises MissingError if it belongs to somebody
    else."""
    if not exists(session, place):
        return BucketPlan(place.bucket, place.region, exists=False, lacks=tuple(_SETTINGS))
    lacks = [
        name
        for name, setting in _SETTINGS.items()
        if not setting.holds(place.bucket, _found(session, setting, place.bucket))
    ]
    return BucketPlan(place.bucket, place.region, exists=True, lacks=tuple(lacks))


def bootstrap(session: Session, plan: BucketPlan) -> None:
    """Do what `plan` returned. Repeating it changes nothing, and other settings of the operator stay."""
    if not plan.exists:
        where = {} if plan.region == "us-east-1" else {"LocationConstraint": plan.region}
        configuration = {"CreateBucketConfiguration": where} if where else {}
        session.call("s3", "create_bucket", absent=("BucketAlreadyOwnedByYou",), Bucket=plan.bucket, **configuration)
    for name in plan.lacks:
        setting = _SETTINGS[name]
        there = _found(session, setting, plan.bucket)
        session.call("s3", setting.put, Bucket=plan.bucket, **setting.arguments(plan.bucket, there))


def _found(session: Session, setting: _Setting, bucket: str) -> Mapping[str, Any]:
    return session.call("s3", setting.get, absent=setting.absent, Bucket=bucket) or {}


def _rule(bucket: str) -> dict[str, Any]:
    return {
        "Sid": _TLS_ONLY,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _policy(bucket: str, there: Mapping[str, Any]) -> dict[str, Any]:
    document = json.loads(there.get("Policy") or '{"Version": "2012-10-17", "Statement": []}')
    others = [statement for statement in _statements(there) if statement.get("Sid") != _TLS_ONLY]
    return {"Policy": json.dumps({**document, "Statement": [*others, _rule(bucket)]})}


def _statements(there: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = json.loads(there.get("Policy") or "{}").get("Statement", [])
    return found if isinstance(found, list) else [found]


def _tags(there: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in there.get("TagSet", ())}


_BLOCKED = {
    name: True for name in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
}
_AES = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
_OWNER = [{"ObjectOwnership": "BucketOwnerEnforced"}]

# `bundles/` alone: states are never deleted by a rule. A bundle is valid for 30 days at most
_CLEARED = {
    "ID": "ngp-bundles",
    "Status": "Enabled",
    "Filter": {"Prefix": "bundles/"},
    "Expiration": {"Days": 45},
    "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
}

# In this order: access is restricted before there is anything to read
_SETTINGS: Mapping[str, _Setting] = {
    "public_access_block": _Setting(
        "block all public access",
        "get_public_access_block",
        ("NoSuchPublicAccessBlockConfiguration",),
        lambda _, there: there.get("PublicAccessBlockConfiguration") == _BLOCKED,
        "put_public_access_block",
        lambda *_: {"PublicAccessBlockConfiguration": _BLOCKED},
    ),
    "ownership": _Setting(
        "the bucket's owner owns every object",
        "get_bucket_ownership_controls",
        ("OwnershipControlsNotFoundError",),
        lambda _, there: there.get("OwnershipControls", {}).get("Rules") == _OWNER,
        "put_bucket_ownership_controls",
        lambda *_: {"OwnershipControls": {"Rules": _OWNER}},
    ),
    "encryption": _Setting(
        "encrypt every object",
        "get_bucket_encryption",
        ("ServerSideEncryptionConfigurationNotFoundError",),
        lambda _, there: bool(there.get("ServerSideEncryptionConfiguration", {}).get("Rules")),
        "put_bucket_encryption",
        lambda *_: {"ServerSideEncryptionConfiguration": _AES},
    ),
    "versioning": _Setting(
        "keep every version of an object",
        "get_bucket_versioning",
        (),
        lambda _, there: there.get("Status") == "Enabled",
        "put_bucket_versioning",
        lambda *_: {"VersioningConfiguration": {"Status": "Enabled"}},
    ),
    "tags": _Setting(
        "tags " + ", ".join(f"{key}={value}" for key, value in _TAGS.items()),
        "get_bucket_tagging",
        ("NoSuchTagSet",),
        lambda _, there: _TAGS.items() <= _tags(there).items(),
        "put_bucket_tagging",
        lambda _, there: {
            "Tagging": {"TagSet": [{"Key": key, "Value": value} for key, value in {**_tags(there), **_TAGS}.items()]}
        },
    ),
    "tls_only": _Setting(
        "refuse what does not come over TLS",
        "get_bucket_policy",
        ("NoSuchBucketPolicy",),
        lambda bucket, there: _rule(bucket) in _statements(there),
        "put_bucket_policy",
        _policy,
    ),
    "lifecycle": _Setting(
        "delete bundles after 45 days",
        "get_bucket_lifecycle_configuration",
        ("NoSuchLifecycleConfiguration",),
        lambda _, there: _CLEARED["ID"] in [rule.get("ID") for rule in there.get("Rules", ())],
        "put_bucket_lifecycle_configuration",
        lambda _, there: {"LifecycleConfiguration": {"Rules": [*there.get("Rules", ()), _CLEARED]}},
    ),
}
