"""Roles of a profile (`role_arn`, `source_profile`) that need a code of an MFA device.

botocore keeps the credentials where the AWS CLI keeps its own, in the same form (JSONFileCache, mode 0600): a code that
was given to one of them serves both until the credentials run out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngp.errors import MissingError

_CODE = re.compile(r"[0-9]{6}")
_TRIES = 5


@dataclass(frozen=True)
class Device:
    """The function that asks for a code (`ask` gets the question), and the folder that caches credentials."""

    ask: Callable[[str], str]
    cache: Path

    def code(self, question: str) -> str:
        """Ask until the answer is a code of six digits. Raises MissingError (69) after a few wrong answers."""
        for again in range(_TRIES):
            answer = self.ask(f"A code has six digits. {question}" if again else question).strip()
            if _CODE.fullmatch(answer):
                return answer
        raise MissingError(
            "the code of the MFA device is missing", why="the role of the profile needs a code of six digits"
        )


def serve(core: Any, device: Device, env: Mapping[str, str], reach: Mapping[str, Any]) -> None:
    """Let the profiles of a botocore session ask this device; `reach` says how to reach STS."""
    from botocore import credentials
    from botocore.utils import JSONFileCache

    def creator(service: str, *, config: Any = None, **keys: Any) -> Any:
        merged = reach["config"].merge(config) if config is not None else reach["config"]
        return core.create_client(service, **{**keys, **reach, "config": merged})

    cache = JSONFileCache(str(device.cache))
    own = credentials.AssumeRoleProvider(
        load_config=lambda: core.full_config,
        client_creator=creator,
        cache=cache,
        profile_name=core.get_config_variable("profile") or "default",
        prompter=device.code,
        credential_sourcer=credentials.CanonicalNameCredentialSourcer(
            [credentials.EnvProvider(environ=env), credentials.ContainerProvider(environ=env)]
        ),
        profile_provider_builder=credentials.ProfileProviderBuilder(core, cache=cache),
    )
    resolver = core.get_component("credential_provider")
    for former in [each for each in resolver.providers if each.METHOD == own.METHOD]:
        resolver.insert_before(own.METHOD, own)
        resolver.providers.remove(former)
