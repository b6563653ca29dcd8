"""Terraform functions for IP networks."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from ngp.catalogue.operators import ExpressionError, UnknownError, to_number, to_string


def _network(text: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Return a network in CIDR notation; bits of the host may be set."""
    written = to_string(text)
    if "/" not in written or not re.fullmatch(r"\d{1,3}", written.rpartition("/")[2]) or "%" in written:
        raise ExpressionError("an address in CIDR notation is required")
    try:
        return ipaddress.ip_network(written, strict=False)
    except ValueError:
        raise _octets(written) from None


def _octets(text: str) -> Exception:
    """Terraform reads octets with leading zeros, for its past."""
    return UnknownError(text) if re.search(r"(^|\.)0\d", text) else ExpressionError("no address in CIDR notation")


def cidrhost(prefix: Any, number: Any) -> str:
    """Return the address of a host in a network."""
    network, position = _network(prefix), to_number(number)
    if not isinstance(position, int) or not -network.num_addresses <= position < network.num_addresses:
        raise ExpressionError("the network has no such host")
    return str(network[position])


def cidrnetmask(prefix: Any) -> str:
    """Return the netmask of an IPv4 network."""
    network = _network(prefix)
    if network.version != 4:
        raise ExpressionError("an IPv6 network has no netmask")
    return str(network.netmask)


def cidrsubnet(prefix: Any, newbits: Any, number: Any) -> str:
    """Return a part of a network."""
    network, bits, position = _network(prefix), to_number(newbits), to_number(number)
    length = network.prefixlen + bits
    if not isinstance(bits, int) or bits < 0 or length > network.max_prefixlen or not isinstance(position, int):
        raise ExpressionError("the network is too small")
    if not 0 <= position < 2**bits:
        raise ExpressionError("the network has no such subnet")
    start = int(network.network_address) + (position << (network.max_prefixlen - int(length)))
    return f"{type(network.network_address)(start)}/{length}"
