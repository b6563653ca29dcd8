"""Calls of AWS in an account, with errors that an operator can act on."""

from __future__ import annotations

import copy
import io
import logging
import os
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from ngp.aws import failures, identity, interruption, mfa
from ngp.aws.identity import Role
from ngp.errors import RefusedError

_LOG = logging.getLogger(__name__)
READS = ("describe_", "get_", "head_", "list_")  # operations that change nothing
T = TypeVar("T")
_CONNECT_S, _READ_S, _ATTEMPTS = 5, 20, 3  # a call that AWS does not answer fails after about a minute


class Session:
    """Calls with the AWS variables of `env` (from `access.sandbox` or `access.real`) and none of this process.

    `profile` counts before keys in `env`, as in Terraform. Nothing is asked of AWS before the first call.
    A set `stop` gives a call that reads a few seconds more (`interruption.wait`).
    `device` is asked where the profile's role needs a code of MFA. Safe to share between threads.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        *,
        profile: str = "",
        role: Role | None = None,
        stop: threading.Event | None = None,
        device: mfa.Device | None = None,
    ) -> None:
        self.env, self.profile, self.role, self._device = dict(env), profile, role, device
        self.stop = stop
        self.region = env.get("AWS_REGION", "")
        self._account = ""
        self._maker: Any = None
        self._clients: dict[tuple[str, bool], Any] = {}
        self._lock = threading.Lock()

    def call(
        self, service: str, operation: str, *, absent: Collection[str] = (), **parameters: Any
    ) -> dict[str, Any] | None:
        """One call (``call("s3", "get_object", Bucket=…)``) and its answer; None for an error code in `absent`.

        A body is read to its end before it is given. Raises MissingError for credentials and reach, DeniedError for
        permission, NgpError for what AWS says otherwise; StoppedError if it was stopped.
        """
        _LOG.debug("AWS call %s %s", service, operation)
        return self._wait(operation, lambda: self._make(service, operation, absent, parameters))

    def _make(
        self, service: str, operation: str, absent: Collection[str], parameters: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        with failures.translated(_about(service, operation, parameters), self.profile, absent):
            answer: dict[str, Any] = getattr(self._client(service), operation)(**parameters)
            if hasattr(answer.get("Body"), "read"):  # to its end, while what may go wrong is translated
                answer["Body"] = io.BytesIO(answer["Body"].read())
            return answer
        return None

    def once(
        self, service: str, operation: str, *, absent: Collection[str] = (), **parameters: Any
    ) -> dict[str, Any] | None:
        """Like `call`, without a retry: a repeated conditional write would refuse itself."""
        with failures.translated(_about(service, operation, parameters), self.profile, absent):
            answer: dict[str, Any] = getattr(self._client(service, retries=False), operation)(**parameters)
            return answer
        return None

    def steady(self) -> Session:
        """Return this session without its stop event, for calls that must be made after an interruption too."""
        same = copy.copy(self)
        same.stop = None
        return same

    def account_id(self) -> str:
        """Return the account of the credentials (STS, asked once)."""
        self._account = self._account or str(self._ask("sts", "get_caller_identity")["Account"])
        return self._account

    def require_account(self, account: str) -> None:
        """Raise RefusedError if the credentials belong to another account than `account`."""
        found = self.account_id()
        if found != account:
            raise RefusedError(
                f"the credentials belong to account {found}, but the environment to account {account}",
                why="a run there would change somebody else's region",
                todo=f"use credentials of {account} (profile, assume_role or the shell), or fix environment.yaml",
            )

    def object(self, bucket: str, key: str) -> bytes | None:
        """Return the bytes of an S3 object, None if object or bucket do not exist."""
        found = self.call("s3", "get_object", absent=("NoSuchKey", "NoSuchBucket"), Bucket=bucket, Key=key)
        return None if found is None else bytes(self._wait("get_object", found["Body"].read))

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """Write an S3 object."""
        self._ask("s3", "put_object", Bucket=bucket, Key=key, Body=body)

    def delete_object(self, bucket: str, key: str) -> None:
        """Delete an S3 object; a missing one is not an error."""
        self._ask("s3", "delete_object", Bucket=bucket, Key=key)

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """Return all keys below a prefix, in S3's order; none if the bucket does not exist."""
        found: list[str] = []
        more: dict[str, str] = {}
        while True:
            page = self.call("s3", "list_objects_v2", absent=("NoSuchBucket",), Bucket=bucket, Prefix=prefix, **more)
            if page is None:
                return []
            found += [each["Key"] for each in page.get("Contents", ())]
            if not page.get("IsTruncated"):
                return found
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def hosted_zone(self, domain: str) -> str | None:
        """Return the id of the public hosted zone with exactly the name `domain`, or None."""
        name = domain.rstrip(".").lower() + "."
        page = self._ask("route53", "list_hosted_zones_by_name", DNSName=name)
        for zone in page["HostedZones"]:
            if zone["Name"].lower() == name and not zone["Config"].get("PrivateZone"):
                return str(zone["Id"]).rpartition("/")[2]
        return None

    def parameter(self, name: str) -> str | None:
        """Return the value of a parameter of the Systems Manager, or None."""
        found = self.call("ssm", "get_parameter", absent=("ParameterNotFound",), Name=name)
        return None if found is None else str(found["Parameter"]["Value"])

    def image(self, parameter: str) -> str | None:
        """Return the id of the machine image in a public parameter, None if either does not exist here."""
        image = self.parameter(parameter)
        absent = ("InvalidAMIID.NotFound", "InvalidAMIID.Malformed")
        if image is None or not self.call("ec2", "describe_images", absent=absent, ImageIds=[image]):
            return None
        return image

    def _wait(self, operation: str, work: Callable[[], T]) -> T:
        """Call `work`. A write is always waited for, because nobody else knows whether it was done."""
        if self.stop is None or not operation.startswith(READS):
            return work()
        return interruption.wait(work, self.stop)

    def _ask(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.call(service, operation, **parameters) or {}

    def _client(self, service: str, *, retries: bool = True) -> Any:
        key = (service, retries)
        with self._lock:  # making a client is not thread-safe, using one is
            if key not in self._clients:
                reach = _reach(self.env, attempts=_ATTEMPTS if retries else 1)
                self._maker = self._maker or identity.make(self.env, self.profile, self.role, reach, self._device)
                self._clients[key] = self._maker.client(service, **reach)
            return self._clients[key]


def preload() -> None:
    """Import what the first call needs: boto3, and the models of S3 and STS.

    For processes that fork. Keeps nothing of a user's files and environment, and no client.
    """
    none = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    keys = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_REGION": "us-east-1"}
    maker = identity.make({**none, **keys}, "", None, {}, None)
    for service in ("s3", "sts"):
        maker.client(service, **_reach(keys))


def _about(service: str, operation: str, parameters: Mapping[str, Any]) -> str:
    if "Bucket" not in parameters:
        return f"{service}:{operation}"
    return f"{service}:{operation} on s3://{parameters['Bucket']}/{parameters.get('Key', '')}"


def _reach(env: Mapping[str, str], attempts: int = _ATTEMPTS) -> dict[str, Any]:
    """The arguments of a client that reaches what `env` names: one endpoint for all services, or AWS itself."""
    from botocore.config import Config

    endpoint = env.get("AWS_ENDPOINT_URL")
    options: dict[str, Any] = {"ignore_configured_endpoint_urls": True}
    if endpoint:
        options["proxies"] = {}  # a sandbox is on this machine
    config = Config(
        connect_timeout=_CONNECT_S,
        read_timeout=_READ_S,
        retries={"mode": "standard", "total_max_attempts": attempts},
        **options,
    )
    return {"endpoint_url": endpoint, "config": config, "region_name": env.get("AWS_REGION")}
