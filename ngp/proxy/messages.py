"""Calls of Terraform's plugin protocol, by how the proxy answers them. Field numbers are those of `plugin.proto`."""

from __future__ import annotations

from enum import Enum

from ngp.proxy import wire

PROTOCOLS = (5, 6)
DIAGNOSTICS = 4  # of a schema response
SCHEMA_MAPS = {
    2: "resource_schemas",
    3: "data_source_schemas",
    8: "ephemeral_resource_schemas",
    9: "list_resource_schemas",
    11: "action_schemas",
}
_CONFIG, _PREPARED = 1, 1
_CONFIGURE_DIAGNOSTICS = 1
_SEVERITY, _ERROR = 1, 1


class CallKind(Enum):
    """How the proxy answers a call."""

    SCHEMA = "schema"
    FACT = "fact"  # depends on the package alone
    PREPARE = "prepare"  # depends on the package and the request alone
    VALIDATE = "validate"  # the same while the provider is not configured
    CONFIGURE = "configure"
    STOP = "stop"
    CALL = "call"  # unary
    STREAM = "stream"  # anything else: messages are forwarded as they arrive


_KINDS = {
    "GetSchema": CallKind.SCHEMA,
    "GetProviderSchema": CallKind.SCHEMA,
    "GetMetadata": CallKind.FACT,
    "GetFunctions": CallKind.FACT,
    "GetResourceIdentitySchemas": CallKind.FACT,
    "PrepareProviderConfig": CallKind.PREPARE,
    "ValidateProviderConfig": CallKind.PREPARE,
    "ValidateResourceTypeConfig": CallKind.VALIDATE,
    "ValidateResourceConfig": CallKind.VALIDATE,
    "ValidateDataSourceConfig": CallKind.VALIDATE,
    "ValidateDataResourceConfig": CallKind.VALIDATE,
    "ValidateEphemeralResourceConfig": CallKind.VALIDATE,
    "Configure": CallKind.CONFIGURE,
    "ConfigureProvider": CallKind.CONFIGURE,
    "Stop": CallKind.STOP,
    "StopProvider": CallKind.STOP,
    "UpgradeResourceState": CallKind.CALL,
    "UpgradeResourceIdentity": CallKind.CALL,
    "ReadResource": CallKind.CALL,
    "PlanResourceChange": CallKind.CALL,
    "ApplyResourceChange": CallKind.CALL,
    "ImportResourceState": CallKind.CALL,
    "MoveResourceState": CallKind.CALL,
    "ReadDataSource": CallKind.CALL,
    "OpenEphemeralResource": CallKind.CALL,
    "RenewEphemeralResource": CallKind.CALL,
    "CloseEphemeralResource": CallKind.CALL,
    "CallFunction": CallKind.CALL,
}


def kind(method: str) -> CallKind:
    """Return how to answer a call, by the last part of its path."""
    return _KINDS.get(method.rpartition("/")[2], CallKind.STREAM)


def schema_method(protocol: int) -> str:
    return f"/tfplugin{protocol}.Provider/{'GetSchema' if protocol == 5 else 'GetProviderSchema'}"


def plain_prepare(protocol: int, request: bytes) -> bytes | None:
    """Return the plain positive answer to a Prepare, or None if the request cannot be read.

    In protocol 5 the configuration comes back as it went.
    """
    if protocol == 6:
        return b""
    try:
        config = wire.first(request, _CONFIG)
    except wire.WireError:
        return None
    return b"" if config is None else wire.encode(_PREPARED, config)


def has_errors(response: bytes, diagnostics: int = _CONFIGURE_DIAGNOSTICS) -> bool:
    """Whether a response contains an error diagnostic, or cannot be read."""
    try:
        for field in wire.fields(response):
            if field.number == diagnostics and any(
                inner.number == _SEVERITY and inner.value == _ERROR
                for inner in wire.fields(response, field.body, field.end)
            ):
                return True
    except wire.WireError:
        return True
    return False
