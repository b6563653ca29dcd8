"""A witness of host keys: EC2's console output (GetConsoleOutput), to which cloud-init writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ngp.aws.session import Session

# cloud-init, cc_keys_to_console
_KEYS = re.compile(r"-+BEGIN SSH HOST KEY KEYS-+\r?\n(.*?)-+END SSH HOST KEY KEYS-+", re.DOTALL)
_KEY = re.compile(r"^[^\n]*?((?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/]+=*)", re.MULTILINE)
_ABSENT = ("InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed")
_NO_LATEST = ("UnsupportedOperation", "InvalidParameterCombination")  # an instance type before Nitro


def keys(session: Session, instance: str) -> tuple[str, ...]:
    """Return the public host keys that an instance wrote to its console at its last boot; none if it wrote none.

    EC2 keeps what came shortly after the boot, but promises it for an hour only; the latest output of a Nitro instance
    is there at any time. Raises what `Session.call` raises, such as DeniedError.
    """
    found = session.call("ec2", "get_console_output", absent=_ABSENT, InstanceId=instance)
    shown = parse((found or {}).get("Output", ""))
    if shown or found is None:
        return shown
    found = session.call("ec2", "get_console_output", absent=(*_ABSENT, *_NO_LATEST), InstanceId=instance, Latest=True)
    return parse((found or {}).get("Output", ""))


def parse(text: str) -> tuple[str, ...]:
    """Return the host keys of the last complete block in a console's text."""
    blocks = _KEYS.findall(text)
    return tuple(dict.fromkeys(_KEY.findall(blocks[-1]))) if blocks else ()
