"""Resolves secret references in the process that starts Terraform, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ngp.errors import MissingError

if TYPE_CHECKING:
    from ngp.aws.session import Session


def resolve(references: Mapping[str, str], environ: Mapping[str, str], session: Session) -> dict[str, str]:
    """The value of each reference (``env:NAME``, ``ssm:/path``, ``awssm:id#key``), by root variable.

    Raises MissingError (69) for what is not to be had; a value never stands in a message.
    """
    return {name: _resolve(reference, environ, session) for name, reference in references.items()}


def _resolve(reference: str, environ: Mapping[str, str], session: Session) -> str:
    scheme, _, path = reference.partition(":")
    if scheme == "env":
        if path not in environ:
            raise MissingError(f"the secret {reference} is not set in the environment", todo=f"export {path}")
        return environ[path]
    if scheme == "ssm":
        return session.parameter(path, decrypt=True)
    if scheme == "awssm":
        name, _, key = path.partition("#")
        return session.secret(name, key)
    raise MissingError(
        f"ngp cannot resolve {reference}", why=f"nothing reads `{scheme}:` yet", todo="use ssm:, awssm: or env:"
    )
