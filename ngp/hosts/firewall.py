"""Whether security groups let anybody reach a port of an instance. Network ACLs and routes do not count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ngp.aws.failures import DeniedError

if TYPE_CHECKING:
    from ngp.aws.session import Session

_AT_ONCE = 200  # values of one filter
_TCP = ("tcp", "6")
_ALL = "-1"
Rules = Mapping[str, Sequence[Mapping[str, Any]]]  # of ingress, by group; as EC2 gives them (IpPermissions)


def load(session: Session, groups: Iterable[str]) -> Rules:
    """Return the rules of security groups; of none without the right to look. Raises what `Session.call` raises."""
    wanted, found = sorted(set(groups)), dict[str, Sequence[Mapping[str, Any]]]()
    for at in range(0, len(wanted), _AT_ONCE):
        filters = [{"Name": "group-id", "Values": wanted[at : at + _AT_ONCE]}]
        try:
            page = session.call("ec2", "describe_security_groups", Filters=filters) or {}
        except DeniedError:
            return {}
        found |= {one["GroupId"]: one.get("IpPermissions", ()) for one in page.get("SecurityGroups", ())}
    return found


def opens(port: int, groups: Sequence[str], rules: Rules) -> bool | None:
    """Return whether a rule lets anybody but members of these same groups reach a TCP port; None if that is unknown."""
    if any(_covers(rule, port) and _lets_others_in(rule, groups) for group in groups for rule in rules.get(group, ())):
        return True
    return False if groups and all(group in rules for group in groups) else None


def _covers(rule: Mapping[str, Any], port: int) -> bool:
    if rule["IpProtocol"] == _ALL:
        return True
    return rule["IpProtocol"] in _TCP and rule["FromPort"] <= port <= rule["ToPort"]


def _lets_others_in(rule: Mapping[str, Any], groups: Sequence[str]) -> bool:
    if any(rule.get(kind) for kind in ("IpRanges", "Ipv6Ranges", "PrefixListIds")):
        return True
    return any(pair.get("GroupId") not in groups for pair in rule.get("UserIdGroupPairs", ()))
