"""Finds the resources and the condition keys of a request, for `iam`.

moto's backends are imported where they are used: importing all of them delays the start of the server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_EC2_TYPES = {
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "i": "instance",
    "igw": "internet-gateway",
    "lt": "launch-template",
    "nat": "natgateway",
    "rtb": "route-table",
    "sg": "security-group",
    "snap": "snapshot",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
}
_PREFIXES = {"monitoring": "cloudwatch", "email": "ses"}  # services whose IAM prefix differs from their signature
_S3_ACTIONS = {"HeadBucket": "ListBucket"}  # requests whose permission has another name


@dataclass(frozen=True)
class Request:
    """A request. `service` is as in its signature, `resource` as moto finds it (S3 only), `params` are by name."""

    service: str
    operation: str
    params: Mapping[str, Any]
    account: str
    region: str
    resource: str = "*"

    @property
    def action(self) -> str:
        """The permission that the request needs: ``cloudwatch:PutMetricData``."""
        operation = _S3_ACTIONS.get(self.operation, self.operation) if self.service == "s3" else self.operation
        return f"{_PREFIXES.get(self.service, self.service)}:{operation}"

    def arn(self, rest: str, *, service: str = "") -> str:
        """Return an ARN in the request's account and region."""
        return f"arn:aws:{service or self.service}:{self.region}:{self.account}:{rest}"


def find(request: Request) -> tuple[str, ...] | None:
    """Return the ARNs of the resources that a request is about (all of which must be allowed); None if unknown.

    It is ``*`` where AWS knows no resource for an action.
    """
    look = _SERVICES.get(request.service)
    return look(request) if look else None


def context(request: Request, arn: str) -> dict[str, str | list[str]]:
    """Return the condition keys of a request for one of its resources, without those of the principal."""
    keys: dict[str, str | list[str]] = {"aws:RequestedRegion": request.region}
    if request.action == "cloudwatch:PutMetricData":
        keys["cloudwatch:namespace"] = str(request.params.get("Namespace", ""))
    if request.action == "s3:ListBucket" and "prefix" in request.params:
        keys["s3:prefix"] = str(request.params["prefix"])
    if request.service == "ec2":
        for name, value in _ec2_tags(request, arn.rpartition("/")[2]).items():
            keys[f"aws:ResourceTag/{name}"] = keys[f"ec2:ResourceTag/{name}"] = value
    return keys


def _secret(request: Request) -> tuple[str, ...] | None:
    from moto.secretsmanager.models import secretsmanager_backends

    if request.operation in ("ListSecrets", "GetRandomPassword"):
        return ("*",)
    name = request.params.get("SecretId") or request.params.get("Name")
    if not name:
        return None
    found = secretsmanager_backends[request.account][request.region].secrets.get(name)
    if found is not None:
        return (str(found.arn),)
    return (name if name.startswith("arn:") else request.arn(f"secret:{name}-000000"),)


def _parameters(request: Request) -> tuple[str, ...] | None:
    if request.operation == "DescribeParameters":
        return (request.arn("*"),)
    if "Parameter" not in request.operation:
        return None
    names = [*request.params.get("Names", ()), request.params.get("Name"), request.params.get("Path")]
    return tuple(_parameter(request, name) for name in names if name) or None


def _parameter(request: Request, name: str) -> str:
    if name.startswith("arn:"):
        return name
    return request.arn(f"parameter/{name.partition(':')[0].removeprefix('/')}")


def _repository(request: Request) -> tuple[str, ...] | None:
    if request.operation == "GetAuthorizationToken":
        return ("*",)
    name = request.params.get("repositoryName")
    return (request.arn(f"repository/{name}"),) if name else None


def _log_stream(request: Request) -> tuple[str, ...] | None:
    """Return the stream. CloudWatch Logs checks a group, too, as ``log-group:NAME:log-stream:``."""
    if "Tag" in request.operation:
        return None
    group = request.params.get("logGroupIdentifier") or request.params.get("logGroupName") or ""
    name = group.rpartition(":log-group:")[2]
    return (request.arn(f"log-group:{name}:log-stream:{request.params.get('logStreamName') or ''}"),)


def _topic(request: Request) -> tuple[str, ...] | None:
    if request.operation in ("ListTopics", "ListSubscriptions"):
        return ("*",)
    arn = request.params.get("TopicArn") or request.params.get("TargetArn") or request.params.get("ResourceArn")
    return (str(arn),) if arn else None


def _key(request: Request) -> tuple[str, ...] | None:
    from moto.kms.models import kms_backends

    if request.operation in ("ListKeys", "ListAliases", "CreateKey", "GenerateRandom"):
        return ("*",)
    asked = request.params.get("KeyId")
    if not asked:
        return None  # Decrypt finds its key in what is encrypted
    name = kms_backends[request.account][request.region].any_id_to_key_id(asked)
    return (request.arn(f"key/{name}"),)


def _bucket(request: Request) -> tuple[str, ...] | None:
    if request.operation == "ListAllMyBuckets":
        return ("*",)
    if request.operation == "DeleteObject" and "/" not in request.resource:
        return None  # many at once: their names are in the body
    return (request.resource,)


def _role(request: Request) -> tuple[str, ...] | None:
    if request.operation in ("GetCallerIdentity", "GetSessionToken"):
        return ("*",)
    arn = request.params.get("RoleArn")
    return (str(arn),) if arn else None


def _metrics(_request: Request) -> tuple[str, ...] | None:
    return ("*",)


def _ec2(request: Request) -> tuple[str, ...] | None:
    """Return everything that the request names by ID; read actions have no resource."""
    if request.operation.startswith("Describe"):
        return ("*",)
    ids = [each for name, value in request.params.items() if "Id" in name for each in _texts(value)]
    kinds = [(each, _EC2_TYPES.get(each.partition("-")[0], "")) for each in ids]
    found = tuple(request.arn(f"{kind}/{each}") for each, kind in kinds if kind)
    return found or None


def _ec2_tags(request: Request, name: str) -> dict[str, str]:
    from moto.ec2.models import ec2_backends

    return dict(ec2_backends[request.account][request.region].tags.get(name, {}))


def _scaling_group(request: Request) -> tuple[str, ...] | None:
    from moto.autoscaling.models import autoscaling_backends

    if request.operation.startswith("Describe"):
        return ("*",)
    groups = autoscaling_backends[request.account][request.region].autoscaling_groups
    name = request.params.get("AutoScalingGroupName")
    return (str(groups[name].arn),) if name in groups else None


def _texts(value: Any) -> list[str]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]


_SERVICES: Mapping[str, Callable[[Request], tuple[str, ...] | None]] = {
    "autoscaling": _scaling_group,
    "ec2": _ec2,
    "ecr": _repository,
    "kms": _key,
    "logs": _log_stream,
    "monitoring": _metrics,
    "s3": _bucket,
    "secretsmanager": _secret,
    "sns": _topic,
    "ssm": _parameters,
    "sts": _role,
}
