"""AWS variables of child processes: those of the sandbox or of the shell, never a mixture. Pure."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ngp.errors import Finding, RefusedError

LOOPBACK = ("127.0.0.1", "localhost")

# Where the AWS SDKs find credentials and trust; whatever else begins with AWS_ stays outside.
_OF_THE_SHELL = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_SDK_LOAD_CONFIG",
        "AWS_CA_BUNDLE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        "AWS_METADATA_SERVICE_TIMEOUT",
        "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
        "AWS_MAX_ATTEMPTS",
        "AWS_RETRY_MODE",
        "AWS_STS_REGIONAL_ENDPOINTS",
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_USE_FIPS_ENDPOINT",
    }
)


def sandbox(environ: Mapping[str, str], url: str, region: str, account: str) -> dict[str, str]:
    """Return the AWS variables of a process that reaches only the sandbox at `url`.

    Both emulators take the access key id for the account. The files of the shell's profiles are out of sight, so
    neither a profile nor an endpoint that stands in one can count; `AWS_ENDPOINT_URL` holds for every service.
    """
    return {
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": url,
        **_in_region(region),
        **_past_proxies(environ),
    }


def real(environ: Mapping[str, str], region: str) -> dict[str, str]:
    """Return the AWS variables of a process that reaches real AWS: the shell's credentials, the environment's region.

    Raises RefusedError (3) for every `AWS_ENDPOINT_URL*`: this is the guard between the sandbox and an account,
    not a mistake in what the operator wrote. Endpoints that stand in a profile do not count either.
    """
    strays = sorted(name for name in environ if name.startswith("AWS_ENDPOINT_URL"))
    if strays:
        raise RefusedError(
            [
                Finding(
                    f"{name} is set, and this environment's target is a real account",
                    where=f"{name}={environ[name]}",
                    why="calls would go there instead of to AWS",
                    todo=f"unset {name} (after `ngp sandbox env`: open a new shell)",
                )
                for name in strays
            ]
        )
    kept = {name: value for name, value in environ.items() if name in _OF_THE_SHELL}
    return {**kept, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", **_in_region(region)}


def _in_region(region: str) -> dict[str, str]:
    # boto3 reads only the second, Terraform both
    return {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}


def _past_proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """Both spellings with loopback added: programs differ in which of them they read, and read only one."""
    named = [host for key in ("NO_PROXY", "no_proxy") for host in environ.get(key, "").split(",") if host.strip()]
    hosts = ",".join(dict.fromkeys(host.strip() for host in (*named, *LOOPBACK)))
    return {"NO_PROXY": hosts, "no_proxy": hosts}
