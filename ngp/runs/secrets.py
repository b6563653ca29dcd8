"""Resolves secret references, only in the process that starts Terraform."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ngp.errors import MissingError

if TYPE_CHECKING:
    from ngp.aws.session import Session


def resolve(references: Mapping[str, str], environ: Mapping[str, str], session: Session) -> dict[str, str]:
    """Return the value of each reference (``env:NAME``, ``ssm:/path``, ``awssm:id#key``), by root variable.

    Raises MissingError (69) for values that cannot be read. Messages never contain a value.
    """
    return {name: _resolve(reference, environ, session) for name, reference in references.items()}


def version(reference: str, session: Session) -> str:
    """Return the version of a reference's source, "" if it has none (``env:``) or does not exist; never a value."""
    scheme, _, path = reference.partition(":")
    if scheme == "ssm":
        found = session.call("ssm", "get_parameter", absent=("ParameterNotFound",), Name=path, WithDecryption=False)
        return "" if found is None else str(found["Parameter"]["Version"])
    if scheme == "awssm":
        name = path.partition("#")[0]
        found = session.call(
            "secretsmanager", "list_secret_version_ids", absent=("ResourceNotFoundException",), SecretId=name
        )
        current = (
            one["VersionId"] for one in (found or {}).get("Versions", ()) if "AWSCURRENT" in one["VersionStages"]
        )
        return next(current, "")
    return ""


def read(secret: str, session: Session, key: str = "") -> str:
    """Return the text of a secret in Secrets Manager by name or ARN, or one `key` of it if it is a JSON object."""
    found = session.call("secretsmanager", "get_secret_value", absent=("ResourceNotFoundException",), SecretId=secret)
    text = "" if found is None else str(found.get("SecretString", ""))
    if not key:
        if not text:
            raise MissingError(
                f"the secret {secret} does not exist", todo="apply the unit that creates it, or fix the name"
            )
        return text
    try:
        return str(json.loads(text)[key])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise MissingError(f"the secret {secret} has no key `{key}`", todo="fix the reference") from None


def _resolve(reference: str, environ: Mapping[str, str], session: Session) -> str:
    scheme, _, path = reference.partition(":")
    if scheme == "env":
        if path not in environ:
            raise MissingError(f"the secret {reference} is not set in the environment", todo=f"export {path}")
        return environ[path]
    if scheme == "ssm":
        found = session.call("ssm", "get_parameter", absent=("ParameterNotFound",), Name=path, WithDecryption=True)
        if found is None:
            raise MissingError(
                f"the parameter {path} does not exist", todo="create the parameter, or fix the reference"
            )
        return str(found["Parameter"]["Value"])
    if scheme == "awssm":
        name, _, key = path.partition("#")
        return read(name, session, key)
    raise MissingError(
        f"ngp cannot resolve {reference}", why=f"ngp does not support `{scheme}:` yet", todo="use ssm:, awssm: or env:"
    )
