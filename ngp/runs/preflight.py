"""Checks what modules need of an account: free quota, and accepted terms of the AWS Marketplace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ngp.aws.failures import DeniedError
from ngp.catalogue import support
from ngp.errors import MissingError, NgpError

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.environments.resolving import Resolved

_QUOTA, _TERMS = "quota", "marketplace"
_SHOP = "https://aws.amazon.com/marketplace/pp?sku="
_LOOKED_BACK = timedelta(days=1)  # usage is measured a few times a day


def quotas(resolved: Resolved) -> dict[str, list[str]]:
    """Return the quotas that modules of the environment name (``vpc/L-F678F1CE``), each with the units that need it."""
    found: dict[str, list[str]] = {}
    for unit, item in _items(resolved, _QUOTA):
        found.setdefault(item, []).append(unit)
    return dict(sorted(found.items()))


def products(resolved: Resolved) -> dict[str, list[str]]:
    """Return the Marketplace products that units need with their values, by code, each with those units."""
    found: dict[str, list[str]] = {}
    for unit, condition in _items(resolved, _TERMS):
        name, _, value = condition.partition("=")
        if not name or _value(resolved, unit, name) == value:
            module = resolved.catalogue.modules[resolved.environment.units[unit].module]
            for code in module.manifest.marketplace:
                found.setdefault(code, []).append(unit)
    return dict(sorted(found.items()))


def ends(resolved: Resolved) -> list[tuple[support.End, tuple[str, ...]]]:
    """Return the versions of the environment whose support ends soon or has ended, each with its units; earliest
    first."""
    found: dict[tuple[str, str], tuple[support.End, list[str]]] = {}
    for unit, choice in resolved.environment.units.items():
        for item in resolved.catalogue.modules[choice.module].manifest.support:
            values = {name: _value(resolved, unit, name) for name in support.inputs(item)}
            end = support.resolve(item, values)
            if end is not None and support.near([end], support.today()):
                found.setdefault((end.product.title, end.version), (end, []))[1].append(unit)
    return sorted(((end, tuple(units)) for end, units in found.values()), key=lambda each: each[0].last_day)


def describe_quota(session: Session, quota: str) -> str:
    """Describe what is left of a quota, also if AWS does not report it. Raises MissingError if it is used up."""
    service, _, code = quota.partition("/")
    try:
        answer = session.call("service-quotas", "get_service_quota", ServiceCode=service, QuotaCode=code) or {}
        found = answer["Quota"]
        used = _used(session, found)
    except MissingError as error:
        if not isinstance(error, DeniedError):
            raise
        return f"{quota}: not checked, {error.findings[0].what}"
    except NgpError as error:
        return f"{quota}: AWS does not report it ({error.findings[0].why})"
    name, limit = found.get("QuotaName", quota), float(found["Value"])
    if used is not None and used >= limit:
        todo = f"aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code}"
        what = f"{name} ({quota}): all {limit:g} are used"
        raise MissingError(what, why="AWS refuses to create more", todo=f"{todo} --desired-value …")
    return f"{name} ({quota}): {limit:g}, " + ("AWS counts no use" if used is None else f"{used:g} used")


def describe_terms(session: Session, product: str) -> str:
    """Describe whether a machine of a product may be started, by a dry run: the Marketplace has no API for that.

    Raises MissingError if its terms are not accepted.
    """
    filters = [{"Name": "product-code", "Values": [product]}]
    try:
        images = session.call("ec2", "describe_images", Owners=["aws-marketplace"], Filters=filters) or {}
        if not images.get("Images"):
            return f"{product}: no image of it in this region"
        newest = max(images["Images"], key=lambda image: image.get("CreationDate", ""))["ImageId"]
        wish: Mapping[str, Any] = {"InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1, "DryRun": True}
        session.call("ec2", "run_instances", absent=("DryRunOperation",), ImageId=newest, **wish)
    except NgpError as error:
        why = error.findings[0].why
        if why.startswith("OptInRequired"):
            what, todo = f"the terms of {product} are not accepted", f"accept them: {_SHOP}{product}"
            raise MissingError(what, why=why, todo=todo) from error
        if isinstance(error, MissingError) and not isinstance(error, DeniedError):
            raise
        return f"{product}: AWS does not report it ({why or error.findings[0].what})"
    return f"{product}: a machine of it may be started"


def _items(resolved: Resolved, kind: str) -> Iterator[tuple[str, str]]:
    """Yield the units and the names of their modules' preflight items of a kind."""
    for unit, choice in resolved.environment.units.items():
        for item in resolved.catalogue.modules[choice.module].manifest.preflight:
            name, _, rest = item.partition(":")
            if name == kind:
                yield unit, rest


def _value(resolved: Resolved, unit: str, name: str) -> object:
    binding = resolved.bindings[unit].inputs[name]
    variable = resolved.catalogue.modules[resolved.environment.units[unit].module].variables[name]
    return variable.default if binding.value is None else binding.value


def _used(session: Session, quota: Mapping[str, Any]) -> float | None:
    """Return the used part of a quota, by CloudWatch's last measurement; None if there is none."""
    metric = quota.get("UsageMetric") or {}
    if not metric.get("MetricName"):
        return None
    statistic, now = metric.get("MetricStatisticRecommendation", "Maximum"), datetime.now(UTC)
    answer = session.call(
        "cloudwatch",
        "get_metric_statistics",
        Namespace=metric["MetricNamespace"],
        MetricName=metric["MetricName"],
        Dimensions=[{"Name": name, "Value": value} for name, value in metric.get("MetricDimensions", {}).items()],
        StartTime=now - _LOOKED_BACK,
        EndTime=now,
        Period=3600,
        Statistics=[statistic],
    )
    points = sorted((answer or {}).get("Datapoints", ()), key=lambda point: point["Timestamp"])
    return float(points[-1][statistic]) if points else None
