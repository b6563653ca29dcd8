"""Source of hosts: Terraform states, for when the cloud cannot be reached. They contain no instances of scaling
groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ngp.errors import NgpError
from ngp.hosts.cloud import USER
from ngp.hosts.host import Host, HostState, of_tags
from ngp.terraform import documents

_TYPE = "aws_instance"
_WORDS = {state.value: state for state in HostState}


@dataclass(frozen=True)
class StateSource:
    """The instances in states; `read` gives the texts of the environment's states by their places."""

    read: Callable[[], Mapping[str, str]]
    project: str
    environment: str = ""
    user: str = USER

    def hosts(self) -> list[Host]:
        """Return the instances. Raises NgpError for a text that is no state."""
        found = [host for where, text in self.read().items() for host in _hosts(text, where, self.user)]
        return [
            host
            for host in found
            if self.environment in ("", host.environment) and self.project in ("", host.tags.get("Project", ""))
        ]


def _hosts(text: str, where: str, user: str) -> list[Host]:
    try:
        resources = documents.parse(text).get("resources") or () if text.strip() else ()
        return list(_read(resources, user))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NgpError("this is not a Terraform state", where=where) from None


def _read(resources: Iterable[Any], user: str) -> Iterator[Host]:
    for resource in resources:
        if resource.get("type") != _TYPE or resource.get("mode", "managed") != "managed":
            continue
        for instance in resource.get("instances") or ():
            is_replaced = bool(instance.get("deposed")) or instance.get("status") == "tainted"
            yield _host(instance["attributes"], user, is_replaced=is_replaced)


def _host(attributes: Mapping[str, Any], user: str, *, is_replaced: bool) -> Host:
    tags = attributes.get("tags_all") or attributes.get("tags") or {}
    state = _WORDS.get(attributes.get("instance_state") or "", HostState.UNKNOWN)
    return replace(
        of_tags(tags, attributes["id"], user),
        public_address=attributes.get("public_ip") or "",
        private_address=attributes.get("private_ip") or "",
        public_dns=attributes.get("public_dns") or "",
        private_dns=attributes.get("private_dns") or "",
        state=HostState.REPLACED if is_replaced else state,
        source="state",
    )
