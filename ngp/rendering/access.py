"""The backend block and the AWS provider block of a root."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import PurePosixPath

from ngp.catalogue import hcl
from ngp.environments.environment import Environment, Target
from ngp.rendering.root import Pairs
from ngp.state import locations


@dataclass(frozen=True)
class BackendBlock:
    kind: str
    settings: Pairs


@dataclass(frozen=True)
class ProviderBlock:
    """Settings of the provider block. `role` has the arguments of ``assume_role``, if any."""

    settings: Pairs
    role: Pairs


def backend(place: locations.StateLocation, environment: Environment, root: PurePosixPath) -> BackendBlock:
    """Return the backend block of the root at `root` (relative to the platform)."""
    if place.path is not None:
        path = posixpath.relpath(place.path.as_posix(), root)
        return BackendBlock("local", (("path", hcl.render(path)),))
    settings: Pairs = (
        ("bucket", hcl.render(place.bucket)),
        ("key", hcl.render(place.key)),
        ("region", hcl.render(place.region)),
        ("encrypt", "true"),
        ("use_lockfile", "true"),
        *_guard(environment),
    )
    role = _role(environment)
    if role:
        width = max(len(name) for name, _ in role)
        lines = "".join(f"      {name:{width}} = {value}\n" for name, value in role)
        settings = (*settings, ("assume_role", f"{{\n{lines}    }}"))
    return BackendBlock("s3", settings)


def provider(environment: Environment) -> ProviderBlock:
    """Return the provider block, which is equal in all roots of an environment."""
    return ProviderBlock((("region", hcl.render(environment.region)), *_guard(environment)), _role(environment))


def _guard(environment: Environment) -> Pairs:
    """Return the allowed account and the way to sign in.

    The sandbox has no profile: plain Terraform would look for real credentials.
    """
    account = ("allowed_account_ids", f"[{hcl.render(environment.account)}]")
    if environment.profile and environment.target is Target.AWS:
        return account, ("profile", hcl.render(environment.profile))
    return (account,)


def _role(environment: Environment) -> Pairs:
    role = environment.assume_role
    if role is None or environment.target is not Target.AWS:
        return ()
    pairs = {"role_arn": role.arn, "external_id": role.external_id, "session_name": role.session_name}
    return tuple((name, hcl.render(value)) for name, value in pairs.items() if value)
