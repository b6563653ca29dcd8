"""Source of hosts: EC2, by the tags that ngp's modules put there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ngp.hosts import firewall
from ngp.hosts.host import SSH_PORT, Host, HostState, of_tags

if TYPE_CHECKING:
    from ngp.aws.session import Session

USER = "admin"  # of Debian's images, which the modules use
_GROUP_TAG = "aws:autoscaling:groupName"
_STATES = ("pending", "running", "stopping", "stopped", "shutting-down")  # a terminated one is gone
_PAGE = 1000  # the most that EC2 gives at once


@dataclass(frozen=True)
class CloudSource:
    """The instances of a project; of one environment, or of all that have the tag ``Environment`` for ""."""

    session: Session
    project: str
    environment: str = ""
    user: str = USER

    def hosts(self) -> list[Host]:
        """Return the instances, from all pages. Raises what `Session.call` raises."""
        instances = list(self._instances())
        rules = firewall.load(self.session, [group for each in instances for group in _groups(each)])
        found = [
            replace(_host(each, self.user), opens_ssh=firewall.opens(SSH_PORT, _groups(each), rules))
            for each in instances
        ]
        return [_replaced(host, found) for host in found]

    def _instances(self) -> Iterator[Mapping[str, Any]]:
        asked = {
            "tag:Project": [self.project],
            "tag:Environment": [self.environment or "*"],
            "instance-state-name": list(_STATES),
        }
        filters = [{"Name": name, "Values": values} for name, values in asked.items() if values != [""]]
        more: dict[str, str] = {}
        while True:
            page = self.session.call("ec2", "describe_instances", Filters=filters, MaxResults=_PAGE, **more) or {}
            for reservation in page.get("Reservations", ()):
                yield from reservation["Instances"]
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}


def _host(instance: Mapping[str, Any], user: str) -> Host:
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}
    return replace(
        of_tags(tags, instance["InstanceId"], user),
        public_address=instance.get("PublicIpAddress") or "",
        private_address=instance.get("PrivateIpAddress") or "",
        public_dns=instance.get("PublicDnsName") or "",
        private_dns=instance.get("PrivateDnsName") or "",
        state=HostState(instance["State"]["Name"]),
    )


def _groups(instance: Mapping[str, Any]) -> list[str]:
    return [one["GroupId"] for one in instance.get("SecurityGroups", ())]


def _replaced(host: Host, all_hosts: Sequence[Host]) -> Host:
    """Return an instance that ends as one that is being replaced, if another one has taken its name."""
    if host.state is not HostState.ENDING:
        return host
    alive = (HostState.PENDING, HostState.RUNNING)
    has_heir = any(other.state in alive and _place(other) == _place(host) for other in all_hosts)
    return replace(host, state=HostState.REPLACED) if has_heir or _GROUP_TAG in host.tags else host


def _place(host: Host) -> tuple[str, str, str]:
    return host.environment, host.cluster, host.name
