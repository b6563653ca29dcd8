"""Further checks of an environment before Terraform starts."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from ngp.environments import documents, host_files, naming, references, tfvars
from ngp.environments.environment import NAME, NAME_LENGTH, Environment, Platform, Target
from ngp.environments.values import COMMON_INPUTS, FACTS, Values, WrittenValue
from ngp.errors import Finding, UsageError, nearest

_ZONE = re.compile(r"[a-z]{2}(-[a-z]+)+-\d[a-z]")


def check(platform: Platform, environment: Environment, values: Values) -> list[Finding]:
    """Return all findings about names, networks, zones, tags, and conflicts with the platform's other environments."""
    return [
        *check_platform(platform),
        *_check_environment(environment),
        *_check_tags(values),
        *_check_networks(values),
        *_check_zones(environment, values),
        *_check_uniqueness(platform, environment, values),
    ]


def check_platform(platform: Platform) -> list[Finding]:
    """Return the protected environments that do not exist; the approval rules name no others."""
    known = [*documents.names(platform)]
    if set(platform.protected) - {*known}:  # hosts.yaml has environments of its own
        known += [host.environment for host in host_files.load(platform.path).values()]
    where = str(platform.path / "ngp.yaml")
    return [
        Finding(f"the protected environment `{name}` does not exist", where, todo=nearest(name, known))
        for name in platform.protected
        if name not in known
    ]


def written(values: Values) -> Iterator[tuple[str, str, WrittenValue]]:
    """Yield every value of terraform.tfvars as (name to show, input, value)."""
    for name, value in values.common.items():
        yield name, name, value
    for unit, inputs in values.objects.items():
        for name, value in inputs.items():
            yield f"{unit}.{name}", name, value


def _check_environment(environment: Environment) -> Iterator[Finding]:
    if environment.target is Target.SANDBOX:
        for key, is_set in (("profile", environment.profile), ("assume_role", environment.assume_role)):
            if is_set:
                why = "a sandbox has dummy keys, so that nothing can reach a real account"
                yield Finding(f"`{key}` cannot be combined with `target: sandbox`", environment.where(key), why)
    for unit in environment.units:
        if unit in (*COMMON_INPUTS, *FACTS):
            why = "terraform.tfvars could not distinguish them"
            yield Finding(f"the unit `{unit}` has the name of an input", environment.where(f"units.{unit}"), why)
    if not re.fullmatch(NAME, environment.name) or len(environment.name) > NAME_LENGTH:
        why = "a name starts with a letter and has at most 31 lower-case letters, digits and single dashes"
        yield Finding(f"`{environment.name}` is not a valid environment name", str(environment.path), why)


def _check_tags(values: Values) -> Iterator[Finding]:
    for shown, name, value in written(values):
        if name in naming.LIMITS and isinstance(value.value, str):
            for reason in naming.check(name, value.value):
                yield Finding(f"{shown} = {value.value!r}: {reason}", str(value.place))
        if name == "tags" and isinstance(value.value, Mapping):
            for key in value.value:
                if key.lower().startswith("aws:") or not 1 <= len(key) <= 128:
                    why = "a tag's key has 1 to 128 characters and does not begin with `aws:`"
                    yield Finding(f"{shown}: `{key}` cannot be a tag", str(value.place), why)
    pre, post = (values.common.get(name) for name in ("pre_tag", "post_tag"))
    if pre and post and isinstance(pre.value, str) and isinstance(post.value, str):
        yield from (Finding(reason, str(pre.place)) for reason in naming.check_pair(pre.value, post.value))


def _check_networks(values: Values) -> Iterator[Finding]:
    for shown, name, value in written(values):
        if name.endswith(("_cidr", "_cidrs", "cidr_block", "cidr_blocks")):
            for text in _texts(value.value):
                if reason := _network_reason(text, is_vpc=name == "vpc_cidr"):
                    yield Finding(f"{shown}: `{text}` is not a network", str(value.place), reason)


def _network_reason(text: str, *, is_vpc: bool) -> str:
    if not text or references.is_reference(text):
        return ""
    if "/" not in text:
        return "the prefix length is missing, as in 10.0.0.0/16"
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        return str(error)
    if is_vpc and (network.version != 4 or not 16 <= network.prefixlen <= 28):
        return "a VPC takes an IPv4 network between /16 and /28"
    return ""


def _check_zones(environment: Environment, values: Values) -> Iterator[Finding]:
    for shown, name, value in written(values):
        if name in {"availability_zone", "availability_zones", "azs"}:
            for text in _texts(value.value):
                if not _ZONE.fullmatch(text):
                    why = f"a zone is a region and a letter, as in {environment.region}a"
                    yield Finding(f"{shown}: `{text}` is not an availability zone", str(value.place), why)
                elif text[:-1] != environment.region:
                    why = f"the environment's region is {environment.region}"
                    yield Finding(f"{shown}: `{text}` is in another region", str(value.place), why)


def _check_uniqueness(platform: Platform, environment: Environment, values: Values) -> Iterator[Finding]:
    """The pair of tags makes all names, and those of IAM hold for a whole account: its environments differ in it."""
    pair = _pair(values)
    if pair is None:
        return
    for other in documents.names(platform):
        if other == environment.name:
            continue
        with suppress(UsageError):  # errors of the other environment are reported when it is used
            found = documents.load(platform, other)
            if _place(found) != _place(environment):
                continue
            if _pair(tfvars.load(found.path / tfvars.FILE, platform.cache)) == pair:
                what = f"pre_tag and post_tag are those of the environment `{other}`"
                why = f"both live in account {environment.account}, so their names would clash"
                yield Finding(what, str(values.common["pre_tag"].place), why, "change one of the two tags")


def _pair(values: Values) -> tuple[str, str] | None:
    pair = tuple(values.common[name].value for name in ("pre_tag", "post_tag") if name in values.common)
    return (pair[0].lower(), pair[1].lower()) if len(pair) == 2 and all(isinstance(tag, str) for tag in pair) else None


def _place(environment: Environment) -> tuple[Target, str]:
    return environment.target, environment.account


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
