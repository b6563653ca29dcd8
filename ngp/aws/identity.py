"""boto3 sessions whose credentials come from an explicit environment, a profile or a role."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ngp.aws import mfa

# AWS SDKs and tools reference guide, "Assume role credential provider": settings and the variables for them
_WEB_IDENTITY = {
    "web_identity_token_file": "AWS_WEB_IDENTITY_TOKEN_FILE",
    "role_session_name": "AWS_ROLE_SESSION_NAME",
    "role_arn": "AWS_ROLE_ARN",
}


@dataclass(frozen=True)
class Role:
    """A role that is assumed for every call."""

    arn: str
    external_id: str = ""
    session_name: str = "ngp"


def make(
    env: Mapping[str, str], profile: str, role: Role | None, reach: Mapping[str, Any], device: mfa.Device | None
) -> Any:
    """Return a boto3 session whose settings and keys come from `env`, not from this process's environment."""
    import boto3
    import botocore.session
    from botocore import credentials
    from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConfigChainFactory

    core: Any = botocore.session.Session(profile=profile or None)
    core.lazy_register_component("data_loader", lambda: _load_models(core.get_config_variable("data_path")))
    store = core.get_component("config_store")
    chains = ConfigChainFactory(session=core, environ=env)
    for name, (key, variables, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
        chain = chains.create_config_chain(name, variables, key, default, convert)
        store.set_config_provider(name, chain)
    resolver = core.get_component("credential_provider")
    for own in (credentials.EnvProvider(environ=env), credentials.ContainerProvider(environ=env)):
        if own.METHOD in [provider.METHOD for provider in resolver.providers]:
            resolver.insert_before(own.METHOD, own)
            resolver.providers.remove([each for each in resolver.providers if each.METHOD == own.METHOD][-1])
    _read_web_identity(core, resolver, env, reach)
    if env.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        resolver.remove("iam-role")  # it looks at the process's own environment
    if device is not None:
        mfa.serve(core, device, env, reach)
    if role is not None:
        _assume(core, role, reach)
    made = boto3.Session(botocore_session=core)
    paths = core.get_component("data_loader").search_paths
    paths[:] = dict.fromkeys(paths)  # each session adds boto3's folder to the loader that they share
    return made


def _load_models(folders: str | None) -> Any:
    """Return botocore's loader of service models, which one process shares among its sessions.

    A user's own models, in `folders` or ~/.aws/models, belong to a home and may change: each session reads them.
    """
    from botocore.loaders import Loader

    named = [Path(os.path.expandvars(folder)).expanduser() for folder in (folders or "").split(os.pathsep) if folder]
    own = [folder for folder in (*named, Path("~/.aws/models").expanduser()) if folder.is_dir()]
    if not own:
        return _published_models()
    return Loader([*map(str, own), Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


@cache
def _published_models() -> Any:
    from botocore.loaders import Loader

    return Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


def _read_web_identity(core: Any, resolver: Any, env: Mapping[str, str], reach: Mapping[str, Any]) -> None:
    """Let the token of a CI or a cluster be that of `env`; botocore looks at the process's own environment."""
    from botocore.credentials import AssumeRoleWithWebIdentityProvider as Provider

    has_profile = core.instance_variables().get("profile") is not None  # it counts before variables
    given = {} if has_profile else {key: env[name] for key, name in _WEB_IDENTITY.items() if name in env}
    profile = core.get_config_variable("profile") or "default"

    def load() -> dict[str, Any]:
        return {"profiles": {profile: {**core.full_config.get("profiles", {}).get(profile, {}), **given}}}

    def creator(service: str, *, config: Any) -> Any:
        return core.create_client(service, **{**reach, "config": reach["config"].merge(config)})

    own = Provider(load, creator, profile, disable_env_vars=True)
    for former in [each for each in resolver.providers if each.METHOD == own.METHOD]:
        resolver.insert_before(own.METHOD, own)
        resolver.providers.remove(former)


def _assume(core: Any, role: Role, reach: Mapping[str, Any]) -> None:
    """Let the session act as `role`, never as who may assume it; the keys are renewed when they run out."""
    from botocore import credentials
    from botocore.exceptions import NoCredentialsError
    from botocore.session import Session as Core

    base = core.get_component("credential_provider").load_credentials()
    if base is None:
        raise NoCredentialsError
    asked = {"RoleSessionName": role.session_name, **({"ExternalId": role.external_id} if role.external_id else {})}

    def creator(service: str, **keys: Any) -> Any:
        return Core().create_client(service, **keys, **reach)

    fetcher = credentials.AssumeRoleCredentialFetcher(creator, base, role.arn, extra_args=asked)
    assumed = credentials.DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
    core.register_component("credential_provider", _Assumed(assumed))


@dataclass(frozen=True)
class _Assumed:
    """What botocore asks for credentials, in place of its chain of providers."""

    credentials: Any

    def load_credentials(self) -> Any:
        return self.credentials
